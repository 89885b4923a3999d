"""Makes cells in a given state."""

from __future__ import annotations

import dataclasses
from typing import Any

from driver.session.cells import Cell, CellState

_OF_STATE = {field.name for field in dataclasses.fields(CellState)}


def made(*of_hello: Any, **fields: Any) -> Cell:
    """`fields`: of the cell and of its state."""
    state = CellState(**{name: value for name, value in fields.items() if name in _OF_STATE})
    return Cell(*of_hello, **{name: value for name, value in fields.items() if name not in _OF_STATE}, state=state)
