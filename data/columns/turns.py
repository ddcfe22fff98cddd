"""What was said in a conversation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from data.columns.texts import Texts

if TYPE_CHECKING:
    import numpy as np

    from data.columns.samples import Subject


@dataclass(frozen=True, kw_only=True)
class Turns(Texts):
    """What was said before the text `reply`, a text a turn, the oldest first. Features as Texts'.

    A folder may hold whole conversations in place of it (`data.folders.layouts.conversations`), whose replies are then
    records of one `conversation`, an Identifier.
    """

    noun: ClassVar[str] = "list of turns"
    reply: str
    conversation: str

    def sample(self, name: str, subject: Subject, rng: np.random.Generator) -> list[str]:
        """One turn or two, of which the last tells of the subject."""
        return ["...", subject.text][rng.integers(2) :]
