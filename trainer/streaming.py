"""Answers that are shown while they are being made: a text, piece by piece from its beginning on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from trainer.task import DataSpec, Features

BEGIN, GO_ON, FINISH = "begin", "go_on", "finish"
"""Signatures of an exported model, beside those of `trainer.export`: plain tensors of the raw columns to what the first
piece follows from; that to a piece and what the next one follows from; and what is left behind the last to the whole
answer."""

PIECE, ENDED = "piece", "ended"
"""Outputs of `GO_ON`, beside what the next piece follows from."""


class Streams(ABC):
    """What a task is, too, one of whose answers is a text that a terminal shows while it is being written.

    All pieces, joined, are what `predict` returns as `streamed` for the same example, and `finish` returns the same as
    `predict`, so that nothing is written twice.
    """

    streamed: ClassVar[str]
    """An output of `predict`, strings `[batch]`, and its heading in `answer_row`."""

    @abstractmethod
    def begin(self, model: Any, features: Features, spec: DataSpec) -> Features:
        """What the first piece follows from: named tensors `[batch, ...]`, none called PIECE or ENDED. The arguments
        are those of `predict`."""

    @abstractmethod
    def go_on(self, model: Any, state: Features, spec: DataSpec) -> tuple[Any, Any, Features]:
        """The next piece, strings `[batch]`, whether it was the last one, bool `[batch]`, and what the one after it
        follows from. `state` is what `begin` or the call before returned; all have the same names, shapes and types."""

    @abstractmethod
    def finish(self, model: Any, state: Features, spec: DataSpec) -> Features:
        """What `predict` returns outside evaluation; `state` is what the last piece left."""
