"""Photographs of ten kinds of things, a few dozen of each, out of two children's programs.

Tux Paint's stamps are cut out of photographs, which are laid on white here; GCompris' pictures are whole photographs.
Drawings are left out, and with them what is mirrored or belongs to no kind. A picture has at most `LONGEST` pixels on
its longer side.

About a quarter of each kind is for evaluation, chosen by a hash of names. Stamps whose names begin with the same word
(`apple_red`, `apple_green`; `gnu-sitting`, `gnu-stand`) are on one side, since they may be of one animal or of one
photograph. GCompris' pictures are of one photograph each, by its list of authors.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from data.sets import _qt_resources
from data.sources.archives import unpack
from data.sources.catalogue import DataSet, Source

GCOMPRIS = Source(
    client="debian",
    package="gcompris-qt-data",
    version="3.1-2",
    filename="gcompris-qt-data_3.1-2_all.deb",
    sha256="e9cf06ab2105529068df73085784e835d2ff03f870d2a8091f09125d40abac9f",
    size_bytes=44_196_292,
    holds="pictures of four kinds",
)

DATA_SET = DataSet(
    name="things",
    title="Photographs of 10 kinds of things: birds, buildings, fish, flowers, fruit ...",
    licence="GPL-2 (stamps); CC BY, CC BY-SA, GPL and public domain (GCompris: its copyright file says which)",
    credit="B. Kendrick and the authors of Tux Paint's stamps; the photographers that GCompris' package names",
    sources=(
        (
            Source(
                client="debian",
                package="tuxpaint-stamps-default",
                version="2022.06.04-1",
                filename="tuxpaint-stamps-default_2022.06.04-1_all.deb",
                sha256="6db6c1bfc870a47f1499d6203b083522eacb57c5f9c87d468f2e92eb6d9d5f34",
                size_bytes=160_880_444,
                holds="pictures of eight kinds",
            ),
            GCOMPRIS,
        ),
    ),
)

LONGEST = 256
EVAL_SHARE = 0.25
QUALITY = 95
"""Of the JPEGs."""

STAMPS = "usr/share/tuxpaint/stamps/"
STAMPS_OF: Mapping[str, Sequence[str]] = {
    "bird": ("animals/birds",),
    "fish": ("animals/fish",),
    "flower": ("plants/flowers",),
    "fruit": ("food/fruit",),
    "mammal": ("animals/mammals", "animals/marsupials"),
    "tool": ("household/tools",),
    "vegetable": ("food/vegetables",),
    "vehicle": ("military/vehicles", "vehicles"),
}
"""Kind -> folders of stamps."""

LEFT_OUT = frozenset(
    {
        *("edward_bear", "hedgehog", "echidna", "sheep_lamb"),  # a toy, drawings
        *("lobster", "shrimp"),  # no fish
        *("7spoke256", "wheel_tractor", "walnutBoat", "sedan_police"),  # wheels, a toy, a strip of pixels
    }
)
NO_PHOTOGRAPH = re.compile(r"cartoon|plastic|mirror")
"""In the path of a stamp."""

CONTAINER = "usr/share/gcompris-qt/rcc/categorization.rcc"
PICTURES_OF: Mapping[str, str] = {
    "building": r"images/monuments/",
    "fish": r"images/fishes/fish",
    "tool": r"images/tools/",
    "windmill": r"images/renewable/windmill",
}
"""Kind -> what the path of a picture in GCompris' container matches."""


class _Picture(NamedTuple):
    kind: str
    name: str
    group: str
    """Pictures of one group may show one thing."""
    content: bytes


def prepare(archives: Sequence[Path], target: Path, sources: Sequence[Source]) -> None:
    """Writes `target/{train,eval}/<kind>/<name>.jpg`."""
    del sources
    stamps, gcompris = archives
    with TemporaryDirectory(dir=target.parent) as unpacked:
        found = [*_stamps(stamps, Path(unpacked, "stamps")), *_photographs(gcompris, Path(unpacked, "gcompris"))]
    evaluated = groups_for_evaluation(found)
    for picture in found:
        split = "eval" if (picture.kind, picture.group) in evaluated else "train"
        file = target / split / picture.kind / f"{picture.name}.jpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        on_white(picture.content).save(file, quality=QUALITY)


def _stamps(archive: Path, folder: Path) -> Iterator[_Picture]:
    unpack(archive, folder, f"{STAMPS}*.png")
    for kind, places in STAMPS_OF.items():
        for file in sorted(file for place in places for file in Path(folder, STAMPS, place).rglob("*.png")):
            if file.stem not in LEFT_OUT and not NO_PHOTOGRAPH.search(str(file.relative_to(folder))):
                numbered = file.stem.rstrip("0123456789") == kind  # flower1, flower2: nothing but a number
                group = file.stem if numbered else re.split(r"[-_.0-9]", file.stem)[0].lower()
                yield _Picture(kind, file.stem, group, file.read_bytes())


def _photographs(archive: Path, folder: Path) -> Iterator[_Picture]:
    [container] = unpack(archive, folder, CONTAINER)
    for path, content in sorted(_qt_resources.files(container).items()):
        for kind, pattern in PICTURES_OF.items():
            if path.endswith(".webp") and re.search(pattern, path):
                name = f"gcompris_{Path(path).stem}"
                yield _Picture(kind, name, name, content)


def groups_for_evaluation(pictures: Sequence[_Picture]) -> set[tuple[str, str]]:
    """Kind and group of what is for evaluation: of each kind whole groups, in the order of a hash, as long as no more
    than `EVAL_SHARE` of its pictures are taken."""
    sizes: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for picture in pictures:
        sizes[picture.kind][picture.group] += 1
    chosen = set()
    for kind, groups in sizes.items():
        room = round(EVAL_SHARE * sum(groups.values()))
        for group in sorted(groups, key=lambda group: hashlib.sha256(f"{kind}/{group}".encode()).digest()):
            if groups[group] <= room:
                room -= groups[group]
                chosen.add((kind, group))
    return chosen


def on_white(content: bytes) -> Any:
    """A Pillow picture, RGB, of an encoded one, laid on white where it is transparent, shrunk to `LONGEST`."""
    from PIL import Image

    with Image.open(io.BytesIO(content)) as opened:
        picture = opened.convert("RGBA")
    ground = Image.new("RGBA", picture.size, "white")
    ground.alpha_composite(picture)
    ground.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
    return ground.convert("RGB")
