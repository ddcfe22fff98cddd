"""What a container of the Kubeflow package runs: one node of a pipeline, or the end of a run.

    python -m pipelines.cluster.node_main run NODE --ir TEXT --code DIGEST --settings JSON --run-id ID
    python -m pipelines.cluster.node_main verdict --settings JSON --run-id ID
    python -m pipelines.cluster.node_main record --settings JSON --run-id ID

`run` is one node as a local run would run it: driver, executor and publisher, against the same kind of metadata store,
with the same artifacts. `verdict` comes after the last node and writes what a local run leaves for people; it ends with
the run's exit code. `record` comes at the very end, however the run ended, and writes the same of one that failed.

The exit code is that of the command line: 0 well, 1 failed, 2 wrong use, 3 not blessed, 4 data refused, 143 told to
end. Each node logs to its own file below the run's, since files that several machines append to get mixed up on NFS.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from data.atomic import write_atomic
from data.errors import WrongUse
from pipelines import assets
from pipelines.console import logs
from pipelines.console.failures import Failure, Terminated
from pipelines.identity import code_digest
from pipelines.node_list import NODES, NodeRun, State, pipeline_name
from pipelines.quick_imports import quick_imports
from pipelines.records import live_state, workspace
from pipelines.records.run_record import RunRecord
from pipelines.records.run_result import EXIT_BLESSED, EXIT_DATA_REFUSED, EXIT_FAILED, RunResult
from pipelines.settings import RunSettings, apply_overrides
from trainer.task import load

if TYPE_CHECKING:
    from ml_metadata.proto import metadata_store_pb2

PASSWORD = "BENISON_METADATA_PASSWORD"
"""Environment variable that holds the metadata database's password."""

DATA_CACHE = ".cache"
"""Folder of the shared volume that data sets are prepared in."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Runs what the arguments say. Every error ends here, in words and an exit code."""
    signal.signal(signal.SIGTERM, _terminate)
    given = _parser().parse_args(arguments)
    try:
        code = given.command(ClusterRun.of(json.loads(given.settings), given.run_id), given)
    except (Exception, KeyboardInterrupt) as error:
        failure = Failure.of(error)
        print(failure, file=sys.stderr, flush=True)
        code = failure.exit
    sys.exit(code)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m pipelines.cluster.node_main", description=__doc__.split("\n", 1)[0]
    )
    every = argparse.ArgumentParser(add_help=False)
    every.add_argument("--settings", required=True, help="RunSettings as JSON")
    every.add_argument("--run-id", required=True)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = commands.add_parser("run", parents=[every], help="one node of the pipeline")
    run.add_argument("node", choices=NODES)
    run.add_argument("--ir", required=True, help="the node's part of the IR, as pipelines.node_runner.to_text has it")
    run.add_argument("--code", required=True, help="digest of the code that the IR was compiled from")
    run.set_defaults(command=_node)
    for name, command in (("verdict", _verdict), ("record", _record)):
        commands.add_parser(name, parents=[every]).set_defaults(command=command)
    return parser


def _terminate(number: int, frame: object) -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # what follows must not be interrupted
    raise Terminated


@dataclass(frozen=True)
class ClusterRun:
    """One run on a cluster: where it is recorded and where its metadata is."""

    record: RunRecord
    connection: metadata_store_pb2.ConnectionConfig

    @classmethod
    def of(cls, settings: dict[str, Any], run_id: str) -> ClusterRun:
        from pipelines.records.lineage import cluster_connection

        chosen = RunSettings(**{**settings, "workspace": Path(settings["workspace"])})
        _, options = apply_overrides(load(chosen.task).HParams, chosen.overrides)
        space = workspace.TaskSpace(chosen.workspace / chosen.task)
        connection = cluster_connection(options.cluster, space, os.environ.get(PASSWORD, ""))
        return cls(RunRecord(space, chosen, run_id, identity={}), connection)

    def begin(self) -> None:
        """Unless another node did. Several may come first at once; all write the same, the settings last.

        Between two nodes nobody touches the state, for as long as a pod may wait to start.
        """
        if (self.record.directory / "settings.yaml").exists():
            return
        _, options = apply_overrides(load(self.record.settings.task).HParams, self.record.settings.overrides)
        patience = options.cluster.start_seconds + live_state.PATIENCE_SECONDS
        live_state.begin(self.record.directory, self.record.facts, patience)
        self.record.begin()

    def log(self, name: str) -> Path:
        return self.record.directory / "logs" / f"{name}.txt"

    def nodes(self) -> list[NodeRun]:
        from pipelines.records.lineage import node_runs

        return node_runs(self.connection, pipeline_name(self.record.settings.task), self.record.run_id)

    def write_lineage(self) -> None:
        """For the dashboard, which cannot ask the database server."""
        from pipelines.records.lineage import connect, steps_as_json, steps_of

        steps = steps_of(connect(self.connection), self.record.space.root, self.record.run_id)
        write_atomic(self.record.directory / "lineage.json", json.dumps({"steps": steps_as_json(steps)}, indent=2))


# --- one node ---


def _node(run: ClusterRun, given: argparse.Namespace) -> int:
    directory, name = run.record.directory, given.node
    run.begin()
    live_state.node_begins(directory, name)
    try:
        with logs.captured(run.log(name), verbose=True), live_state.alive(directory):
            _check_code(given.code)
            state = _launch(run, name, given.ir)
    except (Exception, KeyboardInterrupt) as error:
        live_state.node_ends(directory, name, "failed", Failure.of(error))
        raise
    live_state.node_ends(directory, name, state)
    return EXIT_BLESSED


def _check_code(compiled: str) -> None:
    """The digests that TFX's cache goes by are of the code that was compiled: the same code must run here."""
    here = code_digest()
    if here != compiled:
        raise WrongUse(
            f"the package was compiled from other code ({compiled}) than this image holds ({here})",
            "compile it from the state of the project that the image was built from, or build the image anew",
        )


def _launch(run: ClusterRun, name: str, text: str) -> State:
    with quick_imports():
        from trainer.backend import load_tensorflow

        load_tensorflow()
        from pipelines.node_runner import NodeRunner, from_text, set_parameters, update_json
        from pipelines.records.lineage import connect

    ir = from_text(text)
    if name == "FolderExampleGen":
        _assets(run.record.settings)  # for what is wrong with them to be said before any data is read
        set_parameters(ir, name, _data_parameters(run.record.settings))
    elif name in assets.NODES:
        update_json(ir, name, assets.NODES[name], {assets.KEY: _assets(run.record.settings)})
    connect(run.connection)
    runner = NodeRunner(ir, run.record.run_id, os.environ.get(PASSWORD, ""))
    if state := runner.finished(name):  # by a pod that was lost before it could say so
        return state
    runner.bury(name)
    try:
        return runner.launch(name)[0]
    except KeyboardInterrupt:  # TFX closes the books on nodes that fail, not on those that are interrupted
        _kill_children()
        runner.bury(name)
        raise


def _data_parameters(settings: RunSettings) -> dict[str, str]:
    """Where the data lies on the shared volume, after it was fetched if it has a name."""
    from components.example_gen import input_parameters
    from data.sources import catalogue

    task = load(settings.task)
    cache = settings.workspace / DATA_CACHE
    return input_parameters(catalogue.resolve(settings.data or task.data, task.columns, print, cache).resolve())


def _assets(settings: RunSettings) -> dict[str, dict[str, str] | None]:
    """Where the task's assets lie on the shared volume, after they were fetched if no node before did."""
    task = load(settings.task)
    hparams, _ = apply_overrides(task.HParams, settings.overrides)
    return assets.locate(task, hparams, print, settings.workspace / DATA_CACHE)


def _kill_children() -> None:
    """Those of Beam and of training, which would go on writing."""
    import psutil

    children = psutil.Process().children(recursive=True)
    for child in children:
        child.kill()
    psutil.wait_procs(children)


# --- the end of a run ---


def _verdict(run: ClusterRun, given: argparse.Namespace) -> int:
    result = _recorded(run)
    print(result.closing(), flush=True)
    return result.exit


def _record(run: ClusterRun, given: argparse.Namespace) -> int:
    """Ends with 4 if the data was refused and well otherwise: a task's state is all that the KFP API tells of a run."""
    result = _recorded(run)
    print(result.verdict, flush=True)
    return EXIT_DATA_REFUSED if result.exit == EXIT_DATA_REFUSED else EXIT_BLESSED


def _recorded(run: ClusterRun) -> RunResult:
    """The run's result, after it was written unless it had been before."""
    if result := run.record.result:
        return result
    run.begin()
    nodes, ends = run.nodes(), live_state.ended_nodes(run.record.directory)
    _join_logs(run)
    run.write_lineage()
    seconds = max(node.start + node.seconds for node in nodes)
    peak = max((end["peak_rss_mb"] for end in ends.values()), default=0.0)
    failure = failure_of(nodes, ends)
    if failure is None:
        result = run.record.finish(nodes, seconds, peak)
    else:
        result = run.record.fail(nodes, seconds, peak, failure)
    live_state.end(run.record.directory, seconds, failure)
    return result


def failure_of(nodes: Sequence[NodeRun], ends: Mapping[str, dict[str, Any]]) -> Failure | None:
    """Why the run did not come to its end; None if it did. A node's own words come before what can be guessed."""
    open_nodes = [node for node in nodes if node.state in ("failed", "skipped")]
    for node in open_nodes:
        if node.id in ends and (said := ends[node.id]["failure"]):
            return Failure(**{**said, "message": f"{node.id}: {said['message']}"})
    for node in open_nodes:
        if node.state == "failed":
            return Failure(
                f"{node.id} ended without saying why",
                "look at its pod: most often memory ran out, then raise cluster.memory or cluster.training_memory",
                EXIT_FAILED,
            )
    if open_nodes:
        return Failure(
            f"{open_nodes[0].id} never began",
            "look at its pod: an image that cannot be pulled, a claim or a Secret that is not there, no room on a node",
            EXIT_FAILED,
        )
    return None


def _join_logs(run: ClusterRun) -> None:
    """One log of the run, as a local run has it, out of those of its nodes."""
    parts = [f"=== {name}\n{log.read_text(encoding='utf-8')}" for name in NODES if (log := run.log(name)).exists()]
    write_atomic(run.record.log, "".join(parts))


if __name__ == "__main__":
    main()
