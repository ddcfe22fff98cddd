"""The Evaluator's executor on small models that answer from a column, without a pipeline around it."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components import model_runs, sampling
from components.example_gen import COUNTS
from components.judgement import CONSTANT, Judgement
from data.errors import BenisonError
from trainer.metrics.counts import CountsMetric
from trainer.task import Evaluation, Gate, Metric

CLASSIFIED = Evaluation(
    prediction="probabilities",
    label="label",
    raw_label=True,
    metrics=(Metric("accuracy", "SparseCategoricalAccuracy"), Metric("confusion", "MultiClassConfusionMatrixPlot")),
    gates=(Gate("accuracy"),),
    slices=("label",),
)
MEASURED = Evaluation(
    prediction="number",
    label="truth",
    raw_label=True,
    metrics=(Metric("mae", "MeanAbsoluteError"), Metric("rmse", "RootMeanSquaredError")),
    gates=(Gate("mae", higher_is_better=False),),
)

BOTH = Evaluation(
    prediction="probabilities",
    label="label",
    raw_label=True,
    metrics=(
        *CLASSIFIED.metrics,
        *(dataclasses.replace(metric, prediction="number", label="truth") for metric in MEASURED.metrics),
        Metric("agreement", "Agreement", __name__, prediction=("number", "probabilities"), label="truth"),
    ),
    gates=(*CLASSIFIED.gates, *MEASURED.gates),
    slices=("label",),
)
DRIVEN = dataclasses.replace(
    CLASSIFIED,
    metrics=(*CLASSIFIED.metrics, Metric("laps", "laps", __name__, {"episodes": 8}, runs_model=True)),
    gates=(*CLASSIFIED.gates, Gate("laps", reference_factor=0.5)),
)


class Agreement(CountsMetric):
    """How often two tensors of the model say the same of the truth, both at hand beside another's label."""

    usual_name = "agreement"

    @classmethod
    def counts(cls, label: Any, prediction: Any) -> Any:
        assert set(prediction) == {"number", "probabilities"}
        [number], (_, sure) = prediction["number"], prediction["probabilities"]
        return np.array([(number > 0.5) == (sure > 0.5), True], np.int64)

    @classmethod
    def value(cls, counts: Any) -> float:
        return float(counts[0] / counts[1])


def laps(model: Path, episodes: int) -> Iterator[float]:
    """How sure the model is of a class, from episode to episode more."""
    from trainer.backend import tf

    evaluate = tf.saved_model.load(str(model)).signatures["evaluate"]
    for episode in range(episodes):
        values = {"guess": episode / 10, "other": 0.2, "number": 0.0, "truth": 0.0, "id": 0.0}
        features = {name: _feature(tf, name, value) for name, value in values.items()}
        example = tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()
        yield float(evaluate(tf.constant([example]))["probabilities"][0, 1])


Row = dict[str, Any]
Evaluate = Callable[..., tuple[Judgement, Path, Any]]


def classified(examples: int, mistakes: int, worse: int = 0) -> list[Row]:
    """Two classes of equal size; `guess` makes so many mistakes, `other` so many."""
    rows = []
    for i in range(examples):
        label = i % 2
        guess, other = (label ^ (i * 7 % examples < wrong) for wrong in (mistakes, worse))
        rows.append({"id": float(i), "label": label, "guess": guess, "other": other, "truth": 0.0, "number": 0.0})
    return rows


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two saved models: one answers by the column `guess` or `number`, one by `other`."""
    from trainer.backend import tf

    parsing = {name: tf.io.FixedLenFeature([], tf.float32) for name in ("guess", "other", "number")}
    parsing["found"] = tf.io.FixedLenFeature([1, 6], tf.float32, [[-1.0] * 6])
    made = {}
    for column in ("guess", "other"):
        module = tf.Module()

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
        def evaluate(examples: Any, column: str = column) -> Any:
            found = tf.io.parse_example(examples, parsing)
            sure = 0.1 + 0.8 * found[column]
            return {
                "probabilities": tf.stack([1 - sure, sure], axis=-1),
                "number": found["number"],
                "found": found["found"],
            }

        made[column] = tmp_path_factory.mktemp(column)
        tf.saved_model.save(module, str(made[column] / "Format-Serving"), signatures={"evaluate": evaluate})
    return made


@pytest.fixture
def evaluated(models: dict[str, Path], tmp_path: Path) -> Evaluate:
    def run(
        rows: Sequence[Row],
        evaluation: Evaluation = CLASSIFIED,
        reference: dict[str, dict[str, float]] | None = None,
        strict: bool = True,
        with_baseline: bool = False,
        health: dict[str, Any] | None = None,
    ) -> tuple[Judgement, Path, Any]:
        return _evaluate(models, tmp_path, rows, evaluation, reference or {}, strict, with_baseline, health)

    return run


def _evaluate(
    models: dict[str, Path],
    root: Path,
    rows: Sequence[Row],
    evaluation: Evaluation,
    reference: dict[str, dict[str, float]],
    strict: bool,
    with_baseline: bool,
    health: dict[str, Any] | None,
) -> tuple[Judgement, Path, Any]:
    from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
    from tfx.types import standard_artifacts
    from tfx.utils import proto_utils

    from components.evaluator import EvaluatorExecutor, eval_config
    from components.reference import ReferenceScores
    from pipelines.beam import BEAM_ARGS

    places = {name: root / name for name in ("examples", "reference", "model_run", "evaluation", "blessing")}
    for place in places.values():
        place.mkdir()
    _write_examples(places["examples"] / "Split-eval", rows)
    (places["examples"] / COUNTS).write_text(json.dumps({"eval": len(rows)}), encoding="utf-8")
    (places["reference"] / "reference.json").write_text(json.dumps(reference), encoding="utf-8")
    if health is not None:
        (places["model_run"] / "health.json").write_text(json.dumps(health), encoding="utf-8")
    examples = _artifact(standard_artifacts.Examples, places["examples"])
    examples.split_names = json.dumps(["eval"])
    inputs = {
        "examples": [examples],
        "model": [_artifact(standard_artifacts.Model, models["guess"])],
        "reference": [_artifact(ReferenceScores, places["reference"])],
        "model_run": [_artifact(standard_artifacts.ModelRun, places["model_run"])],
    }
    if with_baseline:
        inputs["baseline_model"] = [_artifact(standard_artifacts.Model, models["other"])]
    blessing = _artifact(standard_artifacts.ModelBlessing, places["blessing"])
    EvaluatorExecutor(BaseBeamExecutor.Context(beam_pipeline_args=BEAM_ARGS, tmp_dir=str(root))).Do(
        inputs,
        {"evaluation": [_artifact(standard_artifacts.ModelEvaluation, places["evaluation"])], "blessing": [blessing]},
        {
            "eval_config": proto_utils.proto_to_json(eval_config(evaluation, set(rows[0]))),
            "example_splits": json.dumps(["eval"]),
            "gates": json.dumps([dataclasses.asdict(gate) for gate in evaluation.gates]),
            "may_lack": json.dumps([one.name for one in evaluation.metrics if one.may_lack]),
            "runs_model": json.dumps([dataclasses.asdict(one) for one in evaluation.metrics if one.runs_model]),
            "strict": int(strict),
        },
    )
    return Judgement.read(places["evaluation"]), places["evaluation"], blessing


def _artifact(kind: Any, place: Path) -> Any:
    artifact = kind()
    artifact.uri = str(place)
    return artifact


def _write_examples(split: Path, rows: Sequence[Row]) -> None:
    from trainer.backend import tf

    split.mkdir()
    with tf.io.TFRecordWriter(str(split / "data_tfrecord-00000-of-00001.gz"), "GZIP") as writer:
        for row in rows:
            features = {name: _feature(tf, name, value) for name, value in row.items()}
            writer.write(tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString())


def _feature(tf: Any, name: str, value: Any) -> Any:
    if isinstance(value, list):
        return tf.train.Feature(float_list=tf.train.FloatList(value=value))
    if name == "label":
        return tf.train.Feature(int64_list=tf.train.Int64List(value=[int(value)]))
    return tf.train.Feature(float_list=tf.train.FloatList(value=[value]))


def test_a_good_model_is_blessed_with_its_interval(evaluated: Evaluate) -> None:
    judgement, evaluation, blessing = evaluated(classified(400, mistakes=20), reference={"tree": {"accuracy": 0.9}})
    assert judgement.verdict == "blessed: accuracy 0.95, ≥ 0.9 (reference: tree), ≥ 0.5 (constant answer)"
    assert blessing.get_int_custom_property("blessed") == 1
    assert (Path(blessing.uri) / "BLESSED").exists()
    low, high = judgement.intervals["accuracy"]
    assert (low, high) == pytest.approx((0.924, 0.967), abs=2e-3)  # Wilson's, of 380 in 400
    found = sampling.read(evaluation)[""]["accuracy"]
    assert len(found.without) == sampling.GROUPS
    assert found.error == pytest.approx(math.sqrt(0.95 * 0.05 / 400), rel=0.5)


def test_what_the_most_frequent_class_reaches_is_not_blessed(evaluated: Evaluate) -> None:
    rows = classified(200, mistakes=0)
    judgement, _, blessing = evaluated([row | {"guess": 0} for row in rows])
    assert judgement.verdict == "not blessed: accuracy 0.5 is no better than the constant answer's 0.5"
    assert judgement.reference == {CONSTANT: {"accuracy": 0.5}}
    assert blessing.get_int_custom_property("blessed") == 0
    assert (Path(blessing.uri) / "NOT_BLESSED").exists()


def test_a_model_and_the_latest_blessed_one_are_compared_in_pairs(evaluated: Evaluate) -> None:
    """The mistakes of one are among those of the other: on these examples the difference is no chance."""
    rows = classified(400, mistakes=60, worse=30)
    judgement, evaluation, blessing = evaluated(rows, strict=False, with_baseline=True)
    assert judgement.baseline["accuracy"] == pytest.approx(0.925)
    assert judgement.verdict == "not blessed: accuracy 0.85, < 0.925 (latest blessed model)"
    difference = sampling.read(evaluation)
    paired = difference["candidate"]["accuracy"] - difference["baseline"]["accuracy"]
    assert paired.error < 0.02
    assert blessing.get_string_custom_property("baseline_model")


def test_numbers_beside_the_median_and_the_mean(evaluated: Evaluate) -> None:
    rows = [row | {"truth": float(i % 5), "number": float(i % 5) + 0.5} for i, row in enumerate(classified(100, 0))]
    judgement, _, _ = evaluated(rows, MEASURED)
    assert judgement.reference == {CONSTANT: pytest.approx({"mae": 1.2, "rmse": math.sqrt(2)})}
    assert judgement.blessed, judgement.verdict


def test_slices_and_confusion_are_read_from_what_tfma_left(evaluated: Evaluate) -> None:
    from components.evaluator import Results

    _, evaluation, _ = evaluated(classified(100, mistakes=10))
    results = Results(evaluation, ["no", "yes"])
    assert [(row["slice"], row["examples"]) for row in results.slices()] == [("label: 0", 50), ("label: 1", 50)]
    confusion = results.confusion()
    assert confusion is not None
    assert sum(map(sum, confusion["counts"])) == 100
    assert confusion["counts"][0][1] + confusion["counts"][1][0] == 10


def test_the_trainings_health_decides(evaluated: Evaluate) -> None:
    health = {"ok": False, "finding": "a layer is dead", "advice": "try a lower learning rate"}
    judgement, _, blessing = evaluated(classified(100, mistakes=1), health=health)
    assert judgement.verdict == "not blessed: a layer is dead; try a lower learning rate"
    assert blessing.get_int_custom_property("blessed") == 0


def test_equal_runs_come_to_equal_intervals(evaluated: Evaluate, models: dict[str, Path], tmp_path: Path) -> None:
    rows = [row | {"truth": float(i % 5), "number": i % 7 / 2} for i, row in enumerate(classified(100, 0))]
    first, _, _ = evaluated(rows, MEASURED)
    (tmp_path / "again").mkdir()
    second, _, _ = _evaluate(models, tmp_path / "again", rows, MEASURED, {}, True, False, None)
    assert first == second


@pytest.mark.parametrize("with_baseline", [False, True])
def test_several_labels_come_to_what_each_alone_comes_to(
    evaluated: Evaluate, models: dict[str, Path], tmp_path: Path, with_baseline: bool
) -> None:
    """Values, intervals, constant answers, slices and the confusion matrix, of the model and the latest blessed one."""
    from components.evaluator import Results

    numbered = [{"truth": float(i % 5), "number": float(i % 5) + 0.5 * (i % 3)} for i in range(100)]
    rows = [row | more for row, more in zip(classified(100, mistakes=8, worse=12), numbered, strict=True)]
    both, evaluation, _ = evaluated(rows, BOTH, with_baseline=with_baseline)
    assert both.blessed, both.verdict
    constant: dict[str, float] = {}
    classes = ["no", "yes"]
    for name, alone in {"classified": CLASSIFIED, "measured": MEASURED}.items():
        (tmp_path / name).mkdir()
        one, place, _ = _evaluate(models, tmp_path / name, rows, alone, {}, True, with_baseline, None)
        assert one.metrics.items() <= both.metrics.items()
        assert one.baseline.items() <= both.baseline.items()
        assert one.intervals.items() <= both.intervals.items()
        constant |= one.reference[CONSTANT]
        if alone is CLASSIFIED:
            assert Results(evaluation, classes).confusion() == Results(place, classes).confusion()
    assert both.reference == {CONSTANT: constant}
    assert set(both.metrics) == {"accuracy", "mae", "rmse", "agreement", "example_count"}
    assert both.metrics["example_count"] == 100
    assert [set(row["metrics"]) for row in Results(evaluation).slices()] == [
        {"accuracy", "mae", "rmse", "agreement"}
    ] * 2


def test_a_metric_that_runs_the_model_is_judged_as_any_other(evaluated: Evaluate) -> None:
    answers = [0.1 + 0.8 * episode / 10 for episode in range(8)]
    references = {"expert": {"laps": 0.7}}
    judgement, evaluation, _ = evaluated(classified(100, 10, worse=20), DRIVEN, references, with_baseline=True)
    assert judgement.metrics["laps"] == pytest.approx(np.mean(answers))
    reach = 2.364624 * np.std(answers, ddof=1) / math.sqrt(8)  # Student's, of a mean of 8
    assert judgement.intervals["laps"] == pytest.approx([np.mean(answers) - reach, np.mean(answers) + reach])
    assert judgement.baseline["laps"] == pytest.approx(0.1 + 0.8 * 0.2)
    gates = {(row["metric"], row["bound_from"]): (row["bound"], row["state"]) for row in judgement.gates}
    assert gates[("laps", "reference: expert")] == (pytest.approx(0.35), "passed")
    assert gates[("laps", "latest blessed model")] == (pytest.approx(0.26), "passed")
    paired = model_runs.read(evaluation)
    assert (paired["candidate"]["laps"] - paired["baseline"]["laps"]).error == pytest.approx(
        np.std(answers, ddof=1) / math.sqrt(8)
    )


def test_episodes_too_few_for_an_error_are_said(evaluated: Evaluate) -> None:
    few = dataclasses.replace(DRIVEN.metrics[-1], config={"episodes": 2})
    evaluation = dataclasses.replace(DRIVEN, metrics=(*CLASSIFIED.metrics, few))
    judgement, _, _ = evaluated(classified(100, 1), evaluation, {"expert": {"laps": 0.9}}, strict=False)
    assert judgement.outcome == "cannot be judged"
    assert "too few episodes (2) to tell them apart" in judgement.verdict


def test_a_metric_that_does_not_end_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def forever(model: Path) -> Iterator[float]:
        while True:
            yield 1.0

    monkeypatch.setattr(model_runs, "LIMIT_S", 0.01)
    monkeypatch.setitem(globals(), "forever", forever)
    with pytest.raises(BenisonError, match="'endless' has run the model for more than"):
        model_runs.run([Metric("endless", "forever", __name__, runs_model=True)], {"": tmp_path}, tmp_path, tmp_path)


def test_one_number_alone_has_no_error() -> None:
    assert model_runs.estimate([0.5]).value == 0.5
    assert math.isnan(model_runs.estimate([0.5]).error)
    assert math.isnan(model_runs.estimate([]).value)


@pytest.mark.parametrize("with_baseline", [False, True])
def test_each_class_that_a_metric_tells_apart_stands_before_the_slices(
    evaluated: Evaluate, with_baseline: bool
) -> None:
    """The first class is found always, the second in one picture of two."""
    from components.evaluator import Results

    rows = []
    for i, row in enumerate(classified(40, 0)):
        box = [0.0, 0.0, 9.0, 9.0]
        found = -1.0 if i % 4 == 1 else float(i % 2)
        rows.append(row | {"objects": [*box, float(i % 2)], "found": [*box, found, 0.9]})
    detection = dataclasses.replace(
        CLASSIFIED,
        prediction="found",
        label="objects",
        metrics=(Metric("map_50", "AveragePrecision", "trainer.metrics.detection", {"iou_threshold": 0.5}),),
        gates=(Gate("map_50"),),
    )
    judgement, evaluation, _ = evaluated(rows, detection, with_baseline=with_baseline)
    half = pytest.approx(51 / 101)
    assert judgement.metrics == {"map_50": pytest.approx((1 + 51 / 101) / 2), "example_count": 40}
    low, high = judgement.intervals["map_50"]
    assert low < judgement.metrics["map_50"] < high
    first, second, *slices = Results(evaluation, ["cat"]).slices()
    assert first == {"slice": "class: cat", "examples": 20, "metrics": {"map_50": 1.0}}
    assert second == {"slice": "class: 1", "examples": 20, "metrics": {"map_50": half}}
    assert [row["slice"] for row in slices] == ["label: 0", "label: 1"]


def test_errors_of_a_large_split_are_drawn_from_some_of_it(
    evaluated: Evaluate, models: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are those of the whole; values, constant answers and the pairing with the baseline are not touched."""
    rows = [
        row | {"truth": float(i % 5), "number": float(i % 5) + (i * 7 % 11) / 11}
        for i, row in enumerate(classified(2000, mistakes=300, worse=150))
    ]
    whole, all_of_it, _ = evaluated(rows, BOTH, with_baseline=True)
    monkeypatch.setattr(sampling, "EXAMPLES", 500)
    (tmp_path / "some").mkdir()
    some, of_some, _ = _evaluate(models, tmp_path / "some", rows, BOTH, {}, True, True, None)
    assert (some.metrics, some.baseline, some.reference) == (whole.metrics, whole.baseline, whole.reference)
    full, part = sampling.read(all_of_it), sampling.read(of_some)
    assert len(part["candidate"]["mae"].without) == sampling.GROUPS
    assert part["candidate"]["example_count"].value == pytest.approx(500, rel=0.2)
    for name in ("accuracy", "mae"):
        assert part["candidate"][name].error == pytest.approx(full["candidate"][name].error, rel=0.5)
        paired = [one["candidate"][name] - one["baseline"][name] for one in (full, part)]
        assert paired[1].error == pytest.approx(paired[0].error, rel=0.5)
        against = [one["candidate"][name] - one["constant"][name] for one in (full, part)]
        assert against[1].error == pytest.approx(against[0].error, rel=0.5)
