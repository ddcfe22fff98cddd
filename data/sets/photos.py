"""Tiles of photographs: what super-resolution and the mending of pictures learn from, and are judged on.

Each photograph is shrunk so that its longer side has at most `LONGEST` pixels, which leaves little of the camera's
noise and of the JPEG's blocks that a model would learn to make, and cut into tiles of `TILE` pixels square side by
side, of which `TILES` at most are kept, evenly spread. Every fourth photograph is for evaluation, with all of its
tiles: no part of a photograph is seen in training whose other parts are judged on.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from data.sets import scenes
from data.sources.catalogue import DataSet, Source

_SKIMAGE = {
    "astronaut.png": "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
    "chelsea.png": "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb",
    "coffee.png": "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7",
    "rocket.jpg": "c2dd0de7c538df8d111e479619b129464d0269d0ae5fd18ca91d33a7fdfea95c",
}
"""Photographs that scikit-image brings, and their SHA-256."""

DATA_SET = DataSet(
    name="photos",
    title="Tiles of 17 photographs, 256x256, split by photograph",
    licence="CC BY 4.0, CC BY-SA 4.0 and CC0 (wallpapers); CC0 and public domain (scikit-image)",
    credit=(
        "A. Berasategi, Bolly, C. Engelhardt, Freespace, S. Klootwijk, J. Mede, P. Nerlich, packaged by the Debian "
        "UBports team; NASA, S. van der Walt, R. Michetti, SpaceX, packaged by the scikit-image team"
    ),
    sources=(
        (
            scenes.PHOTOGRAPHS,
            *(
                Source(
                    client="installed",
                    package="scikit-image",
                    version="",
                    filename=f"skimage/data/{name}",
                    sha256=sha256,
                    size_bytes=0,
                    holds="1 photograph",
                )
                for name, sha256 in _SKIMAGE.items()
            ),
        ),
    ),
)

LONGEST = 1536
TILE = 256
TILES = 24
EVAL_EVERY = 4


def prepare(archives: Sequence[Path], target: Path, sources: Sequence[Source]) -> None:
    """Writes `target/{train,eval}/metadata.jsonl`, each row with `file_name` and `photo`, and the tiles as PNG."""
    del sources
    with TemporaryDirectory(dir=target.parent) as unpacked:
        files = photographs(archives, Path(unpacked))
        for split in ("train", "eval"):
            mine = [path for i, path in enumerate(files) if (i % EVAL_EVERY == 0) == (split == "eval")]
            _write(target / split, mine)


def photographs(archives: Sequence[Path], scratch: Path) -> list[Path]:
    """The files of all photographs, by name; those of the package are unpacked into `scratch`."""
    from data.sources.archives import unpack

    wallpapers, *others = archives
    found = unpack(wallpapers, scratch, "usr/share/backgrounds/*.jpg")
    files = [path for path in found if path.stem not in scenes.NO_PHOTOGRAPHS] + others
    return sorted(files, key=lambda path: path.stem.lower())


def _write(folder: Path, photos: Sequence[Path]) -> None:
    folder.mkdir(parents=True)
    with (folder / "metadata.jsonl").open("w", encoding="utf-8") as metadata:
        for path in photos:
            for number, tile in enumerate(tiles(path)):
                name = f"{path.stem}-{number:02}.png"
                tile.save(folder / name)
                print(json.dumps({"file_name": name, "photo": path.stem}), file=metadata)


def tiles(path: Path) -> Iterator[Any]:
    """Up to `TILES` RGB pictures, `TILE` square, of the photograph in a file, in reading order."""
    import numpy as np
    from PIL import Image

    with Image.open(path) as opened:
        opened.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
        photo = opened.convert("RGB")
    columns, rows = photo.width // TILE, photo.height // TILE
    left, top = (photo.width - columns * TILE) // 2, (photo.height - rows * TILE) // 2
    places = [(left + x * TILE, top + y * TILE) for y in range(rows) for x in range(columns)]
    for number in np.linspace(0, len(places) - 1, min(TILES, len(places))).round().astype(int):
        x, y = places[number]
        yield photo.crop((x, y, x + TILE, y + TILE))
