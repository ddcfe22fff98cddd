"""What commands print on standard output: one JSON value, or a table of aligned columns."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

from pipelines.records.run_result import aligned

if TYPE_CHECKING:
    from pipelines.console.progress import Listener


def print_json(value: Any) -> None:
    print(json.dumps(value, indent=2, default=str))


def print_table(rows: list[dict[str, Any]], headings: dict[str, str]) -> None:
    """The keys of all rows are the headings, except where `headings` has a better one; a row may lack some."""
    from trainer.preview.wording import as_cell

    if rows:
        keys = list(dict.fromkeys(key for row in rows for key in row))
        cells = [[as_cell(row[key]) if key in row else "" for key in keys] for row in rows]
        print("\n".join(aligned([[headings.get(key, key) for key in keys], *cells])))


def progress_listener(json_output: bool) -> Listener:
    """Shows how a run goes on: drawn anew on a terminal, line by line elsewhere, and not at all beside JSON."""
    from pipelines.console import logs, progress

    if json_output:
        return progress.Listener()
    stream = logs.terminal(sys.stdout)
    live = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
    return progress.Live(stream) if live else progress.Plain(stream)
