"""Texts out of published packages, in many languages, that no default data set holds."""

from __future__ import annotations

import csv
import gzip
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from data.sets.movie_snippets import RATINGS, rated_sentences
from data.sources.archives import unpack
from data.sources.fetch import Source, fetch_to_cache

CHATS = Source(
    client="pypi",
    package="chatterbot-corpus",
    version="1.3.3",
    filename="chatterbot_corpus-1.3.3-py2.py3-none-any.whl",
    sha256="86de5300afb9a80826386339d3bec79c0a72eb0358abb8327e2ecef5ae0ce154",
    size_bytes=345_706,
    holds="questions and answers by topic, in 28 languages; BSD",
)
MANUALS = Source(
    client="debian",
    package="manpages-ja",
    version="0.5.0.0.20221215+dfsg-1",
    filename="manpages-ja_0.5.0.0.20221215+dfsg-1_all.deb",
    sha256="4d270e9a1e83be4de0c072a110892a17dc9caa4b501257324006ac28d82c5743",
    size_bytes=3_826_632,
    holds="manual pages in Japanese; free licences, page by page",
)


def rated_tweets() -> list[tuple[str, float]]:
    """Texts like tweets, and the mean of people's ratings from -4 to 4."""
    with TemporaryDirectory() as scratch:
        found = rated_sentences(fetch_to_cache(RATINGS, Path(scratch), print), Path(scratch) / "out", "tweets")
        return [(text, rating) for _, rating, text in found]


def exchanges() -> Iterator[tuple[str, str, list[str]]]:
    """Language, topic and turns of each exchange."""
    with TemporaryDirectory() as scratch:
        archive = fetch_to_cache(CHATS, Path(scratch), print)
        for file in unpack(archive, Path(scratch) / "out", "chatterbot_corpus/data/*/*.yml"):
            content = yaml.safe_load(file.read_text("utf-8"))
            for turns in content.get("conversations", ()):
                yield file.parent.name, file.stem, [str(turn).strip() for turn in turns if turn is not None]


def japanese_manual_pages(characters: int) -> Iterator[tuple[str, str, str]]:
    """Section, name and first `characters` of the text of each page, without what formats it."""
    with TemporaryDirectory() as scratch:
        archive = fetch_to_cache(MANUALS, Path(scratch), print)
        for file in unpack(archive, Path(scratch) / "out", "usr/share/man/ja/man*/*.gz", skip_links=True):
            text = _plain(gzip.decompress(file.read_bytes()).decode("utf-8", errors="ignore"))
            if len(text) >= characters:
                yield file.parent.name, file.name.removesuffix(".gz"), text[:characters]


def _plain(roff: str) -> str:
    """Of a manual page what is read: headings and lines of text, but not the line that names its section."""
    lines = [line for line in roff.splitlines() if not line.startswith((".TH", '.\\"', ".Dt", ".so", "'\\\""))]
    lines = [re.sub(r"^\.\w+\s*", "", line) for line in lines]
    text = re.sub(r"\\f[BIRP]|\\f\(\w\w|\\&|\\,|\\/", "", "\n".join(lines)).replace("\\-", "-")
    return re.sub(r"\s*\n\s*", "\n", text).strip()


def write_table(folder: Path, rows: Iterable[tuple[str, str]]) -> None:
    """One unsplit table of texts and labels, each text once."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "texts.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(("text", "label"))
        writer.writerows(dict(rows).items())
