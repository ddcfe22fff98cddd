"""Dance tunes for the fiddle in ABC notation: three printed collections as people typed them in.

Ryan's Mammoth Collection (1883), O'Neill's Music of Ireland (1850 tunes, 1903) and James Aird's airs (1782 to 1801),
out of the corpus that music21 carries. Of a tune that occurs several times, in other settings too, all are on one side:
tunes are taken for the same that share a fifth of their stretches of STRETCH notes, as they stand to their keynotes. A
fifth of the tunes is held out.

music21 is free software, its corpus has terms of its own: each file names who typed it in, and some ask that it be not
sold. It is read at run time and not part of Benison. Tunes whose bars do not add up are left out.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from data.errors import BadValue
from data.media import abc
from data.sources.archives import unpack
from data.sources.catalogue import DataSet, Source
from data.ties import Ties

MUSIC21 = Source(
    client="pypi",
    package="music21",
    version="10.5.1",
    filename="music21-10.5.1-py3-none-any.whl",
    sha256="dc3309498c4c95cebdf8d4f20c868deb6b63bce1d929cad4f51a7ccc982987b1",
    size_bytes=20_118_992,
    holds="a corpus of tunes",
)
COLLECTIONS = ("ryansMammoth", "oneills1850", "airdsAirs")
STRETCH = 10
SHARED = 0.2
EVAL_SHARE = 5
MOST_ALIKE = 12
"""A stretch that more tunes have than these tells nothing."""

CREDIT = (
    "Ryan's Mammoth Collection and O'Neill's Music of Ireland, typed in by John Chambers and others; Aird's Airs, by "
    "Jack Campin; from the corpus of music21 by Michael Scott Asato Cuthbert"
)
LICENCE = "tunes in the public domain; the files as their heads say, some for non-commercial use only"

DATA_SET = DataSet(
    name="fiddle_tunes",
    title="4,100 dance tunes and airs in ABC notation, of three printed collections",
    licence=LICENCE,
    credit=CREDIT,
    sources=((MUSIC21,),),
)


@dataclass(frozen=True)
class Found:
    """A tune of the corpus. `tokens` as `data.media.tunes` has them, of which `notes` are those that sound."""

    name: str
    text: str
    tokens: str
    keynote: str
    kind: str
    """What its `R:` field says, lower case."""

    @property
    def notes(self) -> list[str]:
        return [word for word in self.tokens.split()[2:] if word[0] not in "|(Mz"]


def prepare(archives: Sequence[Path], target: Path, sources: Sequence[Source]) -> None:
    """Writes `target/{train,eval}/COLLECTION.abc`."""
    with TemporaryDirectory(dir=target.parent) as scratch:
        found = list(tunes_of(archives[0], Path(scratch), COLLECTIONS))
    sides = sides_of(found)
    for split in ("train", "eval"):
        (target / split).mkdir(parents=True)
        for collection in COLLECTIONS:
            mine = [
                one for one, side in zip(found, sides, strict=True) if side == split and one.name.startswith(collection)
            ]
            texts = (
                f"X:{number}\n{one.text.partition(chr(10))[2].strip()}\n" for number, one in enumerate(mine, start=1)
            )
            (target / split / f"{collection}.abc").write_text("\n".join(texts), encoding="utf-8")


def tunes_of(archive: Path, scratch: Path, folders: Sequence[str], pattern: str = "*.abc") -> Iterator[Found]:
    """The good tunes of some folders of the corpus, in the order of their files.

    Args:
      archive: music21's package.
      scratch: an empty folder.
    """
    for folder in folders:
        for file in sorted(unpack(archive, scratch / folder, f"music21/corpus/{folder}/{pattern}")):
            text = file.read_bytes().decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
            for entry in abc.entries(text):
                try:
                    tune = abc.read(entry.text)
                except BadValue:
                    continue
                kinds = [line[2:].strip().lower() for line in entry.text.splitlines() if line.startswith("R:")]
                name = f"{folder}/{file.stem}/{entry.number}"
                yield Found(name, entry.text, tune.text, tune.keynote, kinds[0] if kinds else "")


def sides_of(found: Sequence[Found]) -> list[str]:
    """`train` or `eval` of each tune; those that are alike are on one side, and a fifth of all is held out."""
    family = families(found)
    hashed = {head: hashlib.sha256(found[head].name.encode()).digest()[0] for head in set(family)}
    return ["eval" if hashed[head] % EVAL_SHARE == 0 else "train" for head in family]


def families(found: Sequence[Found]) -> list[int]:
    """For each tune the place of the first one that it is alike, itself perhaps, over any number of steps."""
    stretches = [_stretches(one.notes) for one in found]
    places: dict[int, list[int]] = defaultdict(list)
    for place, mine in enumerate(stretches):
        for stretch in mine:
            places[stretch].append(place)
    shared: dict[tuple[int, int], int] = defaultdict(int)
    for those in places.values():
        if len(those) <= MOST_ALIKE:
            for i, one in enumerate(those):
                for other in those[i + 1 :]:
                    shared[one, other] += 1
    ties = Ties()
    for (one, other), count in shared.items():
        if count >= SHARED * min(len(stretches[one]), len(stretches[other])):
            ties.tie((one, other))
    head: dict[Hashable, int] = {}
    return [head.setdefault(ties.root(place), place) for place in range(len(found))]


def _stretches(notes: Sequence[str]) -> set[int]:
    """Hashes of each STRETCH notes in a row, without their lengths; of a shorter tune of all it has."""
    pitches = [note.rstrip("-/0123456789") for note in notes]
    last = max(1, len(pitches) - STRETCH + 1)
    digests = (hashlib.sha256(" ".join(pitches[i : i + STRETCH]).encode()).digest() for i in range(last))
    return {int.from_bytes(digest[:8], "big") for digest in digests}
