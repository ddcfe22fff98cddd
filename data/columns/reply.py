"""What is answered to a class, by the data folder's own table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

from data import replies
from data.columns.base import Column, Feature, Value, show, utf8
from data.errors import BadValue


@dataclass(frozen=True, kw_only=True)
class Reply(Column):
    """The reply to the class `of` (`data.replies`), which each record of that class has, so that it travels with the
    data and into the model. A class without one, and a folder without a table, has none.

    Feature: the reply as JSON, one bytes value.
    """

    noun: ClassVar[str] = "reply"
    in_folder: ClassVar[bool] = False
    in_form: ClassVar[bool] = False
    beside: ClassVar[tuple[str, ...]] = replies.FILES
    optional: bool = True
    of: str
    table: Mapping[str, replies.Reply] | None = field(default=None, repr=False, compare=False)

    def as_in(self, folder: Path) -> Reply:
        return replace(self, table=replies.read_replies(folder))

    def features(self, name: str) -> dict[str, Feature]:
        return {name: Feature("bytes", counted=False, optional=self.optional)}

    def encode(self, name: str, value: Any) -> dict[str, Value]:
        if not isinstance(value, replies.Reply):
            raise BadValue(f"expected a reply, got {show(value)}")
        return {name: utf8(value.to_json())}

    def derive(self, name: str, features: Mapping[str, Value], digest: bytes) -> dict[str, Value]:
        found = self._of(features)
        return {} if found is None else self.encode(name, found)

    def remarks(self, name: str, features: Mapping[str, Value]) -> Sequence[str]:
        if self.table is None or self._of(features) is not None:
            return ()
        return (f"no reply to its {self.of} in the table of replies",)

    def _of(self, features: Mapping[str, Value]) -> replies.Reply | None:
        value = features.get(self.of)
        return (self.table or {}).get(value.decode()) if isinstance(value, bytes) else None
