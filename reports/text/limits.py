"""What a run cannot tell: sentences about what it lacks and what stays open."""

from __future__ import annotations

import math
from collections import Counter
from statistics import median

from reports.analysis.aa_control import aa_pairs
from reports.cases import load, quantities
from reports.cases.cases import Analysis
from reports.cases.counting import judged
from reports.cases.phrases import listed
from verdicts import aa_control
from vocabulary.terms import MAP_METRICS, METRIC_NAMES


def limits(analysis: Analysis) -> list[str]:
    """The gravest first."""
    found = [*_trust(analysis), *_separation(analysis), *_gaps(analysis), *_reach(analysis)]
    return found


def _trust(analysis: Analysis) -> list[str]:
    run, found = analysis.run, []
    pairs = aa_pairs(run)
    apart = sum(pair.apart for pair in pairs)
    if aa_control.distrusted(len(pairs), apart):
        found.append(
            f"Whether small differences are real: {apart} of {quantities.counted(len(pairs), 'comparison')} of a model"
            " with itself found one, more than chance explains."
        )
    if not run.run.get("complete"):
        found.append("Anything about what is missing: the run is partial.")
    if told := load.warning(run):
        found.append(
            f"What a quiet machine would show: {told}. Verdicts that the undisturbed rounds contradict stay open."
        )
    return found


def _separation(analysis: Analysis) -> list[str]:
    found = []
    for metric in MAP_METRICS:
        if load.withheld(analysis.run, metric):
            continue
        cases = judged(analysis.cases, metric)
        verdicts = [case.verdicts[metric] for case in cases]
        safe, open_ = (sum(v.kind == kind for v in verdicts) for kind in ("safe_choice", "open"))
        widths = [
            math.log(r.high / r.low) / 2
            for case, v in zip(cases, verdicts, strict=True)
            for m, r in v.ratios.items()
            if m in case.competing and m != v.best and r.low and r.high
        ]
        if safe + open_ or widths:
            parts = (
                [
                    f"{safe + open_} of"
                    f" {quantities.counted(len(verdicts), 'case')} {'is' if safe + open_ == 1 else 'are'} open,"
                    f" {safe} of them with a safe choice"
                ]
                if safe + open_
                else []
            )
            parts += (
                [f"half of the intervals are wider than ±{quantities.percent(math.expm1(median(widths)))}"]
                if widths
                else []
            )
            found.append(f"Who is best by {METRIC_NAMES[metric]} where it is close: {'; '.join(parts)}.")
    return found


def _gaps(analysis: Analysis) -> list[str]:
    counts = Counter(cell.status for cell in analysis.run.cells)
    found = []
    if counts["server_bound"]:
        found.append(
            f"How fast {quantities.counted(counts['server_bound'], 'server-bound cell')} would be with a faster other"
            " side: origin or load generator was the limit."
        )
    if counts["projected"]:
        found.append(
            f"Exact times of {quantities.counted(counts['projected'], 'projected cell')}: at least that long, from"
            " smaller sizes."
        )
    if counts["not_run"]:
        found.append(
            f"Anything about {quantities.counted(counts['not_run'], 'cell')} that did not fit the time budget."
        )
    for status, why in (("failed", "did not start"), ("unsupported", "cannot be measured here")):
        if without := [model.id for model in analysis.run.models if model.status == status]:
            found.append(f"Anything about {listed(without)}: {'it' if len(without) == 1 else 'they'} {why}.")
    if analysis.run.run.get("mode") == "quick":
        found.append(
            "How the variants of each family perform: a quick run measures one representative of each; --full measures"
            " all."
        )
    return found


def _reach(analysis: Analysis) -> list[str]:
    cores = analysis.run.run.get("cores") or analysis.run.host.get("logical_cores")
    found = [
        f"Any other machine: these are {quantities.counted(cores, 'core') if cores else 'the cores'} of one. More cores"
        " favour models that run on all of them."
    ]
    if "io" in analysis.classes:
        found.append("A real network: servers and load generator answer over loopback, from the same cores.")
    if analysis.run.host.get("virtualization") not in (None, "none", ""):
        found.append(
            f"Bare metal: this is a virtual machine ({analysis.run.host['virtualization']}), whose wake-ups and context"
            " switches cost more."
        )
    return found
