"""What made what in a run, read from its task's metadata store: a SQLite file, opened for reading only."""

from __future__ import annotations

from pathlib import Path

from ml_metadata.errors import StatusError

from pipelines.records.lineage import Step, read_only, steps_of
from pipelines.records.workspace import TaskSpace


def of_run(space: Path, run_id: str) -> list[Step]:
    """The steps of a run in the order of their executions; none if the store does not know the run."""
    database = TaskSpace(space).metadata_db
    if not database.is_file():
        return []
    try:
        return steps_of(read_only(database), space, run_id)
    except (StatusError, RuntimeError):  # no store yet, or one of another version of the library: it says so by either
        return []
