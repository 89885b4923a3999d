"""The trust strip: what a reader must know before believing a run's numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from reports.analysis.aa_control import aa_pairs
from reports.cases import load, quantities
from reports.cases.cases import Analysis
from reports.cases.run import Run
from verdicts import aa_control
from vocabulary import outcomes
from vocabulary.looks import looks_of
from vocabulary.terms import METRIC_NAMES


@dataclass(frozen=True)
class Fact:
    """A row of the trust strip; some are warnings."""

    name: str
    value: str
    warns: bool = False


def facts(analysis: Analysis) -> list[Fact]:
    """What to know before believing the numbers, in the order of the trust strip."""
    run = analysis.run
    complete = bool(run.run.get("complete"))
    state = "complete" if complete else f"partial: {run.run.get('stop_reason') or 'reason unknown'}"
    return [
        _rounds(analysis),
        _regret(analysis),
        Fact("State", state, not complete),
        Fact("Machine", _machine(run)),
        *_variables(run),
        Fact("Revision", _revision(run), bool(run.source.get("dirty"))),
        Fact(
            "Mode",
            f"{run.run.get('mode', 'unknown')}, seed {run.run.get('seed', 'unknown')}, measured for {_duration(run)}",
        ),
        _control(run),
        _background_load(run),
        _noisy(run),
        _outcomes(run),
        *(Fact("Warning", str(text), True) for text in run.noise.get("warnings") or ()),
    ]


def _rounds(analysis: Analysis) -> Fact:
    """On which verdicts rest, by the metric that decides each case."""
    rounds = [
        (case.deciding.rounds, looks_of(case.workload.metric)[0]) for case in analysis.cases if case.deciding.rounds
    ]
    if not rounds:
        return Fact("Rounds", "none", True)
    low, middle, high = _quartiles([done for done, _ in rounds])
    processes = analysis.run.run.get("processes") or 1
    told = (
        f"median {middle:.0f}, middle half {low:.0f} to {high:.0f} ({quantities.counted(len(rounds), 'case')});"
        f" {'up to ' if processes > 1 else ''}{quantities.counted(processes, 'process', 'processes')} per model"
    )
    return Fact("Rounds of a case", told, 2 * sum(done < least for done, least in rounds) > len(rounds))


def _regret(analysis: Analysis) -> Fact:
    """Of the safe choices, by the metric that decides each case; infinite where nothing bounds it."""
    regrets = [
        math.inf if v.regret is None else v.regret for case in analysis.cases if (v := case.deciding).kind != "none"
    ]
    if not regrets:
        return Fact("Safe choices", "none")
    if math.isinf(_quartiles(regrets)[1]):
        return Fact(
            "Safe choices",
            (
                f"none in {sum(map(math.isinf, regrets))} of {quantities.counted(len(regrets), 'case')}: nothing bounds"
                " how far any model is from the best"
            ),
        )
    low, middle, high = map(_bound, _quartiles(regrets))
    return Fact(
        "Safe choices",
        (
            f"at most {middle} from the best in the median case, middle half {low} to"
            f" {high} ({quantities.counted(len(regrets), 'case')})"
        ),
    )


def _quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    ordered = sorted(values)
    low, middle, high = (ordered[round(part * (len(ordered) - 1) / 4)] for part in (1, 2, 3))
    return low, middle, high


def _bound(regret: float) -> str:
    return "unknown" if math.isinf(regret) else quantities.at_most(regret)


def _machine(run: Run) -> str:
    cores = run.run.get("cores") or run.host.get("logical_cores")
    memory = run.host.get("mem_bytes")
    allocator = run.run.get("allocator", "glibc")
    parts = [
        run.host.get("cpu_model") or run.host.get("arch") or "unknown CPU",
        f"{cores} cores used",
        quantities.size(memory) if memory else "",
        run.host.get("os") or "",
        f"memory from {allocator}" if allocator != "glibc" else "",
    ]
    return ", ".join(str(p) for p in parts if p)


def _variables(run: Run) -> list[Fact]:
    """Nothing where none was set."""
    told = ", ".join(f"{name}={value}" for name, value in run.variables.items())
    return [Fact("Environment", f"{told}: not the usual setting", True)] if told else []


def _revision(run: Run) -> str:
    if not run.source.get("git_sha") and run.source.get("reason"):
        return f"unknown: {run.source['reason']}"
    name = run.source.get("describe") or (run.source.get("git_sha") or "unknown")[:12]
    if run.source.get("dirty") and not str(name).endswith("-dirty"):
        return f"{name}, with local changes"
    return str(name)


def _duration(run: Run) -> str:
    ns = run.run.get("duration_ns")
    return quantities.duration(ns) if isinstance(ns, int) else "an unknown time"


def _background_load(run: Run) -> Fact:
    share = run.noise.get("foreign_share")
    if not isinstance(share, (int, float)):
        return Fact("Background load", "unknown")
    return Fact(
        "Background load",
        f"{quantities.percent(share)} of the machine's CPU time was used by others (median)",
        share > 0.25,
    )


def _noisy(run: Run) -> Fact:
    """Disturbed visits, by the grade that the run gave itself."""
    share, grade = run.noise.get("noisy_share"), run.noise.get("grade")
    if not isinstance(share, (int, float)):
        return Fact("Disturbed", "unknown")
    if told := load.warning(run):
        return Fact("Disturbed", f"{told[0].upper()}{told[1:]}", True)
    return Fact("Disturbed", f"{quantities.percent(share)} of the visits: grade {grade}")


def _control(run: Run) -> Fact:
    """Equal models that were measured as different make everything else doubtful."""
    pairs = aa_pairs(run)
    if not pairs:
        return Fact("A/A control", "none in this run")
    apart = [pair for pair in pairs if pair.apart]
    alarms = quantities.counted(len(apart), "false alarm")
    told = (
        f"{quantities.counted(len(pairs), 'comparison')} of a model with itself: {alarms},"
        f" {aa_control.expected(len(pairs)):.2g} expected by chance"
    )
    if aa_control.distrusted(len(pairs), len(apart)):
        worst = max(apart, key=lambda pair: pair.deviation)
        return Fact(
            "Not trustworthy",
            (
                f"A/A control: {told}; {worst.model} and its twin differ by {quantities.percent(worst.deviation)} in"
                f" {METRIC_NAMES[worst.metric]} ({worst.case})"
            ),
            True,
        )
    floor = aa_control.floor(pair.deviation for pair in pairs) or 0.0
    return Fact("A/A control", f"{told}; noise floor: they seem to differ by {quantities.percent(floor)} in the median")


def _outcomes(run: Run) -> Fact:
    """Failures warn; what was planned not to be measured does not."""
    statuses = [cell.status for cell in run.cells]
    parts = [told] if (told := outcomes.counted(statuses)) else []
    for status, why in (("failed", "did not start"), ("unsupported", "cannot be measured here")):
        parts += [
            f"{quantities.counted(count, 'model')} {why}"
            for count in [sum(m.status == status for m in run.models)]
            if count
        ]
    return Fact("Cells", ", ".join(parts) or "none", any(status in outcomes.FAILURES for status in statuses))
