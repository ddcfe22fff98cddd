"""What was said in a conversation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from data.columns.base import Value, utf8
from data.columns.texts import Texts

if TYPE_CHECKING:
    import numpy as np

    from data.columns.samples import Subject


@dataclass(frozen=True, kw_only=True)
class Turns(Texts):
    """What was said before the text `reply`, a text a turn, the oldest first. Features: the turns, a line each, their
    own line breaks and runs of blanks as one blank, and `NAME_count`.

    A folder may hold whole conversations in place of it (`data.folders.layouts.conversations`), whose replies are then
    records of one `conversation`, an Identifier, each with the last `most` turns before it.
    """

    noun: ClassVar[str] = "list of turns"
    reply: str
    conversation: str
    most: int = 40

    def encode(self, name: str, value: Any) -> dict[str, Value]:
        turns = self.checked(name, value)
        return {name: utf8("\n".join(" ".join(turn.split()) for turn in turns)), f"{name}_count": len(turns)}

    def sample(self, name: str, subject: Subject, rng: np.random.Generator) -> list[str]:
        """One turn or two, of which the last tells of the subject."""
        return ["...", subject.text][rng.integers(2) :]
