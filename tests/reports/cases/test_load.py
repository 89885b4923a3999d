"""A run beside other programs: what is judged, what is withheld, and who had how much of the cores."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import reports
from reports.analysis.claims import claims
from reports.analysis.model_or_implementation import weighed
from reports.analysis.regime import regimes
from reports.cases.cases import Analysis, analyse
from reports.cases.core_shares import core_shares, extremes
from reports.cases.load import warning
from reports.cases.read import parse_run
from reports.pages.validate import faults
from reports.text.closing import closing
from reports.text.guide import guide
from reports.text.headlines import changes, headlines
from reports.text.tables import results
from reports.text.trust import facts
from tests.reports import synthetic

NOISE = {"A": 0.04, "B": 0.2, "C": 0.4, "D": 0.88}


def noise(grade: str) -> dict[str, Any]:
    return {"foreign_share": 0.6, "noisy_share": NOISE[grade], "grade": grade, "warnings": []}


def loaded(grade: str) -> Analysis:
    return analyse(parse_run(synthetic.realistic(12, noise=noise(grade)), "x"))


@pytest.fixture(scope="module")
def grade_d() -> Analysis:
    return loaded("D")


def test_at_grade_d_no_case_has_a_verdict_by_time_or_latency_and_each_keeps_the_one_by_cpu_cost(
    grade_d: Analysis,
) -> None:
    quiet = {case.id: case.verdicts for case in loaded("A").cases}
    assert any(verdicts["time"].decided for verdicts in quiet.values())
    for case in grade_d.cases:
        for metric, verdict in case.verdicts.items():
            if metric in ("cpu", "memory"):
                assert verdict == quiet[case.id][metric]
            else:
                assert verdict.kind == "none" and (
                    quiet[case.id][metric].kind == "none"
                    or "other programs disturbed 88 % of the visits (grade D)" in verdict.reason
                )
                assert verdict.ratios == quiet[case.id][metric].ratios


@pytest.mark.parametrize("grade", ["A", "B", "C"])
def test_below_grade_d_time_is_judged(grade: str) -> None:
    assert [case.verdicts["time"].kind for case in loaded(grade).cases] == [
        case.verdicts["time"].kind for case in loaded("A").cases
    ]


def test_nothing_quotes_a_verdict_that_is_withheld(grade_d: Analysis) -> None:
    time, cpu, *classes = headlines(grade_d)
    assert (
        time.text
        == "no verdict, too much load: other programs disturbed 88 % of the visits (grade D), so time is not judged;"
        " CPU cost is."
    )
    assert cpu.lead == "By CPU cost, measured under load" and "wins" in cpu.text
    assert classes and all(
        headline.lead.endswith(", measured under load") and "Time: " not in headline.text
        for headline in classes
        if "Memory" not in headline.lead
    )
    assert not [line for line in changes(grade_d) if ", time" in line]
    assert regimes(grade_d, "time") == () and regimes(grade_d, "cpu")
    assert {one.metric for one in weighed(grade_d)} <= {"cpu", "memory"}
    assert {line[0] for line in guide(grade_d).rows} == {"Memory"}
    for claim in claims(grade_d):
        for check in claim.checks:
            assert (
                check.holds is None or not re.search(r"\btime\b|mean delay", check.cells) or "in flight" in check.what
            ), check


def test_the_terminal_the_trust_strip_and_the_limits_say_what_load_does(grade_d: Analysis) -> None:
    told = closing(grade_d)
    assert (
        told[-1]
        == "! other programs disturbed 88 % of the visits (grade D): time is not judged, and CPU cost was measured"
        " under load; load favours models with many threads, as each thread gets its turn on the cores"
    )
    assert any("; by CPU cost, measured under load)" in line for line in told[1:-1])
    assert next(fact for fact in facts(grade_d) if fact.name == "Disturbed").warns


def test_at_grade_c_there_is_a_warning_and_below_none() -> None:
    assert "load favours models with many threads" in warning(loaded("C").run) and "not judged" not in warning(
        loaded("C").run
    )
    assert closing(loaded("C"))[-1].startswith("! other programs disturbed 40 % of the visits (grade C)")
    assert warning(loaded("B").run) == "" and not closing(loaded("B"))[-1].startswith("!")


def test_a_report_of_grade_d_is_drawn_and_its_verdicts_are_marked(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(json.dumps(synthetic.realistic(12, noise=noise("D"))))
    reports.build(tmp_path)
    for name in ("index.html", "report.md"):
        text = (tmp_path / name).read_text()
        assert "time is not judged" in text and "measured under load" in text and "share of the cores" in text
    document = json.loads((tmp_path / "verdicts.json").read_text())
    assert faults(tmp_path / "verdicts.json") == []
    assert all(entry["under_load"] for entry in document["cases"])
    assert {entry["kind"] for entry in document["cases"] if entry["metric"] == "time"} == {"none"}


def test_where_models_had_different_shares_of_the_cores_the_table_and_a_sentence_say_so() -> None:
    """thread_pool_wide got 1.6 of 2 cores, thread_pool 0.7."""
    values = {"thread_pool_wide": (1e6, 1.6e6), "thread_pool": (1e6, 0.7e6)}
    analysis = analyse(
        parse_run(
            synthetic.run(
                list(values), [{"id": "w", "class": "cpu"}], synthetic.measured(values, "w", {"n": 1}, 12, 0.0, 1)
            ),
            "x",
        )
    )
    (case,) = analysis.cases
    shares = core_shares(case.cells, 2)
    assert shares == pytest.approx({"thread_pool_wide": 0.8, "thread_pool": 0.35}, rel=0.01)
    assert extremes(shares) == "During its samples thread_pool_wide had 80 % of the cores, thread_pool 35 %."
    table = results(case, analysis.run)
    assert table.header[-1] == "share of the cores" and {row[-1] for row in table.rows} == {"80 %", "35 %"}


def test_where_all_had_about_as_much_nothing_is_said() -> None:
    values = {"fibers": (1e6, 1e6), "event_loop": (1e6, 1.1e6)}
    analysis = analyse(
        parse_run(
            synthetic.run(
                list(values), [{"id": "w", "class": "cpu"}], synthetic.measured(values, "w", {"n": 1}, 12, 0.0, 1)
            ),
            "x",
        )
    )
    (case,) = analysis.cases
    assert extremes(core_shares(case.cells, 2)) == extremes(core_shares(case.cells, None)) == ""
    assert results(case, analysis.run).header[-1] == "rounds"
