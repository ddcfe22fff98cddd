"""Runs a TFX pipeline node by node in this process, as TFX's LocalDagRunner does, and says what each node came to.

Everything that leans on TFX's internals is here: the IR compiler, the deployment config, the portable `Launcher` and
the execution states in ML Metadata (tfx 1.16). Three things LocalDagRunner leaves to be wished for:

- `Launcher.launch` returns normally when inputs cannot be resolved: the published state is checked instead;
- a killed run leaves executions that are "running" for ever and half-written outputs: `bury_the_dead` ends both;
- nothing is told of progress.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ml_metadata.proto import metadata_store_pb2
from tfx.dsl.compiler import compiler, constants
from tfx.orchestration import metadata
from tfx.orchestration.local import runner_utils
from tfx.orchestration.pipeline import Pipeline
from tfx.orchestration.portable import launcher, runtime_parameter_utils

from data.errors import BenisonError
from pipelines.beam import remember_dofn_specs
from pipelines.progress import Listener

State = Literal["ran", "cached", "failed", "skipped"]
_Execution = metadata_store_pb2.Execution
_STATES: dict[int, State] = {_Execution.COMPLETE: "ran", _Execution.CACHED: "cached"}


@dataclass(frozen=True)
class NodeRun:
    """What one node came to. `outputs`: output name -> URI of its artifact; `start` in seconds after the run's."""

    id: str
    state: State
    start: float
    seconds: float
    outputs: dict[str, str]


class LocalRunner:
    """Runs the nodes of one pipeline in order."""

    def __init__(self, pipeline: Pipeline, run_id: str) -> None:
        remember_dofn_specs()
        self._ir = compiler.Compiler().compile(pipeline)
        runtime_parameter_utils.substitute_runtime_parameter(
            self._ir, {constants.PIPELINE_RUN_ID_PARAMETER_NAME: run_id}
        )
        self._deployment = runner_utils.extract_local_deployment_config(self._ir)
        config = self._deployment.metadata_connection_config
        self._connection = getattr(config, config.WhichOneof("connection_config"))
        self._nodes = [node.pipeline_node for node in self._ir.nodes]

    @property
    def node_ids(self) -> list[str]:
        return [node.node_info.id for node in self._nodes]

    def bury_the_dead(self) -> None:
        """Ends executions that a killed run left open and removes what they had half written.

        To be called under the task's lock: whatever is open is then nobody's.
        """
        root = Path(self._ir.runtime_spec.pipeline_root.field_value.string_value)
        with metadata.Metadata(self._connection) as handle:
            dead = [
                e for e in handle.store.get_executions() if e.last_known_state in (_Execution.NEW, _Execution.RUNNING)
            ]
            for execution in dead:
                execution.last_known_state = _Execution.FAILED
                for leftover in [*root.glob(f"*/*/{execution.id}"), *root.glob(f"*/.system/*/{execution.id}")]:
                    shutil.rmtree(leftover, ignore_errors=True)
            if dead:
                handle.store.put_executions(dead)
        for leftover in root.glob("*/.system/stateful_working_dir/*"):
            shutil.rmtree(leftover)

    def run(
        self, listener: Listener, expected: dict[str, float], first: str | None, last: str | None
    ) -> Iterator[NodeRun]:
        """Yields each node as it ends.

        Args:
          listener: told of each node's begin and end.
          expected: seconds that each node took when it last ran.
          first: from this node on, nothing is answered from the cache.
          last: nodes that this one does not need are skipped.

        Raises:
          BenisonError: a node failed without saying why.
        """
        wanted = self._needed_by(last)
        self._forget_from(first)
        begun = time.monotonic()
        for index, node in enumerate(self._nodes):
            name, start = node.node_info.id, time.monotonic()
            if name not in wanted:
                listener.node_finished(name, "skipped", 0.0)
                yield NodeRun(name, "skipped", start - begun, 0.0, {})
                continue
            listener.node_started(name, index, len(self._nodes), expected.get(name))
            state: State = "failed"
            outputs: dict[str, str] = {}
            try:
                state, outputs = self._launch(node)
            finally:
                listener.node_finished(name, state, time.monotonic() - start)
            yield NodeRun(name, state, start - begun, time.monotonic() - start, outputs)

    def _launch(self, node: Any) -> tuple[State, dict[str, str]]:
        name = node.node_info.id
        info = launcher.Launcher(
            pipeline_node=node,
            mlmd_connection=metadata.Metadata(self._connection),
            pipeline_info=self._ir.pipeline_info,
            pipeline_runtime_spec=self._ir.runtime_spec,
            executor_spec=runner_utils.extract_executor_spec(self._deployment, name),
            custom_driver_spec=runner_utils.extract_custom_driver_spec(self._deployment, name),
        ).launch()
        with metadata.Metadata(self._connection) as handle:
            executions = handle.store.get_executions_by_id([info.execution_id]) if info else []
            state = _STATES.get(executions[0].last_known_state) if executions else None
            if state is None:
                raise BenisonError(
                    f"node {name} did not run: what it needs from other nodes is not there",
                    "run again without --from, or with --fresh",
                )
            return state, _output_uris(handle, info.execution_id)

    def _needed_by(self, last: str | None) -> set[str]:
        if last is None:
            return set(self.node_ids)
        upstream = {node.node_info.id: list(node.upstream_nodes) for node in self._nodes}
        needed, waiting = set(), [last]
        while waiting:
            name = waiting.pop()
            needed.add(name)
            waiting += [other for other in upstream[name] if other not in needed]
        return needed

    def _forget_from(self, first: str | None) -> None:
        if first is not None:
            downstream, seen = {first}, False
            for node in self._nodes:
                seen = seen or node.node_info.id == first
                if seen and (node.node_info.id in downstream or downstream & set(node.upstream_nodes)):
                    downstream.add(node.node_info.id)
                    node.execution_options.caching_options.enable_cache = False


def _output_uris(handle: Any, execution: int) -> dict[str, str]:
    outputs = (metadata_store_pb2.Event.OUTPUT, metadata_store_pb2.Event.DECLARED_OUTPUT)
    events = [e for e in handle.store.get_events_by_execution_ids([execution]) if e.type in outputs]
    uris = {a.id: a.uri for a in handle.store.get_artifacts_by_id([e.artifact_id for e in events])}
    return {event.path.steps[0].key: uris[event.artifact_id] for event in events}
