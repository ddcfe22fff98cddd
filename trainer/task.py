"""The task contract: what one file in `trainer/tasks/` says, and all that the machinery asks of it.

A task is a docstring, a frozen dataclass of hyper-parameters and one subclass of `Task`. It knows nothing of files,
Beam, TFX, Kubernetes or strategies. See `docs/add-a-task.md`.
"""

from __future__ import annotations

import dataclasses
import difflib
import importlib
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from data.columns import Column, Value, raw_features
from data.errors import WrongUse
from data.sources.assets import ASSETS
from trainer.assessment import Assessment
from trainer.evaluation import Evaluation, Gate, Metric

if TYPE_CHECKING:
    import numpy as np

    from trainer.preview import Preview
    from trainer.preview.plots import Plot

__all__ = [
    "Arrays",
    "DataSpec",
    "Evaluation",
    "Features",
    "Gate",
    "HParams",
    "Metric",
    "Task",
    "load",
    "task_names",
]

Features = dict[str, Any]
"""Feature name -> tensor; `[batch, ...]` unless said otherwise."""

Arrays = dict[str, "np.ndarray"]
"""Feature name -> array with the examples along the first axis."""


@dataclass(frozen=True)
class HParams:
    """What every task's training may be told by `--set`. A task adds its own fields in a subclass."""

    epochs: int = field(default=10, metadata={"min": 1})
    min_steps: int = field(default=1000, metadata={"min": 1})
    """Small data sets are gone through more often than `epochs`, until so many steps are taken."""
    global_batch_size: int = field(default=128, metadata={"min": 1})
    learning_rate: float = field(default=1e-3, metadata={"min": 0.0})
    patience: int = field(default=10, metadata={"min": 1})
    """Validations without a lower loss after which training stops and goes back to the best weights."""
    seed: int = 0
    mixed_precision: bool = False
    xla: bool = False


@dataclass(frozen=True)
class DataSpec:
    """What `build_model` may know of the data.

    `features` gives the shape and dtype of one example's features as `Task.batch` hands them on (tf.TensorSpec, no
    batch axis; None for a dimension in which training and inference, or batches, differ) and
    `vocabularies` the entries of each vocabulary that `preprocess` made, in index order.
    """

    features: Mapping[str, Any]
    vocabularies: Mapping[str, Sequence[str]]
    num_train_examples: int
    steps: int
    """Training steps that will be taken at most: what learning-rate schedules need."""
    train: Callable[..., Arrays]
    """`train(limit, only)`: the transformed train split in memory, or `limit` examples spread over it, and of them the
    features named in `only`, where there are any: for tables that a model holds, as of what each user has seen, and
    weights that begin as a classical solution. Nobody knows how large the split is: ask for what is small of each
    example, or for few of them."""
    held_out: Callable[[], Iterator[Arrays]] = field(default=lambda: iter(()))
    """Of the train split what training leaves out for validation, in batches as inference has them, one at a time: for
    what is measured of a trained model when it is exported."""
    judge: Any = None
    """In `reference`, the model that `judge` made."""
    assets: Mapping[str, Path | None] = field(default_factory=dict)
    """For each of the task's assets its file, which `data.sources.assets.read_tensors` reads; None for one that a
    person does without (`--set NAME=none`)."""


class Task(ABC):
    """One question of the guide, answered."""

    title: ClassVar[str]
    questions: ClassVar[tuple[int, ...]]
    modality: ClassVar[str]
    data: ClassVar[str]
    """Name in the catalogue of the default data."""
    columns: ClassVar[Mapping[str, Column]]
    targets: ClassVar[tuple[str, ...]] = ()
    """Columns known in training only, and the features of the same names that `preprocess` makes of them."""
    HParams: ClassVar[type[HParams]] = HParams
    small: ClassVar[Mapping[str, bool | int | float | str]] = {"global_batch_size": 16, "min_steps": 200}
    """Hyper-parameters by which a made-up sample of some dozen records is learnt in seconds: what tests train with."""
    assets: ClassVar[Mapping[str, str]] = {}
    """What the task builds on beside its data, such as pretrained weights: a name of its own -> the asset's name in the
    catalogue. A hyper-parameter of that name, a text that is empty by default, swaps it: `--set NAME=FILE` for a file
    of a person's own, `--set NAME=none` to do without."""
    split_by: ClassVar[str | None] = None
    """Column that decides the side of each record of an unsplit folder. Of a Timestamp the last fifth is evaluated on;
    of any other kind all records of one value stay together."""
    asked_once: ClassVar[tuple[str, ...]] = ()
    """Columns whose values together are asked for once, as who and what: of those of eval that train has, too, which
    metrics leave out, `benison data check` warns."""
    sequences: ClassVar[Mapping[str, str]] = {}
    """Zero-padded feature `[batch, longest, ...]` -> the int64 feature `[batch]` that holds its length. A training
    batch is of similar lengths, by the first of these, and each feature cut to its longest."""
    monitor: ClassVar[str | None] = "val_loss"
    """What early stopping watches on held-out train examples; None takes all steps and validates nothing."""
    reference_examples: ClassVar[int] = 20_000
    """`reference` and `judge` get at most so many examples of each split, in memory."""
    answered_examples: ClassVar[int] = 100_000
    """The report lists the answers to at most so many examples of the eval split. Few where an answer takes long."""
    plotted_examples: ClassVar[int] = 20_000
    """`plots` gets at most so many of these, all at once. Few where an answer is large."""
    enrols: ClassVar[str | None] = None
    """Output of `predict`, floats `[batch, size]`, by which `benison enrol` adds names to a pushed model without
    training; see `recognise`."""
    predict_batch_size: ClassVar[int] = 64
    """Examples of a batch in inference. 1 where a model answers at any size, so that a batch holds but one size."""
    shown_classes: ClassVar[int] = 3
    """Of a classifier's answer, in the table of `benison predict`."""

    def __init__(self, hparams: Any) -> None:
        self.hparams = hparams

    def column_names(self) -> Mapping[str, Sequence[str]]:
        """The columns of a user's tables that hold a column of the task, as far as a person named them by `--set`."""
        return {}

    @classmethod
    def refuse(cls, features: Mapping[str, Value]) -> str:
        """Why a record cannot be learnt from although each of its columns is good; empty where it can be.

        A record that is refused is a bad one, with this reason, in a run as in `benison data check`. `features` are the
        raw features of one record, targets included. Cheap, and without TensorFlow: each record is asked about.
        """
        return ""

    @abstractmethod
    def preprocess(self, inputs: Features) -> Features:
        """The Transform graph: raw columns, each `[batch]`, to what the model is fed. Full passes belong here.

        Columns of several values are `[batch, values]`; those that are optional or of any number of values, which only
        targets may be, are tf.SparseTensors. Features are dense.

        Vocabularies, means and quantiles come from `tensorflow_transform` analysers. The graph is saved with the
        model, so that serving sees exactly what training saw. Serving has neither the columns in `targets`, so that the
        model's inputs must not need them, nor derived numbers (`image_width`), which are for analysers. A uint8 tensor
        of any rank is stored losslessly as PNG between nodes and comes back as it was. Encoded bytes may be handed
        through, for `batch` to decode.
        """

    def batch(self, features: Features, seed: Any) -> Features:
        """What is done to each batch of `preprocess`'s features just before the model: crops, random changes, choices.

        `seed` is int64 `[2]` in training, for `tf.random.stateless_*`: another in each batch, the same in each run. It
        is None in validation, in what `reference` and `judge` get, in evaluation and in serving, where nothing is
        random and `features` may lack the targets. Runs in the graph.
        """
        return features

    @abstractmethod
    def build_model(self, spec: DataSpec) -> Any:
        """A compiled `tf.keras.Model` on a dict of features, called inside the strategy's scope.

        `fit` gives it (inputs, targets), two dicts of `batch`'s features; the second holds those that `targets` names,
        also where that is but one. A functional model names its output layer as its target; see
        `trainer.networks.outputs.model_of`.

        Every weight exists when the method returns. Of the model the variables are saved, and the graph of `predict`:
        it must hold no lookup tables, which belong into `preprocess`.
        """

    @abstractmethod
    def predict(self, model: Any, features: Features, spec: DataSpec) -> Features:
        """What the serving signatures return for a batch of transformed features: named tensors, `[batch, ...]`.

        Media in their encoded form are strings `[batch]` of a kind of `data.media.kinds`, and called `X_bytes`; people
        get each as a file, called X. An output X beside it is the same in numbers, for metrics and previews.
        """

    @abstractmethod
    def metrics(self) -> Evaluation:
        """How the model is judged. Imports nothing heavy: `benison tasks` asks for it."""

    def reference(self, train: Arrays, evaluation: Arrays, spec: DataSpec) -> dict[str, dict[str, float]]:
        """Classical methods on the same split: method -> metric -> value, under the names that `metrics` uses."""
        return {}

    def judge(self, train: Arrays, spec: DataSpec) -> Any:
        """A frozen `tf.keras.Model` that judged metrics need, or None.

        It depends on the train split alone and is made beside the reference, so that a model and the latest blessed one
        have the same judge.
        """
        return None

    @abstractmethod
    def preview(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Preview:
        """What a person is shown of one example: raw columns (bytes, numbers) and one row of the prediction.

        `example` lacks the target columns when it comes from `benison predict`.
        """

    def assess(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Assessment:
        """What one answer was worth, for the table of all answers; see `trainer.assessment`.

        The arguments are as in `preview`, whose `correct` is this one's. Cheap: each answer is asked about, and nothing
        is drawn.
        """
        return Assessment()

    def answer_row(self, example: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
        """What the table of `benison predict` shows of one answer: heading -> a number, a text or a list of these.

        `example` is as in `preview`; `answer` is what `--json` prints: the outputs of `predict` as JSON values, without
        pictures and sounds. By default all but lists of lists, and of `probabilities` the highest.
        """
        row = {name: value for name, value in answer.items() if not _is_nested(value)}
        if isinstance(row.get("probabilities"), Mapping):
            best = list(row["probabilities"].items())[: self.shown_classes]
            row["probabilities"] = ", ".join(f"{label} {probability:.1%}" for label, probability in best)
        return row

    def recognise(
        self, prediction: Mapping[str, Any], names: Sequence[str], embeddings: np.ndarray
    ) -> Mapping[str, Any]:
        """One row of the prediction as it is where those who are enrolled are known, too: for tasks that `enrols`.

        Args:
          names: whose each embedding is; several are of one name.
          embeddings: float32 `[n, size]`.
        """
        return prediction

    def overview(
        self, examples: Sequence[Mapping[str, Any]], predictions: Sequence[Mapping[str, Any]]
    ) -> Sequence[Preview]:
        """What a person is shown of many eval examples at once, in file order; arguments as in `preview`."""
        return ()

    def demonstrations(self, model: Path) -> Sequence[Preview]:
        """What a person is shown of the exported model itself at work, as a lap in its simulator: first in the report.

        `model` is the folder of the SavedModel.
        """
        return ()

    def plots(self, examples: Sequence[Mapping[str, Any]], predictions: Sequence[Mapping[str, Any]]) -> Sequence[Plot]:
        """What the report draws of the answers: curves and histograms; see `trainer.preview.plots`.

        The arguments are as in `preview`, of `plotted_examples` of the eval examples that are answered; the examples
        lack what is read from files of their own, such as pictures and sounds.
        """
        return ()


def _is_nested(value: Any) -> bool:
    """Whether it is a list of lists, as of boxes, which no cell of a table holds."""
    return isinstance(value, list) and any(isinstance(one, list) for one in value)


def task_names() -> list[str]:
    """The tasks there are: the modules in `trainer/tasks/`."""
    import trainer.tasks

    return sorted(m.name for m in pkgutil.iter_modules(trainer.tasks.__path__) if not m.name.startswith("_"))


def load(name: str) -> type[Task]:
    """The one `Task` that module `trainer.tasks.<name>` defines.

    Raises:
      WrongUse: there is no such module, it does not define exactly one task, or the task contradicts itself.
    """
    names = task_names()
    if name not in names:
        close = difflib.get_close_matches(name, names, n=1)
        raise WrongUse(f"no task is called {name!r}", f"did you mean {close[0]}?" if close else "see `benison tasks`")
    module = importlib.import_module(f"trainer.tasks.{name}")
    found = list(_tasks_defined_in(module))
    if len(found) != 1:
        raise WrongUse(
            f"trainer/tasks/{name}.py defines {len(found)} tasks", "define exactly one subclass of trainer.task.Task"
        )
    check(found[0])
    return found[0]


def check(task_class: type[Task]) -> None:
    """Refuses a task that would pass all nodes before the one where its mistake shows, most often after training.

    Raises:
      WrongUse: two columns give one feature; a target, `split_by` or what is `asked_once` is no column; an input may be
        absent or of any length, which no serving signature takes; two metrics have one name; a gate is on a metric that
        is not declared, or the first gate on one that data may lack; a label is no target; a metric that runs the
        model is in no module or compares something; an asset is not in the catalogue, or no hyper-parameter swaps it.
    """
    where, columns = f"trainer/tasks/{task_class.__module__.rpartition('.')[2]}.py", task_class.columns
    raw_features(columns)
    strangers = [name for name in task_class.targets if name not in columns]
    if strangers:
        raise WrongUse(f"{where}: the target {strangers[0]!r} is no column", f"name some of {', '.join(columns)}")
    if task_class.split_by is not None and task_class.split_by not in columns:
        raise WrongUse(
            f"{where}: split_by names {task_class.split_by!r}, which is no column", f"name one of {', '.join(columns)}"
        )
    if strange := [name for name in task_class.asked_once if name not in columns]:
        raise WrongUse(
            f"{where}: asked_once names {strange[0]!r}, which is no column", f"name some of {', '.join(columns)}"
        )
    for name, column in columns.items():
        value = column.features(name)[name]
        if name not in task_class.targets and (value.optional or value.length is None):
            lack = "may be absent" if value.optional else "holds any number of values"
            fix = "make it a target, give it a length, or take a kind that holds all of it in one value"
            raise WrongUse(f"{where}: the input {name!r} {lack}, which no serving signature takes", fix)
    _check_assets(where, task_class)
    _check_evaluation(where, columns, task_class.targets, task_class(task_class.HParams()).metrics())


def _check_evaluation(
    where: str, columns: Mapping[str, Column], targets: Sequence[str], evaluation: Evaluation
) -> None:
    names = [metric.name for metric in evaluation.metrics]
    declared = set(names)
    for name in declared:
        if names.count(name) > 1:
            raise WrongUse(f"{where}: two metrics are called {name!r}", "give each a name of its own")
    for gate in evaluation.gates:
        if gate.metric not in declared:
            raise WrongUse(
                f"{where}: a gate is on the metric {gate.metric!r}, which is not declared",
                f"declare it, or name one of {', '.join(sorted(declared))}",
            )
    key_metric = evaluation.gates[0].metric if evaluation.gates else ""
    if any(metric.may_lack and metric.name == key_metric for metric in evaluation.metrics):
        raise WrongUse(
            f"{where}: data may lack the key metric {key_metric!r}, and a model would be blessed unjudged",
            "let the first gate be on a metric that all data have",
        )
    for one in evaluation.all_compared:
        if one.label not in {None, *targets, *(columns if one.raw_label else ())}:
            raise WrongUse(
                f"{where}: the label {one.label!r} is no target",
                "name it in `targets`, so that serving lacks it; only a column as it was read may be an input too",
            )
    for metric in evaluation.metrics:
        if metric.runs_model and not metric.module:
            raise WrongUse(
                f"{where}: the metric {metric.name!r} runs the model, but names no module",
                f"name the module of the function {metric.kind!r}",
            )
        if metric.runs_model and (metric.label or metric.prediction or metric.raw_label is not None):
            raise WrongUse(
                f"{where}: the metric {metric.name!r} runs the model and compares nothing",
                "leave its label and prediction away",
            )


def _check_assets(where: str, task_class: type[Task]) -> None:
    defaults = {field.name: field.default for field in dataclasses.fields(task_class.HParams)}
    for name, asset in task_class.assets.items():
        if asset not in ASSETS.names():
            raise ASSETS.unknown(asset, f"{where}: the asset {name!r} is {asset!r}, which the catalogue does not have")
        if defaults.get(name) != "":
            raise WrongUse(
                f"{where}: no hyper-parameter swaps the asset {name!r}", f'give HParams a field `{name}: str = ""`'
            )


def _tasks_defined_in(module: Any) -> Iterator[type[Task]]:
    for value in vars(module).values():
        if isinstance(value, type) and issubclass(value, Task) and value.__module__ == module.__name__:
            yield value
