"""Does a result file keep to its schema, and do its parts fit together?"""

from __future__ import annotations

import json
from pathlib import Path

from jsonschema import Draft202012Validator

from reports.read import load, parse_run

_SCHEMA = Path(__file__).parent / "schema" / "run-1.schema.json"
_MOST = 10


def faults(path: Path) -> list[str]:
    """A line for each of the first faults; empty when all is right. Raises ReadError where the file is no run of a known version at all."""
    document = load(path)
    schema = json.loads(_SCHEMA.read_text(encoding="utf-8"))
    found = []
    for error in Draft202012Validator(schema).iter_errors(document):
        found.append(f"{error.json_path}: {' '.join(error.message.split())[:200]}")
        if len(found) == _MOST:
            return found
    if not found:
        parse_run(document, str(path))
    return found
