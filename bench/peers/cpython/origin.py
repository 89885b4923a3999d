"""The HTTP server of the fetch workloads, and its statistics."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from urllib.parse import urlsplit


class ForeignServer(Exception):
    """It answers, and is not the suite's own."""


@dataclass(frozen=True)
class Address:
    host: str
    port: int

    @property
    def text(self) -> str:
        """As it stands in a Host field."""
        return f"{self.host}:{self.port}"

    @classmethod
    def parse(cls, url: str) -> Address:
        """Raises ValueError with one line."""
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname or parts.path not in ("", "/"):
            raise ValueError(f"{url!r} is no address of a server; write it as http://127.0.0.1:8080/")
        return cls(parts.hostname, parts.port or 80)


class Origin:
    """Asked over one kept connection, which is opened at the first question."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._connection = http.client.HTTPConnection(address.host, address.port, timeout=5)

    def cpu_ns(self) -> int:
        told = self._ask("/stats")
        return told["cpu_user_ns"] + told["cpu_sys_ns"]

    def peak_in_flight(self) -> int:
        return self._ask("/stats")["peak_in_flight"]

    def reset_peak(self) -> None:
        self._ask("/stats/reset")

    def _ask(self, target: str) -> dict[str, int]:
        self._connection.request("GET", target)
        reply = self._connection.getresponse()
        body = reply.read()
        if reply.status != 200:
            raise ForeignServer(f"the server at --origin is not the suite's own: it has no {target}")
        told: dict[str, int] = json.loads(body)
        return told
