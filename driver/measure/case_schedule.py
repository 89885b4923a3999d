"""The state of a case: which models take part in its next round, when its next look is due, and what that costs. Pure:
no clock, no process."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import median

from driver.prepare.aa_control import AA_CONTROLS
from driver.prepare.plan import sample_cost_ns
from driver.session.cells import REPRESENTATIVE, Cell, by_case
from driver.session.checks import outcome
from verdicts.deciding import Verdict, decide, known_slower
from verdicts.statistics import Series
from vocabulary.looks import LOOKS, looks_of
from vocabulary.sample import Sample, by_round

_ORIGINALS = {control: model for model, control in AA_CONTROLS.items()}
# rounds that what a claim is judged by, and a native twin with its model, has whether or not the case is decided
_FOLLOWED = LOOKS[2]
_SAFE = 0.1  # regret
_TELLING = LOOKS[1]  # rounds from which a standard error says what is to come
# standard error of a log ratio at which a difference of 5 %, of 10 % is seen, or seen not to be there
_SHOWN, _SHOWN_SAFE = 0.017, 0.034
_RENEWED = 1.15  # times the cost of the samples: fresh processes pass their checks


class CaseSchedule:
    """Of one case; follows its cells as they are measured."""

    def __init__(self, cells: Sequence[Cell], processes: Mapping[str, int]) -> None:
        """`processes`: of each model, which decide how its memory counts."""
        self.name = cells[0].case.name
        self.cells = list(cells)
        self.verdicts: dict[str, Verdict] = {}  # by metric, as of the last look
        self.done = 0  # whole rounds
        self._processes = processes
        self._looks = looks_of(cells[0].case.metric)
        self._samples: dict[str, list[Sample]] = {cell.model: [] for cell in cells}
        metric, paced = cells[0].case.metric, bool(cells[0].case.paced_by)
        self.by_memory = metric == "memory"  # decided by nothing else: each of its rounds is dear
        others = () if self.by_memory else ("cpu",) if paced else ("cpu", "time")
        self.metrics = tuple(dict.fromkeys((metric, *others)))  # the deciding one first

    def follow(self, done: int) -> None:
        """So many rounds are whole now."""
        looked = max((look for look in self._looks if look <= done), default=0)
        if looked > max((look for look in self._looks if look <= self.done), default=0) or (
            done > self.done and self.open_in is None
        ):
            self.verdicts = {metric: self._verdict(metric, done) for metric in self.metrics}
        self.done = done

    @property
    def next_look(self) -> int | None:
        """After how many rounds the case is judged next; None after the last look."""
        return next((look for look in self._looks if look > self.done), None)

    @property
    def first_look(self) -> int:
        """After how many rounds it is judged first."""
        return self._looks[0]

    @property
    def promised(self) -> int:
        """Rounds that some of its cells have whatever the looks say."""
        return max((cell.state.promised for cell in self.cells if cell.state.waits), default=0)

    @property
    def open_in(self) -> int | None:
        """The place of the first metric, the deciding one being 0, in which more rounds may still tell more; None: the
        case is finished."""
        for place, metric in enumerate(self.metrics):
            if metric not in self.verdicts or not self.verdicts[metric].finished:
                return place
        return None

    @property
    def goes_on(self) -> bool:
        """More rounds may tell more of what competes, or of what is followed."""
        return self.next_look is not None and (
            (self.open_in is not None and len(self.taking_part()) > 1) or self._following
        )

    @property
    def _following(self) -> bool:
        return (
            not self.by_memory
            and self.done < _FOLLOWED
            and any(cell.followed and cell.state.waits and cell.state.samples for cell in self.cells)
        )

    def competing(self) -> list[Cell]:
        """The cells that compete: A/A controls do not."""
        return [cell for cell in self.cells if cell.rank == REPRESENTATIVE and cell.model not in _ORIGINALS]

    def taking_part(self) -> list[Cell]:
        """Those of the next round: what is still in question in some open metric, and in the first rounds whatever is
        to be measured beside it."""
        able = [cell for cell in self.cells if cell.state.ready]
        if self.done < self.first_look:
            return [cell for cell in able if not cell.shown_only]
        wanted = {
            model
            for metric in self.metrics
            if not (verdict := self.verdicts[metric]).finished
            for model in verdict.best_set
        }
        controls = {control for control, model in _ORIGINALS.items() if model in wanted}
        return [
            cell
            for cell in able
            if cell.model in wanted | controls or cell.state.promised > self.done or (self._following and cell.followed)
        ]

    def wanting(self) -> list[Cell]:
        """Cells beside those that compete that have not had the first rounds yet."""
        return [
            cell
            for cell in self.cells
            if cell.shown_only and cell.state.ready and len(cell.state.samples) < self.first_look
        ]

    def reference(self) -> list[Cell]:
        """What a model that does not compete is compared with, where the case is finished."""
        best = next((verdict.best for verdict in self.verdicts.values() if verdict.best), None)
        return [cell for cell in self.cells if cell.model == best and cell.state.waits]

    def confirming(self) -> list[Cell]:
        """Who takes part in the rounds that could contradict what was found: the best, and those that were measured
        against it at the last look."""
        found = self.verdicts[self.metrics[0]]
        models = {*found.best_set, *(model for model in found.slower if found.eliminated.get(model) == found.rounds)}
        return [cell for cell in self.competing() if cell.model in models and cell.state.waits]

    def round_cost_ns(self) -> int:
        """What the next round will take."""
        return sum(map(sample_cost_ns, self.taking_part()))

    def look_cost_ns(self) -> int:
        """Up to the next look."""
        assert self.next_look is not None
        return round((self.next_look - self.done) * self.round_cost_ns() * _RENEWED)

    @property
    def urgency(self) -> int:
        """0: no choice is safe yet by what decides the case; 1: that is still open in words; 2: something else is
        open."""
        found = self.verdicts.get(self.metrics[0])
        if found is None or (not found.finished and (found.regret is None or found.regret > _SAFE)):
            return 0
        return 1 if not found.finished or self._following else 2

    def needed_rounds(self) -> float:
        """How many the case probably needs in all, for what is most urgent: to be decided, or at least to have a safe
        choice. 0 where too few rounds tell."""
        wanted = _SHOWN_SAFE if self.urgency == 0 else _SHOWN
        deciding = self.verdicts.get(self.metrics[0])
        if deciding is not None and deciding.finished:
            if self._following:
                return 0.0
            asked = [verdict for verdict in self.verdicts.values() if not verdict.finished]
        else:
            asked = [deciding] if deciding is not None else []
        return max(
            (verdict.rounds * (verdict.error / wanted) ** 2 for verdict in asked if verdict.rounds >= _TELLING),
            default=0.0,
        )

    def _verdict(self, metric: str, done: int) -> Verdict:
        competing = self.competing()
        if metric in ("time", "latency") and any(outcome(cell)[0] == "server_bound" for cell in competing):
            return Verdict("none", (), (), {}, done, reason="the other side is the limit")
        values = {
            cell.model: self._series(cell, metric, done)
            for cell in competing
            if cell.state.status == "ok" and cell.state.samples
        }
        out: set[str] = set()
        if metric == "time":
            medians = {model: median(series.values.values()) for model, series in values.items() if series.values}
            projected = {
                cell.model: cell.state.projected_ns
                for cell in competing
                if cell.state.status == "projected" and cell.state.projected_ns is not None
            }
            out = known_slower(
                medians,
                projected,
                {
                    cell.model
                    for cell in competing
                    if cell.state.stopped is not None and len(cell.state.samples) < self.first_look
                },
            )
        bounds = [bound for cell in self.cells for bound in (cell.bound_ns, cell.state.lower_bound_ns) if bound]
        return decide(
            values,
            {cell.model for cell in competing},
            known_slower=out,
            bound=max(bounds, default=None) if metric == "time" else None,
            looks=self._looks,
            under_way=True,
        )

    def _series(self, cell: Cell, metric: str, done: int) -> Series:
        known = self._samples[cell.model]
        known += [Sample.of(sample) for sample in cell.state.samples[len(known) :]]
        so_far = (sample for sample in known if sample.round < done)
        values = by_round(metric, so_far, self._processes.get(cell.model, 1), cell.state.offered_per_s is not None)
        return Series(values, {sample.round: sample.process for sample in known})


def schedules(cells: Iterable[Cell], processes: Mapping[str, int]) -> dict[str, CaseSchedule]:
    """One for each case, by its name. `processes`: of each model."""
    return {name: CaseSchedule(models, processes) for name, models in by_case(cells).items()}


def _in_turn(cases: Iterable[CaseSchedule], left_ns: int) -> list[CaseSchedule]:
    """The open cases, cheapest next look first. First of all those in which no choice is safe yet, last those that will
    probably not be decided anyway."""

    def hopeless(case: CaseSchedule) -> bool:
        needed = case.needed_rounds()
        return needed > LOOKS[-1] or (needed - case.done) * case.round_cost_ns() * _RENEWED > left_ns

    return sorted(
        (case for case in cases if case.goes_on),
        key=lambda case: (hopeless(case), case.urgency, case.look_cost_ns(), case.name),
    )


def next_case_of_a_round(cases: Iterable[CaseSchedule], left_ns: int) -> CaseSchedule | None:
    """Where no next look fits any more: the open case that is nearest to one and of which a round fits."""
    return next((case for case in _in_turn(cases, left_ns) if case.round_cost_ns() * _RENEWED <= left_ns), None)


def next_cases(cases: Iterable[CaseSchedule], left_ns: int, most: int) -> list[CaseSchedule]:
    """The open cases that are looked at next, at most so many, as far as the time reaches."""
    chosen: list[CaseSchedule] = []
    for case in _in_turn(cases, left_ns):
        if len(chosen) < most and case.look_cost_ns() <= left_ns:
            chosen.append(case)
            left_ns -= case.look_cost_ns()
    return chosen


def balanced_order(models: Sequence[Cell], number: int, start: int) -> list[Cell]:
    """The row of a Williams square for that round: over its rows each model stands equally often in each place and
    behind each other one."""
    size = len(models)
    if size < 2:
        return list(models)
    zigzag = [place // 2 + 1 if place % 2 else -(place // 2) for place in range(size)]
    row = (start + number) % (2 * size)
    places = zigzag if row < size else zigzag[::-1]  # an odd number of models needs the mirror image, too
    return [models[(row + place) % size] for place in places]
