"""Verses: the Bible's, in English and in Spanish, paired by their numbers.

English is the World English Bible (2020), Spanish the Reina-Valera of 1909. Both are Debian packages of SWORD modules,
whose verses are OSIS markup; here they become plain text, without footnotes, references and editors' headings.

Kept are pairs whose English has at most MAX_WORDS words, each English verse once, and neither side more than twice as
long as the other, which is where the two number their verses differently. One chapter in ten is for evaluation, chosen
by a hash of its name, so that no verse is judged whose neighbours in its story were learnt one by one.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from data.sources.catalogue import DataSet, Source

MAX_WORDS = 16

DATA_SET = DataSet(
    name="verses",
    title=f"Bible verses of at most {MAX_WORDS} words, English and Spanish",
    licence="public domain",
    credit="World English Bible and Reina-Valera 1909, eBible.org; packaged by the Debian CrossWire team",
    sources=(
        (
            Source(
                client="debian",
                package="sword-text-web",
                version="426.0-1",
                filename="sword-text-web_426.0-1_all.deb",
                sha256="930b23670b352f0829a306501de4bebb5e654a2df02cde2cbe86b802177868e1",
                size_bytes=3_956_428,
                holds="the English verses",
            ),
            Source(
                client="debian",
                package="sword-text-sparv",
                version="2.60-1",
                filename="sword-text-sparv_2.60-1_all.deb",
                sha256="5c87f9b2bc97457e8a872f5bae7ea7ce59cb3de1dcee73e4d4740451863694cf",
                size_bytes=2_722_332,
                holds="the Spanish verses",
            ),
        ),
    ),
)

Verse = tuple[str, int, int]
"""Book, by its OSIS name, chapter and verse."""


def prepare(archives: Sequence[Path], target: Path, sources: Sequence[Source]) -> None:
    """Writes `target/train.jsonl` and `target/eval.jsonl`: `{"source": English, "target": Spanish, "verse": name}`."""
    with TemporaryDirectory(dir=target.parent) as unpacked:
        english, spanish = (
            read_module(archive, Path(unpacked) / str(number), versification)
            for number, (archive, versification) in enumerate(zip(archives, ("nrsva", "kjv"), strict=True))
        )
    target.mkdir()
    with (target / "train.jsonl").open("w") as train, (target / "eval.jsonl").open("w") as evaluation:
        for verse, source, translation in aligned(english, spanish):
            record = {"source": source, "target": translation, "verse": "{} {}:{}".format(*verse)}
            print(json.dumps(record, ensure_ascii=False), file=evaluation if is_for_eval(verse) else train)


def read_module(archive: Path, folder: Path, versification: str) -> dict[Verse, str]:
    """The verses of a packaged SWORD module as they are, with markup, in the order of their numbers."""
    from pysword.bible import SwordBible

    from data.sources.archives import unpack

    files = unpack(archive, folder, "usr/share/sword/modules/texts/ztext/*")
    bible = SwordBible(str(files[0].parent), "ztext", versification, "utf-8", "OSIS", "BOOK", "ZIP")
    # Verses are asked for one by one, and each time pysword would decompress the whole book.
    bible._decompressed_text = functools.cache(bible._decompressed_text)
    return {
        (book.osis_name, chapter, verse): text
        for books in bible.get_structure().get_books().values()
        for book in books
        for chapter in range(1, book.num_chapters + 1)
        for verse, text in enumerate(bible.get_iter(book.name, chapter, clean=False), start=1)
    }


def aligned(english: dict[Verse, str], spanish: dict[Verse, str]) -> Iterator[tuple[Verse, str, str]]:
    """The pairs that are kept, as plain text. The arguments hold markup."""
    seen = set()
    for verse in english:
        source, target = plain(english[verse]), plain(spanish.get(verse, ""))
        words = tuple(re.findall(r"\w+", source.casefold()))
        if not source or not target or len(source.split()) > MAX_WORDS or words in seen:
            continue
        seen.add(words)
        if len(source) <= 2 * len(target) <= 4 * len(source):
            yield verse, source, target


def is_for_eval(verse: Verse) -> bool:
    book, chapter, _ = verse
    return hashlib.sha256(f"{book} {chapter}".encode()).digest()[0] * 10 < 256


_AFTER = re.compile(r"<chapter eID.*", re.DOTALL)
"""From the end of the chapter on: behind the last one of all stands a glossary."""
_BESIDE = re.compile(r'<(note|speaker)\b.*?</\1>|<title\b(?![^>]*canonical="true").*?</title>', re.DOTALL)
"""What is not of the verse: footnotes, references, who speaks, headings (but psalms have titles of their own)."""
_WITHIN = re.compile(r"</?(?:w|q|transChange|hi|divineName|seg|foreign)\b[^>]*>")
"""Marks on words. All other tags stand between words."""


def plain(osis: str) -> str:
    """A verse without its markup. Text that a tag divides stays divided, and no space stands before a comma."""
    text = _WITHIN.sub("", _BESIDE.sub(" ", _AFTER.sub("", osis)))
    text = " ".join(re.sub(r"<[^>]*>", " ", text).split())
    return re.sub(r"([(¡¿“‘]) ", r"\1", re.sub(r" ([,.;:!?)”])", r"\1", text))
