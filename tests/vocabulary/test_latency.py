"""Percentiles of buckets: added up over samples, and told only where enough values lie beyond."""

from __future__ import annotations

import pytest

from reports.cases.read import parse_run
from tests.reports import synthetic
from vocabulary.latency import added, beyond, percentile


def even(count: int) -> list[tuple[int, int]]:
    """One value in each of so many buckets: 1, 2, 3, ... µs."""
    return [(1000 * place, 1) for place in range(1, count + 1)]


@pytest.mark.parametrize(("quantile", "enough"), [(0.5, 20), (0.9, 100), (0.99, 1000), (0.999, 10_000)])
def test_a_percentile_is_known_from_ten_values_beyond_it_on(quantile: float, enough: int) -> None:
    assert percentile(even(enough), quantile) == 1000 * (round(quantile * enough) + 1)
    assert percentile(even(enough - 1), quantile) is None


def test_nothing_measured_has_no_percentile() -> None:
    assert percentile([], 0.5) is None


def test_samples_that_are_too_short_for_a_percentile_have_it_together() -> None:
    parts = [even(400), even(400), even(400)]
    assert percentile(parts[0], 0.99) is None
    assert percentile(added(parts), 0.99) == 397_000
    assert sum(count for _, count in added(parts)) == 1200


def test_how_many_took_longer_is_counted_to_the_width_of_a_bucket() -> None:
    assert beyond(even(10), 7000) == 3
    assert beyond(even(10), 6500) == 4


@pytest.mark.parametrize(("offered", "enough", "decides"), [(900, 1000, 991_000), (None, 100, 91_000)])
def test_an_open_loop_is_decided_by_the_99th_percentile_of_each_round_and_a_heartbeat_by_the_90th(
    offered: int | None, enough: int, decides: int
) -> None:
    cells = [synthetic.cell("fibers", "echo", {"rate": 9}, metric="latency", offered_per_s=offered)]
    raw = synthetic.run(["fibers"], [{"id": "echo", "class": "io", "metric": "latency"}], cells)
    one = synthetic.sample(0, 0, 1e6, 1e6) | {"latency": {"intended": even(enough), "service": [[5, enough]]}}
    few = synthetic.sample(1, 0, 1e6, 1e6) | {"latency": {"intended": even(enough - 1), "service": [[5, enough - 1]]}}
    without = synthetic.sample(2, 0, 1e6, 1e6)
    cells[0]["samples"] = [one, few, without]
    cell = parse_run(raw, "x").cells[0]
    assert cell.by_round("latency") == {0: decides}
    assert sum(count for _, count in cell.latencies("service")) == 2 * enough - 1
