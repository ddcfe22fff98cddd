"""How a task says that its model is to be judged: metrics, the gates on them, and what they are computed from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Metric:
    """One TFMA metric: `kind` is its class name, in TFMA, tf_keras or, with `module`, in a module of ours.

    `label`, `prediction` and `raw_label` are this metric's own; where they are None, those of the `Evaluation` hold.

    A `judged` one is given, as `judge`, the folder of the SavedModel that `Task.judge` made.

    One that `runs_model` is no TFMA metric but a function `kind` of `module`, called once for an evaluation and not for
    each example: `kind(model, **config)` gets the folder of the SavedModel and returns the value, or yields one value
    for each episode, of which the mean counts and the interval is drawn. What is random in it depends on a seed alone,
    so that two models meet the same episodes, and every episode has a last step.

    Data may lack what it is of, where it says so by `may_lack`, as a target that few record: where the metric has no
    value, and no reference has one, it is left out together with its gates.
    """

    name: str
    kind: str
    module: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    judged: bool = False
    label: str | None = None
    prediction: str | tuple[str, ...] | None = None
    raw_label: bool | None = None
    runs_model: bool = False
    may_lack: bool = False


@dataclass(frozen=True)
class Gate:
    """What one metric must reach for a blessing.

    `bound` is the absolute bound on the task's default data; on other data it holds only if a person sets it.
    `reference_margin` is by how much at least the model must beat the best reference (None: no comparison), whose value
    is first taken `reference_factor` times. A margin above 0 holds on default data only: how much is to be gained on
    other data nobody knows.
    `slice_bound` is the bound, on the same terms as `bound`, for every slice.
    `baseline_margin` is how much worse than the latest blessed model it may be.
    `constant` is the name of that reference, if there is one, which gives one answer to everybody, as what is most
    popular: like the constant answers that follow from the labels, it must be beaten by more than chance on any data.
    """

    metric: str
    bound: float | None = None
    slice_bound: float | None = None
    higher_is_better: bool = True
    reference_margin: float | None = 0.0
    reference_factor: float = 1.0
    baseline_margin: float = 0.0
    constant: str = ""

    def __str__(self) -> str:
        sign = "≥" if self.higher_is_better else "≤"
        parts = [] if self.bound is None else [f"{sign} {self.bound:g}"]
        if self.reference_margin is not None:
            margin = (
                f" {'+' if self.higher_is_better else '-'} {self.reference_margin:g}" if self.reference_margin else ""
            )
            factor = "" if self.reference_factor == 1 else f"{self.reference_factor:g} × "
            parts.append(f"{sign} {factor}reference{margin}")
        return f"{self.metric} {', '.join(parts)}"


@dataclass(frozen=True)
class Compared:
    """What a metric compares: tensors of `Task.predict`, one or a dict of several, with a target if there is one."""

    predictions: tuple[str, ...]
    label: str | None
    raw_label: bool

    def __str__(self) -> str:
        """In words, which also name the pair to TFMA."""
        label = f" with {self.label}" + (" as read" if self.raw_label else "") if self.label else ""
        return ", ".join(self.predictions) + label


@dataclass(frozen=True)
class Evaluation:
    """How TFMA judges a model.

    `prediction` names the tensor of `Task.predict`, or several, which reach a metric as a dict. They are compared with
    `label`: the feature that `preprocess` makes of that target or, with `raw_label`, the column as it was read. A
    metric may name others of its own.
    Metrics are computed overall and for each value of each feature in `slices`: raw columns, numbers derived from them,
    or features that `preprocess` makes for the purpose. The first gate is the key metric.

    Where `targets_seen`, the features that `predict` gets in evaluation hold the targets too (in serving they do not):
    for what can only be said of a known truth, as its rank among all that might have been.
    """

    prediction: str | tuple[str, ...]
    label: str | None
    metrics: tuple[Metric, ...]
    gates: tuple[Gate, ...]
    slices: tuple[str, ...] = ()
    raw_label: bool = False
    targets_seen: bool = False

    def compared(self, metric: Metric) -> Compared:
        """What this metric compares."""
        prediction = self.prediction if metric.prediction is None else metric.prediction
        label = self.label if metric.label is None else metric.label
        raw = self.raw_label if metric.raw_label is None else metric.raw_label
        return Compared((prediction,) if isinstance(prediction, str) else prediction, label, raw and label is not None)

    @property
    def all_compared(self) -> tuple[Compared, ...]:
        """What the metrics compare, each once, in their order. One that runs the model compares nothing."""
        return tuple(dict.fromkeys(self.compared(metric) for metric in self.metrics if not metric.runs_model))

    @property
    def predictions(self) -> tuple[str, ...]:
        """The tensors of `Task.predict` that some metric needs."""
        return tuple(dict.fromkeys(name for one in self.all_compared for name in one.predictions))

    @property
    def transforms_labels(self) -> bool:
        """Whether a metric needs a target as `preprocess` made it."""
        return any(one.label and not one.raw_label for one in self.all_compared)
