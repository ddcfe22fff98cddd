"""Texts word by word with tags, as CoNLL's tasks, ATIS and SNIPS have them."""

from __future__ import annotations

import os
import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple, Self

from data.columns import Column, Tags, Text
from data.errors import BadValue, DataRefused
from data.folders.files import printable
from data.folders.layouts.base import (
    Folder,
    Item,
    Layout,
    Problem,
    is_document,
    is_table,
    refuse_link_out,
    refuse_no_file,
    relative,
    required,
)

SUFFIXES = (".conll", ".bio", ".iob", ".iob2", ".txt")
WORDS, TAGS, CLASSES = "seq.in", "seq.out", "label"

_TAG = re.compile(r"O|(?P<part>[BIESLU])-(?P<name>\S+)")
_PARTS = {"B": "B", "I": "I", "E": "I", "L": "I", "S": "B", "U": "B"}
"""BIOES and BILOU say more than BIO, which is all that is kept."""
_INTENT = re.compile(r"#\s*(?:intent|label|class)\s*[:=]?\s*(\S+)\s*", re.IGNORECASE)
_UNSPACED = re.compile(
    r"[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u3000-\u30ff\u3400-\u9fff\uf900-\uffef\U00020000-\U0003ffff]"
)


class _Columns(NamedTuple):
    """Of a task of texts with passages and, if there is one, a class."""

    text: str
    tags: str
    label: str | None


def _columns_of(columns: Mapping[str, Column]) -> _Columns | None:
    tags = [name for name, column in columns.items() if isinstance(column, Tags) and column.in_folder]
    labels = [name for name, column in columns.items() if column.is_class and column.in_folder]
    if len(tags) != 1 or len(labels) > 1:
        return None
    text, label = columns[tags[0]].of, labels[0] if labels else None  # type: ignore[attr-defined]
    fits = type(columns.get(text)) is Text and required(columns) <= {text, tags[0], label}
    return _Columns(text, tags[0], label) if fits else None


def joined(words: Sequence[str]) -> tuple[str, list[int]]:
    """A text of words with spaces between them, but where neither side writes any, and where each begins."""
    text, starts = "", []
    for word in words:
        unspaced = text and _UNSPACED.match(text[-1]) and _UNSPACED.match(word)
        text += " " if text and not unspaced else ""
        starts.append(len(text))
        text += word
    return text, starts


def passages(words: Sequence[str], tags: Sequence[str]) -> tuple[str, list[dict[str, Any]]]:
    """The text of words, and the passages of their tags as `data.columns.Tags` has them.

    Raises:
      BadValue: there are not as many tags as words, one is none, or one goes on with what was not begun.
    """
    if len(words) != len(tags):
        raise BadValue(f"{len(words)} words and {len(tags)} tags")
    text, starts = joined(words)
    found: list[dict[str, Any]] = []
    open_name = None
    for word, tag, start in zip(words, tags, starts, strict=True):
        match = _TAG.fullmatch(tag)
        if match is None:
            raise BadValue(f"{tag!r} of {word!r} is no tag: expected O, B-NAME or I-NAME")
        name = match["name"]
        part = _PARTS[match["part"]] if name else "O"
        if part == "I" and name != open_name:
            raise BadValue(f"{tag} of {word!r} goes on with what was not begun: a passage begins with B-{name}")
        if part == "B":
            found.append({"start": start, "end": start + len(word), "label": name})
        elif part == "I":
            found[-1]["end"] = start + len(word)
        open_name = name
    return text, found


class _Block(NamedTuple):
    """Lines of one text: of each its number and fields. `label` was said in a comment."""

    lines: list[tuple[int, list[str]]]
    label: str


@dataclass(frozen=True)
class Conll(Layout):
    """Files of a word and its tag a line, with an empty line between texts. Of several columns the first is the word
    and the last the tag. The class of a text stands above it as `# intent = NAME`, alone in its first or last line, or
    as the tag of a last word EOS, as in ATIS."""

    root: Path
    folder: Path
    paths: tuple[Path, ...]
    columns: _Columns

    @classmethod
    def matches(cls, columns: Mapping[str, Column], folder: Folder) -> Self | None:
        found = _columns_of(columns)
        if found is None:
            return None
        paths = tuple(path for path in folder.files if cls.takes_file(columns, path.name))
        others = [path.name for path in folder.files if path not in paths]
        if not folder.files:
            here = [entry for entry in folder.entries if entry.name not in folder.folders]
            paths = tuple(Path(entry.path) for entry in here if cls.takes_file(columns, entry.name))
            beside = {name for column in columns.values() for name in column.beside}
            others = [entry.name for entry in here if is_table(entry.name) and entry.name not in beside]
        if not paths:
            return None
        if others:
            raise DataRefused(f"{folder.path} holds both {paths[0].name} and {others[0]}", "Keep one of them.")
        for path in paths:
            refuse_link_out(folder.root, path)
            refuse_no_file(path)
        return cls(folder.root, folder.path, paths, found)

    @classmethod
    def takes_file(cls, columns: Mapping[str, Column], name: str) -> bool:
        suffix = os.path.splitext(name)[1].lower()
        return suffix in SUFFIXES and not is_document(name) and _columns_of(columns) is not None

    @classmethod
    def example_tree(cls, columns: Mapping[str, Column]) -> str:
        found = _columns_of(columns)
        if found is None:
            return ""
        label = f"a line `# {found.label} = NAME`, then " if found.label else ""
        return (
            f"  train.conll   texts with an empty line between them: {label}a word and its tag (O, B-NAME, I-NAME)\n"
            "                a line\n"
            "  eval.conll    the same"
        )

    @classmethod
    def lack(cls, columns: Mapping[str, Column]) -> str:
        return f"no *{SUFFIXES[0]}"

    @property
    def words(self) -> str:
        return "words with tags, one a line"

    def items(self) -> Iterator[Item]:
        for path in self.paths:
            file = relative(self.root, path).removesuffix("/")
            yield from self._texts(path, printable(file))

    def _texts(self, path: Path, file: str) -> Iterator[Item]:
        block, bad = _Block([], ""), ""
        for row, line in _lines(path):
            text = line if isinstance(line, str) else ""
            if isinstance(line, BadValue):
                block.lines.append((row, []))
                bad = str(line)
            elif text.startswith("-DOCSTART-"):
                continue
            elif not text.strip():
                yield from self._item(file, block, bad)
                block, bad = _Block([], ""), ""
            elif match := _INTENT.fullmatch(text):
                block = block._replace(label=match[1])
            elif not _is_comment(text):
                block.lines.append((row, text.split("\t") if "\t" in text.strip() else text.split()))
        yield from self._item(file, block, bad)

    def _item(self, file: str, block: _Block, bad: str) -> Iterator[Item]:
        if not block.lines:
            return
        row = block.lines[0][0]
        if bad:
            yield Item(file, row, {}, Problem(None, bad))
            return
        label, lines = self._label(block)
        for place, (at, fields) in enumerate(lines):
            if len(fields) < 2:
                reason = f"line {at}: {fields[0]!r} has no tag"
                yield Item(file, row, {}, Problem(self.columns.tags, reason))
                return
            lines[place] = at, [fields[0].strip(), fields[-1].strip()]
        if self.columns.label and not label:
            reason = f"no {self.columns.label}: write `# {self.columns.label} = NAME` above the text"
            yield Item(file, row, {}, Problem(self.columns.label, reason))
            return
        try:
            text, found = passages([fields[0] for _, fields in lines], [fields[1] for _, fields in lines])
        except BadValue as error:
            yield Item(file, row, {}, Problem(self.columns.tags, str(error)))
            return
        values: dict[str, Any] = {self.columns.text: text, self.columns.tags: found}
        yield Item(file, row, values | ({self.columns.label: label} if self.columns.label else {}))

    def _label(self, block: _Block) -> tuple[str, list[tuple[int, list[str]]]]:
        """The class of a text, "" where none is said, and the lines that are its words."""
        lines, label = list(block.lines), block.label
        if len(lines[0][1]) == 2 and lines[0][1][0] == "BOS":
            lines = lines[1:]
        if lines and len(lines[-1][1]) == 2 and lines[-1][1][0] == "EOS":
            label = label or ("" if lines[-1][1][1] == "O" else lines[-1][1][1])
            lines = lines[:-1]
        for place in (0, -1):
            if self.columns.label and not label and len(lines) > 1 and len(lines[place][1]) == 1:
                label = lines.pop(place)[1][0]
        return label, lines


@dataclass(frozen=True)
class SeqFiles(Layout):
    """`seq.in` with a text a line, `seq.out` with as many tags in each line, and `label` with its class, as ATIS and
    SNIPS are kept by Goo et al. 2018 and others."""

    root: Path
    folder: Path
    columns: _Columns

    @classmethod
    def matches(cls, columns: Mapping[str, Column], folder: Folder) -> Self | None:
        found = _columns_of(columns)
        if found is None or not folder.holds(WORDS):
            return None
        layout = cls(folder.root, folder.path, found)
        for path in layout._paths():
            if not path.exists():
                raise DataRefused(f"{folder.path} holds {WORDS}, but no {path.name}", f"Put {path.name} beside it.")
            refuse_link_out(folder.root, path)
            refuse_no_file(path)
        counts = {path.name: sum(1 for _ in _lines(path)) for path in layout._paths()}
        if len(set(counts.values())) > 1:
            said = ", ".join(f"{name} has {count:,} lines" for name, count in counts.items())
            raise DataRefused(
                f"{folder.path}: {said}", "Each line of one belongs to that line of the others: mend them."
            )
        return layout

    @classmethod
    def example_tree(cls, columns: Mapping[str, Column]) -> str:
        found = _columns_of(columns)
        if found is None:
            return ""
        names = ", ".join((WORDS, TAGS, *([CLASSES] if found.label else [])))
        return f"  train/{names}   a text a line, its tags, its class\n  eval/                       the same"

    @classmethod
    def lack(cls, columns: Mapping[str, Column]) -> str:
        return f"no {WORDS}"

    @property
    def words(self) -> str:
        return f"lines of {', '.join(path.name for path in self._paths())}"

    def items(self) -> Iterator[Item]:
        file = printable(relative(self.root, self.folder) + WORDS)
        with ExitStack() as open_files:
            streams = [open_files.enter_context(closing(_lines(path))) for path in self._paths()]
            for row, lines in enumerate(zip_longest(*streams), 1):
                yield self._item(file, row, [line[1] for line in lines])

    def _item(self, file: str, row: int, lines: list[str | BadValue]) -> Item:
        for line in lines:
            if isinstance(line, BadValue):
                return Item(file, row, {}, Problem(None, str(line)))
        words, tags, *labels = [str(line) for line in lines]
        try:
            text, found = passages(words.split(), tags.split())
        except BadValue as error:
            return Item(file, row, {}, Problem(self.columns.tags, str(error)))
        values: dict[str, Any] = {self.columns.text: text, self.columns.tags: found}
        return Item(file, row, values | ({self.columns.label: labels[0].strip()} if self.columns.label else {}))

    def _paths(self) -> list[Path]:
        return [self.folder / name for name in (WORDS, TAGS, *([CLASSES] if self.columns.label else []))]


def _is_comment(line: str) -> bool:
    """`# text = ...`, and no word `#` with its tag."""
    return line.startswith("#") and not _TAG.fullmatch(line.split()[-1])


def _lines(path: Path) -> Generator[tuple[int, str | BadValue], None, None]:
    """The lines of a file with their numbers, each a text or, where it is no UTF-8, a BadValue."""
    with path.open("rb") as stream:
        for row, raw in enumerate(stream, 1):
            try:
                yield row, raw.decode("utf-8-sig" if row == 1 else "utf-8").rstrip("\r\n")
            except UnicodeDecodeError as error:
                yield row, BadValue(f"line {row}: not valid UTF-8 (byte {error.start + 1})")
