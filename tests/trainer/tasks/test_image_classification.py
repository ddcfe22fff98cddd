"""The network lives and learns on strong colours, where ReLU units die without a normalisation before them."""

from __future__ import annotations

import math

import numpy as np

from trainer import health
from trainer.backend import tf
from trainer.task import DataSpec
from trainer.tasks.image_classification import ImageClassification, ImageClassificationHParams

CLASSES, SIDE, EXAMPLES, STEPS = 9, 48, 256, 50


def coloured_squares() -> tuple[np.ndarray, np.ndarray]:
    """Pictures uint8 `[EXAMPLES, SIDE, SIDE, 3]` of a square of any colour on any other; its place is the class."""
    rng = np.random.default_rng(0)
    labels = np.arange(EXAMPLES) % CLASSES
    pictures = np.empty((EXAMPLES, SIDE, SIDE, 3), np.uint8)
    for picture, label in zip(pictures, labels, strict=True):
        picture[:], front = rng.integers(0, 256, (2, 3))
        y, x = (SIDE // 3) * (label // 3), (SIDE // 3) * (label % 3)
        picture[y : y + SIDE // 3, x : x + SIDE // 3] = front
    return pictures, labels


def test_it_lives_and_learns_on_strong_colours_with_default_settings() -> None:
    pictures, labels = coloured_squares()
    task = ImageClassification(ImageClassificationHParams())
    spec = DataSpec(
        {"image": tf.TensorSpec([SIDE, SIDE, 3], tf.uint8)},
        {"label": [str(i) for i in range(CLASSES)]},
        EXAMPLES,
        1000,
        train=dict,
    )
    tf.keras.utils.set_random_seed(0)
    model = task.build_model(spec)
    held_out, train = slice(0, 64), slice(64, None)
    first = model.evaluate({"image": pictures[held_out]}, {"label": labels[held_out]}, verbose=0, return_dict=True)
    assert abs(first["loss"] - math.log(CLASSES)) < 0.7, "an untrained network knows nothing, and is not sure either"
    data = tf.data.Dataset.from_tensor_slices(({"image": pictures[train]}, {"label": labels[train]})).shuffle(
        EXAMPLES, 0
    )
    model.fit(data.repeat().batch(64), steps_per_epoch=STEPS, verbose=0)
    with health.rectified_outputs(model) as outputs:
        model({"image": tf.constant(pictures[held_out])})
    assert len(outputs) == 3
    for name, [values] in outputs.items():
        alive = tf.reduce_any(tf.reshape(values, [-1, values.shape[-1]]) > 0, axis=0).numpy()
        assert alive.mean() > 0.75, f"{name}: {alive.sum()} of {len(alive)} units live"
    last = model.evaluate({"image": pictures[held_out]}, {"label": labels[held_out]}, verbose=0, return_dict=True)
    assert last["accuracy"] > 0.8


def test_the_report_draws_the_curves_of_a_classifier() -> None:
    task = ImageClassification(ImageClassification.HParams())
    answer = {"labels": np.array([b"a", b"b"]), "probabilities": np.float32([0.8, 0.2])}
    drawn = [plot["title"] for plot in task.plots([{"label": b"a"}, {"label": b"b"}], [answer, answer])]
    assert drawn == ["ROC", "Precision and recall", "Calibration", "Confidence of right and wrong answers"]
