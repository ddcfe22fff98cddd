"""Marked passages of a text."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, cast

from data.columns import samples
from data.columns.base import Column, Feature, Value, show, whole
from data.columns.label import Label
from data.errors import BadValue

if TYPE_CHECKING:
    import numpy as np

    from data.columns.samples import Subject

_NAMES = ("label", "name", "slot", "entity")
"""What the key of a passage's name may be."""
_TOKEN = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True, kw_only=True)
class Tags(Column):
    """What passages of the text `of` are: a list of `{"start": 0, "end": 5, "label": name}` without overlaps.

    They are counted in characters, that is code points, and `end` is the first after it. The name may be called `name`,
    `slot` or `entity`, too. In CSV the list is written as JSON. `classes` closes the set of names; with `open` a name
    may be met in evaluation first, and names need not be alike on both sides.

    Features: the list as JSON, in the order of the text, one bytes value, the names, `NAME_start` and `NAME_end`, and
    `NAME_count`. `bio` gives tokens with the tags that taggers learn.
    """

    noun: ClassVar[str] = "list of marked passages"
    of: str = "text"
    classes: tuple[str, ...] = field(default=())
    open: bool = False

    def features(self, name: str) -> dict[str, Feature]:
        place = Feature("int64", minimum=0, optional=self.optional, derived=True, length=None)
        return {
            name: Feature("bytes", counted=False, optional=self.optional),
            f"{name}_label": Feature("bytes", categories=not self.open, optional=self.optional, length=None),
            f"{name}_start": place,
            f"{name}_end": place,
            f"{name}_count": Feature("int64", minimum=0, optional=self.optional, derived=True),
        }

    def encode(self, name: str, value: Any) -> dict[str, Value]:
        label = Label(classes=self.classes)
        spans = []
        for number, (start, end, what) in enumerate(_spans(value), 1):
            if start is None or end is None or not 0 <= start < end:
                raise BadValue(f"passage {number}: expected a start and an end behind it, got {start} and {end}")
            spans.append((start, end, cast(bytes, label.encode("", what)[""]).decode()))
        spans.sort()
        for (_, end, _), (start, _, _) in zip(spans, spans[1:], strict=False):
            if start < end:
                raise BadValue(f"two passages overlap at character {start}")
        kept = [{"start": start, "end": end, "label": what} for start, end, what in spans]
        names = [what.encode() for _, _, what in spans]
        return {
            name: json.dumps(kept, ensure_ascii=False).encode(),
            f"{name}_label": names,
            f"{name}_start": [start for start, _, _ in spans],
            f"{name}_end": [end for _, end, _ in spans],
            f"{name}_count": len(spans),
        }

    def reconcile(self, name: str, features: Mapping[str, Value], columns: Mapping[str, Column]) -> Mapping[str, Value]:
        text = features.get(self.of)
        if isinstance(text, bytes):
            length = len(text.decode())
            for span in json.loads(cast(bytes, features[name])):
                if span["end"] > length:
                    raise BadValue(f"a passage ends at character {span['end']}; {self.of} has {length}")
        return {}

    def class_names(self, name: str, features: Mapping[str, Value]) -> Sequence[str]:
        return [] if self.open else [label.decode() for label in cast(list[bytes], features.get(f"{name}_label", []))]

    def sample(self, name: str, subject: Subject, rng: np.random.Generator) -> list[dict[str, Any]]:
        """Each word that is a class, marked as that class; in the text of the column before this one."""
        classes = [samples.class_name(self.classes, kind) for kind in range(len(samples.CLASSES))]
        known = dict(zip(samples.CLASSES, classes, strict=True))
        known |= {word[::-1]: name for word, name in known.items()}
        words = re.finditer(r"\w+", subject.text_at(subject.position - 1))
        return [{"start": m.start(), "end": m.end(), "label": known[m[0]]} for m in words if m[0] in known]


def bio(text: str, spans: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Each word and sign of a text with its tag: `B-name` begins a passage, `I-name` goes on, `O` is outside (Ramshaw &
    Marcus 1995, "Text Chunking using Transformation-Based Learning", as CoNLL 2003 writes it). A word that lies in a
    passage in part belongs to it."""
    tagged, before = [], None
    for token in _TOKEN.finditer(text):
        span = next((one for one in spans if one["start"] < token.end() and token.start() < one["end"]), None)
        tag = "O" if span is None else f"{'I' if span is before else 'B'}-{span['label']}"
        tagged.append((token[0], tag))
        before = span
    return tagged


def _spans(value: Any) -> list[tuple[int | None, int | None, Any]]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except json.JSONDecodeError:
            raise BadValue(f"expected a list of marked passages, got {show(value)}") from None
    if not isinstance(value, list) or not all(isinstance(one, Mapping) for one in value):
        raise BadValue(f'expected a list of {{"start": 0, "end": 5, "label": name}}, got {show(value)}')
    return [(whole(one.get("start")), whole(one.get("end")), _name_of(one)) for one in value]


def _name_of(passage: Mapping[str, Any]) -> Any:
    return next((passage[key] for key in _NAMES if key in passage), None)
