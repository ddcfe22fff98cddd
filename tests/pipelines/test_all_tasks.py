"""Every task as a whole pipeline, on a small made-up folder, whose records it must learn: a new task is tested by
existing."""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from components import manifest
from components.judgement import CONSTANT, PASSED
from components.report import answer_table, thresholds
from pipelines.console.failures import ROOT
from pipelines.console.progress import Listener
from pipelines.local.run import run
from pipelines.records.run_result import EXIT_BLESSED, EXIT_NOT_BLESSED, RunResult
from pipelines.serving.inputs import Example
from pipelines.serving.served import Served
from pipelines.settings import RunSettings
from tests.samples import write_assets, write_sample
from trainer.decisions import Decides
from trainer.streaming import Streams
from trainer.task import Task, load, task_names

pytestmark = pytest.mark.whole

LIMIT = 64
"""Train records of a sample; half as many are for evaluation."""
STEPS_TOGETHER = 4
"""Of two workers, which learn what one does."""
LEARNT_F1 = 0.3
COMPARED = 8
"""Records whose served and evaluated predictions are compared."""


@dataclass(frozen=True)
class Tried:
    """One task, run on a sample."""

    task: type[Task]
    settings: RunSettings
    result: RunResult

    @property
    def pipeline(self) -> Path:
        return self.settings.workspace / self.settings.task / "pipeline"


class Runs:
    """Runs of tasks, each made once, when a test first asks for it."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._alone: dict[str, Tried] = {}
        self._together: dict[str, Tried] = {}

    def alone(self, name: str) -> Tried:
        """The task trained in this process, by its small hyper-parameters."""
        if name not in self._alone:
            task, root = load(name), self._root / name
            data = write_sample(task.columns, root / "data", LIMIT)
            small = {name: str(value) for name, value in task.small.items()}
            settings = RunSettings(
                name,
                data=str(data),
                overrides=write_assets(task.assets, root / "assets") | small,
                limit=LIMIT,
                workspace=root / "workspace",
            )
            self._alone[name] = Tried(task, settings, run(settings, Listener()))
        return self._alone[name]

    def together(self, name: str) -> Tried:
        """The same for a few steps by two workers, with what comes before training answered from disk."""
        if name not in self._together:
            alone = self.alone(name)
            settings = replace(alone.settings, workers=2, steps=STEPS_TOGETHER)
            self._together[name] = Tried(alone.task, settings, run(settings, Listener()))
        return self._together[name]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    return Runs(tmp_path_factory.mktemp("tasks"))


def training_loop(task: type[Task]) -> tuple[bool, ...]:
    """What tells one kind of training loop from another: early stopping, batches by length, a train step of its own."""
    tree = ast.parse(Path(inspect.getfile(task)).read_text(encoding="utf-8"))
    froms = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    imported = [
        name for node in froms for name in (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))
    ]
    files = [ROOT / (module.replace(".", "/") + ".py") for module in imported if module.startswith("trainer.")]
    own_step = any("def train_step(" in file.read_text(encoding="utf-8") for file in files if file.is_file())
    return task.monitor is not None, bool(task.sequences), own_step


ONE_OF_A_KIND = sorted({training_loop(load(name)): name for name in reversed(task_names())}.values())
"""For each kind of training loop one task that has it: what several workers do otherwise depends on nothing else."""


def test_each_kind_of_training_loop_has_its_task() -> None:
    kinds = {training_loop(load(name)) for name in task_names()}
    plain, adversarial, of_sequences = (True, False, False), (False, False, True), (True, True, True)
    assert kinds >= {plain, adversarial, of_sequences}
    assert kinds == {training_loop(load(name)) for name in ONE_OF_A_KIND} and len(kinds) == len(ONE_OF_A_KIND)


@pytest.mark.parametrize("name", task_names())
def test_it_runs_to_its_verdict(runs: Runs, name: str) -> None:
    alone = runs.alone(name)
    assert_verdict(alone)
    assert set(states(alone.result).values()) == {"ran"}
    assert alone.result.examples == {"train": LIMIT, "eval": LIMIT // 2, "quarantined": 0}


@pytest.mark.parametrize("name", task_names())
def test_it_learns_what_its_sample_holds(runs: Runs, name: str) -> None:
    assert_learnt(runs.alone(name).result)


def test_a_model_that_was_not_trained_has_not_learnt_it(runs: Runs) -> None:
    """Else the test before could not fail. The nodes before training answer from disk."""
    alone = runs.alone("image_classification")
    settings = replace(alone.settings, overrides={**alone.settings.overrides, "learning_rate": "0", "min_steps": "1"})
    untrained = run(replace(settings, steps=1), Listener())
    assert states(untrained)["Trainer"] == "ran"
    with pytest.raises(AssertionError, match="has not learnt its sample"):
        assert_learnt(untrained)


@pytest.mark.parametrize("name", task_names())
def test_the_served_model_answers_as_it_was_evaluated(runs: Runs, name: str) -> None:
    assert_served_as_evaluated(runs.alone(name))


@pytest.mark.parametrize("name", task_names())
def test_every_answer_is_assessed(runs: Runs, name: str) -> None:
    """In the table of all answers: what is said of one agrees with what its preview shows."""
    alone = runs.alone(name)
    folder = Path(alone.result.places["report"]).parent
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    slices = alone.task(alone.task.HParams()).metrics().slices
    rows = pq.read_table(folder / answer_table.FILE).to_pylist()
    assert set(rows[0]) == {*answer_table.COLUMNS, *(f"{answer_table.SLICE}{slice_name}" for slice_name in slices)}
    assert sorted(row["place"] for row in rows) == list(range(LIMIT // 2)), "each example once"
    assert any(row["answer"] for row in rows), "the answers are said in words"
    assert all(row["correct"] is None or row["truth"] for row in rows), "what is right or wrong has a truth"
    losses = [row["loss"] for row in rows if row["loss"] is not None]
    assert all(0 <= loss < np.inf for loss in losses) and bool(losses) == bool(report["answers"]["loss"])
    assert all(row["confidence"] is None or 0 <= row["confidence"] <= 1 for row in rows)
    correct = {row["example"]: row["correct"] for row in rows}
    shown = {p["example"]: p["correct"] for p in report["previews"] if p["example"] in correct}
    assert shown and shown.items() <= correct.items()
    named = {f"{one}: {row[answer_table.SLICE + one]}" for one in slices for row in rows}
    judged = {entry["slice"] for entry in report["slices"] if not entry["slice"].startswith("class: ")}
    assert named - {f"{one}: None" for one in slices} == judged, "slices have the same names as in the metrics"


@pytest.mark.parametrize("name", [name for name in task_names() if issubclass(load(name), Decides)])
def test_what_each_threshold_lets_through_is_counted(runs: Runs, name: str) -> None:
    """Of every eval example, so that a task that has learnt its sample is mostly right at some threshold."""
    alone = runs.alone(name)
    report = json.loads(Path(alone.result.places["report"]).with_name("report.json").read_text(encoding="utf-8"))
    assert report["thresholds"]["examples"] == LIMIT // 2
    every = report["thresholds"]["classes"][0]
    assert every["there"] > 0 and (thresholds.at(every, thresholds.best(every)).f1 or 0) > LEARNT_F1


@pytest.mark.parametrize("name", [name for name in task_names() if issubclass(load(name), Streams)])
def test_what_is_written_piece_by_piece_is_the_answer(runs: Runs, name: str) -> None:
    alone = runs.alone(name)
    served = Served.open(Path(alone.result.places["model"]).parent, name)
    [record, *_] = first_records(next((alone.pipeline / "FolderExampleGen" / "examples").glob("*/Split-eval")))
    example = Example(Path(), None, {column: values_of(record, column, rank=1) for column in served.columns})
    [(_, answer)] = served.answers([example])
    pieces: list[str] = []
    finished = served.streamed(example, pieces.append)
    assert len(pieces) > 1 and "".join(pieces) == answer[served.task.streamed].decode()
    assert finished.keys() == answer.keys()
    for name, value in answer.items():
        equal = np.allclose(finished[name], value) if isinstance(value, np.floating) else finished[name] == value
        assert equal, f"{name}: {finished[name]} and {value}"


@pytest.mark.parametrize("name", ONE_OF_A_KIND)
def test_two_workers_train_it_too(runs: Runs, name: str) -> None:
    together = runs.together(name)
    assert_verdict(together)
    assert states(together.result)["Trainer"] == "ran"
    log = together.pipeline.parent / "workers" / "worker-1.log"
    assert "worker 1 of 2" in log.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ONE_OF_A_KIND)
def test_what_two_workers_trained_answers_as_it_was_evaluated(runs: Runs, name: str) -> None:
    assert_served_as_evaluated(runs.together(name))


def assert_verdict(tried: Tried) -> None:
    """It came to a verdict, shown on a page, and what was blessed, and nothing else, is served."""
    result = tried.result
    assert result.exit in (EXIT_BLESSED, EXIT_NOT_BLESSED), result.verdict
    assert tried.task(tried.task.HParams()).metrics().gates[0].metric in result.metrics
    page = Path(result.places["report"]).read_text(encoding="utf-8")
    assert result.verdict.partition(":")[0] in page.lower()
    assert (result.pushed is not None) == (result.exit == EXIT_BLESSED)
    if result.pushed is not None:
        assert manifest.verify(Path(result.places["model"]))["task"] == result.task


def assert_learnt(result: RunResult) -> None:
    """It is blessed as a user's model would be: no gate is failed or open, the constant answer is beaten by more than
    chance, and no reference is better by more than chance. Of what it is measured against there is something."""
    assert result.exit == EXIT_BLESSED, f"{result.task} has not learnt its sample\n{result.closing()}"
    rivals = [gate for gate in result.gates if gate["bound_from"].startswith((CONSTANT, "reference"))]
    assert any(gate["state"] == PASSED for gate in rivals), f"nothing tells whether {result.task} has learnt its sample"


def assert_served_as_evaluated(tried: Tried) -> None:
    """The `raw` signature on plain columns gives what the Evaluator's signature gives for the same records. Where that
    one sees the targets too, some of its outputs tell what only the truth can: there all that is served is compared
    with what `serving_default` gives for the records without their targets."""
    from trainer.backend import tf

    folder = max((tried.pipeline / "Trainer" / "model").iterdir(), key=lambda path: int(path.name))
    model = tf.saved_model.load(str(folder / "Format-Serving"))
    records = first_records(next((tried.pipeline / "FolderExampleGen" / "examples").glob("*/Split-eval")))
    raw = model.signatures["raw"]
    columns = {
        name: tf.constant([values_of(record, name, spec.shape.rank) for record in records], spec.dtype)
        for name, spec in raw.structured_input_signature[1].items()
    }
    served, evaluated = raw(**columns), model.signatures["evaluate"](tf.constant(records))
    if tried.task(tried.task.HParams()).metrics().targets_seen:
        untold = model.signatures["serving_default"](tf.constant([only(set(columns), record) for record in records]))
        assert set(untold) == set(served)
        evaluated = untold | {name: value for name, value in evaluated.items() if name in served}
    assert evaluated
    for name in sorted(evaluated):
        assert served[name].shape == evaluated[name].shape
        if evaluated[name].dtype == tf.string:
            assert served[name].numpy().tolist() == evaluated[name].numpy().tolist(), name
        else:
            np.testing.assert_allclose(served[name], evaluated[name], rtol=1e-4, atol=1e-5, err_msg=name)


def first_records(split: Path, count: int | None = COMPARED) -> list[bytes]:
    from trainer.backend import tf

    files = sorted(str(path) for path in split.iterdir())
    return [record.numpy() for record in tf.data.TFRecordDataset(files, compression_type="GZIP").take(count or -1)]


def only(columns: set[str], record: bytes) -> bytes:
    """A serialised tf.Example of these columns alone."""
    from trainer.backend import tf

    example = tf.train.Example.FromString(record)
    for name in set(example.features.feature) - columns:
        del example.features.feature[name]
    return example.SerializeToString()


def values_of(record: bytes, column: str, rank: int) -> Any:
    """What a serialised tf.Example holds of a column, as a tensor of that rank has it."""
    from trainer.backend import tf

    feature = tf.train.Example.FromString(record).features.feature[column]
    values: Sequence[Any] = getattr(feature, feature.WhichOneof("kind")).value
    return list(values) if rank > 1 else values[0]


def states(result: RunResult) -> dict[str, str]:
    return {node["id"]: node["state"] for node in result.nodes}
