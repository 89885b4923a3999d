"""The trust strip: what a reader must know of a run before believing its numbers."""

from __future__ import annotations

from dataclasses import dataclass

from reports import control, outcomes, quantities
from reports.analysis import METRIC_NAMES, Analysis
from reports.run import Run
from reports.statistics import LEAST_ROUNDS


@dataclass(frozen=True)
class Fact:
    name: str
    value: str
    warns: bool = False


def facts(analysis: Analysis) -> list[Fact]:
    run = analysis.run
    rounds = run.run.get("rounds_done")
    complete = bool(run.run.get("complete"))
    state = "complete" if complete else f"partial: {run.run.get('stop_reason') or 'reason unknown'}"
    processes = run.run.get("processes") or 1
    return [
        Fact("Rounds", f"{rounds}, {'up to ' if processes > 1 else ''}{quantities.counted(processes, 'process', 'processes')} per model", isinstance(rounds, int) and rounds < LEAST_ROUNDS),
        Fact("State", state, not complete),
        Fact("Machine", _machine(run)),
        Fact("Revision", _revision(run), bool(run.source.get("dirty"))),
        Fact("Mode", f"{run.run.get('mode', 'unknown')}, seed {run.run.get('seed', 'unknown')}, measured for {_duration(run)}"),
        _control(run),
        _foreign(run),
        _noisy(run),
        _outcomes(run),
        *(Fact("Warning", str(text), True) for text in run.noise.get("warnings") or ()),
    ]


def _machine(run: Run) -> str:
    cores = run.run.get("cores") or run.host.get("logical_cores")
    memory = run.host.get("mem_bytes")
    parts = [run.host.get("cpu_model") or run.host.get("arch") or "unknown CPU", f"{cores} cores used", quantities.size(memory) if memory else "", run.host.get("os") or ""]
    return ", ".join(str(p) for p in parts if p)


def _revision(run: Run) -> str:
    name = run.source.get("describe") or (run.source.get("git_sha") or "unknown")[:12]
    if run.source.get("dirty") and not str(name).endswith("-dirty"):
        return f"{name}, with local changes"
    return str(name)


def _duration(run: Run) -> str:
    ns = run.run.get("duration_ns")
    return quantities.duration(ns) if isinstance(ns, int) else "an unknown time"


def _foreign(run: Run) -> Fact:
    share = run.noise.get("foreign_share")
    if not isinstance(share, (int, float)):
        return Fact("Foreign load", "unknown")
    return Fact("Foreign load", f"{quantities.percent(share)} of the machine's CPU time was used by others (median)", share > 0.25)


def _noisy(run: Run) -> Fact:
    """Disturbed visits, by the grade that the run gave itself."""
    share, grade = run.noise.get("noisy_share"), run.noise.get("grade")
    if not isinstance(share, (int, float)):
        return Fact("Disturbed", "unknown")
    return Fact("Disturbed", f"{quantities.percent(share)} of the visits: grade {grade}", grade in ("C", "D"))


def _control(run: Run) -> Fact:
    """Equal models that were measured as different make everything else doubtful."""
    pairs = control.pairs(run)
    if not pairs:
        return Fact("A/A control", "none in this run")
    apart = [pair for pair in pairs if pair.apart]
    if apart:
        worst = max(apart, key=lambda pair: abs(pair.bounds.value))
        told = f"{worst.model} and its twin differ by {quantities.ratio(worst.bounds.ratio.value)} in {METRIC_NAMES[worst.metric]} ({worst.case})"
        return Fact("Not trustworthy", f"A/A control: {len(apart)} of {len(pairs)} comparisons of a model with itself found a difference; {told}", True)
    floor = control.floor(pair.bounds for pair in pairs) or 0.0
    return Fact("A/A control", f"{len(pairs)} comparisons of a model with itself found no difference; noise floor: the largest deviation was {quantities.percent(floor)}")


def _outcomes(run: Run) -> Fact:
    """Failures warn; what was planned not to be measured does not."""
    statuses = [cell.status for cell in run.cells]
    parts = [told] if (told := outcomes.counted(statuses)) else []
    parts += [f"{quantities.counted(count, 'model')} did not start" for count in [sum(m.status != "ok" for m in run.models)] if count]
    return Fact("Cells", ", ".join(parts) or "none", any(status in outcomes.FAILURES for status in statuses))
