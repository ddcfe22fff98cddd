"""The files that runs leave, as far as pages show them: their types, which `data.shapes` holds what is read to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Annotated, Any, NotRequired, TypedDict

from components.report.thresholds import STEPS, ClassThresholds
from data.shapes import finite
from trainer.curves import StepCurves

Finite = Annotated[float, finite]


class KeptNode(TypedDict):
    """`state`: ran, cached, failed, skipped or running."""

    id: str
    state: str
    start: Finite
    seconds: Finite


class Progress(TypedDict, total=False):
    """What a training tells: of each round one value of each quantity, and how far it is."""

    step: int
    steps_total: int
    steps_per_second: float
    rows: int
    rows_total: int
    loss: float
    stopped_early: bool
    history: dict[str, list[float]]


def even(curves: StepCurves) -> bool:
    """Whether each line has a value and a time for each of its steps."""
    series = (curves["training"], curves["held_out"])
    return all({len(one["seconds"]), *map(len, one["values"].values())} <= {len(one["steps"])} for one in series)


KeptCurves = Annotated[StepCurves, even]


class KeptState(TypedDict, total=False):
    """`state.json`, as `pipelines.records.live_state` writes it."""

    state: str
    started: str
    seconds: Finite
    patience: Finite
    key_metric: str
    higher_is_better: bool
    data: dict[str, str]
    code_digest: str
    hparams: dict[str, Any]
    command: str
    nodes: list[KeptNode]
    nodes_total: int
    progress: Progress
    error: dict[str, str]


class KeptGate(TypedDict, total=False):
    metric: str
    higher_is_better: bool


class KeptResult(TypedDict, total=False):
    """`result.json`, as far as it is shown: `pipelines.records.run_result.RunResult`."""

    nodes: list[KeptNode]
    seconds: Finite
    blessed: bool | None
    verdict: str
    gates: list[KeptGate]
    metrics: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    baseline: dict[str, float]
    reference: dict[str, dict[str, float]]
    examples: dict[str, int]
    pushed: str | None


class KeptNotes(TypedDict, total=False):
    """`notes.json`: what a person wrote of a run; one that is archived is not in the table."""

    name: str
    note: str
    tags: list[str]
    archived: bool


class NodeFile(TypedDict):
    """`nodes/NAME.json` of a node that is a process of its own."""

    id: str
    state: str
    started: str


class EndedNodeFile(TypedDict, total=False):
    seconds: Finite


class ShownPart(TypedDict):
    kind: str


class ShownPreview(TypedDict):
    example: NotRequired[str]
    correct: bool | None
    title: str
    slice: dict[str, str]
    parts: list[ShownPart]


class ShownPlot(TypedDict):
    kind: str
    title: str
    x_label: str
    y_label: str
    note: str


class LinesPlot(ShownPlot):
    series: dict[str, list[tuple[Finite, float]]]


class HistogramPlot(ShownPlot):
    series: dict[str, list[int]]
    edges: Annotated[list[Finite], lambda edges: len(edges) > 1]


class ShownColumn(TypedDict, total=False):
    """What `components.statistics` knows of a column in one split."""

    count: Finite
    missing: Finite
    unique: Finite
    histogram: list[tuple[Finite, Finite, Finite]]
    top: list[tuple[str, int]]


def square(found: Mapping[str, Any] | None) -> bool:
    """For confusion matrices: as many rows and columns as labels."""
    return not found or {len(found["labels"])} >= {len(found["counts"]), *map(len, found["counts"])}


def counted(classes: Sequence[Mapping[str, Any]]) -> bool:
    """For what thresholds let through: some class, and of each a count at every threshold, which never rises."""
    counts = [one[kind] for one in classes for kind in ("right", "wrong")]
    return bool(counts) and all(
        len(some) == STEPS + 1 and some[-1] >= 0 and all(before >= after for before, after in pairwise(some))
        for some in counts
    )


class KeptThresholds(TypedDict):
    """`components.report.thresholds.Thresholds`, as far as it is shown."""

    examples: int
    below: str
    counted: str
    classes: Annotated[list[ClassThresholds], counted]
    left_out: int


class BadRecord(TypedDict):
    """One line of `quarantine.jsonl`."""

    file: str
    row: int | None
    column: str | None
    reason: str
