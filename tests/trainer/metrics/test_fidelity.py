"""PSNR and SSIM against TensorFlow's and by hand, on the colour space and border that the literature has."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow
from tensorflow_model_analysis import constants
from tensorflow_model_analysis.metrics import metric_types

from trainer.backend import tf
from trainer.metrics import fidelity


def noisy_pair(height: int = 40, width: int = 32) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    return truth, (truth + rng.normal(0, 9, truth.shape)).clip(0, 255).astype(np.uint8)


def png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Pillow.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def computed(metric: metric_types.Metric, pairs: list[tuple[bytes, bytes]]) -> float:
    [computation] = metric.computations()
    combiner = computation.combiner
    accumulators = [combiner.add_input(combiner.create_accumulator(), inputs(*pair)) for pair in pairs]
    [value] = combiner.extract_output(combiner.merge_accumulators(accumulators)).values()
    return float(value)


def inputs(truth: bytes, answer: bytes) -> metric_types.StandardMetricInputs:
    extracts: dict[str, Any] = {
        constants.LABELS_KEY: np.array([truth], object),
        constants.PREDICTIONS_KEY: np.array([answer], object),
        constants.EXAMPLE_WEIGHTS_KEY: np.array([1.0]),
    }
    return metric_types.StandardMetricInputs(extracts)


def test_both_are_tensorflows() -> None:
    truth, answer = noisy_pair()
    tensors = tf.constant(truth, tf.float32), tf.constant(answer, tf.float32)
    assert fidelity.psnr(truth, answer) == pytest.approx(float(tf.image.psnr(*tensors, 255)), abs=1e-3)
    assert fidelity.ssim(truth, answer) == pytest.approx(float(tf.image.ssim(*tensors, 255)), abs=1e-4)


def test_equal_pictures_have_the_highest_value_there_is() -> None:
    truth, _ = noisy_pair()
    assert fidelity.psnr(truth, truth) == fidelity.HIGHEST_PSNR
    assert fidelity.ssim(truth, truth) == pytest.approx(1.0)


def test_luma_is_that_of_matlab() -> None:
    colours = np.array([[[255, 255, 255], [0, 0, 0], [255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8)
    assert np.round(fidelity.studio_luma(colours))[0, :, 0].tolist() == [235, 16, 81, 145, 41]


def test_enlarged_pictures_are_judged_on_luma_without_their_border() -> None:
    truth, answer = noisy_pair()
    framed = answer.copy()
    framed[:2] = framed[-2:] = framed[:, :2] = framed[:, -2:] = 0
    expected = fidelity.psnr(fidelity.studio_luma(truth)[2:-2, 2:-2], fidelity.studio_luma(answer)[2:-2, 2:-2])
    assert computed(fidelity.EnlargedPsnr(), [(png(truth), png(framed))]) == pytest.approx(expected)


def test_a_set_has_the_mean_of_its_pictures() -> None:
    truth, answer = noisy_pair()
    alone = computed(fidelity.EnlargedSsim(), [(png(truth), png(answer))])
    both = computed(fidelity.EnlargedSsim(), [(png(truth), png(answer)), (png(truth), png(truth))])
    assert both == pytest.approx((alone + 1) / 2)


def test_of_a_larger_truth_the_middle_is_compared() -> None:
    truth, answer = noisy_pair()
    larger = np.pad(truth, ((3, 4), (5, 5), (0, 0)))
    small, whole = (computed(fidelity.EnlargedPsnr(), [(png(one), png(answer))]) for one in (truth, larger))
    assert small == whole
