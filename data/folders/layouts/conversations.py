"""Whole conversations, as models of chat are trained on: a list of messages in each row."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, NamedTuple, Self

from data.columns import Column, Turns
from data.errors import BadValue, DataRefused
from data.folders import tables
from data.folders.layouts.base import Folder, Item, Problem, required
from data.folders.layouts.rows import Rows

FIELD = "messages"
ASSISTANT = "assistant"


class _Columns(NamedTuple):
    context: str
    reply: str
    conversation: str
    most: int


class _Turn(NamedTuple):
    role: str
    text: str


@dataclass(frozen=True)
class Conversations(Rows):
    """Rows with a column `messages`: a list of `{"role": ..., "content": ...}`, in CSV written as JSON.

    What `assistant` says behind others is a reply to the turns before it; where nobody is called so, as when people
    talk to each other, whatever anybody says behind somebody else. Messages of one role that follow each other are one
    turn. Each reply is a record; all of a conversation bear its place as `conversation`, and one that cannot be read,
    or in which nobody answers, is a bad one as a whole.
    """

    columns: _Columns = field(kw_only=True)

    @classmethod
    def matches(cls, columns: Mapping[str, Column], folder: Folder) -> Self | None:
        found = _columns_of(columns)
        if found is None:
            return None
        paths, strays = cls.listed(columns, folder)
        have = {path: FIELD in tables.column_names(path) for path in paths}
        if not any(have.values()):
            return None
        others = [path.name for path, has in have.items() if not has]
        if others:
            raise DataRefused(
                f"{folder.path}: {others[0]} has no column {FIELD}", "Other tables here have: keep either."
            )
        return cls(folder.root, folder.path, paths, {found.context: FIELD}, strays, columns=found)

    @classmethod
    def example_tree(cls, columns: Mapping[str, Column]) -> str:
        if _columns_of(columns) is None:
            return ""
        message = '{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi!"}'
        return f'  chats.jsonl   with lines {{"{FIELD}": [{message}]}}; whole conversations are held out'

    @property
    def words(self) -> str:
        return "conversations"

    def of_row(self, file: str, row: tables.Row) -> Iterator[Item]:
        try:
            if row.reason:
                raise BadValue(row.reason)
            found = replies(turns_of(row.values.get(FIELD)), self.columns.most)
        except BadValue as error:
            yield Item(file, row.number, {}, Problem(None, str(error)))
            return
        context, reply, conversation, _ = self.columns
        for said, answer in found:
            yield Item(file, row.number, {context: said, reply: answer, conversation: f"{file}:{row.number}"})


def turns_of(messages: Any) -> list[_Turn]:
    """The turns of a conversation: messages of one role that follow each other are joined by blanks.

    Raises:
      BadValue: it is no list of messages with a role and a text.
    """
    if isinstance(messages, str):
        try:
            messages = json.loads(messages)
        except json.JSONDecodeError as error:
            raise BadValue(f"{FIELD}: not valid JSON: {error.msg} (character {error.pos + 1})") from None
    if isinstance(messages, BadValue):
        raise BadValue(f"{FIELD}: {messages}")
    if not isinstance(messages, list) or not messages:
        raise BadValue(f"{FIELD}: expected a list of messages with role and content")
    said = [_message(place, message) for place, message in enumerate(messages, 1)]
    return [_Turn(role, " ".join(one.text for one in turn)) for role, turn in groupby(said, lambda one: one.role)]


def _message(place: int, message: Any) -> _Turn:
    role, text = (message.get(name) if isinstance(message, Mapping) else None for name in ("role", "content"))
    if not (isinstance(role, str) and role and isinstance(text, str) and text.strip()):
        raise BadValue(f"{FIELD}: message {place} lacks a role or a content that is a text")
    return _Turn(role, text.strip())


def replies(turns: Sequence[_Turn], most: int) -> list[tuple[list[str], str]]:
    """Up to `most` turns before each reply, the oldest first, and the reply.

    Raises:
      BadValue: there is none.
    """
    answers = {turn.role for turn in turns} & {ASSISTANT} or {turn.role for turn in turns}
    texts = [turn.text for turn in turns]
    found = [(texts[max(0, i - most) : i], texts[i]) for i, turn in enumerate(turns) if i and turn.role in answers]
    if not found:
        raise BadValue(f"{FIELD}: nobody answers anybody, so that there is nothing to learn")
    return found


def _columns_of(columns: Mapping[str, Column]) -> _Columns | None:
    """Of a task of turns and the reply to them that needs nothing else."""
    for name, column in columns.items():
        if isinstance(column, Turns) and required(columns) <= {name, column.reply}:
            return _Columns(name, column.reply, column.conversation, column.most)
    return None
