"""Sentences and phrases of two to five seconds, each said once by one voice: what a voice is learnt from.

**All of it is synthetic.** WordNet's examples of the use of its words (Fellbaum 1998), as "he sold it at a loss", are
spoken by Flite's `slt`, a statistical model of one woman's recordings (Black 2006), always at the same pace and at
the pitch that the voice gives a sentence itself. No sentence is in both parts: about one in nine is for `eval/`.

Where Flite (from Debian 12 on x86-64) cannot be had, eSpeak NG's `en-us+f2` says the same.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from data.sets.spoken_phrases import ALSA, ESPEAK, FLITE, UNPACKED
from data.sets.word_glosses import DATA_SET as GLOSSES
from data.sources.archives import unpack
from data.sources.catalogue import DataSet, Source

if TYPE_CHECKING:
    from data.sets._voices import Said

[[WORDNET]] = GLOSSES.sources

DATA_SET = DataSet(
    name="spoken_sentences",
    title="1,350 English sentences and phrases, all said by one synthetic voice",
    licence="WordNet 3.0 licence (the texts); free (what BSD-like Flite or GPL-3's eSpeak NG have spoken)",
    credit="WordNet 3.0, Princeton University; Flite by Alan W Black and Kevin Lenzo, Carnegie Mellon University; "
    "eSpeak NG by Jonathan Duddington, Reece Dunn and others",
    sources=((FLITE, ALSA, WORDNET), (ESPEAK, WORDNET)),
)

VOICES = {FLITE: "flite-slt", ESPEAK: "en-us+f2"}
"""By what it comes with."""
SENTENCES = {"train": 1200, "eval": 150}
SHORTEST, LONGEST = 25, 60
"""Characters."""
EVAL_BYTES = 28
"""Of the 256 last bytes that the digest of a sentence may have: those below are for `eval/`."""


def prepare(archives: Sequence[Path], target: Path, sources: Sequence[Source]) -> None:
    """Writes `target/{train,eval}/metadata.jsonl` (file_name, text) and the sounds beside it, FLAC."""
    from data.sets._voices import lay_out

    voice = VOICES[sources[0]]
    with TemporaryDirectory(dir=target.parent) as scratch:
        for archive, source in zip(archives, sources, strict=True):
            unpack(archive, Path(scratch), *UNPACKED.get(source, ("usr/share/wordnet/data.*",)))
        files = sorted(Path(scratch, "usr/share/wordnet").glob("data.*"))
        chosen = shared_out(example for file in files for example in examples(file.read_text("utf-8")))
        splits = {split: _said(texts, voice, target / split) for split, texts in chosen.items()}
        lay_out(splits, target, Path(scratch))


def _said(texts: Iterable[str], voice: str, folder: Path) -> Iterator[Said]:
    from data.sets._voices import Utterance

    for number, text in enumerate(texts):
        name = f"{number:04}.flac"
        yield {"file_name": name, "text": text}, Utterance(text, voice, str(folder / name))


def examples(data: str) -> list[str]:
    """Those of the content of one of WordNet's data files that are made of small letters, as most are: no digit and no
    abbreviation, which a voice may read in several ways."""
    glosses = (line.partition("|")[2] for line in data.splitlines() if not line.startswith(" "))  # the licence
    found = (example.strip() for gloss in glosses for example in re.findall(r'"([^"]+)"', gloss))
    return [example for example in found if re.fullmatch(r"[a-z][a-z', -]+[a-z?!]", example)]


def shared_out(found: Iterable[str]) -> dict[str, list[str]]:
    """Of each split the sentences, each once, drawn by their digests."""
    fitting = {sentence for sentence in found if SHORTEST <= len(sentence) <= LONGEST}
    drawn = sorted(fitting, key=_digest)
    of = {split: [one for one in drawn if (_digest(one)[-1] < EVAL_BYTES) == (split == "eval")] for split in SENTENCES}
    return {split: of[split][:count] for split, count in SENTENCES.items()}


def _digest(sentence: str) -> bytes:
    return hashlib.sha256(sentence.encode()).digest()
