"""What made what in a run, from its task's metadata store (ML Metadata, SQLite, opened for reading only)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from ml_metadata.errors import StatusError
from ml_metadata.metadata_store import metadata_store
from ml_metadata.proto import metadata_store_pb2

_Event = metadata_store_pb2.Event
_OUTPUTS = (_Event.OUTPUT, _Event.DECLARED_OUTPUT)


@dataclass(frozen=True)
class Artifact:
    """`kind` is its type; `place` its folder relative to the task's; `made_by` the run whose node made it."""

    id: int
    kind: str
    place: str
    made_by: str


@dataclass(frozen=True)
class Step:
    """One node's execution: `state` as the store has it, and artifacts by the names under which the node has them."""

    node: str
    state: str
    inputs: tuple[tuple[str, Artifact], ...]
    outputs: tuple[tuple[str, Artifact], ...]


def of_run(space: Path, run_id: str) -> list[Step]:
    """The steps of a run in the order of their executions; none if the store does not know the run."""
    database = space / "metadata.db"
    if not database.is_file():
        return []
    config = metadata_store_pb2.ConnectionConfig()
    config.sqlite.filename_uri = str(database)
    config.sqlite.connection_mode = metadata_store_pb2.SqliteMetadataSourceConfig.READONLY
    try:
        return _Lineage(metadata_store.MetadataStore(config), space).steps(run_id)
    except (StatusError, RuntimeError):  # no store yet, or one of another version of the library: it says so by either
        return []


class _Lineage:
    def __init__(self, store: metadata_store.MetadataStore, space: Path) -> None:
        self._store, self._space = store, space
        self._kinds = {kind.id: kind.name for kind in store.get_artifact_types()}

    def steps(self, run_id: str) -> list[Step]:
        run = self._store.get_context_by_type_and_name("pipeline_run", run_id)
        if run is None:
            return []
        executions = sorted(self._store.get_executions_by_context(run.id), key=lambda execution: execution.id)
        events = self._store.get_events_by_execution_ids([execution.id for execution in executions])
        artifacts = self._artifacts({event.artifact_id for event in events})
        steps = []
        for execution in executions:
            own = [event for event in events if event.execution_id == execution.id]
            named = [(event.type in _OUTPUTS, event.path.steps[0].key, artifacts[event.artifact_id]) for event in own]
            steps.append(
                Step(
                    self._node(execution.id),
                    metadata_store_pb2.Execution.State.Name(execution.last_known_state).lower(),
                    tuple((name, artifact) for made, name, artifact in named if not made),
                    tuple((name, artifact) for made, name, artifact in named if made),
                )
            )
        return steps

    def _node(self, execution: int) -> str:
        names = [c.name for c in self._store.get_contexts_by_execution(execution) if c.type == "node"]
        return names[0].rpartition(".")[2] if names else ""

    def _artifacts(self, ids: set[int]) -> dict[int, Artifact]:
        makers = self._makers(ids)
        return {
            found.id: Artifact(
                found.id,
                self._kinds[found.type_id],
                os.path.relpath(found.uri, self._space) if found.uri.startswith(str(self._space)) else found.uri,
                makers.get(found.id, ""),
            )
            for found in self._store.get_artifacts_by_id(list(ids))
        }

    def _makers(self, ids: set[int]) -> dict[int, str]:
        """Artifact -> the run whose node wrote it; later runs that were answered from the cache have it, too."""
        outputs = [event for event in self._store.get_events_by_artifact_ids(list(ids)) if event.type in _OUTPUTS]
        first: dict[int, int] = {}
        for event in sorted(outputs, key=lambda event: event.execution_id):
            first.setdefault(event.artifact_id, event.execution_id)
        runs = {
            execution: next(
                (c.name for c in self._store.get_contexts_by_execution(execution) if c.type == "pipeline_run"), ""
            )
            for execution in set(first.values())
        }
        return {artifact: runs[execution] for artifact, execution in first.items()}
