"""What nouns mean, in a sentence or two, and what kind of thing each is the name of: WordNet's glosses (Fellbaum 1998).

WordNet's makers kept nouns in 26 files by their kind: animal, artifact, body, feeling, food, plant, time and so on; the
file is the class. `Tops` are the nouns that stand above all others. A gloss is a definition, often with examples of
use. Of glosses of one definition the first is kept, so that no definition is on both sides, and of all of these SHARE.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from data.sources.archives import unpack
from data.sources.catalogue import DataSet, Source

KINDS = (
    *("Tops", "act", "animal", "artifact", "attribute", "body", "cognition", "communication", "event", "feeling"),
    *("food", "group", "location", "motive", "object", "person", "phenomenon", "plant", "possession", "process"),
    *("quantity", "relation", "shape", "state", "substance", "time"),
)
FIRST_KIND = 3
"""The number of the first of these files among all."""

SHARE = 0.5
"""Of the glosses that are kept, by a hash of the definition."""

DATA_SET = DataSet(
    name="word_glosses",
    title="40,000 definitions of English nouns, of 26 kinds of things",
    licence="WordNet 3.0 licence",
    credit="WordNet 3.0, Princeton University; packaged by the Debian WordNet team",
    sources=(
        (
            Source(
                client="debian",
                package="wordnet-base",
                version="1:3.0-37",
                filename="wordnet-base_1%3a3.0-37_all.deb",
                sha256="61060d960f9ada8fa120872312eccd3ecebfbab8c4579e4f5a74e1cf67620752",
                size_bytes=6_467_132,
                holds="WordNet's files",
            ),
        ),
    ),
)


def prepare(archives: Sequence[Path], target: Path, sources: Sequence[Source]) -> None:
    """Writes `target/glosses.csv` with the columns text and label."""
    target.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=target) as scratch:
        [nouns] = unpack(archives[0], Path(scratch), "usr/share/wordnet/data.noun")
        found = list(glosses(nouns.read_text("utf-8")))
    with (target / "glosses.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("text", "label"))
        first: dict[str, tuple[str, str]] = {}
        for gloss, kind in found:
            first.setdefault(gloss.partition('; "')[0].strip().lower(), (gloss, kind))
        for definition in sorted(first, key=_key):  # WordNet's own order is by kind
            if _key(definition)[0] < 256 * SHARE:
                writer.writerow(first[definition])


def glosses(nouns: str) -> Iterator[tuple[str, str]]:
    """Gloss and kind of each set of synonyms in the content of `data.noun`."""
    for line in nouns.splitlines():
        if not line.startswith(" "):  # the licence
            about, _, gloss = line.partition("|")
            yield gloss.strip(), KINDS[int(about.split()[1]) - FIRST_KIND]


def _key(definition: str) -> bytes:
    return hashlib.sha256(definition.encode()).digest()
