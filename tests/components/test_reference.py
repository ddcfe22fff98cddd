"""The Reference node: what it gives a task's classical methods, and their scores up to what the judge makes of them."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tfx.types.standard_artifacts import Examples, TransformGraph

from components import reference as node
from components.judgement import finite_references
from components.reference import JUDGE, Reference, ReferenceScores, read_scores
from tests.transformed import write_transformed
from trainer.backend import tf
from trainer.task import Arrays, DataSpec, Features, HParams, Task

TRAIN, EVAL, BOUND = 12, 9, 7


class Plain(Task):
    """Has neither reference nor judge."""

    reference_examples = BOUND

    def preprocess(self, inputs: Features) -> Features:
        return dict(inputs)

    build_model = predict = metrics = preview = None  # type: ignore[assignment]


class Told(Plain):
    """Says in its scores what it was given."""

    def judge(self, train: Arrays, spec: DataSpec) -> Any:
        x = tf.keras.Input([1], name="number")
        model = tf.keras.Model(x, tf.keras.layers.Dense(1, use_bias=False)(x))
        model.set_weights([np.full((1, 1), train["number"].sum(), np.float32)])
        return model

    def reference(self, train: Arrays, evaluation: Arrays, spec: DataSpec) -> dict[str, dict[str, float]]:
        return {
            "train": {"examples": len(train["number"]), "sum": float(train["number"].sum())},
            "eval": {"examples": len(evaluation["number"]), "sum": float(evaluation["number"].sum())},
            "of all": {"examples": spec.num_train_examples, "judged": float(spec.judge(np.ones((1, 1), "f4"))[0, 0])},
            "broken": {"sum": math.nan, "examples": math.inf},
        }


Plain.__abstractmethods__ = Told.__abstractmethods__ = frozenset()  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train holds the numbers from 0, eval those from 100."""
    folder = tmp_path_factory.mktemp("transformed")
    for split, numbers in (("train", range(TRAIN)), ("eval", range(100, 100 + EVAL))):
        rows = [{"number": number} for number in numbers]
        shutil.rmtree(folder / "graph", ignore_errors=True)
        write_transformed(dict, {"number": tf.int64}, rows, folder, split)
    return folder


def run(task: type[Task], examples: Path, output: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setattr(node, "task_from", lambda config: task(HParams(**config["hparams"])))
    artifacts = {
        "transformed_examples": Examples(),
        "transform_graph": TransformGraph(),
        "reference": ReferenceScores(),
    }
    for name, place in zip(artifacts, (examples, examples / "graph", output), strict=True):
        artifacts[name].uri = str(place)
    config = json.dumps({"task": "told", "hparams": {}, "assets": {}})
    Reference.test_call(**artifacts, config=config, digest="")
    return read_scores(str(output))


def test_both_splits_are_bounded_and_no_score_that_is_no_number_reaches_the_judge(
    examples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, left_out = finite_references(run(Told, examples, tmp_path, monkeypatch))
    total, of_eval = (sum(-(-place * count // BOUND) for place in range(BOUND)) for count in (TRAIN, EVAL))
    assert kept == {
        "train": {"examples": BOUND, "sum": total},
        "eval": {"examples": BOUND, "sum": 100 * BOUND + of_eval},
        "of all": {"examples": TRAIN, "judged": total},
    }
    assert [words.partition(" is left out")[0] for words in left_out] == ["broken"] * 2
    loaded = tf.keras.models.load_model(str(tmp_path / JUDGE), compile=False)
    assert float(loaded(np.ones((1, 1), "f4"))[0, 0]) == total


def test_a_task_without_classical_methods_has_no_scores_and_its_examples_are_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(Plain, tmp_path / "nothing", tmp_path, monkeypatch) == {}
    assert [path.name for path in tmp_path.iterdir()] == ["reference.json"]


def test_a_split_without_examples_is_told(examples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = shutil.copytree(examples, tmp_path / "data")
    [file] = (data / "Split-eval").iterdir()
    tf.io.TFRecordWriter(str(file), "GZIP").close()
    (tmp_path / "scores").mkdir()
    with pytest.raises(ValueError, match="no examples in .*Split-eval"):
        run(Told, data, tmp_path / "scores", monkeypatch)


def test_scores_that_are_no_numbers_are_written_and_left_out_of_the_judgement(tmp_path: Path) -> None:
    scores = {"nearest": {"wer": math.nan, "cer": 0.5}, "memory": {"wer": math.inf}, "last": {"wer": 0.25}}
    (tmp_path / "reference.json").write_text(json.dumps(scores), encoding="utf-8")
    kept, left_out = finite_references(read_scores(str(tmp_path)))
    assert kept == {"nearest": {"cer": 0.5}, "last": {"wer": 0.25}}
    assert [words.partition(" is left out")[0] for words in left_out] == ["nearest", "memory"]
