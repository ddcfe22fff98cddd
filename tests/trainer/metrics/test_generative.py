"""Measures of generated pictures against hand-computed and library values, and however the set is divided."""

from __future__ import annotations

import io
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.linalg
from PIL import Image as Pillow
from tensorflow_model_analysis import constants
from tensorflow_model_analysis.metrics import metric_types

from trainer.backend import tf
from trainer.metrics import generative
from trainer.metrics.generative import ClassCoverage, ClassEntropy, FrechetDistance, Judged

SHAPE = (4, 4, 1)


def judged(features: Any, classes: Any = (0,)) -> Judged:
    features = np.asarray(features, np.float64)
    return Judged(len(features), features.sum(axis=0), features.T @ features, np.asarray(classes))


def test_distance_of_two_gaussians_by_hand() -> None:
    # mean (0, 0), variances 1 and 4; mean (3, 4), variances 9 and 4: 25 + (1 - 3)² + (2 - 2)² = 29
    corners = np.array(list(itertools.product((-1.0, 1.0), repeat=2)))
    unbiased = np.sqrt(3 / 4)
    real, generated = corners * [1, 2] * unbiased, corners * [3, 2] * unbiased + [3, 4]
    assert generative.frechet_distance(judged(real), judged(generated)) == pytest.approx(29.0)


def test_distance_is_that_of_the_matrix_square_root() -> None:
    generator = np.random.default_rng(0)
    a, b = (generator.normal(size=(500, 6)) @ generator.normal(size=(6, 6)) + generator.normal(size=6) for _ in "ab")
    root = scipy.linalg.sqrtm(np.cov(a.T) @ np.cov(b.T)).real
    expected = np.sum((a.mean(0) - b.mean(0)) ** 2) + np.trace(np.cov(a.T) + np.cov(b.T) - 2 * root)
    assert generative.frechet_distance(judged(a), judged(b)) == pytest.approx(expected)


def test_distance_to_itself_is_zero_even_where_features_never_vary() -> None:
    features = np.random.default_rng(0).normal(size=(50, 4)) * [1, 1, 0, 0]
    assert generative.frechet_distance(judged(features), judged(features)) == pytest.approx(0, abs=1e-9)
    single = judged(np.ones((1, 4)))
    assert generative.frechet_distance(single, single) == pytest.approx(0, abs=1e-9)


def test_a_class_is_covered_from_a_tenth_of_its_share_on() -> None:
    real = judged(np.zeros((1000, 1)), [500, 400, 100, 0])
    assert generative.class_coverage(real, judged(np.zeros((1000, 1)), [950, 40, 10, 0])) == 1.0
    assert generative.class_coverage(real, judged(np.zeros((1000, 1)), [952, 39, 9, 0])) == pytest.approx(1 / 3)
    assert generative.class_coverage(real, judged(np.zeros((10, 1)), [0, 0, 0, 10])) == 0.0


def test_entropy_is_in_bits() -> None:
    real = judged(np.zeros((1, 1)), [1, 1, 1, 1])
    assert generative.class_entropy(real, judged(np.zeros((8, 1)), [2, 2, 2, 2])) == pytest.approx(2.0)
    assert generative.class_entropy(real, judged(np.zeros((8, 1)), [0, 8, 0, 0])) == 0.0


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Features: brightness of the left and of the right half. Class: which half is brighter."""
    picture = tf.keras.Input(SHAPE, dtype=tf.uint8, name="image")
    x = tf.keras.layers.Rescaling(1 / 255)(picture)
    halves = tf.keras.layers.AveragePooling2D((4, 2))(x)
    features = tf.keras.layers.Flatten(name="features")(halves)
    probabilities = tf.keras.layers.Softmax(name="probabilities")(features)
    path = tmp_path_factory.mktemp("judge")
    model = tf.keras.Model(picture, {"features": features, "probabilities": probabilities})
    model.save(path, save_format="tf")
    return path


def picture_sets(count: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(1)
    return generator.integers(0, 256, (count, *SHAPE), np.uint8), generator.integers(0, 128, (count, *SHAPE), np.uint8)


def encoded(picture: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Pillow.fromarray(picture[..., 0]).save(buffer, "PNG")
    return buffer.getvalue()


def elements(real: np.ndarray, generated: np.ndarray) -> list[Any]:
    return [
        metric_types.StandardMetricInputs(
            {
                constants.LABELS_KEY: np.array([encoded(a)], dtype=object),
                constants.PREDICTIONS_KEY: b,
                constants.EXAMPLE_WEIGHTS_KEY: np.array([1.0]),
            }
        )
        for a, b in zip(real, generated, strict=True)
    ]


def expected(judge: Path, real: np.ndarray, generated: np.ndarray) -> dict[str, float]:
    return generative.scores(tf.keras.models.load_model(judge, compile=False), real, generated)


@pytest.mark.parametrize("metric_class", [FrechetDistance, ClassCoverage, ClassEntropy])
@pytest.mark.parametrize("parts", [[700], [1, 300, 399]])
def test_a_metric_is_the_same_however_the_set_is_divided(metric_class: Any, parts: list[int], judge: Path) -> None:
    real, generated = picture_sets(sum(parts))
    metric = metric_class(judge=str(judge))
    combined, derived = metric.computations(model_names=[""], output_names=[""])
    combine, inputs = combined.combiner, iter(elements(real, generated))
    accumulators = [
        combine.add_inputs(combine.create_accumulator(), itertools.islice(inputs, count)) for count in parts
    ]
    merged = combine.merge_accumulators([combine.compact(accumulators[0]), *accumulators[1:]])
    [value] = derived.result(combine.extract_output(merged)).values()
    assert value == pytest.approx(expected(judge, real, generated)[metric.name], rel=1e-5)


def test_no_more_pictures_are_held_back_than_the_judge_takes_at_once(judge: Path) -> None:
    combine = FrechetDistance(judge=str(judge)).computations(model_names=[""], output_names=[""])[0].combiner
    inputs = elements(*picture_sets(3 * generative.BATCH))
    for parts in (1, 2, 3):
        accumulators = [combine.add_inputs(combine.create_accumulator(), inputs[i::parts]) for i in range(parts)]
        assert all(len(each.waiting) < generative.BATCH for each in accumulators)
        assert len(combine.merge_accumulators(accumulators).waiting) < generative.BATCH


def test_real_pictures_are_brought_to_the_size_of_the_generated(judge: Path) -> None:
    flat = np.full((8, 6, 1), 100, np.uint8)
    combine = ClassEntropy(judge=str(judge)).computations(model_names=[""], output_names=[""])[0].combiner
    [element] = elements(flat[None], np.full((1, *SHAPE), 100, np.uint8))
    [(real, generated)] = combine.extract_output(combine.add_input(combine.create_accumulator(), element)).values()
    assert np.array_equal(real.total, generated.total)


def test_candidate_and_baseline_are_judged_apart(judge: Path) -> None:
    real, generated = picture_sets(30)
    metric = FrechetDistance(judge=str(judge))
    values = {}
    computations = metric.computations(model_names=["candidate", "baseline"], output_names=[""])
    for combined, derived in zip(computations[::2], computations[1::2], strict=True):
        accumulator = combined.combiner.create_accumulator()
        for element, other in zip(elements(real, generated), real, strict=True):
            element[constants.PREDICTIONS_KEY] = {
                "candidate": element[constants.PREDICTIONS_KEY],
                "baseline": other,
            }
            accumulator = combined.combiner.add_input(accumulator, element)
        for key, value in derived.result(combined.combiner.extract_output(accumulator)).items():
            values[key.model_name] = value
    assert values["baseline"] == pytest.approx(0, abs=1e-6)
    assert values["candidate"] == pytest.approx(expected(judge, real, generated)["frechet_distance"], rel=1e-5)
