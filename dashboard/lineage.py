"""What made what in a run, read from its task's metadata store: a SQLite file, opened for reading only.

A run on a cluster, whose store is a server, has written it down.
"""

from __future__ import annotations

import json
from pathlib import Path

from ml_metadata.errors import StatusError

from pipelines.lineage import Step, read_only, steps_of, steps_of_json
from pipelines.workspace import TaskSpace


def of_run(space: Path, run_id: str) -> list[Step]:
    """The steps of a run in the order of their executions; none if nothing is known of the run."""
    place = TaskSpace(space)
    written = place.run(run_id) / "lineage.json"
    try:
        if written.is_file():
            return steps_of_json(json.loads(written.read_text(encoding="utf-8")))
        if place.metadata_db.is_file():
            return steps_of(read_only(place.metadata_db), space, run_id)
    except (StatusError, RuntimeError):  # no store yet, or one of another version of the library: it says so by either
        pass
    return []
