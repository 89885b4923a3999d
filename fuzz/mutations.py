"""Changes JSON documents and their bytes at random, from a seed: what an external or broken program might write."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

_ODD = (
    None,
    True,
    -1,
    0,
    2**63,
    10**400,
    0.5,
    -0.0,
    1e308,
    "",
    "x" * 5000,
    "\ud800",
    "\x00\n\r|<b>",
    "../..",
    [],
    {},
    [[]],
    {"": {}},
    ["a", 1],
)
_ODD_TEXT = (
    b"NaN",
    b"-Infinity",
    b"1e999",
    b"[" * 20_000,
    b'{"a":' * 20_000,
    b"\xff\xfe",
    b"\x00",
    b'"\\ud800"',
    b"1" * 5000,
    b"\n",
    b"}",
    b'"',
)


def documents(seeds: list[Any], number: int, seed: int) -> Iterator[bytes]:
    """The seeds as they are, then that many texts, most of them still JSON."""
    yield from (json.dumps(document).encode() for document in seeds)
    chance = random.Random(seed)
    for _ in range(number):
        document = deepcopy(chance.choice(seeds))
        for _ in range(chance.randint(1, 3)):
            _change_value(document, chance)
        text = json.dumps(document).encode()
        yield _changed_text(text, chance) if chance.random() < 0.3 else text


def _change_value(document: Any, chance: random.Random) -> None:
    """Something in it, at any depth."""
    place = document
    while isinstance(place, (dict, list)) and place:
        key: Any = chance.choice(list(place)) if isinstance(place, dict) else chance.randrange(len(place))
        if isinstance(place[key], (dict, list)) and place[key] and chance.random() < 0.8:
            place = place[key]
            continue
        match chance.randrange(4):
            case 0:
                del place[key]
            case 1 if isinstance(place, list):
                place.insert(key, deepcopy(place[key]))
            case 2 if isinstance(place, dict):
                place[f"{key}_"] = place.pop(key)
            case _:
                place[key] = deepcopy(chance.choice(_ODD))
        return


def _changed_text(text: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(text))
    match chance.randrange(4):
        case 0:
            return text[:at]
        case 1:
            return text[:at] + chance.choice(_ODD_TEXT) + text[at:]
        case 2:
            return text[:at] + bytes([text[at] ^ (1 << chance.randrange(8))]) + text[at + 1 :]
        case _:
            return text[:at] + text[chance.randrange(len(text)) :]
