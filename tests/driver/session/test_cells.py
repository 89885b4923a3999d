"""A cell is frozen, and its state has one way to change."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.driver.conftest import ROOT


def _written(tree: ast.AST) -> Iterator[ast.Attribute]:
    """What is assigned to, or has something appended."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, (ast.Store, ast.Del)):
            yield node
        if (
            isinstance(node, ast.Subscript)
            and isinstance(node.ctx, (ast.Store, ast.Del))
            and isinstance(node.value, ast.Attribute)
        ):
            yield node.value
        if (
            isinstance(node, ast.Attribute)
            and node.attr in ("append", "extend", "pop", "clear", "update")
            and isinstance(node.value, ast.Attribute)
        ):
            yield node.value


def test_only_apply_changes_the_state_of_a_cell() -> None:
    for file in sorted((ROOT / "driver").rglob("*.py")):
        for target in _written(ast.parse(file.read_text(encoding="utf-8"))):
            of = target.value
            assert not (
                isinstance(of, ast.Attribute) and of.attr == "state"
            ), f"{file}:{target.lineno} changes {ast.unparse(target)}: add an event, and apply() it"
