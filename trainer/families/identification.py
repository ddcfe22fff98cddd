"""What tasks share that name the nearest of those who are known, or nobody: people by their faces, intents of texts.

The model brings a threshold of its own, which refuses a share of what it was trained on; a person may choose another.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from trainer.decisions import Decided, Decides, Decision, reaches
from trainer.preview import as_text

UNKNOWN = "unknown"
"""The answer where nobody is near enough."""


class Identifies(Decides):
    """Of a task that answers `label`, the nearest name where its `score` reaches `threshold`, else UNKNOWN.

    Where there are `nearest`, its place in the vocabulary, and `answer`, the same but -1 below the threshold, they go
    with it.

    Attributes:
      truth: the column of the true name.
      names: the output that names the nearest ones, the nearest first.
    """

    truth: ClassVar[str]
    names: ClassVar[str]
    below = f"said to be {UNKNOWN}"

    def decisions(
        self, example: Mapping[str, Any], prediction: Mapping[str, Any], known: Collection[str]
    ) -> Decided | None:
        """Strangers are to be refused: whom the model does not know it need not name."""
        if example.get(self.truth) is None:
            return None
        truth, nearest = as_text(example[self.truth]), as_text(prediction[self.names][0])
        found = Decision(nearest, float(prediction["score"]), nearest == truth)
        return Decided([found], [truth] if truth in known else [])

    def at_threshold(self, prediction: Mapping[str, Any], threshold: float) -> Mapping[str, Any]:
        is_known = reaches(prediction["score"], threshold)
        label = prediction[self.names][0] if is_known else UNKNOWN.encode()
        place = {"answer": prediction["nearest"] if is_known else -1} if "nearest" in prediction else {}
        return {**prediction, "label": label, "threshold": threshold, **place}
