"""Sentences of film reviews, and whether each speaks well or badly of its film.

They come from Rotten Tomatoes (Pang & Lee 2005); Hutto and Gilbert (2014) had twenty people rate each from -4 to 4.
Here a mean above LEAST is `positive`, one below -LEAST is `negative`, and what lies between is left out; of sentences
that differ in punctuation or capitals only the first is kept. The file does not say which sentences are of one review,
so that the folder is split by their content.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from data.sources.archives import unpack
from data.sources.catalogue import DataSet, Source

LEAST = 0.5

RATINGS = Source(
    client="pypi",
    package="vaderSentiment",
    version="3.3.2",
    filename="vaderSentiment-3.3.2.tar.gz",
    sha256="5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9",
    size_bytes=2_466_783,
    holds="rated sentences of reviews, tweets, and news",
)

DATA_SET = DataSet(
    name="movie_snippets",
    title="10,041 sentences of film reviews, rated by people as positive or negative",
    licence="MIT",
    credit="ratings by C.J. Hutto and E. Gilbert, VADER (ICWSM 2014); sentences collected by B. Pang and L. Lee from "
    "Rotten Tomatoes",
    sources=((RATINGS,),),
)


def prepare(archives: Sequence[Path], target: Path, sources: Sequence[Source]) -> None:
    """Writes `target/snippets.csv` with the columns text and label."""
    target.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=target) as scratch:
        rated = list(rated_sentences(archives[0], Path(scratch), "movieReviewSnippets"))
    with (target / "snippets.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("text", "label"))
        seen = set()
        for _, rating, text in rated:
            key = re.sub(r"\W+", " ", text).strip().lower()
            if abs(rating) > LEAST and key not in seen:
                seen.add(key)
                writer.writerow((text, "positive" if rating > 0 else "negative"))


def rated_sentences(archive: Path, scratch: Path, name: str) -> Iterator[tuple[str, float, str]]:
    """Each sentence of one of the package's files: its id, the mean of people's ratings from -4 to 4, and the text.

    Args:
      archive: the package.
      scratch: an empty folder.
      name: `movieReviewSnippets`, `amazonReviewSnippets`, `nytEditorialSnippets` or `tweets`.
    """
    [inner] = unpack(archive, scratch / "package", "*/additional_resources/hutto_ICWSM_2014.tar.gz")
    [table] = unpack(inner, scratch / "ratings", f"*/{name}_GroundTruth.txt")
    for line in table.read_text("utf-8", errors="replace").splitlines():
        number, rating, text = line.split("\t", 2)
        yield number, float(rating), text.strip()
