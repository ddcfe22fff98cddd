"""Finds code that asks which kind a thing is, which is for the kinds themselves to say."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROOMS = ("data", "trainer", "components", "pipelines", "dashboard")


def asks(node: ast.AST, kinds: Collection[str]) -> bool:
    """Whether it is `isinstance(x, Kind)`, `issubclass(x, Kind)`, `type(x) is Kind` or `case Kind()`."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("isinstance", "issubclass"):
        return bool(_names(node.args[1]) & set(kinds))
    if isinstance(node, ast.Compare) and any(isinstance(op, (ast.Is, ast.IsNot, ast.Eq, ast.In)) for op in node.ops):
        return any(_is_type_of(node.left) and _names(side) & set(kinds) for side in node.comparators)
    if isinstance(node, ast.MatchClass):
        return bool(_names(node.cls) & set(kinds))
    return False


def where_asked(kinds: Collection[str], but_in: Path) -> Iterator[str]:
    """FILE:LINE of all that asks outside the folder `but_in`."""
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            if not path.is_relative_to(but_in):
                for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                    if asks(node, kinds):
                        yield f"{path.relative_to(ROOT)}:{node.lineno}"  # type: ignore[attr-defined]


def _names(node: ast.AST) -> set[str]:
    found = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
    return found | {part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)}


def _is_type_of(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "type"
