"""What tests of commands share: two made-up tasks, and a pipeline that comes to what a test says."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any, ClassVar

import pytest

from data.columns import Image, Label
from data.errors import WrongUse
from pipelines.console.progress import Listener
from pipelines.records.run_result import RunResult
from pipelines.settings import RunSettings
from trainer.task import Evaluation, Gate, HParams

RESULT = RunResult(
    task="digits",
    run_id="r1",
    exit=0,
    blessed=True,
    pushed="3",
    metrics={"accuracy": 0.99},
    nodes=[{"id": "Trainer", "state": "ran", "start": 0.0, "seconds": 5.0}],
    verdict="blessed: accuracy 0.99 ≥ 0.98 (floor)",
    places={"log": "/w/log.txt"},
)


@dataclass(frozen=True)
class DigitsHParams(HParams):
    dropout: float = field(default=0.5, metadata={"min": 0.0, "max": 0.9})


class Digits:
    title, modality, data = "Digits", "image", "mnist"
    questions: tuple[int, ...] = (1, 4)
    columns: ClassVar[dict[str, Any]] = {"image": Image(), "label": Label()}
    targets = ("label",)
    split_by = None
    asked_once = ()
    HParams = DigitsHParams

    def __init__(self, hparams: DigitsHParams) -> None:
        self.hparams = hparams

    @classmethod
    def refuse(cls, features: Any) -> str:
        return ""

    def column_names(self) -> dict[str, list[str]]:
        return {}

    def metrics(self) -> Evaluation:
        return Evaluation("probabilities", "label", (), (Gate("accuracy", bound=0.98),))


class Letters(Digits):
    title, questions = "Letters", (2,)


TASKS: dict[str, type[Digits]] = {"digits": Digits, "letters": Letters}


def load(name: str) -> type[Digits]:
    if name not in TASKS:
        raise WrongUse(f"no task is called {name!r}", "did you mean digits?")
    return TASKS[name]


def fake_module(monkeypatch: pytest.MonkeyPatch, name: str, **members: Any) -> None:
    """A module of that dotted name, for whoever imports it from now on."""
    module = ModuleType(name)
    vars(module).update(members)
    monkeypatch.setitem(sys.modules, name, module)
    package, _, leaf = name.rpartition(".")
    monkeypatch.setattr(importlib.import_module(package), leaf, module, raising=False)


Result = RunResult | BaseException | Callable[[RunSettings, Listener], RunResult]


class Runs:
    """Stands for `pipelines.local.run`: what it was asked, and what each task comes to."""

    def __init__(self) -> None:
        self.asked: list[RunSettings] = []
        self.ends: dict[str, Result] = {}

    def run(self, settings: RunSettings, listener: Listener, verbose: bool = False) -> RunResult:
        self.asked.append(settings)
        listener.node_started("Trainer", 0, 1, None)
        listener.node_finished("Trainer", "ran", 5.0)
        end = self.ends.get(settings.task, replace(RESULT, task=settings.task))
        if isinstance(end, BaseException):
            raise end
        return end if isinstance(end, RunResult) else end(settings, listener)


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        assert self.err == ""
        return json.loads(self.out)


Benison = Callable[..., Ended]
