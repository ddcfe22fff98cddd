"""What lies on disk after previews are written, and the one picture that `benison predict` leaves."""

from __future__ import annotations

import io
import json
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from trainer.preview import (
    Animation,
    Bars,
    BeforeAfter,
    Box,
    Curve,
    Exchange,
    Masks,
    Part,
    Picture,
    Preview,
    Said,
    Sound,
    Words,
)
from trainer.preview.disk import write
from trainer.preview.drawing import render_png

DIGIT = np.arange(64, dtype=np.uint8).reshape(8, 8, 1) * 4
TONE = np.sin(np.arange(8000) / 5).astype(np.float32)


def write_one(part: Part, directory: Path) -> dict[str, Any]:
    [record] = write([Preview("7 → 7", True, {"label": "7"}, [part])], directory)
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert (record["title"], record["correct"], record["slice"]) == ("7 → 7", True, {"label": "7"})
    [shown] = record["parts"]
    return shown


def pixels_of(picture: Picture, directory: Path) -> np.ndarray:
    return np.asarray(Image.open(directory / write_one(picture, directory)["file"]))


def encoded(image: Image.Image, format: str = "PNG") -> bytes:
    stream = io.BytesIO()
    image.save(stream, format)
    return stream.getvalue()


def test_small_pictures_are_kept_pixel_for_pixel(tmp_path: Path) -> None:
    assert (pixels_of(Picture(DIGIT), tmp_path) == DIGIT[..., 0]).all()
    assert (pixels_of(Picture(encoded(Image.fromarray(DIGIT[..., 0]))), tmp_path) == DIGIT[..., 0]).all()


def test_large_pictures_are_shrunk_and_keep_their_shape(tmp_path: Path) -> None:
    shown = write_one(Picture(encoded(Image.new("RGB", (2000, 1000), "red"), "JPEG"), "a field"), tmp_path)
    assert (shown["width"], shown["height"], shown["caption"]) == (384, 192, "a field")
    assert (tmp_path / shown["file"]).stat().st_size < 100_000


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGB", "RGBA"])
def test_pictures_of_every_mode(mode: str, tmp_path: Path) -> None:
    picture = Image.fromarray(np.repeat(DIGIT, 3, axis=2)).convert(mode)
    shown = Image.fromarray(pixels_of(Picture(encoded(picture)), tmp_path)).convert("RGB")
    assert (np.asarray(shown) == np.asarray(picture.convert("RGB"))).all()


def test_sixteen_bits_of_grey_are_not_clipped(tmp_path: Path) -> None:
    deep = Image.fromarray(np.array([[0, 0x4000, 0x8000, 0xFFFF]], np.uint16))
    assert pixels_of(Picture(encoded(deep)), tmp_path).tolist() == [[0, 0x40, 0x80, 0xFF]]


def test_boxes_lie_where_they_should_and_true_ones_are_dashed(tmp_path: Path) -> None:
    grey = np.full((64, 64, 3), 128, np.uint8)  # 6 pixels on disk for each
    found, true = (
        (pixels_of(Picture(grey, boxes=[Box(16, 16, 48, 48, truth=truth)]), tmp_path) != 128).any(axis=2)
        for truth in (False, True)
    )
    assert found.shape == (384, 384)
    assert found[96, 100:280].all() and found[100:280, 288].all()
    assert not found[110:270, 110:270].any() and not found[:80].any()
    assert true[96, 100:280].any() and not true[96, 100:280].all()


def test_labels_stay_in_the_picture(tmp_path: Path) -> None:
    plain = np.full((64, 64, 3), 255, np.uint8)
    picture = Picture(plain, boxes=[Box(50, 0, 64, 64, "spaniel 0.97"), Box(0, 0, 64, 64, "犬", truth=True)])
    assert (pixels_of(picture, tmp_path)[2:20, 270:300] != 255).any()


def test_heat_covers_what_is_hot_and_leaves_what_is_cold(tmp_path: Path) -> None:
    heat = np.zeros((4, 4), np.float32)
    heat[:2, :2], heat[3, 3] = 1.0, np.nan
    picture = Picture(np.full((64, 96, 3), 100, np.uint8), heat=heat)
    shown = pixels_of(picture, tmp_path).astype(int)
    assert shown.shape == (256, 384, 3) and picture.medium() is None
    assert (shown[:40, :60] == shown[0, 0]).all() and shown[0, 0].sum() > 500
    assert (shown[200:, 300:] == 100).all()
    assert len(np.unique(shown[20].sum(axis=-1))) > 20, "it fades"


def test_masks_tint_their_regions_only(tmp_path: Path) -> None:
    mask = np.zeros((4, 4), np.int64)
    mask[:2, :2], mask[2:, 2:] = 1, 9
    shown = write_one(Masks(np.zeros((64, 64, 3), np.uint8), mask, {9: "table"}), tmp_path)
    assert not np.asarray(Image.open(tmp_path / shown["file"])).any()
    assert [layer["name"] for layer in shown["layers"]] == ["class 1", "table"]
    first, second = (np.asarray(Image.open(tmp_path / layer["file"])) for layer in shown["layers"])
    assert first.shape == second.shape == (384, 384, 4)
    assert first[50, 50, 3] and second[300, 300, 3] and (first[50, 50, :3] != second[300, 300, :3]).any()
    assert shown["layers"][1]["colour"] == "#" + bytes(second[300, 300, :3].tolist()).hex()
    assert not first[300, 300, 3] and not second[50, 50, 3] and not first[50, 300, 3]
    assert (second[300, 192] == 255).all()  # the outline


def test_the_smallest_of_many_masks_are_taken_off_together(tmp_path: Path) -> None:
    sizes = np.repeat(np.arange(20), np.arange(20) + 1)
    shown = write_one(Masks(np.zeros((8, 8, 3), np.uint8), sizes[None]), tmp_path)
    names = [layer["name"] for layer in shown["layers"]]
    assert len(names) == 12 and names[0] == "class 19" and names[-1] == "8 others"
    assert write_one(Masks(DIGIT, np.zeros((2, 2), np.int64)), tmp_path / "none")["layers"] == []


def test_before_is_brought_to_the_size_of_after(tmp_path: Path) -> None:
    small, large = np.full((10, 20, 1), 9, np.uint8), np.full((400, 800, 3), 99, np.uint8)
    shown = write_one(BeforeAfter(small, large, ("small", "large")), tmp_path)
    assert (shown["width"], shown["height"], shown["names"]) == (384, 192, ["small", "large"])
    before, after = (np.asarray(Image.open(tmp_path / shown[name])) for name in ("before", "after"))
    assert before.shape == after.shape == (192, 384, 3) and (before == 9).all() and (after == 99).all()


def test_notes_stand_in_place_of_the_spectrogram(tmp_path: Path) -> None:
    shown = write_one(Sound(TONE, 8000, notes=np.array([[60, 0.0, 1.5], [64, 1.5, 0.5]])), tmp_path)
    assert "spectrogram" not in shown and shown["roll_seconds"] == 2.0
    assert Image.open(tmp_path / shown["roll"]).width == 720


def test_sounds_are_wav_files_cut_to_ten_seconds(tmp_path: Path) -> None:
    shown = write_one(Sound(np.tile(TONE, 12), rate=8000), tmp_path)
    assert (shown["seconds"], shown["shown_seconds"]) == (12, 10)
    assert all(-1 <= low <= high <= 1 for low, high in shown["wave"]) and max(h for _, h in shown["wave"]) > 0.9
    with wave.open(str(tmp_path / shown["file"])) as stream:
        assert (stream.getframerate(), stream.getnchannels(), stream.getnframes()) == (8000, 1, 80_000)
        samples = np.frombuffer(stream.readframes(8000), "<i2") / 32767
    assert np.abs(samples - TONE).max() < 1e-4


def test_sounds_too_loud_broken_or_empty(tmp_path: Path) -> None:
    assert write_one(Sound(np.array([5, np.nan, -5], np.float32), 8000), tmp_path)["wave"] == [[1, 1], [0, 0], [-1, -1]]
    assert write_one(Sound(np.zeros(0, np.float32), 8000), tmp_path)["wave"] == []


def test_curves_have_gaps_and_are_thinned(tmp_path: Path) -> None:
    shown = write_one(Curve({"load": [1.0, np.nan, 3.0], "long": np.arange(5000)}, x_label="hour"), tmp_path)
    assert shown["series"]["load"] == [[0, 1.0], [1, None], [2, 3.0]]
    assert len(shown["series"]["long"]) <= 500 and shown["series"]["long"][-1] == [4990, 4990.0]
    placed = write_one(Curve({"load": [1.0, 3.0]}, start=0.5, step=0.25), tmp_path)
    assert placed["series"]["load"] == [[0.5, 1.0], [0.75, 3.0]]


def test_every_curve_has_its_name_in_the_legend() -> None:
    from matplotlib.figure import Figure

    axes = Figure().subplots()
    Curve({"_unknown_": [0.1, 0.2], "yes": [0.9, 0.8]}).draw(axes)
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["_unknown_", "yes"]


PARTS: dict[str, Part] = {
    "picture": Picture(DIGIT),
    "boxes": Picture(DIGIT, "boxes", [Box(1, 1, 5, 5, "x")]),
    "masks": Masks(DIGIT, np.eye(8, dtype=np.int64), {1: "$\\frac{"}, "mask"),
    "before_after": BeforeAfter(DIGIT, DIGIT[::-1], ("$_{", "after")),
    "exchange": Exchange([Said("Hello, $^{"), Said("Hi.", answers=True, note="reply")]),
    "tune": Sound(TONE, 8000, notes=np.array([[60, 0.0, 1.5]])),
    "words": Words("To be, or not to be. " * 60, "$caption{"),
    "bars": Bars({"$\\frac{": 0.7, "seven": 0.3}, "probability"),
    "counts": Bars({"votes": 12.0}),
    "curve": Curve({"$x{": [1.0, np.nan, 3.0]}, "load", "$h{", "MW"),
    "sound": Sound(TONE, 8000),
    "animation": Animation(np.stack([DIGIT, DIGIT[::-1], DIGIT.swapaxes(0, 1)]), 1.5, "$^{a film"),
}


@pytest.mark.parametrize("name", PARTS)
def test_one_picture_of_a_part(name: str, tmp_path: Path) -> None:
    path = tmp_path / "made" / "seen.png"
    render_png(Preview("$\\frac{ is a label", None, {}, [PARTS[name]]), path)
    picture = Image.open(path).convert("L")
    assert min(picture.size) >= 300 and max(picture.size) <= 1500
    assert len(picture.crop((0, 60, *picture.size)).getcolors(256) or []) > 2  # more than an empty page


def test_an_animation_plays_as_long_as_its_film_and_has_a_still(tmp_path: Path) -> None:
    shown = write_one(PARTS["animation"], tmp_path)
    with Image.open(tmp_path / shown["file"]) as film:
        assert (film.n_frames, film.size, film.info["loop"]) == (3, (8, 8), 0)
        film.seek(1)
        film.load()
        assert film.info["duration"] == 500
    with Image.open(tmp_path / shown["still"]) as still:
        assert (np.asarray(still) == DIGIT[::-1, :, 0]).all()


@pytest.mark.parametrize(("frames", "seconds", "each"), [(1, 0.0, 0), (300, 3.0, 40), (2, 90.0, 1000)])
def test_films_of_any_length_can_be_watched(frames: int, seconds: float, each: int, tmp_path: Path) -> None:
    film = np.random.default_rng(0).integers(0, 256, (frames, 500, 30, 3), dtype=np.uint8)
    shown = write_one(Animation(film, seconds), tmp_path)
    assert (shown["width"], shown["height"]) == (23, 384)
    with Image.open(tmp_path / shown["file"]) as opened:
        assert opened.n_frames == min(frames, 100)
        opened.seek(opened.n_frames - 1)
        opened.load()
        assert opened.info.get("duration", 0) == each


def test_one_picture_of_many_parts_grows_downwards(tmp_path: Path) -> None:
    render_png(Preview("all", False, {}, list(PARTS.values())), tmp_path / "all.png")
    width, height = Image.open(tmp_path / "all.png").size
    assert width <= 1500 and height > 900


def test_a_sound_comes_with_its_spectrogram(tmp_path: Path) -> None:
    rate = 8000
    tone = np.sin(2 * np.pi * 1000 * np.arange(rate) / rate).astype(np.float32)
    shown = write_one(Sound(tone, rate), tmp_path)
    assert shown["top_hz"] == 4000
    loudness = 255 - np.asarray(Image.open(tmp_path / shown["spectrogram"]), np.float32)
    height = len(loudness)
    assert abs(loudness.mean(axis=1).argmax() - 0.75 * height) <= 0.03 * height  # 1 of 4 kHz, counted from below


@pytest.mark.parametrize("samples", [0, 1, 300])
def test_the_shortest_sounds_have_a_spectrogram_too(samples: int, tmp_path: Path) -> None:
    shown = write_one(Sound(np.zeros(samples, np.float32), 8000), tmp_path)
    assert Image.open(tmp_path / shown["spectrogram"]).size == (400, 100)
