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
