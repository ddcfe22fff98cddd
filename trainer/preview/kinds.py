"""The kinds of part that there are, by their name on disk, and their records on a page."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import trainer.preview.parts
from data.shapes import WrongShape, expect
from trainer.preview.part import Page, Part, Record

Shown = TypeVar("Shown")


@dataclass(frozen=True)
class ShownPart(Generic[Shown]):
    """A part as a page shows it: what stands below its caption, and whether it stands in a row of its own."""

    caption: str
    children: Sequence[Shown]
    fills_row: bool


@functools.cache
def kinds() -> Mapping[str, type[Part]]:
    """Name on disk -> kind, of all modules of `trainer/preview/parts/`.

    Raises:
      ValueError: two kinds have one name.
    """
    found: dict[str, type[Part]] = {}
    for module in pkgutil.iter_modules(trainer.preview.parts.__path__, "trainer.preview.parts."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, type) and issubclass(value, Part) and value.__module__ == module.name:
                if value.kind in found:
                    raise ValueError(f"two kinds of part are called {value.kind!r}: {found[value.kind]} and {value}")
                found[value.kind] = value
    return found


def shown(parts: Sequence[Record], title: str, page: Page[Shown]) -> list[ShownPart[Shown]]:
    """The parts of one preview on a page, those that cannot be shown as words that say why."""
    return [_shown(part, title, page, [*parts[:i], *parts[i + 1 :]]) for i, part in enumerate(parts)]


def _shown(record: Record, title: str, page: Page[Shown], others: Sequence[Record]) -> ShownPart[Shown]:
    try:
        kind = _kind_of(record)
        others = [other for other in others if _is_known(other)]
        return ShownPart(record["caption"], kind.show(record, page, title, others), kind.fills_row(record))
    except WrongShape as wrong:  # of a report that is damaged, or of tomorrow
        caption, name = (str(record.get(field, "")) for field in ("caption", "kind"))
        return ShownPart(caption, [page.missing(f"This {name or 'part'} cannot be shown: {wrong}.")], True)


def _kind_of(record: Record) -> type[Part]:
    """Its kind, of whose form it is. Raises WrongShape."""
    expect(record, dict[str, Any])
    name = record.get("kind")
    if not isinstance(name, str) or name not in kinds():
        raise WrongShape(f"this version knows no part of the kind {name!r}, only {', '.join(sorted(kinds()))}")
    expect(record, kinds()[name].form)
    return kinds()[name]


def _is_known(record: Record) -> bool:
    try:
        return bool(_kind_of(record))
    except WrongShape:
        return False


def is_roomy(previews: Sequence[Mapping[str, Any]]) -> bool:
    """Whether these previews, as records, need more room each than one small picture."""
    parts = [part for preview in previews for part in preview["parts"] if _is_known(part)]
    return sum(kinds()[part["kind"]].room for part in parts) > len(previews)
