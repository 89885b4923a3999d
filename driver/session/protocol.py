"""Compares what a bench process says with the schema of the --serve protocol, bench/serve-1.schema.json."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from driver.machine.host import ROOT

SCHEMA = ROOT / "bench" / "serve-1.schema.json"


def quoted(value: Any) -> str:
    """What another process wrote, in one line."""
    return json.dumps(value)[:40]


@cache
def schema() -> dict[str, Any]:
    """The whole schema, read once."""
    return dict(json.loads(SCHEMA.read_text(encoding="utf-8")))


@cache
def _validator(kind: str) -> Any:
    from jsonschema import Draft202012Validator, validators  # takes a tenth of a second, which --help does not wait for

    whole = Draft202012Validator.TYPE_CHECKER.redefine("integer", lambda _, value: type(value) is int)  # not 5.0
    return validators.extend(Draft202012Validator, type_checker=whole)({**schema(), "$ref": f"#/$defs/{kind}"})


def fault_of(kind: str, line: Any) -> str:
    """The first fault of a line, or of a part of one, of that `kind` (a definition of the schema), in one line; empty
    if it conforms."""
    error = next(_validator(kind).iter_errors(line), None)
    if error is None:
        return ""
    told = error.message.replace(repr(error.instance), quoted(error.instance))
    return f"{error.json_path.removeprefix('$').removeprefix('.') or 'the line'}: {' '.join(told.split())[:200]}"


def fault_of_answer(request: str, answer: Any) -> str:
    """The same of an answer to such a request."""
    is_ok = isinstance(answer, dict) and answer.get("outcome") == "ok"
    return fault_of(request if is_ok else "failure", answer)
