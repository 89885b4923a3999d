"""Numbers as text for people: three significant digits, units chosen by size."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

_TIMES = ((1e9, "s"), (1e6, "ms"), (1e3, "µs"), (1.0, "ns"))
_BYTES = ((2.0**30, "GiB"), (2.0**20, "MiB"), (2.0**10, "KiB"), (1.0, "B"))
_PARAM_TIMES = {"_ns": 1.0, "_us": 1e3, "_ms": 1e6, "_s": 1e9}


def three_digits(value: float) -> str:
    """1234.5 → 1,230; 12.34 → 12.3; 0.01234 → 0.0123."""
    if value == 0:
        return "0"
    text = f"{value:.3g}"
    number = float(text)
    if abs(number) >= 100:
        return f"{number:,.0f}"
    if abs(number) < 1e-4:
        return text
    decimals = (
        2
        if abs(number) >= 1
        else len(f"{number:.20f}".split(".")[1]) - len(f"{number:.20f}".split(".")[1].lstrip("0")) + 3
    )
    if abs(number) >= 10:
        decimals = 1
    return f"{number:.{decimals}f}"


def duration(ns: float) -> str:
    """A time in the unit that suits it, with three digits."""
    return _scaled(ns, _TIMES)


def tick(ns: float) -> str:
    """A duration on an axis: 5 ms, not 5.00 ms."""
    scale, unit = next(((factor, unit) for factor, unit in _TIMES if ns >= factor * 0.9999), (1.0, "ns"))
    return f"{ns / scale:.3g} {unit}"


def size(count: float) -> str:
    """Bytes in the unit that suits them, with three digits."""
    return _scaled(count, _BYTES)


def _scaled(value: float, units: Iterable[tuple[float, str]]) -> str:
    steps = list(units)
    for factor, unit in steps:
        if float(f"{value / factor:.3g}") >= 1 or (factor, unit) == steps[-1]:
            return f"{three_digits(value / factor)} {unit}"
    raise AssertionError("the last unit takes everything")


def value(metric: str, amount: float) -> str:
    """Bytes for memory, otherwise ns, as people read them."""
    return size(amount) if metric == "memory" else duration(amount)


def ratio(r: float) -> str:
    """As in 1.20×."""
    if r < 0.0995:
        return f"{r:.2g}×"
    return f"{r:.2f}×" if r < 9.995 else f"{three_digits(r)}×"


def short(count: float) -> str:
    """1,500 → 1.5k; 2,000,000 → 2M."""
    for factor, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if count >= factor:
            return f"{count / factor:.3g}{letter}"
    return f"{count:.3g}"


def counted(count: int, one: str, many: str = "") -> str:
    """1 case, 1,200 cases."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def percent(share: float) -> str:
    """As in 12 % or 1.2 %."""
    return f"{100 * share:.0f} %" if share >= 0.1 else f"{100 * share:.1f} %"


def at_most(share: float) -> str:
    """A bound, rounded up: 0.082 → 9 %."""
    return f"{math.ceil(100 * share - 1e-9)} %"


def span(low: float, high: float, between: str = " to ") -> str:
    """Two shares, rounded outwards: 0.012, 0.066 → 1 to 7 %."""
    least = math.floor(100 * low + 1e-9) if low >= 0.01 else math.floor(1000 * low + 1e-9) / 10
    return f"{least:g}{between}{at_most(high)}"


def _plain(amount: float, unit: str) -> str:
    """A parameter is exact: 5 ms, not 5.00 ms."""
    return f"{amount:,.6g} {unit}" if amount < 1e6 else f"{amount:,.0f} {unit}"


def param(key: str, amount: Any) -> tuple[str, str]:
    """(name, value with unit) of a workload's parameter: ("delay", "5 ms") of delay_us: 5000."""
    number = isinstance(amount, (int, float)) and not isinstance(amount, bool)
    if number and key.endswith("_per_s"):
        return key.removesuffix("_per_s").replace("_", " "), f"{amount:,}/s"
    for suffix, factor in _PARAM_TIMES.items():
        if number and key.endswith(suffix):
            ns = amount * factor
            scale, unit = next(((f, u) for f, u in _TIMES if ns >= f), (1.0, "ns"))
            return key[: -len(suffix)].replace("_", " "), _plain(ns / scale, unit)
    if number and (key == "bytes" or key.endswith("_bytes")):
        scale, unit = next(((f, u) for f, u in _BYTES if amount >= f and amount % f == 0), (1.0, "B"))
        return (key.removesuffix("_bytes").replace("_", " ") if key != "bytes" else "bytes"), _plain(
            amount / scale, unit
        )
    return key.replace("_", " "), (f"{amount:,}" if number else str(amount))


def params(values: Mapping[str, Any], keys: Iterable[str]) -> str:
    """The named parameters in one line: tasks 1,000, delay 5 ms."""
    return ", ".join(" ".join(param(key, values[key])) for key in keys if key in values)
