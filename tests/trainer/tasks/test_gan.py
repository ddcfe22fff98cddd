"""The task's own parts: labels that may be missing, pictures from seeds, the grids that people see."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from data.folders.check import check
from trainer.backend import tf
from trainer.task import DataSpec
from trainer.tasks.gan import Gan, GanHParams
from trainer.tasks.image_generation import ImageGeneration

SHAPE = (8, 6, 3)
SPEC = DataSpec(
    features={"image": tf.TensorSpec(SHAPE, tf.uint8)},
    vocabularies={},
    num_train_examples=8,
    steps=10,
    train=dict,
)


@pytest.fixture(scope="module")
def task() -> Gan:
    return Gan(GanHParams(filters=2, latent_size=4))


def png(colour: tuple[int, int, int], size: tuple[int, int] = (6, 8)) -> bytes:
    buffer = io.BytesIO()
    Pillow.new("RGB", size, colour).save(buffer, "PNG")
    return buffer.getvalue()


def test_a_picture_is_the_same_as_pixels_and_as_png_and_follows_from_its_seed(task: Gan) -> None:
    model = task.build_model(SPEC)
    both = task.predict(model, {"seed": tf.constant([7, 8], tf.int64)}, SPEC)
    alone = task.predict(model, {"seed": tf.constant([7], tf.int64)}, SPEC)
    assert both["image"].dtype == tf.uint8 and both["image"].shape == (2, *SHAPE)
    assert np.array_equal(both["image"][0], alone["image"][0])
    assert not np.array_equal(both["image"][0], both["image"][1])
    with Pillow.open(io.BytesIO(both["image_bytes"][0].numpy())) as picture:
        assert np.array_equal(np.asarray(picture), both["image"][0])


def test_the_reference_has_the_train_splits_pixel_statistics_and_is_judged(task: Gan) -> None:
    seen: list[np.ndarray] = []

    def judge(pictures: Any) -> dict[str, np.ndarray]:
        seen.append(pictures.numpy())
        means = pictures.numpy().mean(axis=(1, 2))
        return {"features": means, "probabilities": means}

    train = {"image": np.random.default_rng(0).integers(90, 110, (200, *SHAPE), np.uint8)}
    train["image"][:, 0, 0] = 7
    spec = DataSpec(**{**vars(SPEC), "judge": judge})
    [(method, scores)] = task.reference(train, {"image": train["image"][:50]}, spec).items()
    assert method == "per-pixel Gaussian"
    assert set(scores) == {metric.name for metric in task.metrics().metrics}
    generated = seen[-1]
    assert generated.shape == (50, *SHAPE)
    assert (generated[:, 0, 0] == 7).all()
    assert abs(generated.mean() - train["image"].mean()) < 1


def test_the_overview_is_a_grid_of_generated_beside_one_of_real_pictures(task: Gan) -> None:
    colours = [(i, 0, 0) for i in range(5)]
    examples = [{"image": png(colour, size=(12, 16)), "seed": i} for i, colour in enumerate(colours)]
    predictions = [{"image": np.full(SHAPE, 100 + i, np.uint8)} for i in range(5)]
    [preview] = task.overview(examples, predictions)
    generated, real = (np.asarray(part.content) for part in preview.parts)
    assert generated.shape == real.shape == (3 * 8, 3 * 6, 3)
    assert generated[9, 7, 0] == 104  # the fifth, in the middle
    assert real[9, 7].tolist() == [4, 0, 0]
    assert not generated[16:, 6:].any(), "cells to spare are black"


def test_a_preview_names_the_seed_and_needs_no_real_picture(task: Gan) -> None:
    preview = task.preview({"seed": np.int64(7)}, {"image": np.zeros(SHAPE, np.uint8)})
    assert preview.title == "seed 7"
    assert preview.correct is None
    assert preview.parts[0].content.shape == SHAPE


@pytest.mark.parametrize("task_class", [Gan, ImageGeneration])
def test_a_class_that_only_evaluation_has_is_no_fault_since_labels_serve_the_judge_alone(
    task_class: type[Gan | ImageGeneration], tmp_path: Path
) -> None:
    for split, classes in {"train": ("cat", "dog"), "eval": ("cat", "cow")}.items():
        for number, name in enumerate(classes * 6):
            file = tmp_path / split / name / f"{number}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(png((10 * number, len(split), 7)))
    report = check(tmp_path, task_class.columns, targets=task_class.targets)
    assert not report.refusals, report.refusals
