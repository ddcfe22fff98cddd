"""Runs the nodes of a TFX pipeline's IR in this process, all of them or one, and says what each came to.

Everything that leans on TFX's internals is here: the IR and its compiler, the deployment config, the portable
`Launcher` and the execution states in ML Metadata (tfx 1.16). Three things that TFX's own runners leave to be wished
for:

- `Launcher.launch` returns normally when inputs cannot be resolved: the published state is checked instead;
- a killed run leaves executions that are "running" for ever and half-written outputs: `bury_the_dead` ends both;
- nothing is told of progress.
"""

from __future__ import annotations

import base64
import json
import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ml_metadata.proto import metadata_store_pb2
from tfx.orchestration import metadata
from tfx.orchestration.local import runner_utils
from tfx.orchestration.pipeline import Pipeline
from tfx.orchestration.portable import launcher, runtime_parameter_utils
from tfx.proto.orchestration import pipeline_pb2

from data.errors import BenisonError
from pipelines.beam import adapt_beam, refusal_in
from pipelines.console.progress import Listener
from pipelines.node_list import NodeRun, State
from pipelines.records import lineage

RUN_ID = "pipeline-run-id"
"""TFX's name of the runtime parameter that stands in the IR where the run's id belongs."""


def compile_ir(pipeline: Pipeline) -> pipeline_pb2.Pipeline:
    """The IR of a pipeline: protobuf that says all of it but the run's id."""
    from tfx.dsl.compiler import compiler

    return compiler.Compiler().compile(pipeline)


def slice_of(ir: pipeline_pb2.Pipeline, name: str) -> pipeline_pb2.Pipeline:
    """The IR of one node: that node, how it is executed, and what concerns the pipeline as a whole."""
    part = pipeline_pb2.Pipeline()
    part.CopyFrom(ir)
    del part.nodes[:]
    part.nodes.extend(node for node in ir.nodes if node.pipeline_node.node_info.id == name)
    whole = pipeline_pb2.IntermediateDeploymentConfig()
    ir.deployment_config.Unpack(whole)
    deployment = pipeline_pb2.IntermediateDeploymentConfig()
    deployment.metadata_connection_config.CopyFrom(whole.metadata_connection_config)
    for specs, of_all in (
        (deployment.executor_specs, whole.executor_specs),
        (deployment.custom_driver_specs, whole.custom_driver_specs),
    ):
        if name in of_all:
            specs[name].CopyFrom(of_all[name])
    part.deployment_config.Pack(deployment, deterministic=True)
    return part


def to_text(ir: pipeline_pb2.Pipeline) -> str:
    """The IR as a command line can carry it, in letters that nothing on the way interprets."""
    return base64.b64encode(ir.SerializeToString(deterministic=True)).decode()


def from_text(text: str) -> pipeline_pb2.Pipeline:
    """The IR that `to_text` was given."""
    return pipeline_pb2.Pipeline.FromString(base64.b64decode(text))


def set_parameters(ir: pipeline_pb2.Pipeline, name: str, values: Mapping[str, str]) -> None:
    """Gives parameters of a node other values, in place."""
    for node in ir.nodes:
        if node.pipeline_node.node_info.id == name:
            for parameter, value in values.items():
                node.pipeline_node.parameters.parameters[parameter].field_value.string_value = value


def update_json(ir: pipeline_pb2.Pipeline, name: str, parameter: str, entries: Mapping[str, Any]) -> None:
    """Sets entries of a node's parameter that is a JSON object, in place."""
    for node in ir.nodes:
        if node.pipeline_node.node_info.id == name:
            value = node.pipeline_node.parameters.parameters[parameter].field_value
            value.string_value = json.dumps(json.loads(value.string_value) | dict(entries), sort_keys=True)


class NodeRunner:
    """Runs nodes of one IR as one run."""

    def __init__(self, ir: pipeline_pb2.Pipeline, run_id: str, password: str = "") -> None:
        """`password` is the metadata database's, which an IR does not hold."""
        adapt_beam()
        self._ir, self._run_id = pipeline_pb2.Pipeline(), run_id
        self._ir.CopyFrom(ir)
        runtime_parameter_utils.substitute_runtime_parameter(self._ir, {RUN_ID: run_id})
        self._deployment = runner_utils.extract_local_deployment_config(self._ir)
        config = self._deployment.metadata_connection_config
        self._connection = getattr(config, config.WhichOneof("connection_config"))
        if self._connection.WhichOneof("config") == "mysql":
            self._connection.mysql.password = password
        self._root = Path(self._ir.runtime_spec.pipeline_root.field_value.string_value)
        self._nodes = {node.pipeline_node.node_info.id: node.pipeline_node for node in self._ir.nodes}

    @property
    def node_ids(self) -> list[str]:
        return list(self._nodes)

    def bury_the_dead(self) -> None:
        """Ends executions that a killed run left open and removes what they had half written.

        To be called under the task's lock: whatever is open is then nobody's.
        """
        with metadata.Metadata(self._connection) as handle:
            executions = handle.store.get_executions()
            self._bury(handle.store, [e for e in executions if e.last_known_state in (lineage.NEW, lineage.RUNNING)])
        for leftover in self._root.glob("*/.system/stateful_working_dir/*"):
            shutil.rmtree(leftover)

    def bury(self, name: str) -> None:
        """The same for one node in this run alone, while other nodes and other runs may go on.

        TFX takes up the execution again when the node is launched the next time, and leaves it "failed" meanwhile.
        """
        with metadata.Metadata(self._connection) as handle:
            executions = self._executions(handle.store, name)
            self._bury(handle.store, [e for e in executions if lineage.state_of(e) == "failed"])

    def _bury(self, store: Any, dead: list[metadata_store_pb2.Execution]) -> None:
        for execution in dead:
            execution.last_known_state = lineage.FAILED
            for leftover in [*self._root.glob(f"*/*/{execution.id}"), *self._root.glob(f"*/.system/*/{execution.id}")]:
                shutil.rmtree(leftover, ignore_errors=True)
        if dead:
            store.put_executions(dead)

    def run(
        self, listener: Listener, expected: dict[str, float], first: str | None, last: str | None
    ) -> Iterator[NodeRun]:
        """Runs the nodes in order and yields each as it ends.

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
        for index, name in enumerate(self._nodes):
            start = time.monotonic()
            if name not in wanted:
                listener.node_finished(name, "skipped", 0.0)
                yield NodeRun(name, "skipped", start - begun, 0.0, {})
                continue
            listener.node_started(name, index, len(self._nodes), expected.get(name))
            state: State = "failed"
            outputs: dict[str, str] = {}
            try:
                state, outputs = self.launch(name)
            finally:
                listener.node_finished(name, state, time.monotonic() - start)
            yield NodeRun(name, state, start - begun, time.monotonic() - start, outputs)

    def launch(self, name: str) -> tuple[State, dict[str, str]]:
        """Runs one node: driver, executor, publisher. Returns its state and its outputs' URIs.

        Raises:
          BenisonError: its inputs are not there, or it was raised within the node, be it in a process of Beam's.
        """
        node = launcher.Launcher(
            pipeline_node=self._nodes[name],
            mlmd_connection=metadata.Metadata(self._connection),
            pipeline_info=self._ir.pipeline_info,
            pipeline_runtime_spec=self._ir.runtime_spec,
            executor_spec=runner_utils.extract_executor_spec(self._deployment, name),
            custom_driver_spec=runner_utils.extract_custom_driver_spec(self._deployment, name),
        )
        try:
            info = node.launch()
        except Exception as error:
            if (refusal := refusal_in(error)) is None or refusal is error:
                raise
            raise refusal from error
        with metadata.Metadata(self._connection) as handle:
            executions = handle.store.get_executions_by_id([info.execution_id]) if info else []
            state = lineage.state_of(executions[0]) if executions else "failed"
            if state == "failed":
                raise BenisonError(
                    f"node {name} did not run: what it needs from other nodes is not there",
                    "run again without --from, or with --fresh",
                )
            return state, lineage.output_uris(handle.store, info.execution_id)

    def finished(self, name: str) -> State | None:
        """The state in which an earlier process ended this node in this run, if it ended it well."""
        with metadata.Metadata(self._connection) as handle:
            states = [lineage.state_of(execution) for execution in self._executions(handle.store, name)]
        return next((state for state in states if state != "failed"), None)

    def _executions(self, store: Any, name: str) -> list[metadata_store_pb2.Execution]:
        return lineage.executions(store, self._ir.pipeline_info.id, self._run_id, name)

    def _needed_by(self, last: str | None) -> set[str]:
        if last is None:
            return set(self._nodes)
        needed, waiting = set(), [last]
        while waiting:
            name = waiting.pop()
            needed.add(name)
            waiting += [other for other in self._nodes[name].upstream_nodes if other not in needed]
        return needed

    def _forget_from(self, first: str | None) -> None:
        if first is not None:
            downstream, seen = {first}, False
            for name, node in self._nodes.items():
                seen = seen or name == first
                if seen and (name in downstream or downstream & set(node.upstream_nodes)):
                    downstream.add(name)
                    node.execution_options.caching_options.enable_cache = False
