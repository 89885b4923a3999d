"""Latencies in logarithmic buckets: added up over samples, and percentiles where enough of them lie beyond."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

LEAST_BEYOND = 10  # with fewer, a percentile is a matter of luck
OPEN_LOOP, OTHERWISE = 0.99, 0.9  # what decides: requests come by the thousand, a heartbeat in milliseconds

Buckets = Sequence[Sequence[int]]  # [largest value in ns, how many], rising


def added(parts: Iterable[Buckets]) -> Buckets:
    """The buckets of all parts together."""
    sums: Counter[int] = Counter()
    for buckets in parts:
        for largest, count in buckets:
            sums[largest] += count
    return sorted(sums.items())


def values_wanted(quantile: float) -> int:
    """How many a sample must have to tell it."""
    return math.ceil(round(LEAST_BEYOND / (1 - quantile), 6))


def percentile(buckets: Buckets, quantile: float) -> int | None:
    """The upper end, in ns, of the bucket that holds the quantile (0.99: the 99th percentile); None unless LEAST_BEYOND
    values lie beyond."""
    total = sum(count for _, count in buckets)
    below = math.ceil(round(quantile * total, 6))  # 0.99 * 1000 is a little more than 990 in binary
    if total < below + LEAST_BEYOND:
        return None
    seen = 0
    for largest, count in buckets:
        seen += count
        if seen > below:
            return largest
    return None


def beyond(buckets: Buckets, ns: float) -> int:
    """How many took longer, to the width of a bucket."""
    return sum(count for largest, count in buckets if largest > ns)


def deciding_ns(latency: Mapping[str, Any], quantile: float) -> int | None:
    """Of one sample, from the intended time; at least 1 ns, so that ratios exist."""
    found = percentile(latency["intended"], quantile)
    return None if found is None else max(found, 1)
