"""Draws a run: DIR/run.json → DIR/index.html, DIR/report.md and DIR/figures/. The same run.json gives the same
bytes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from reports.analysis import focus, granularity
from reports.analysis.claims import Claim, claims, judges, pythons
from reports.analysis.model_or_implementation import sentences, weighed
from reports.cases.cases import Analysis, analyse
from reports.cases.core_shares import core_shares, extremes
from reports.cases.phrases import Headline
from reports.cases.read import read_run
from reports.cases.run import Focus
from reports.cases.table import Table
from reports.drawing.claim_rows import evidence_table
from reports.drawing.sheet import Picture
from reports.figures import regime_map
from reports.figures.claim_chart import claim_chart
from reports.figures.forest import forests
from reports.figures.model_or_implementation import model_or_implementation
from reports.figures.share_chart import share_chart
from reports.figures.winner_map import winner_map
from reports.pages import stale_figures
from reports.pages.files import environment, escaped, write
from reports.pages.sections import Section, figure_sections
from reports.text import headlines, samples_csv, tables, trust, verdicts_json
from reports.text.closing import closing
from reports.text.guide import guide
from reports.text.limits import limits
from reports.text.method import METHOD
from reports.text.reproduce import Recipe, recipe
from reports.text.trust import Fact
from vocabulary.files import VERDICTS
from vocabulary.terms import MAP_METRICS


@dataclass(frozen=True)
class CaseResults:
    """The table of a case."""

    label: str
    verdicts: str
    bound: str
    shares: str  # of the cores
    table: Table


@dataclass(frozen=True)
class WorkloadResults:
    """The tables of a workload's cases."""

    workload: str
    question: str
    cases: tuple[CaseResults, ...]
    metg: Table | None  # of granularity


@dataclass(frozen=True)
class ClaimResult:
    """A claim with its figure."""

    claim: Claim
    chart: Picture | None
    table: Table


@dataclass(frozen=True)
class Page:
    """What both templates are filled with."""

    id: str
    headlines: list[Headline]
    facts: list[Fact]
    maps: list[Picture]
    regimes: list[Picture]
    no_regimes: str  # why there are none
    weighed: list[Headline]  # model against implementation
    shares: Picture | None  # of both
    guide: Table
    changes: list[str]
    limits: list[str]
    figure_sections: list[Section]
    forests: list[Picture]
    claims: list[ClaimResult]
    untested: list[Claim]  # of which this run can say nothing
    judges: str
    pythons: str
    results: list[WorkloadResults]
    troubles: Table
    unsupported: Table
    models: Table
    environment: Table
    recipe: Recipe
    method: tuple[str, ...] = METHOD

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """All of the report, in the order in which they stand there."""
        of_claims = (result.chart for result in self.claims if result.chart is not None)
        of_sections = (picture for section in self.figure_sections for picture in section.pictures)
        shares = () if self.shares is None else (self.shares,)
        return (*self.maps, *self.regimes, *shares, *of_claims, *of_sections, *self.forests)


def build(run_dir: Path, front: Focus | None = None) -> list[str]:
    """The closing lines. `front`: the model in front, instead of that for which the run was made. Raises ReadError if
    run.json cannot be read, OSError if DIR cannot be written to."""
    folder = Path(run_dir)
    run = read_run(folder)
    analysis = analyse(run)
    if front:
        analysis = replace(analysis, focus=front)
    page = _page(analysis)
    figures = folder / "figures"
    figures.mkdir(exist_ok=True)
    for picture in page.pictures:
        write(figures / f"{picture.name}.svg", picture.file.encode())
        write(figures / f"{picture.name}.png", picture.png)
    stale_figures.remove(figures, {picture.name for picture in page.pictures})
    write(folder / "index.html", _html(page).encode())
    write(folder / "report.md", _markdown(page).encode())
    write(folder / samples_csv.NAME, samples_csv.samples_csv(run).encode())
    write(folder / VERDICTS, verdicts_json.content(analysis))
    return closing(analysis)


def _page(analysis: Analysis) -> Page:
    ledger, found = claims(analysis), weighed(analysis)
    return Page(
        id=str(analysis.run.run.get("id", "a run")),
        headlines=[*focus.headlines(analysis), *headlines.headlines(analysis)],
        facts=trust.facts(analysis),
        maps=[winner_map(analysis, metric) for metric in MAP_METRICS],
        regimes=[picture for metric in MAP_METRICS if (picture := regime_map.regime_map(analysis, metric))],
        no_regimes=regime_map.MISSING,
        weighed=sentences(found),
        shares=model_or_implementation(found),
        guide=guide(analysis),
        changes=headlines.changes(analysis),
        limits=limits(analysis),
        figure_sections=figure_sections(analysis),
        forests=[
            picture
            for class_ in analysis.classes
            for metric in _metrics_of(analysis, class_)
            for picture in forests(analysis, class_, metric)
        ],
        judges=judges(ledger),
        pythons=pythons(analysis),
        claims=[
            ClaimResult(claim, claim_chart(claim) or share_chart(claim), evidence_table(claim))
            for claim in ledger
            if claim.tested_here
        ],
        untested=[claim for claim in ledger if not claim.tested_here],
        results=[
            WorkloadResults(
                row.workload.id,
                row.workload.question,
                tuple(
                    CaseResults(
                        _label(row.constants, case.label),
                        tables.verdicts_of(case),
                        tables.bound_of(case),
                        extremes(core_shares(case.cells, analysis.run.run.get("cores"))),
                        tables.results(case, analysis.run),
                    )
                    for case in row.cases
                ),
                granularity.table(row, analysis.run.run.get("cores")) if row.workload.id == "granularity" else None,
            )
            for row in analysis.rows
        ],
        troubles=tables.troubles(analysis),
        unsupported=tables.unsupported(analysis),
        models=tables.models(analysis),
        environment=tables.environment(analysis),
        recipe=recipe(analysis.run),
    )


def _metrics_of(analysis: Analysis, class_: str) -> list[str]:
    """The maps' metrics, and whatever else decides a workload of the class."""
    return list(dict.fromkeys((*MAP_METRICS, *(row.workload.metric for row in analysis.rows_of(class_)))))


def _label(constants: str, label: str) -> str:
    return f"{label} (always: {constants})" if constants else label


def _html(page: Page) -> str:
    return environment().get_template("index.html").render(page=page)


def _markdown(page: Page) -> str:
    return environment(finalize=escaped).get_template("report.md").render(page=page)
