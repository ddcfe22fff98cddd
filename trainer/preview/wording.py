"""Values as a person reads them."""

from __future__ import annotations

import math
from typing import Any


def as_text(value: Any) -> str:
    """What a person reads of a value of an example or a prediction; texts come as UTF-8."""
    return value.decode() if isinstance(value, bytes) else str(value)


def number(value: Any) -> str:
    """Four significant digits; whole numbers in full; a dash for none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return "–"
    return f"{value:,.0f}" if float(value).is_integer() and abs(value) < 1e15 else f"{value:.4g}"


SHOWN_VALUES = 10
"""Of a list in a cell."""


def as_cell(value: Any) -> str:
    """A value of `Task.answer_row` as a person reads it in a table."""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        shown = [as_cell(one) for one in value[:SHOWN_VALUES]] + ["…"] * (len(value) > SHOWN_VALUES)
        return ", ".join(one for one in shown if one)
    return "" if value is None else str(value)
