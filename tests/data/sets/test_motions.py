"""Composed clips: what moves moves as its class says, nothing is on both sides, and a single frame tells nothing."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data.media.videos import sample_frames
from data.sets import motions
from data.sets.motions import CLASSES, Parts, clip, motion_of

CHANGE = {
    "left": ("right", -1),
    "right": ("right", 1),
    "up": ("down", -1),
    "down": ("down", 1),
    "closer": ("growth", 1),
    "farther": ("growth", -1),
    "clockwise": ("turn", 1),
    "anticlockwise": ("turn", -1),
}
"""Class -> what changes, and which way."""


def disc(colour: tuple[int, int, int]) -> Image.Image:
    """A square with a bright stripe to the right of its middle."""
    pixels = np.zeros((40, 40, 4), np.uint8)
    pixels[..., :3], pixels[..., 3] = colour, 255
    return Image.fromarray(pixels, "RGBA")


PARTS = Parts([Image.new("RGB", (320, 320), (40, 60, 40))], [disc((250, 0, 0))], [disc((0, 0, 250))])


@pytest.mark.parametrize("name", CLASSES)
def test_a_class_changes_one_thing_one_way_and_its_middle_is_the_same(name: str) -> None:
    for seed in range(20):
        motion = motion_of(name, 20, np.random.default_rng(seed))
        moved = {part: values[-1] - values[0] for part, values in motion._asdict().items()}
        most = max(abs(moved["right"]), abs(moved["down"]))
        least = {"right": max(0.12, most), "down": max(0.12, most), "growth": 0.3, "turn": 35}  # aside by 20 degrees
        much = {part for part, change in moved.items() if abs(change) >= least[part]}
        if name in CHANGE:
            part, way = CHANGE[name]
            assert much == {part} and np.sign(moved[part]) == way
            rest = 1 if part == "growth" else 0
            assert min(motion._asdict()[part]) < rest < max(motion._asdict()[part])
    still, shaken = (motion_of(which, 60, np.random.default_rng(1)) for which in ("still", "shaking"))
    assert shaken.right.std() > 4 * still.right.std() and (np.diff(np.sign(np.diff(shaken.right))) != 0).mean() > 0.4


@pytest.mark.parametrize(("name", "axis", "way"), [("right", 1, 1), ("left", 1, -1), ("down", 0, 1), ("up", 0, -1)])
def test_a_thing_is_seen_to_move_before_a_photograph_that_stands(name: str, axis: int, way: int) -> None:
    seen = 0
    for seed in range(12):
        frames = list(clip(name, PARTS, 8, np.random.default_rng(seed)))
        assert all(frame.shape == (72, 96, 3) and frame.dtype == np.uint8 for frame in frames)
        places = [np.argwhere(frame.max(axis=2) > 150) for frame in (frames[0], frames[-1])]
        if all(len(place) > 30 for place in places):
            seen += 1
            assert np.sign(places[1].mean(axis=0)[axis] - places[0].mean(axis=0)[axis]) == way
    assert seen >= 4


def test_all_of_a_photograph_moves_with_the_camera() -> None:
    striped = np.zeros((320, 320, 3), np.uint8)
    striped[:, 155:165] = 255
    parts = Parts([Image.fromarray(striped)], [disc((9, 9, 9))], [disc((9, 9, 9))])
    ways = []
    for seed in range(40):
        frames = list(clip("right", parts, 6, np.random.default_rng(seed)))
        columns = [np.argwhere(frame[30:42].min(axis=2) > 120)[:, 1] for frame in (frames[0], frames[-1])]
        if all(len(found) > 20 for found in columns):
            ways.append(columns[1].mean() - columns[0].mean())
    assert max(ways) > 10 and min(ways) > -3  # a third of the clips, and in none the other way


def test_parts_of_evaluation_are_of_no_clip_to_learn_from(tmp_path: Path) -> None:
    pictures = [Image.new("RGB", (320, 320), (20 * n, 0, 0)) for n in range(8)]
    everything = Parts(pictures, [disc((0, 10 * n, 0)) for n in range(20)], [disc((0, 0, 10 * n)) for n in range(20)])
    train, evaluation = (motions._side(everything, split) for split in ("train", "eval"))
    for name in ("photos", "drawings", "digits"):
        learnt, judged = ([id(one) for one in getattr(side, name)] for side in (train, evaluation))
        assert judged and not set(learnt) & set(judged) and len(learnt) + len(judged) == len(getattr(everything, name))
        assert len(judged) <= len(learnt) / 2


def test_clips_lie_in_folders_of_classes_and_can_be_read(tmp_path: Path) -> None:
    motions.write(tmp_path / "train", PARTS, 1, seed=0)
    motions.write(tmp_path / "again", PARTS, 1, seed=0)
    assert sorted(path.parent.name for path in (tmp_path / "train").rglob("*.mp4")) == sorted(CLASSES)
    for path in (tmp_path / "train").rglob("*.mp4"):
        found = sample_frames(path.read_bytes(), 24, 112, 60)
        assert (found.width, found.height) == (96, 72) and 1.2 <= found.seconds <= 3 and 9 <= found.rate <= 17
        same = sample_frames(Path(str(path).replace("train", "again")).read_bytes(), 24, 112, 60)
        assert same.frames == found.frames


def test_digits_and_drawings_are_as_large_as_what_is_drawn() -> None:
    pixels = np.zeros((28, 28), np.uint8)
    pixels[4:24, 10:16] = 255
    assert motions._digit(pixels, 3).size == (6, 20)
    picture = Image.new("RGBA", (136, 128))
    picture.paste((1, 2, 3, 255), (10, 20, 60, 50))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    assert motions._drawing(buffer.getvalue()).size == (50, 30)
