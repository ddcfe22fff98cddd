"""Texts that runs left, made fit for pages: what cannot be seen in them is shown.

A NUL or half of a surrogate pair cannot be written as UTF-8 or held by a page; a character that overrides the order of
others makes `exe.png` of `gnp.exe`.
"""

from __future__ import annotations

import json
import re
from typing import Any

_UNFIT = re.compile("[\x00\u202d\u202e\ud800-\udfff]")
_WRITTEN_UNFIT = re.compile(r"\\u(0000|202[de]|d[89a-f])", re.IGNORECASE)
"""How JSON may write them, or half of a pair."""


def visible(text: str) -> str:
    """The text, with U+XXXX in brackets for each character that a page cannot show or must not obey."""
    return _UNFIT.sub(lambda found: f"[U+{ord(found[0]):04X}]", text)


def of_json(text: str) -> Any:
    """What a JSON text holds that is itself visible, all of its texts made so, too. Raises ValueError."""
    found = json.loads(text)
    return all_visible(found) if _WRITTEN_UNFIT.search(text) else found


def all_visible(value: Any) -> Any:
    """The same for all texts of what JSON holds, names among them."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, list):
        return [all_visible(one) for one in value]
    if isinstance(value, dict):
        return {visible(name): all_visible(one) for name, one in value.items()}
    return value
