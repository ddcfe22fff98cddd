"""Drawings of ten kinds of things, by hundreds of hands: the Open Clip Art Library's, sorted as its folders are.

Each picture is cut to what is drawn, laid on white and shrunk to at most `LONGEST` pixels. Copies and near copies are
left out. Names that begin with the same letters are on one side, since they are mostly of one series by one hand
(`acquila_architetto_franc_01` to `_06`). Who uploaded a picture chose its folder, so that some classes overlap: a
flower pot may be a tool or a plant.
"""

from __future__ import annotations

import hashlib
import re
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from data.sources.catalogue import DataSet, Source

DATA_SET = DataSet(
    name="clip_art",
    title="Clip art, drawings in colour up to 256 pixels, 10 kinds of things",
    licence="Creative Commons public domain dedication",
    credit="the artists of openclipart.org, packaged by A. Jarno",
    sources=(
        (
            Source(
                client="debian",
                package="openclipart-png",
                version="1:0.18+dfsg-19",
                filename="openclipart-png_1%3a0.18+dfsg-19_all.deb",
                sha256="f07f1545a2970c2cf3fa339bc2405da1a95cf2b1827bfa05bf73eb1c20291c02",
                size_bytes=130_910_028,
                holds="2,000 drawings",
            ),
        ),
    ),
)

CLASSES = {
    "animals": ("animals",),
    "buildings": ("buildings",),
    "electronics": ("electronics", "computer/hardware"),
    "flags": ("signs_and_symbols/flags",),
    "food": ("food",),
    "music": ("recreation/music",),
    "people": ("people",),
    "plants": ("plants",),
    "tools": ("tools",),
    "transport": ("transportation",),
}
"""Class -> folders, with all below them."""
NOT = ("transportation/aiga-symbols", "transportation/roadsigns")
"""Pictograms, which are of another kind."""
LONGEST = 256
MOST_PIXELS = 64_000_000
"""A few are larger, and would take seconds and gigabytes to read."""
SERIES = 12
"""Letters, without digits, by which a name tells its series."""
EVAL_SHARE = 5
"""One series of so many is for evaluation."""
THUMBNAIL, NEAR = 16, 6.0
"""Two pictures are near copies if their thumbnails of so many pixels a side differ by less than so many of 255 levels
(root mean square)."""
WHITE = 250
"""From here on a pixel is paper."""


def prepare(archives: Sequence[Path], target: Path, sources: Sequence[Source]) -> None:
    """Writes `target/{train,eval}/<class>/<name>.png`."""
    del sources
    from data.sources.archives import unpack

    [archive] = archives
    known: list[Any] = []
    with TemporaryDirectory(dir=target.parent) as scratch:
        unpack(archive, Path(scratch), "usr/share/openclipart/png/*.png", skip_links=True)
        root = Path(scratch, "usr/share/openclipart/png")
        for label, path in _files(root):
            picture = _drawing(path)
            if picture is None or _is_known(picture, known):
                continue
            split = "eval" if _series(path.stem) % EVAL_SHARE == 0 else "train"
            place = target / split / label / ("-".join(path.relative_to(root).parts))
            place.parent.mkdir(parents=True, exist_ok=True)
            picture.save(place)


def _files(root: Path) -> Iterator[tuple[str, Path]]:
    for label, folders in CLASSES.items():
        for folder in folders:
            for path in sorted((root / folder).rglob("*.png")):
                if not path.relative_to(root).as_posix().startswith(NOT):
                    yield label, path


def _series(stem: str) -> int:
    letters = re.sub(r"\d", "", stem)[:SERIES].rstrip("_-")
    return int.from_bytes(hashlib.sha256(letters.encode()).digest()[-8:], "big")


def _drawing(path: Path) -> Any:
    """An RGB picture, cut and shrunk; None where nothing is drawn or it is too large to be read."""
    from PIL import Image

    with warnings.catch_warnings():  # a few are larger than Pillow trusts
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        opened = Image.open(path)
    with opened:
        if opened.width * opened.height > MOST_PIXELS:
            return None
        picture = opened.convert("RGBA")
    scale = 4 * LONGEST / max(picture.size)
    if scale < 1:  # what is drawn may be a small part of it
        picture.thumbnail((4 * LONGEST, 4 * LONGEST))
    whole = Image.new("RGBA", picture.size, "#ffffff")
    whole.alpha_composite(picture)
    drawn = whole.convert("RGB")
    box = drawn.convert("L").point(lambda level: 255 * (level < WHITE)).getbbox()
    if box is None:
        return None
    drawn = drawn.crop(box)
    drawn.thumbnail((LONGEST, LONGEST))
    return drawn


def _is_known(picture: Any, known: list[Any]) -> bool:
    """Whether it is a near copy of one of `known`, which are thumbnails; else it is added to them."""
    import numpy as np

    seen = np.asarray(picture.resize((THUMBNAIL, THUMBNAIL)), np.float32)
    if known and np.sqrt(np.mean((np.stack(known) - seen) ** 2, axis=(1, 2, 3))).min() < NEAR:
        return True
    known.append(seen)
    return False
