"""What ML Metadata knows of a run: the state and the outputs of its nodes. Imports neither TFX nor TensorFlow."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

from ml_metadata import MetadataStore
from ml_metadata.proto import metadata_store_pb2 as proto

from data.errors import BenisonError
from pipelines.nodes import NODES, NodeRun, State

NEW, RUNNING, FAILED = proto.Execution.NEW, proto.Execution.RUNNING, proto.Execution.FAILED
_STATES: dict[int, State] = {proto.Execution.COMPLETE: "ran", proto.Execution.CACHED: "cached"}

CONNECT_ATTEMPTS, CONNECT_SECONDS = 5, 1.0


def sqlite_connection(file: Path) -> proto.ConnectionConfig:
    """Of a file that is made if it is not there."""
    mode = proto.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
    return proto.ConnectionConfig(sqlite=proto.SqliteMetadataSourceConfig(filename_uri=str(file), connection_mode=mode))


def mysql_connection(host: str, port: int, database: str, user: str, password: str) -> proto.ConnectionConfig:
    return proto.ConnectionConfig(
        mysql=proto.MySQLDatabaseConfig(host=host, port=port, database=database, user=user, password=password)
    )


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
    where = (
        f"mysql://{connection.mysql.user}@{connection.mysql.host}:{connection.mysql.port}/{connection.mysql.database}"
    )
    raise BenisonError(
        f"the metadata store {where} cannot be used: {said}",
        "check that it runs, the cluster.metadata_... settings, and the password in its Secret",
    )


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
    outputs = (proto.Event.OUTPUT, proto.Event.DECLARED_OUTPUT)
    events = [event for event in store.get_events_by_execution_ids([execution]) if event.type in outputs]
    uris = {a.id: a.uri for a in store.get_artifacts_by_id([event.artifact_id for event in events])}
    return {event.path.steps[0].key: uris[event.artifact_id] for event in events}
