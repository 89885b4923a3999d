"""One rule says whether two hosts are one machine, whatever changes from boot to boot and from container to
container."""

from __future__ import annotations

from typing import Any

import pytest
from vocabulary.same_machine import differences

_GIB = 1 << 30
HOST: dict[str, Any] = {
    "os": "Debian 12",
    "kernel": "6.1.0-25-amd64",
    "arch": "x86_64",
    "cpu_model": "EPYC",
    "logical_cores": 2,
    "mem_bytes": 100 * _GIB,
    "hostname_hash": "one",
    "machine_id_hash": "id",
    "boot_id_hash": "boot",
}


@pytest.mark.parametrize(
    "changed",
    [
        {"mem_bytes": 99 * _GIB, "boot_id_hash": "later"},
        {"mem_bytes": 101 * _GIB, "boot_id_hash": "later"},
        {"hostname_hash": "two"},
        {"hostname_hash": "two", "machine_id_hash": None, "boot_id_hash": "later"},
        {"machine_id_hash": "of an image"},  # another container of the same boot
        {"kernel": "6.1.0-26-amd64", "boot_id_hash": "later"},
        {"kernel": "6.12.3", "boot_id_hash": "later"},
        {"os": "Debian 13"},
        {"cpu_model": None, "mem_bytes": None, "boot_id_hash": None},
    ],
)
def test_one_machine_stays_one(changed: dict[str, Any]) -> None:
    assert differences(HOST, HOST | changed) == differences(HOST | changed, HOST) == []


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"machine_id_hash": "other", "boot_id_hash": "other"}, "machine id and other"),
        ({"cpu_model": "Xeon"}, "CPU EPYC and Xeon"),  # a clone keeps its machine-id
        ({"logical_cores": 4}, "cores 2 and 4"),
        ({"arch": "aarch64"}, "architecture x86_64 and aarch64"),
        ({"kernel": "5.10.0"}, "kernel 6 and 5"),
        ({"mem_bytes": 200 * _GIB}, "memory 100.0 and 200.0 GiB"),
        ({"mem_bytes": 97 * _GIB}, "memory 100.0 and 97.0 GiB"),
    ],
)
def test_another_machine_is_told_by_what_differs(changed: dict[str, Any], told: str) -> None:
    assert differences(HOST, HOST | changed) == [told]
