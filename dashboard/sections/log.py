"""The end of a run's log."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboard import parts
from dashboard.store import Run

TEXT = "log-text"
"""What grows while the run goes on, where it is open."""


def section(run: Run, tail: Any) -> html.Section:
    """`tail`: the end of the log, or what is wrong with it."""
    if not isinstance(tail, str):
        return parts.section("log", "Log", tail)
    if not tail:
        return parts.section("log", "Log", parts.empty("The run has written no log."))
    log = html.Pre(
        tail,
        id=parts.changing(TEXT),
        className="text log",
        tabIndex=0,
        role="region",
        **parts.aria(label="The end of the log"),
    )
    return parts.section("log", "Log", parts.folded("The end of the log", log, is_open=bool(run.error)))
