"""Letters in fonts and plain shapes, in colours and sizes, that several sets show."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
SHAPES = ("circle", "square", "triangle", "cross", "ring", "star")
MAX_FONTS = 30

Colour = tuple[int, int, int]


@functools.cache
def fonts() -> list[Path]:
    """Up to MAX_FONTS fonts, matplotlib's own and the system's, in which all LETTERS look different."""
    from matplotlib import font_manager, get_data_path

    own = sorted(Path(get_data_path(), "fonts", "ttf").glob("*.ttf"))
    system = sorted(Path(path) for path in font_manager.findSystemFonts(fontext="ttf"))
    by_name = {path.name: path for path in [*own, *system]}
    return [path for path in by_name.values() if _has_letters(path)][:MAX_FONTS]


def _has_letters(path: Path) -> bool:
    try:
        font = ImageFont.truetype(str(path), 24)
        drawn = {bytes(font.getmask(letter)) for letter in LETTERS}
        return len(drawn) == len(LETTERS) and all(any(one) for one in drawn)
    except OSError:  # no font that Pillow reads
        return False


def colours(rng: np.random.Generator) -> tuple[Colour, Colour]:
    """A background and a foreground that stand apart, RGB."""
    while True:
        back, front = rng.integers(0, 256, (2, 3))
        if abs(int(back.sum()) - int(front.sum())) > 240:
            return _rgb(back), _rgb(front)


def _rgb(values: np.ndarray) -> Colour:
    red, green, blue = values.tolist()
    return red, green, blue


def letter(which: str, side: int, rng: np.random.Generator) -> Image.Image:
    """One letter in a font, colours and a place of chance, RGB, `side` pixels square."""
    back, front = colours(rng)
    picture = Image.new("RGB", (side, side), back)
    ImageDraw.Draw(picture).text(
        (side / 2 + rng.uniform(-0.08, 0.08) * side, side / 2 + rng.uniform(-0.08, 0.08) * side),
        which,
        fill=front,
        font=ImageFont.truetype(str(fonts()[rng.integers(len(fonts()))]), int(side * rng.uniform(0.6, 0.85))),
        anchor="mm",
    )
    return picture


def draw_shape(draw: ImageDraw.ImageDraw, shape: str, box: tuple[float, float, float, float], fill: Colour) -> None:
    """One of SHAPES that fills `box`: left, top, right, bottom in pixels."""
    left, top, right, bottom = box
    x, y, width, height = (left + right) / 2, (top + bottom) / 2, right - left, bottom - top
    if shape == "circle":
        draw.ellipse(box, fill=fill)
    elif shape == "square":
        draw.rectangle(box, fill=fill)
    elif shape == "triangle":
        draw.polygon([(x, top), (right, bottom), (left, bottom)], fill=fill)
    elif shape == "cross":
        draw.rectangle((x - width / 6, top, x + width / 6, bottom), fill=fill)
        draw.rectangle((left, y - height / 6, right, y + height / 6), fill=fill)
    elif shape == "ring":
        draw.ellipse(box, outline=fill, width=max(2, int(width / 6)))
    else:
        angles = np.arange(10) * np.pi / 5 - np.pi / 2
        reach = np.where(np.arange(10) % 2, 0.4, 1.0) / 2
        draw.polygon(
            [(x + width * r * np.cos(a), y + height * r * np.sin(a)) for r, a in zip(reach, angles, strict=True)],
            fill=fill,
        )


def shape(which: str, width: int, height: int, rng: np.random.Generator) -> Image.Image:
    """One shape in colours, a size and a place of chance, on noise, RGB."""
    back, front = colours(rng)
    picture = Image.new("RGB", (width, height), back)
    side = rng.uniform(0.4, 0.8) * min(width, height)
    left, top = rng.uniform(0, width - side), rng.uniform(0, height - side)
    draw_shape(ImageDraw.Draw(picture), which, (left, top, left + side, top + side), front)
    noisy = np.asarray(picture, np.float32) + rng.normal(0, 12, (height, width, 3))
    return Image.fromarray(noisy.clip(0, 255).astype(np.uint8))


def into_class_folders(folder: Path, pictures: dict[str, list[Image.Image]]) -> None:
    for name, those in pictures.items():
        (folder / name).mkdir(parents=True)
        for number, picture in enumerate(those):
            picture.save(folder / name / f"{number:04}.png")


def into_tiles(pixels: np.ndarray, side: int, folder: Path, name: str) -> None:
    """Writes a picture as tiles into `train/`, those of the lowest quarter into `eval/`, which touches no other."""
    height, width = pixels.shape[:2]
    for top in range(0, height - side + 1, side):
        split = folder / ("eval" if top + side > 3 * height // 4 else "train")
        split.mkdir(parents=True, exist_ok=True)
        for left in range(0, width - side + 1, side):
            tile = Image.fromarray(pixels[top : top + side, left : left + side])
            tile.save(split / f"{name}-{top:04}-{left:04}.png")
