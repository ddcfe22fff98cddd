"""Emoji with their English names, in Google's drawings: a picture of each, and what people call it.

Pictures are the bitmaps of Noto Color Emoji, 136 x 128 pixels, found by the font's own rules: characters to glyphs, and
glyphs in a row to the one that is drawn for them. Which emoji there are, their names and their groups are Unicode's
(`emoji-test.txt`); further names are the aliases of the package `emoji`, by which chat programs know them. A name that
differs from another of the same emoji in nothing but case and punctuation is left out.

Of an emoji in several skin tones one is taken, by a hash: else six in ten pictures would be copies of people in other
colours. A fifth of the emoji are for evaluation, by a hash of what is drawn without skin tone, gender and hair, so that
a man, a woman and a person of one trade are on one side, as are all families.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from data.sources.archives import unpack
from data.sources.catalogue import DataSet, Source

FONT_SOURCE = Source(
    client="debian",
    package="fonts-noto-color-emoji",
    version="2.042-0+deb12u1",
    filename="fonts-noto-color-emoji_2.042-0+deb12u1_all.deb",
    sha256="a5ab0f69c7938423862320d9aca5dd187b3fd879d6a9a57dd52e17c3fa8d2751",
    size_bytes=9_893_872,
    holds="the pictures",
)

DATA_SET = DataSet(
    name="emoji",
    title="1,900 emoji in Google's drawings, with the names that people call them by, in nine groups",
    licence="OFL-1.1 (pictures); Unicode licence (names, groups); BSD-3-Clause (aliases)",
    credit="Google's Noto Emoji; Unicode, Inc.; T. Kim, K. Wurster and T. Jalilov's package emoji",
    sources=(
        (
            FONT_SOURCE,
            Source(
                client="debian",
                package="unicode-data",
                version="15.0.0-1",
                filename="unicode-data_15.0.0-1_all.deb",
                sha256="5efef23bbb1c6a133ecbdd63a2cfa07159ccacf5466a49e2426101c5ecd691fc",
                size_bytes=7_983_784,
                holds="names and groups",
            ),
            Source(
                client="pypi",
                package="emoji",
                version="2.16.0",
                filename="emoji-2.16.0-py3-none-any.whl",
                sha256="c4230d80640def9071599ff56b1b5950fe13a2a94c0da98c5deab12431b24330",
                size_bytes=610_912,
                holds="further names",
            ),
        ),
    ),
)

FONT = "usr/share/fonts/truetype/noto/NotoColorEmoji.ttf"
LISTED = "usr/share/unicode/emoji/emoji-test.txt"
ALIASES = "emoji/unicode_codes/emoji.json"

EVAL_SHARE = 5
"""One of so many emoji is for evaluation, together with all that show the same."""

VARIATION, JOINER = 0xFE0F, 0x200D
TONES = frozenset(range(0x1F3FB, 0x1F400))
LOOKS = frozenset({VARIATION, JOINER, 0x2640, 0x2642, *TONES, *range(0x1F9B0, 0x1F9B4)})
"""Signs of how somebody looks: skin tones, genders, hair."""
SAME: Mapping[str, str] = {
    **dict.fromkeys("👨👩👱🧔", "🧑"),
    **dict.fromkeys("👦👧👶", "🧒"),
    **dict.fromkeys("👴👵", "🧓"),
    **dict.fromkeys("👫👬👭", "🧑🤝🧑"),
    **dict.fromkeys("🤴👸", "🫅"),
    "🤶": "🎅",
    "💏": "🧑❤💋🧑",
    "💑": "🧑❤🧑",
}
"""What is drawn of people of other gender or age by a character of its own."""
_LINE = re.compile(r"([0-9A-F ]+?) *; fully-qualified *# \S+ E\S+ (.*)")
_CODE = re.compile(r"u[0-9a-f]{4,5}")


class Emoji(NamedTuple):
    """One of Unicode's list."""

    characters: str
    name: str
    group: str

    @property
    def subject(self) -> str:
        """Equal for all that show the same: without skin tone, gender, hair and age of those who are drawn."""
        kept = "".join(SAME.get(one, one) for one in self.characters if ord(one) not in LOOKS)
        return "👪" if "🧒" in kept and len(kept) > 1 else kept

    @property
    def without_tone(self) -> str:
        return "".join(one for one in self.characters if ord(one) not in TONES | {VARIATION})


def prepare(archives: Sequence[Path], target: Path, sources: Sequence[Source]) -> None:
    """Writes `target/{train,eval}/metadata.csv` and, beside each, the pictures that it names."""
    del sources
    with TemporaryDirectory(dir=target.parent) as scratch:
        font, listed, aliases = (
            unpack(archive, Path(scratch, str(number)), path)[0]
            for number, (archive, path) in enumerate(zip(archives, (FONT, LISTED, ALIASES), strict=True))
        )
        bitmaps = Bitmaps(font)
        known = json.loads(aliases.read_text(encoding="utf-8"))
        write(
            target,
            (
                (one, captions_of(one, known.get(one.characters, {}).get("alias", ())), bitmaps.of(one.characters))
                for one in one_of_each(listed_emoji(listed))
            ),
        )


def write(target: Path, emoji: Iterator[tuple[Emoji, Sequence[str], bytes]]) -> None:
    """Two folders of pictures and their tables; each emoji comes with its captions and its picture, a PNG."""
    rows: dict[str, list[tuple[str, str, str]]] = {"train": [], "eval": []}
    for one, captions, png in emoji:
        split = "train" if _hash(one.subject) % EVAL_SHARE else "eval"
        name = "-".join(f"{ord(character):x}" for character in one.characters) + ".png"
        (target / split).mkdir(parents=True, exist_ok=True)
        (target / split / name).write_bytes(png)
        rows[split].append((name, json.dumps(list(captions), ensure_ascii=False), one.group))
    for split, those in rows.items():
        with (target / split / "metadata.csv").open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(("file_name", "captions", "group"))
            writer.writerows(those)


def listed_emoji(path: Path) -> Iterator[Emoji]:
    """The emoji of Unicode's `emoji-test.txt`, in its order."""
    group = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("# group: "):
            group = line.removeprefix("# group: ")
        elif found := _LINE.match(line):
            yield Emoji("".join(chr(int(code, 16)) for code in found[1].split()), found[2], group)


def one_of_each(emoji: Iterator[Emoji]) -> Iterator[Emoji]:
    """Of those that differ in skin tone alone one, by a hash; the others as they are."""
    toned: dict[str, list[Emoji]] = {}
    for one in emoji:
        toned.setdefault(one.without_tone, []).append(one)
    for same in toned.values():
        yield min(same, key=lambda one: _hash(one.characters))


def captions_of(emoji: Emoji, aliases: Sequence[str]) -> list[str]:
    """Its name, and its aliases (`:thumbs_up:`) as words, each once."""
    captions = {_letters(emoji.name): emoji.name}
    for alias in aliases:
        words = alias.strip(":").replace("_", " ")
        if len(_letters(words)) > 1 and not _CODE.fullmatch(words):  # no ":o:", ":+1:", ":u6708:"
            captions.setdefault(_letters(words), words)
    return list(captions.values())


class Bitmaps:
    """The pictures of a font of coloured bitmaps (tables CBDT and CBLC)."""

    def __init__(self, path: Path) -> None:
        from fontTools.ttLib import TTFont

        font = TTFont(path)
        self._glyphs: dict[int, str] = font.getBestCmap()
        [self._pictures] = font["CBDT"].strikeData
        self._joined: dict[tuple[str, ...], str] = {}
        for lookup in font["GSUB"].table.LookupList.Lookup:
            for table in lookup.SubTable:
                for first, ligatures in getattr(table, "ligatures", {}).items():
                    self._joined |= {(first, *one.Component): one.LigGlyph for one in ligatures}

    def of(self, characters: str) -> bytes:
        """The PNG of an emoji, which the font must have."""
        # Variation selectors only ask for colour, and the font's rules leave them out.
        glyphs = tuple(self._glyphs[code] for code in map(ord, characters) if code != VARIATION)
        picture: Any = self._pictures[glyphs[0] if len(glyphs) == 1 else self._joined[glyphs]]
        return bytes(picture.imageData)

    def of_characters(self) -> list[bytes]:
        """The PNGs of all emoji of one character that are no letters, in the order of Unicode: none in skin tones."""
        singles = ((code, self._pictures.get(glyph)) for code, glyph in sorted(self._glyphs.items()))
        return [bytes(found.imageData) for code, found in singles if found is not None and _is_picture(code)]


def _is_picture(code: int) -> bool:
    return code >= 0x2000 and code not in TONES and not 0x1F1E6 <= code <= 0x1F1FF  # flags are of two letters


def _letters(text: str) -> str:
    return re.sub(r"\W", "", text.lower())


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[-8:], "big")
