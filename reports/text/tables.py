"""The tables of a report, as rows of text: what was measured, what was not, and on what."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from reports.cases import quantities
from reports.cases.appearance import model_styles, ordered
from reports.cases.cases import Analysis, Case
from reports.cases.core_shares import core_shares, told
from reports.cases.phrases import case_in_words, interval_in_words
from reports.cases.run import Cell, Run
from reports.cases.table import Table
from vocabulary import outcomes
from vocabulary.terms import METRIC_NAMES

_MEASURED = ("ok", "server_bound")


def results(case: Case, run: Run) -> Table:
    """Every model that was measured in a case, in the order of the ratios by which the case is decided: they are taken
    within rounds, so the medians beside them may stand in another one."""
    ratios = case.deciding.ratios
    words = {model.id: model.engineering for model in run.models}
    shares = core_shares(case.cells, run.run.get("cores"))
    differ = told(shares)
    latencies = case.medians["latency"] if case.workload.metric == "latency" else {}
    rows = []
    for model in sorted(
        ordered(m for m, cell in case.cells.items() if cell.status in _MEASURED and cell.samples),
        key=lambda m: ratios[m].value if m in ratios else math.inf,
    ):
        cell = case.cells[model]
        time = case.medians["time"][model]
        memory = case.medians["memory"].get(model)
        rows.append(
            (
                f"{model} ({words[model]})" if words.get(model) else model,
                _role(case, model),
                quantities.duration(time),
                *_ratio(case, "time", model),
                quantities.duration(case.medians["cpu"][model]),
                *_ratio(case, "cpu", model)[:1],
                quantities.size(memory) if memory is not None else "–",
                quantities.percent(case.bound_ns / time) if case.bound_ns else "–",
                str(len(cell.by_round("time"))),
                *([quantities.duration(latencies[model]) if model in latencies else "–"] if latencies else []),
                *([quantities.percent(shares[model])] if differ else []),
            )
        )
    return Table(
        (
            "model",
            "role",
            "median time",
            "ratio within rounds",
            "95 % interval",
            "median CPU",
            "CPU ratio within rounds",
            "peak memory",
            "of the possible",
            "rounds",
            *([_latency(case)] if latencies else []),
            *(["share of the cores"] if differ else []),
        ),
        tuple(rows),
    )


def _latency(case: Case) -> str:
    """The name of its column."""
    quantile = next(iter(case.cells.values())).deciding_quantile
    return f"median of the {100 * quantile:.0f}th percentile of latency"


def verdicts_of(case: Case) -> str:
    """The case's verdicts in one line."""
    told = (f"{METRIC_NAMES[metric]}: {case_in_words(case, metric)}" for metric in case.verdicts)
    return ". ".join(text[0].upper() + text[1:] for text in told)


def bound_of(case: Case) -> str:
    """The least time that parameters and machine allow, and why."""
    if case.bound_ns is None:
        return ""
    return f"The least possible time is {quantities.duration(case.bound_ns)}{f' ({case.bound})' if case.bound else ''}."


def _role(case: Case, model: str) -> str:
    if model not in case.competing:
        return "shown only"
    return "best set" if model in case.deciding.best_set else "competes"


def _ratio(case: Case, metric: str, model: str) -> tuple[str, str]:
    ratio = case.verdicts[metric].ratios.get(model)
    if ratio is None:
        return "–", "–"
    return quantities.ratio(ratio.value), "best" if model == case.verdicts[metric].best else interval_in_words(ratio)


def unsupported(analysis: Analysis) -> Table:
    """One line for each model, workload and reason; sizes with the same reason share it."""
    grouped: dict[tuple[str, str, str], list[str]] = {}
    for case in analysis.cases:
        for model in ordered(case.cells):
            cell = case.cells[model]
            if cell.status == "unsupported":
                grouped.setdefault((model, case.workload.id, cell.reason), []).append(case.label)
    rows = ((model, workload, "; ".join(labels), reason) for (model, workload, reason), labels in grouped.items())
    order = ordered(m.id for m in analysis.run.models)
    return Table(
        ("model", "workload", "sizes", "reason"), tuple(sorted(rows, key=lambda row: (order.index(row[0]), row[1])))
    )


def troubles(analysis: Analysis) -> Table:
    """Whatever was not measured as planned: outcomes that are neither ok nor unsupported, early stops, failures on the
    way, models that did not start."""
    rows = [
        ("–", "–", m.id, "did not start" if m.status == "failed" else "not supported", m.reason)
        for m in analysis.run.models
        if m.status != "ok"
    ]
    for case in analysis.cases:
        for model in ordered(case.cells):
            rows += [
                (case.workload.id, case.label, model, outcome, reason) for outcome, reason in _events(case.cells[model])
            ]
    for _, native in analysis.run.natives:
        rows += [
            (native.workload, quantities.params(native.params, native.params), native.model, outcome, reason)
            for outcome, reason in _events(native)
        ]
    return Table(("workload", "size", "model", "outcome", "reason"), tuple(rows))


def _events(cell: Cell) -> list[tuple[str, str]]:
    events = []
    if cell.status not in ("ok", "unsupported"):
        reason = cell.reason
        if not reason and cell.projected_ns is not None:
            reason = f"one iteration takes at least {quantities.duration(cell.projected_ns)}"
        events.append((outcomes.name(cell.status), reason))
    if cell.stopped_reason is not None:
        events.append(("stopped early", cell.stopped_reason))
    for failure in cell.failures:
        outcome, reason = str(failure.get("outcome")), str(failure.get("reason"))
        if (outcomes.name(outcome), reason) not in events:
            events.append((outcomes.name(outcome), f"{reason} (during {failure.get('during')})"))
    return events


def models(analysis: Analysis) -> Table:
    """What each model is made of, as a table."""
    styles = model_styles(analysis.run.models)
    rows = []
    for id in ordered(m.id for m in analysis.run.models):
        model = analysis.run.model(id)
        resources = ", ".join(" ".join(quantities.param(key, value)) for key, value in model.resources.items())
        start = quantities.duration(model.start_up_ns) if model.start_up_ns is not None else "–"
        at_once = f"{model.guaranteed_concurrency:,}" if model.guaranteed_concurrency is not None else "–"
        name = f"{id} ({model.versions['python']})" if "python" in model.versions else id
        orders = (model.semaphore_order or "–", model.channel_order or "–")
        rows.append(
            (
                styles[id].code if id in styles else "–",
                name,
                model.family.replace("_", " "),
                model.engineering or "not said",
                *orders,
                at_once,
                resources or "–",
                start,
            )
        )
    return Table(
        ("letters", "model", "family", "engineering", "semaphore", "channel", "at once", "resources", "start-up"),
        tuple(rows),
    )


def environment(analysis: Analysis) -> Table:
    """Everything the run recorded about where and how it ran."""
    run = analysis.run
    rows = []
    for part, values in (
        ("run", run.run),
        ("source", run.source),
        ("build", run.build),
        ("host", run.host),
        ("settings", run.settings),
        ("noise", run.noise),
    ):
        rows += [(part, key.replace("_", " "), _flat(value)) for key, value in _leaves(values)]
    return Table(("part", "what", "value"), tuple(rows))


def _leaves(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    leaves: list[tuple[str, Any]] = []
    for key, value in sorted(values.items()):
        leaves += _leaves(value, f"{prefix}{key} ") if isinstance(value, dict) else [(prefix + key, value)]
    return leaves


def _flat(value: Any) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return quantities.three_digits(value)
    if isinstance(value, list):
        return " ".join(_flat(v) for v in value) or "none"
    return str(value)
