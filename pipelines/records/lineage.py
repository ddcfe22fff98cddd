"""What ML Metadata knows of a run: its nodes' states, and what made what. Imports neither TFX nor TensorFlow."""

from __future__ import annotations

import os
import random
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ml_metadata import MetadataStore
from ml_metadata.errors import StatusError
from ml_metadata.proto import metadata_store_pb2 as proto

from components.workers.cluster_settings import ClusterSettings
from data.errors import BenisonError
from pipelines.node_list import NODES, NodeRun, State
from pipelines.records.workspace import TaskSpace

NEW, RUNNING, FAILED = proto.Execution.NEW, proto.Execution.RUNNING, proto.Execution.FAILED
_STATES: dict[int, State] = {proto.Execution.COMPLETE: "ran", proto.Execution.CACHED: "cached"}

_OUTPUTS = (proto.Event.OUTPUT, proto.Event.DECLARED_OUTPUT)

CONNECT_ATTEMPTS, CONNECT_SECONDS = 5, 1.0


def sqlite_connection(file: Path) -> proto.ConnectionConfig:
    """Of a file that is made if it is not there.

    Raises:
      BenisonError: there is a file that is no sound metadata store of this version.
    """
    _check(file)
    mode = proto.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
    return proto.ConnectionConfig(sqlite=proto.SqliteMetadataSourceConfig(filename_uri=str(file), connection_mode=mode))


def mysql_connection(host: str, port: int, database: str, user: str, password: str) -> proto.ConnectionConfig:
    return proto.ConnectionConfig(
        mysql=proto.MySQLDatabaseConfig(host=host, port=port, database=database, user=user, password=password)
    )


def cluster_connection(settings: ClusterSettings, space: TaskSpace, password: str) -> proto.ConnectionConfig:
    """Of the server that the settings name, or else of the file that local runs have, too."""
    if not settings.metadata_host:
        return sqlite_connection(space.metadata_db)
    return mysql_connection(
        settings.metadata_host, settings.metadata_port, settings.metadata_database, settings.metadata_user, password
    )


def read_only(file: Path) -> MetadataStore | None:
    """The store in a file; None if there is none yet: no file, an empty one, or one whose tables are still to be made.

    Raises:
      BenisonError: the file is damaged, or of another version of ML Metadata.
    """
    if not file.is_file() or file.stat().st_size == 0:
        return None
    mode = proto.SqliteMetadataSourceConfig.READONLY
    config = proto.SqliteMetadataSourceConfig(filename_uri=str(file), connection_mode=mode)
    with damage_told(file):
        try:
            return MetadataStore(proto.ConnectionConfig(sqlite=config))
        except RuntimeError as error:
            if "attempt to write a readonly database" in str(error):  # sound, but the tables are not there
                return None
            raise


@contextmanager
def damage_told(file: Path) -> Iterator[None]:
    """Within, errors of ML Metadata and SQLite about the store in `file` become a BenisonError that names it."""
    try:
        yield
    except (StatusError, RuntimeError, sqlite3.DatabaseError) as error:
        reason = str(error).removeprefix("Error when executing query: ").partition(" query:")[0].strip()
        raise BenisonError(f"the metadata store {file} cannot be read: {reason}", _NEW_STORE) from error


_NEW_STORE = (
    "it is damaged, or of another version of ML Metadata; bring back a copy, or move the file away: the next run "
    "begins a new store, and runs every node anew"
)


def _check(file: Path) -> None:
    """Looks at every page of a store, of some MB at most: what is damaged is to be said before anything runs."""
    if read_only(file) is None:
        return
    with damage_told(file), closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as database:
        found = database.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise sqlite3.DatabaseError(found)


def connect(connection: proto.ConnectionConfig) -> MetadataStore:
    """The store, with its tables made if they were not there.

    Raises:
      BenisonError: it cannot be reached, or does not let us in.
    """
    for attempt in range(CONNECT_ATTEMPTS):
        try:
            return MetadataStore(connection)
        except RuntimeError as error:  # also told to all but one of several nodes that make the tables at once
            said = error
            time.sleep(attempt * CONNECT_SECONDS * random.random())
    if connection.WhichOneof("config") == "sqlite":
        where, fix = connection.sqlite.filename_uri, "look at who may write to its folder"
    else:
        server = connection.mysql
        where = f"mysql://{server.user}@{server.host}:{server.port}/{server.database}"
        fix = "check that it runs, the cluster.metadata_... settings, and the password in its Secret"
    raise BenisonError(f"the metadata store {where} cannot be used: {said}", fix)


def node_runs(connection: proto.ConnectionConfig, pipeline: str, run_id: str) -> list[NodeRun]:
    """What each node of the run came to, in the pipeline's order; those that never began are "skipped".

    A node that the store believes to be running is "failed": to be called when no node runs any more.
    """
    store = connect(connection)
    last = {name: found[-1] for name in NODES if (found := executions(store, pipeline, run_id, name))}
    begun = min((execution.create_time_since_epoch for execution in last.values()), default=0)
    return [_node_run(store, name, last.get(name), begun) for name in NODES]


def _node_run(store: MetadataStore, name: str, execution: proto.Execution | None, begun: int) -> NodeRun:
    if execution is None:
        return NodeRun(name, "skipped", 0.0, 0.0, {})
    start, end = execution.create_time_since_epoch, execution.last_update_time_since_epoch  # milliseconds
    state = state_of(execution)
    outputs = {} if state == "failed" else output_uris(store, execution.id)
    return NodeRun(name, state, (start - begun) / 1000, (end - start) / 1000, outputs)


def executions(store: Any, pipeline: str, run_id: str, name: str) -> list[proto.Execution]:
    """Those of a node in a run, oldest first. TFX puts each execution into a context of its run and one of its node."""
    of_run = store.get_context_by_type_and_name("pipeline_run", run_id)
    of_node = store.get_context_by_type_and_name("node", f"{pipeline}.{name}")
    if of_run is None or of_node is None:
        return []
    in_run = {execution.id for execution in store.get_executions_by_context(of_run.id)}
    found = [execution for execution in store.get_executions_by_context(of_node.id) if execution.id in in_run]
    return sorted(found, key=lambda execution: execution.id)


def state_of(execution: proto.Execution) -> State:
    return _STATES.get(execution.last_known_state, "failed")


def output_uris(store: Any, execution: int) -> dict[str, str]:
    """Output name -> URI of the artifact."""
    events = [event for event in store.get_events_by_execution_ids([execution]) if event.type in _OUTPUTS]
    uris = {a.id: a.uri for a in store.get_artifacts_by_id([event.artifact_id for event in events])}
    return {event.path.steps[0].key: uris[event.artifact_id] for event in events}


# --- what made what ---


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


def steps_of(store: MetadataStore, space: Path, run_id: str) -> list[Step]:
    """The steps of a run in the order of their executions; none if the store does not know the run."""
    return _Lineage(store, space).steps(run_id)


def steps_as_json(steps: Sequence[Step]) -> list[dict[str, Any]]:
    return [asdict(step) for step in steps]


def steps_of_json(steps: Sequence[Mapping[str, Any]]) -> list[Step]:
    """The inverse of `steps_as_json`."""

    def named(pairs: Sequence[Any]) -> tuple[tuple[str, Artifact], ...]:
        return tuple((name, Artifact(**artifact)) for name, artifact in pairs)

    return [Step(step["node"], step["state"], named(step["inputs"]), named(step["outputs"])) for step in steps]


class _Lineage:
    def __init__(self, store: MetadataStore, space: Path) -> None:
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
                    proto.Execution.State.Name(execution.last_known_state).lower(),
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
                self._place(found.uri),
                makers.get(found.id, ""),
            )
            for found in self._store.get_artifacts_by_id(list(ids))
        }

    def _place(self, uri: str) -> str:
        """Within the space, whichever path of it the store has; elsewhere as it stands there."""
        real, space = Path(os.path.realpath(uri)), Path(os.path.realpath(self._space))
        return str(real.relative_to(space)) if real.is_relative_to(space) else uri

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
