"""The words for verdicts, in tables, tiles and sentences, and the counts of them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from reports.cases.cases import Analysis, Case, analyse
from reports.cases.counting import counts, judged
from reports.cases.phrases import case_in_words, kind_in_words, leaders, margin_in_words, number, verdict_in_words
from reports.cases.quantities import at_most, span
from reports.cases.read import parse_run
from reports.cases.tie_break import cheaper
from reports.text.closing import closing
from reports.text.headlines import headlines
from reports.text.method import METHOD
from reports.text.tables import results
from tests.reports import synthetic
from verdicts.deciding import Verdict
from verdicts.statistics import Ratio

RATIOS = {"a": Ratio(1.0, 1.0, 1.0), "b": Ratio(1.04, 1.012, 1.068), "c": Ratio(1.3, 1.2, 1.4)}
WINS = Verdict("wins", ("a",), ("c",), RATIOS, 12)
ALONE = Verdict("wins", ("a",), ("d",), RATIOS, 12)
AHEAD = Verdict("ahead", ("a", "b"), ("c",), RATIOS, 12)
TIE = Verdict("tie", ("a", "b", "d"), ("c",), RATIOS, 12, within=0.04)
WITHIN = Verdict("tie_within", ("a", "b"), ("c",), RATIOS, 12, within=0.073)
SAFE = Verdict("safe_choice", ("a", "b"), (), RATIOS, 12, within=0.3, safe_choice="b", regret=0.0821)
SURE = Verdict("safe_choice", ("a", "b"), (), RATIOS, 12, within=0.3, safe_choice="a", regret=0.0)
OPEN = Verdict("open", ("a", "b"), (), RATIOS, 12, within=0.5, safe_choice="a", regret=0.2)
BEHIND = Verdict("open", ("a", "b"), ("c",), RATIOS, 12, within=0.5, safe_choice="a", regret=0.2)
MANY = Verdict("safe_choice", ("a", "b"), ("c", "d", "e", "f"), RATIOS, 12, within=0.3, safe_choice="b", regret=0.0821)
AGAIN = Verdict("open", ("a", "b"), (), RATIOS, 12, reason="later rounds contradict it: b")
SINGLE = Verdict("none", ("a",), (), RATIOS, 12, reason="no rival was measured")
NOTHING = Verdict("none", (), (), {}, 3, reason="3 of at least 6 rounds")

SAID = [
    (WINS, "wins", "1.30×", "a wins, 1.30× ahead of c"),
    (ALONE, "wins", "alone", "a wins, all others stopped or projected"),
    (AHEAD, "ahead by 1 to 7 %", "1–7 %", "a is ahead of b by 1 to 7 %"),
    (TIE, "tie of 3", "", "tie of 3: a, b and d"),
    (WITHIN, "tie within 8 %", "8 %", "tie within 8 %: a and b"),
    (
        SAFE,
        "open; safe choice b, at most 9 % from the best",
        "≤ 9 %",
        "open between a and b; safe choice b, at most 9 % from the best",
    ),
    (
        SURE,
        "open; safe choice a, less than 1 % from the best",
        "< 1 %",
        "open between a and b; safe choice a, less than 1 % from the best",
    ),
    (OPEN, "open", "", "open between a and b"),
    (BEHIND, "open", "", "open between a and b; c at least 1.20× behind the best"),
    (
        MANY,
        "open; safe choice b, at most 9 % from the best",
        "≤ 9 %",
        "open between a and b; safe choice b, at most 9 % from the best; c, d and 2 more clearly behind the best",
    ),
    (AGAIN, "open", "", "open between a and b (later rounds contradict it: b)"),
    (SINGLE, "no rival", "", "a has no rival"),
    (NOTHING, "no verdict", "", "no verdict (3 of at least 6 rounds)"),
]


@pytest.mark.parametrize(("verdict", "kind", "tile", "sentence"), SAID)
def test_each_kind_has_its_words_and_its_number(verdict: Verdict, kind: str, tile: str, sentence: str) -> None:
    assert (kind_in_words(verdict), number(verdict), verdict_in_words(verdict)) == (kind, tile, sentence)


def test_the_margin_is_that_to_the_nearest_one_that_is_slower() -> None:
    assert margin_in_words(TIE) == "1.30× ahead of c"
    assert margin_in_words(OPEN) == "nobody is shown to be more than 5 % slower"
    assert margin_in_words(NOTHING) == "3 of at least 6 rounds"


def test_of_a_best_set_that_one_leads_only_that_one_may_be_the_best() -> None:
    assert (leaders(AHEAD), leaders(WITHIN)) == (("a",), ("a", "b"))


def test_a_bound_is_rounded_up_and_an_interval_outwards() -> None:
    assert (at_most(0.0801), at_most(0.08), at_most(0.0)) == ("9 %", "8 %", "0 %")
    assert (span(0.0199, 0.0601), span(0.0049, 0.05), span(0.0, 0.3, "–")) == ("1 to 7 %", "0.4 to 5 %", "0–30 %")


def test_verdicts_are_counted_by_model_and_kind() -> None:
    assert counts([WINS, ALONE, AHEAD, TIE, WITHIN, SAFE, SURE, OPEN, SINGLE, NOTHING]) == [
        "a wins 2 and is ahead in 1",
        "2 ties (1 of them within 8 %)",
        "2 open with a safe choice at most 9 % from the best",
        "1 open",
        "1 without a rival",
        "1 without a verdict",
    ]
    assert counts([AHEAD, WITHIN]) == ["a is ahead in 1", "1 tie (all within 8 %)"]
    assert counts([TIE]) == ["1 tie"]
    assert counts([OPEN, BEHIND]) == ["2 open (in 1 of them some are shown to be behind)"]


def analysed(*cells: list[dict[str, Any]]) -> Analysis:
    every = [cell for group in cells for cell in group]
    workloads = [{"id": id, "class": "io"} for id in dict.fromkeys(cell["workload"] for cell in every)]
    return analyse(
        parse_run(synthetic.run(list(dict.fromkeys(cell["model"] for cell in every)), workloads, every), "x")
    )


def tied(cpu: dict[str, float], cv: float = 0.004, more: dict[str, float] | None = None) -> Case:
    """All take the same time, except those of `more`."""
    times = dict.fromkeys(cpu, 1e6) | (more or {})
    return analysed(
        synthetic.measured({model: (times[model], cost) for model, cost in cpu.items()}, "w", {"n": 1}, 24, cv, 3)
    ).cases[0]


def test_where_time_is_a_tie_and_one_model_needs_less_cpu_both_are_said() -> None:
    case = tied({"event_loop": 6e5, "fibers": 1e6, "thread_pool_wide": 2e6})
    found = cheaper(case)
    assert (
        case.verdicts["time"].kind == "tie"
        and found is not None
        and found[0] == "event_loop"
        and found[1] == pytest.approx(0.6, rel=0.02)
    )
    said = case_in_words(case, "time")
    assert said.startswith("tie of 3: ") and said.endswith(", event_loop at 0.6 of the CPU")
    assert "of the CPU" not in case_in_words(case, "cpu")


def test_cpu_cost_breaks_no_tie_where_it_is_one_too_or_where_the_cheapest_is_slow() -> None:
    assert cheaper(tied({"event_loop": 1e6, "fibers": 1e6})) is None
    assert cheaper(tied({"event_loop": 6e5, "fibers": 6e5, "thread_pool_wide": 2e6})) is None
    assert cheaper(tied({"event_loop": 6e5, "fibers": 1e6, "thread_pool_wide": 2e6}, more={"event_loop": 2e6})) is None
    assert cheaper(tied({"event_loop": 6e5, "fibers": 1e6}, more={"fibers": 2e6})) is None, "one wins by time"


def test_a_case_whose_time_is_given_is_not_counted_by_time() -> None:
    paced = synthetic.measured(
        {"event_loop": (1e6, 1e6), "fibers": (1e6, 2e6)},
        "echo_at_rate",
        {"load_percent": 50},
        12,
        0.01,
        1,
        offered_per_s=1000,
    )
    free = synthetic.measured({"event_loop": (1e6, 1e6), "fibers": (2e6, 2e6)}, "fetch", {"n": 1}, 12, 0.01, 2)
    analysis = analysed(paced, free)
    assert [case.workload.id for case in judged(analysis.cases, "time")] == ["fetch"]
    assert len(judged(analysis.cases, "cpu")) == 2
    assert headlines(analysis)[0].text == "1 case: event_loop wins 1."
    assert not any("its time is given" in headline.text for headline in headlines(analysis))


def test_a_run_closes_with_at_most_six_lines() -> None:
    told = closing(analyse(parse_run(synthetic.realistic(12), "x")))
    assert len(told) == 6
    assert all(len(line) < 120 for line in told)
    assert (
        told[0].startswith("39 cases: ")
        and "decided" in told[0]
        and "with a safe choice within 10 % of the best" in told[0]
        and told[0].endswith("; 1 without a verdict")
    )
    assert told[1].startswith("I/O-bound work: ") and "(echo_at_rate, " in told[1]
    assert told[-1] == "A/A control: none in this run"
    assert closing(analysed()) == [
        "0 cases: 0 decided, 0 with a safe choice within 10 % of the best, 0 open",
        "A/A control: none in this run",
    ]


def test_a_class_in_which_nothing_is_decided_is_told_by_its_safest_choice() -> None:
    noise = (0.9, 1.1, 0.95, 1.15, 0.98, 1.02)
    cells = [synthetic.cell(model, "w", {"n": 1}) for model in ("event_loop", "fibers")]
    for cell, factor in zip(cells, (1.0, 1.22), strict=True):
        cell["samples"] = [
            synthetic.sample(r, 0, 1e6 * factor * (one if factor > 1 else 1), 1e6) for r, one in enumerate(noise)
        ]
    analysis = analysed(cells)
    safe = "safe choice event_loop, at most 7 % from the best"
    assert headlines(analysis)[2].text.startswith(
        f"w, n 1. Time: open between event_loop and fibers, about 1.00 ms; {safe}. "
    )
    assert closing(analysis)[:2] == [
        "1 case: 0 decided, 1 with a safe choice within 10 % of the best, 0 open",
        f"I/O-bound work: open; {safe} (w, n 1)",
    ]


def test_a_case_that_is_open_among_the_leaders_still_says_who_is_behind() -> None:
    """As measured: "3 pools are shown to be 2x ahead of event_loop" was told as "not separated"."""
    pools = {"thread_pool_wide": (1e6, 1e6), "process_pool_wide": (1e6, 1e6), "tbb_resumable": (1e6, 1e6)}
    analysis = analysed(
        synthetic.measured(pools, "w", {"n": 1}, 6, 0.35, 1)
        + synthetic.measured({"event_loop": (9e6, 1e6)}, "w", {"n": 1}, 6, 0.01, 1)
    )
    assert analysis.cases[0].deciding.kind == "open"
    behind = r"event_loop at least [2-9]\.\d\d× behind the best"
    assert re.search(rf"^w, n 1\. Time: open between .*; {behind}", headlines(analysis)[2].text)
    assert re.fullmatch(rf"I/O-bound work: open; {behind} \(w, n 1\)", closing(analysis)[1])
    assert "some are shown to be behind" in headlines(analysis)[0].text


def test_a_table_of_results_stands_in_the_order_of_its_ratios_and_names_what_is_within_rounds() -> None:
    """The best within rounds has the higher median: it was measured in the slow rounds, too."""
    cells = [synthetic.cell(model, "w", {"n": 1}) for model in ("event_loop", "fibers")]
    cells[0]["samples"] = [synthetic.sample(r, 0, 1.04e6, 1e6) for r in range(6)]
    cells[1]["samples"] = [synthetic.sample(r, 1, 1e6 if r < 6 else 1.5e6, 1e6) for r in range(14)]
    analysis = analysed(cells)
    table = results(analysis.cases[0], analysis.run)
    assert [row[0] for row in table.rows] == ["fibers (best)", "event_loop (best)"]
    assert table.rows[0][2] == "1.50 ms" and table.rows[1][2] == "1.04 ms"
    assert table.header[2:4] == ("median time", "ratio within rounds")


def test_the_method_has_the_numbers_of_the_code() -> None:
    from verdicts import statistics
    from scipy import special

    text = " ".join(METHOD)
    assert statistics._BOUND == special.ndtr(-2.65) and statistics._CLAIM == special.ndtr(-3.22)
    for words in (
        "after 6, 12, 24, 48, 96, 192, 384 and 768 rounds",
        "after 3 to 384",
        "z = 2.65 for one-sided 2.5 %",
        "z = 3.22 for one-sided 0.5 %",
        "95 %",
        "more than 5 % slower",
        "at most 15 %",
        "within 2 % of the least possible time",
        "1 in 100",
    ):
        assert words in text, words
