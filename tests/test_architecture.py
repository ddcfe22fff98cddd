"""The house keeps its order: imports go one way, nothing imports itself in a circle, and the plan names every room.

Imports inside functions count like those at the top of a module: being late makes no arrow point down.
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("dashboard", "pipelines", "components", "trainer", "data")
FLOORS = (
    ("pipelines.__main__", "pipelines.cli", "pipelines.commands", "pipelines.local_dag_runner"),
    ("dashboard",),
    ("pipelines.local", "pipelines.cluster", "pipelines.serving"),
    ("pipelines.node_runner", "pipelines.dag"),
    ("pipelines",),
    ("components",),
    ("trainer",),
    ("data",),
)
"""From the roof to the ground: a module may import what stands on its own floor or below. The longest name decides."""
NEIGHBOURS = ("pipelines.local", "pipelines.cluster", "pipelines.serving")
"""Rooms on one floor that know nothing of each other."""
FACE = "pipelines.__init__"
"""What `import pipelines` gives to other people's code; no room of the house asks for it."""


@functools.cache
def modules() -> dict[str, Path]:
    files = [file for package in PACKAGES for file in (ROOT / package).rglob("*.py")]
    return {".".join(file.relative_to(ROOT).with_suffix("").parts): file for file in files}


@functools.cache
def imported_by(module: str) -> frozenset[str]:
    """The modules of the house that a module imports anywhere in its file; a package's face is `package.__init__`."""
    return frozenset(_imports(ast.parse(modules()[module].read_text(encoding="utf-8")))) - {module}


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute, so that a file can be read alone"
            names = [node.module or ""]
            names += [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            if name in modules():
                yield name
            elif f"{name}.__init__" in modules() and not _only_a_way(node, name):
                yield f"{name}.__init__"


def _only_a_way(node: ast.Import | ast.ImportFrom, package: str) -> bool:
    """Whether an import names a package only to get to modules in it."""
    return isinstance(node, ast.ImportFrom) and all(
        f"{package}.{alias.name}" in modules() or (ROOT / package.replace(".", "/") / alias.name).is_dir()
        for alias in node.names
    )


def floor(module: str) -> int:
    named = [
        (len(name), number)
        for number, names in enumerate(FLOORS)
        for name in names
        if module == name or module.startswith(f"{name}.")
    ]
    return max(named)[1]


def test_there_is_a_house() -> None:
    assert len(modules()) > 100
    assert "data.errors" in imported_by("pipelines.cli") | imported_by("pipelines.machine") | imported_by(
        "trainer.task"
    )


@pytest.mark.parametrize("module", sorted(modules().keys() - {FACE}))
def test_imports_go_down(module: str) -> None:
    upwards = {other for other in imported_by(module) if other != FACE and floor(other) < floor(module)}
    assert not upwards, f"{module} imports {', '.join(sorted(upwards))}, which stand above it"


@pytest.mark.parametrize("module", sorted(modules()))
def test_rooms_on_one_floor_know_nothing_of_each_other(module: str) -> None:
    own = next((room for room in NEIGHBOURS if module.startswith(f"{room}.")), None)
    if own:
        others = tuple(f"{room}." for room in NEIGHBOURS if room != own)
        assert not [other for other in imported_by(module) if other.startswith(others)]


def test_nothing_imports_itself_in_a_circle() -> None:
    done: set[str] = set()

    def follow(module: str, way: list[str]) -> None:
        if module in way:
            pytest.fail("a circle of imports: " + " -> ".join([*way[way.index(module) :], module]))
        if module not in done:
            for other in sorted(imported_by(module)):
                follow(other, [*way, module])
            done.add(module)

    for module in modules():
        follow(module, [])


def test_the_plan_names_every_room_and_no_other() -> None:
    plan = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rooms = {file.parent.relative_to(ROOT).as_posix() + "/" for file in modules().values()}
    named = set(re.findall(r"^- `([a-z_/]+/)`", plan, re.MULTILINE))
    assert named >= rooms, f"docs/architecture.md does not name {sorted(rooms - named)}"
    assert all((ROOT / room).is_dir() for room in named), f"there is no {[r for r in named if not (ROOT / r).is_dir()]}"


def test_every_file_that_the_plan_names_is_there() -> None:
    plan = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    files = re.findall(r"`((?:\w+/)+\w+\.\w+)`", plan)
    assert files and not [file for file in files if not (ROOT / file).is_file()]
