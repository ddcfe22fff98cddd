from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

from data.columns import Image, Label
from data.errors import WrongUse
from pipelines.new_task import create
from trainer.task import Task


def load_from(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def test_a_new_task_is_complete(tmp_path: Path) -> None:
    path = create("leaf_disease", tmp_path)
    assert path == tmp_path / "leaf_disease.py"
    task_class = load_from(path).LeafDisease
    assert issubclass(task_class, Task)
    assert task_class.title == "Leaf disease"
    assert task_class.columns == {"image": Image(), "label": Label()}
    task = task_class(task_class.HParams())
    assert task.metrics().gates[0].metric == "accuracy"
    assert "benison run leaf_disease" in path.read_text()


def test_nothing_of_the_template_is_left(tmp_path: Path) -> None:
    text = create("x1_of_2", tmp_path).read_text()
    assert "class X1Of2(Task):" in text
    assert not any(word in text for word in ("TaskName", "task_name", "Task title", "TODO"))


def test_a_new_task_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "leaf_disease.py").write_text("mine")
    with pytest.raises(WrongUse, match="exists already"):
        create("leaf_disease", tmp_path)
    assert (tmp_path / "leaf_disease.py").read_text() == "mine"


@pytest.mark.parametrize(
    "name", ["", "Leaf", "leaf-disease", "1leaf", "leaf__disease", "_leaf", "blätter", "../leaf", "leaf.py", "class"]
)
def test_names_that_python_cannot_import_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(WrongUse, match="cannot name a task"):
        create(name, tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["image", "task", "any"])
def test_names_that_would_hide_what_the_task_uses_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(WrongUse, match="would hide"):
        create(name, tmp_path)
