"""What made what in a run, read from its task's metadata store: a SQLite file, opened for reading only."""

from __future__ import annotations

from pathlib import Path

from pipelines.records.lineage import Step, damage_told, read_only, steps_of
from pipelines.records.workspace import TaskSpace


def of_run(space: Path, run_id: str) -> list[Step]:
    """The steps of a run in the order of their executions; none if the store does not know the run, or is yet to be.

    Raises:
      BenisonError: the store is damaged.
    """
    database = TaskSpace(space).metadata_db
    store = read_only(database)
    if store is None:
        return []
    with damage_told(database):
        return steps_of(store, space, run_id)
