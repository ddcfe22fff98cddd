"""Photographs and paintings: what style transfer takes its contents and its styles from, and is judged on.

All come out of GCompris, a program for children. Photographs, of buildings, animals and musicians, lie in it whole. Of
the paintings eight by Van Gogh are whole, too; the others are jigsaw puzzles, whose pieces are laid here where the
program's boards say that they belong. Pictures are shrunk to at most `LONGEST` pixels on the longer side.

Painters decide the side of a painting, so that no hand is judged on that was learnt from; every fourth photograph is
for evaluation. Twenty-eight paintings are few: with the eight that are evaluated on others the scores would be others.
"""

from __future__ import annotations

import dataclasses
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from data.errors import BenisonError
from data.sets import _qt_resources, things
from data.sources.archives import unpack
from data.sources.catalogue import DataSet, Source

DATA_SET = DataSet(
    name="paintings",
    title="128 photographs and 28 paintings, up to 384 pixels, split by painter",
    licence="GPL-3+, AGPL-3, CC BY, CC BY-SA and public domain (GCompris: its copyright file says which)",
    credit="the painters; WebMuseum, Wikimedia Commons and the photographers that GCompris' package names",
    sources=((dataclasses.replace(things.GCOMPRIS, holds="photographs and paintings"),),),
)

LONGEST = 384
QUALITY = 95
"""Of the JPEGs."""
EVAL_EVERY = 4
"""One photograph of so many is for evaluation."""

CONTAINERS = "usr/share/gcompris-qt/rcc/"
PHOTOGRAPHS: Mapping[str, str] = {
    "erase": r"/resource/[^/]+\.webp$",
    "explore_monuments": r"\.webp$",
    "explore_world_animals": r"\.webp$",
    "explore_farm_animals": r"\.webp$",
    "explore_world_music": r"\.webp$",
    "details": r"_background\.webp$",
}
"""Container -> what the path of a photograph in it matches."""
SMALLEST = 150
"""Pixels of the shorter side; what is smaller is a button."""

WHOLE: Mapping[str, str] = {
    "Eglise_dAuvers-sur-Oise": "van-gogh_church",
    "Gogh4": "van-gogh_terrace",
    "PortraitOfPereTanguy": "van-gogh_tanguy",
    "Van_Gogh_The_Night_Cafe": "van-gogh_night-cafe",
    "VincentVanGogh0012": "van-gogh_corridor",
    "VincentVanGogh0013": "van-gogh_on-the-road",
    "VincentVanGogh0019": "van-gogh_harvest",
    "VincentVanGoghBridge": "van-gogh_bridge",
}
"""Of the container `details`, file -> painter_painting."""

PUZZLES: Mapping[int, str] = {
    1: "renoir_moulin-de-la-galette",
    2: "arcimboldo_spring",
    3: "arcimboldo_librarian",
    4: "hokusai_oiran-and-kamuro",
    5: "hokusai_woman-with-fan",
    6: "hokusai_ejiri",
    7: "hokusai_great-wave",
    8: "hiroshige_shrine-in-snow",
    9: "hiroshige_horse-mackerel",
    10: "hokusai_bridge",
    11: "hokusai_poppies",
    12: "hokusai_kazusa-route",
    14: "leonardo_mona-lisa",
    15: "bellini_pesaro",
    16: "durer_lion",
    17: "bruegel_harvesters",
    18: "renoir_girls-at-the-piano",
    19: "kandinsky_composition-8",
    20: "bazille_ramparts",
    21: "cassatt_summertime",
}
"""Number of a board -> painter_painting. Board 13 is of a sculpture, 22 of a copy of another."""

EVALUATED = frozenset({"arcimboldo", "bellini", "bruegel", "cassatt", "hiroshige", "kandinsky"})
"""Painters whose paintings are for evaluation."""

_TITLE = re.compile(r"board(\d+)_0\.qml$")
_NUMBER = r'"?([\d.]+)"?'
_BOARD = re.compile(rf'"width"\s*:\s*{_NUMBER},\s*"height"\s*:\s*{_NUMBER}')
_PIECE = re.compile(rf'"pixmapfile"\s*:\s*"(image/[^"]+\.webp)",\s*"x"\s*:\s*{_NUMBER},\s*"y"\s*:\s*{_NUMBER}')
_FRAME = 4
"""Pixels at the edge of a painting where pieces may not meet exactly."""


def prepare(archives: Sequence[Path], target: Path, sources: Sequence[Source]) -> None:
    """Writes `<photograph>.jpg` into `target/{train,eval}/content/`, `<painter>_<painting>.jpg` into `.../style/`."""
    del sources
    [archive] = archives
    with TemporaryDirectory(dir=target.parent) as unpacked:
        names = [*PHOTOGRAPHS, "paintings"]
        found = [path for name in names for path in unpack(archive, Path(unpacked), f"{CONTAINERS}{name}.rcc")]
        containers = {path.stem: _qt_resources.files(path) for path in found}
    photographs = sorted(photographs_in(containers), key=lambda photograph: photograph[0].lower())
    for number, (name, picture) in enumerate(photographs):
        _write(picture, target / ("train" if number % EVAL_EVERY else "eval") / "content", name)
    paintings = [*_whole(containers["details"]), *_puzzles(containers["paintings"])]
    for name, picture in paintings:
        _write(picture, target / ("eval" if name.partition("_")[0] in EVALUATED else "train") / "style", name)


def photographs_in(containers: Mapping[str, Mapping[str, bytes]]) -> Iterator[tuple[str, Any]]:
    """Name and picture of each photograph; containers by name, of each the content by path."""
    for container, pattern in PHOTOGRAPHS.items():
        for path, content in containers[container].items():
            name = Path(path).stem.removesuffix("_background")
            if re.search(pattern, path) and name not in WHOLE:
                picture = _opened(content).convert("RGB")
                if min(picture.size) >= SMALLEST:
                    yield f"{container}_{name}", picture


def _whole(details: Mapping[str, bytes]) -> Iterator[tuple[str, Any]]:
    for path, content in details.items():
        name = Path(path).stem.removesuffix("_background")
        if path.endswith("_background.webp") and name in WHOLE:
            yield WHOLE[name], _opened(content).convert("RGB")


def _puzzles(container: Mapping[str, bytes]) -> Iterator[tuple[str, Any]]:
    for path, content in container.items():
        board = _TITLE.search(path)
        if board and int(board[1]) in PUZZLES:
            images = path.rpartition("/board/")[0]
            pieces = {name.removeprefix(f"{images}/"): piece for name, piece in container.items()}
            yield PUZZLES[int(board[1])], assembled(content.decode(), pieces)


def assembled(board: str, pieces: Mapping[str, bytes]) -> Any:
    """The picture that a board's pieces make, RGB, without what of the board they leave bare.

    Args:
      board: QML, which says how large the board is, and of each piece where its middle lies, as a share of that.
      pieces: the contents of files by their names on the board.
    """
    from PIL import Image

    size = _BOARD.search(board)
    if size is None:
        raise BenisonError("a board of a puzzle says no size", "Do not use this archive; please report it.")
    width, height = (round(float(side)) for side in size.groups())
    ground = Image.new("RGBA", (width, height))
    for name, x, y in _PIECE.findall(board):
        laid = _opened(pieces[name]).convert("RGBA")
        left, top = float(x) * width - laid.width / 2, float(y) * height - laid.height / 2
        ground.alpha_composite(laid, (max(0, round(left)), max(0, round(top))))
    covered = ground.getchannel("A").point(lambda a: 255 * (a >= 128)).getbbox()
    left, top, right, bottom = covered or (0, 0, width, height)
    return ground.convert("RGB").crop((left + _FRAME, top + _FRAME, right - _FRAME, bottom - _FRAME))


def _opened(content: bytes) -> Any:
    from PIL import Image

    return Image.open(io.BytesIO(content))


def _write(picture: Any, folder: Path, name: str) -> None:
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    picture.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
    picture.save(folder / f"{name}.jpg", quality=QUALITY)
