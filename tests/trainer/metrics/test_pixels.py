"""Intersection over union from counts that add up, against one confusion matrix by hand."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image as Pillow
from sklearn.metrics import confusion_matrix

from trainer.metrics import pixels


def test_it_is_that_of_one_confusion_matrix_of_all_pictures_without_void() -> None:
    rng = np.random.default_rng(0)
    truths = [rng.integers(0, 4, (5 + i, 6)).astype(np.uint8) for i in range(3)]
    answers = [np.where(rng.random(t.shape) < 0.6, t, rng.integers(0, 4, t.shape)).astype(np.uint8) for t in truths]
    truths[0][0] = 255
    summed = sum(pixels.counts(t, a) for t, a in zip(truths, answers, strict=True))
    true, guessed = (np.concatenate([one.ravel() for one in many]) for many in (truths, answers))
    matrix = confusion_matrix(true[true != 255], guessed[true != 255])
    by_hand = np.diag(matrix) / (matrix.sum(0) + matrix.sum(1) - np.diag(matrix))
    assert pixels.mean_iou(summed) == pytest.approx(by_hand.mean())
    assert list(pixels.ious(summed).values()) == pytest.approx(by_hand.tolist())
    assert pixels.pixel_accuracy(summed) == pytest.approx(np.trace(matrix) / matrix.sum())
    means = [pixels.mean_iou(pixels.counts(t, a)) for t, a in zip(truths, answers, strict=True)]
    assert pixels.mean_iou(summed) != pytest.approx(np.mean(means))


def test_a_class_that_the_model_does_not_know_counts_nothing() -> None:
    truth = np.array([[0, 0, 9, 9]], np.uint8)
    assert pixels.mean_iou(pixels.counts(truth, np.zeros_like(truth))) == pytest.approx((0.5 + 0) / 2)


def test_masks_are_compared_as_files() -> None:
    def png(numbers: np.ndarray, mode: str) -> bytes:
        picture = Pillow.fromarray(numbers, mode)
        if mode == "P":
            picture.putpalette(list(range(256)) * 3)
        stream = io.BytesIO()
        picture.save(stream, "PNG")
        return stream.getvalue()

    numbers, known = np.array([[3, 200], [0, 255]], np.uint8), np.array([3, 200, 0, 7])
    label, answer = np.array([png(numbers, "L")], object), {"mask_bytes": np.array(png(numbers, "P"), object)}
    counts = pixels.PixelAccuracy.counts(label, answer | {"numbers": known})
    assert pixels.PixelAccuracy.value(counts) == 1.0 and counts[1, :4].tolist() == [1, 1, 1, 0]
    assert pixels.MeanIntersectionOverUnion.of_classes(counts) == {0: (1.0, 1.0), 1: (1.0, 1.0), 2: (1.0, 1.0)}
    counts = pixels.PixelAccuracy.counts(label, answer | {"numbers": known[[0, 2]]})
    assert counts[1, pixels.UNKNOWN] == 1, "a class of the truth that the model does not know"
    assert pixels.decoded(label).tolist() == numbers.tolist()
