"""Are two hosts one machine? The one rule for whatever holds only on the machine where it was measured: runs side by
side, a run that goes on, costs that are kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_MEMORY = 0.02  # that a kernel, a balloon or a crash kernel takes or gives back


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """In what they differ; none: they are one machine. What either does not know counts as equal, and host names count
    nowhere: a container has its own. Takes the `host` of run.json."""
    facts = [("CPU", "cpu_model"), ("cores", "logical_cores"), ("architecture", "arch")]
    pairs = [(name, one.get(key), other.get(key)) for name, key in facts]
    pairs.append(("kernel", _major(one.get("kernel")), _major(other.get("kernel"))))
    found = [
        f"{name} {first} and {second}"
        for name, first, second in pairs
        if first is not None and second is not None and first != second
    ]
    memories = [float(memory) for host in (one, other) if isinstance(memory := host.get("mem_bytes"), int)]
    if len(memories) == 2 and max(memories) > (1 + _MEMORY) * min(memories):
        found.append(f"memory {memories[0] / 2**30:.1f} and {memories[1] / 2**30:.1f} GiB")
    return [*_ids(one, other), *found]


def _ids(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """What has booted once is one machine, whatever the containers in it are called."""
    if one.get("boot_id_hash") is not None and one.get("boot_id_hash") == other.get("boot_id_hash"):
        return []
    first, second = one.get("machine_id_hash"), other.get("machine_id_hash")
    return [f"machine {first} and {second}"] if first is not None and second is not None and first != second else []


def _major(release: Any) -> str | None:
    """6 of 6.1.0-25-amd64: within it a kernel is mended, and a machine stays itself."""
    return release.partition(".")[0] if isinstance(release, str) and release else None
