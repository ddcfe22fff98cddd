"""The contract, for every task there is: a new task is tested by existing."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from typing import Any

import pytest

from data import source_digest
from data.columns import Boxes, Column, Image, Integer, Label, Text, raw_features
from data.errors import WrongUse
from data.sources import catalogue
from pipelines.settings import apply_overrides
from trainer.evaluation import Evaluation, Gate, Metric
from trainer.task import HParams, Task, check, load, task_names


@pytest.fixture(params=task_names())
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def task(name: str) -> type[Task]:
    return load(name)


def test_listing_tasks_does_not_import_tensorflow() -> None:
    code = (
        "import sys\nfrom trainer.task import load, task_names\n"
        "for name in task_names(): task = load(name); task(task.HParams()).metrics()\n"
        "sys.exit('tensorflow' in sys.modules or 'tfx' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_docstring_says_how_to_run_it(name: str, task: type[Task]) -> None:
    assert f"benison run {name}" in (sys.modules[task.__module__].__doc__ or "")


def test_hyper_parameters_are_frozen_and_extend_the_common_ones(task: type[Task]) -> None:
    assert issubclass(task.HParams, HParams)
    hparams: Any = task.HParams()
    with pytest.raises(dataclasses.FrozenInstanceError):
        hparams.epochs = 1


def test_small_hyper_parameters_are_ones_that_a_person_may_set(task: type[Task]) -> None:
    hparams, _ = apply_overrides(task.HParams, {name: str(value) for name, value in task.small.items()})
    assert {name: getattr(hparams, name) for name in task.small} == dict(task.small)


def test_card_is_complete(task: type[Task]) -> None:
    assert task.title
    assert task.modality
    assert all(1 <= question <= 30 for question in task.questions)
    assert task.data in catalogue.names()


def test_columns_and_targets_fit(task: type[Task]) -> None:
    assert all(isinstance(column, Column) for column in task.columns.values())
    assert set(task.targets) < set(task.columns), "something must be left to predict from"
    assert len(raw_features(task.columns)) >= len(task.columns)


def test_gates_are_on_declared_metrics(task: type[Task]) -> None:
    evaluation = task(task.HParams()).metrics()
    declared = {metric.name for metric in evaluation.metrics}
    assert evaluation.gates
    assert {gate.metric for gate in evaluation.gates} <= declared
    for one in evaluation.all_compared:
        assert one.label in {None, *task.targets, *(task.columns if one.raw_label else ())}


def test_each_node_has_a_digest_of_its_own_source(task: type[Task]) -> None:
    digests = {
        source_digest.digest(task.__module__, [f"{task.__name__}.{method}"])
        for method in ("preprocess", "build_model", "metrics", "predict")
    }
    assert len(digests) == 4


def test_unknown_task_is_wrong_use_with_a_suggestion() -> None:
    with pytest.raises(WrongUse, match="did you mean image_classification"):
        load("image_clasification")


class Fitting(Task):
    """A task without a contradiction; tests change one thing of it."""

    columns = {"text": Text(), "label": Label()}
    targets = ("label",)

    def metrics(self) -> Evaluation:
        return Evaluation("label", "label", (Metric("accuracy", "SparseCategoricalAccuracy"),), (Gate("accuracy"),))

    preprocess = build_model = predict = preview = None  # type: ignore[assignment]


class GatedByNothing(Fitting):
    def metrics(self) -> Evaluation:
        return dataclasses.replace(super().metrics(), gates=(Gate("recall"),))


class GatedByWhatMayLack(Fitting):
    def metrics(self) -> Evaluation:
        own = super().metrics()
        return dataclasses.replace(own, metrics=(dataclasses.replace(own.metrics[0], may_lack=True),))


class LabelledByAnInput(Fitting):
    def metrics(self) -> Evaluation:
        return dataclasses.replace(super().metrics(), label="text")


def judged_by(*metrics: Metric) -> type[Task]:
    class JudgedBy(Fitting):
        def metrics(self) -> Evaluation:
            own = super().metrics()
            return dataclasses.replace(own, metrics=(*own.metrics, *metrics))

    return JudgedBy


def variant(**changes: Any) -> type[Task]:
    return type("Changed", (Fitting,), changes)


MISFITS = {
    "an input that may be absent": (variant(columns={"text": Text(optional=True), "label": Label()}), "may be absent"),
    "an input of any length": (variant(columns={"text": Boxes(), "label": Label()}), "holds any number of values"),
    "a target that is no column": (variant(targets=("class",)), "the target 'class' is no column"),
    "a split by no column": (variant(split_by="voice"), "split_by names 'voice'"),
    "asked once by no column": (variant(asked_once=("voice",)), "asked_once names 'voice'"),
    "columns of one feature": (
        variant(columns={"image": Image(), "image_width": Integer(), "label": Label()}),
        "image_width",
    ),
    "a gate on no metric": (GatedByNothing, "'recall', which is not declared"),
    "a key metric that data may lack": (GatedByWhatMayLack, "data may lack the key metric 'accuracy'"),
    "an asset that the catalogue does not have": (
        variant(assets={"backbone": "efficientnet_lite1"}),
        "the asset 'backbone' is 'efficientnet_lite1', which the catalogue does not have",
    ),
    "an asset that nothing swaps": (
        variant(assets={"backbone": "efficientnet_lite0"}),
        "no hyper-parameter swaps the asset 'backbone'",
    ),
    "a label that serving has": (LabelledByAnInput, "the label 'text' is no target"),
    "a metric's label that serving has": (
        judged_by(Metric("mae", "MeanAbsoluteError", label="text")),
        "the label 'text' is no target",
    ),
    "two metrics of one name": (judged_by(Metric("accuracy", "Accuracy")), "two metrics are called 'accuracy'"),
    "a metric that runs the model and is nowhere": (
        judged_by(Metric("laps", "laps", runs_model=True)),
        "'laps' runs the model, but names no module",
    ),
    "a metric that runs the model and compares": (
        judged_by(Metric("laps", "laps", "trainer.metrics.laps", label="label", runs_model=True)),
        "'laps' runs the model and compares nothing",
    ),
}


@pytest.mark.parametrize(("misfit", "words"), MISFITS.values(), ids=MISFITS.keys())
def test_a_task_that_contradicts_itself_is_refused_before_anything_runs(misfit: type[Task], words: str) -> None:
    check(Fitting)
    with pytest.raises(WrongUse, match=words):
        check(misfit)
