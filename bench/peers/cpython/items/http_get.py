"""The bytes of a request to the origin, and the reading of its reply."""

from __future__ import annotations

import struct
from operator import mul

from cpython.items.kernels import WORD

END_OF_HEAD = b"\r\n\r\n"
_LARGEST_BODY = 1 << 16
_WEIGHTS = range(1, _LARGEST_BODY // 4, 2)


class ReplyError(Exception):
    """The origin did not answer with what was asked for."""


def request(host: str, n: int, delay_us: int, size: int) -> bytes:
    return b"GET /item/%d?delay_us=%d&bytes=%d HTTP/1.1\r\nHost: %s\r\n\r\n" % (n, delay_us, size, host.encode())


def content_length(head: bytes) -> int:
    """Of the status line and the fields, up to the empty line."""
    status, *fields = head.split(b"\r\n")
    if not status.startswith(b"HTTP/1.1 200"):
        raise ReplyError(f"the server answered {status.decode(errors='replace')!r}, not 200")
    for field in fields:
        name, _, value = field.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise ReplyError("a reply without a content-length")


def checksum(body: bytes) -> int:
    """The sum of (2k + 1) × word k mod 2⁶⁴, the last word padded with zeros."""
    words = struct.unpack(f"<{(len(body) + 7) // 8}Q", body + bytes(-len(body) % 8))
    return sum(map(mul, _WEIGHTS, words)) & WORD
