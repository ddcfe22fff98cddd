"""Packages run task by task, each by its own command in its own process, against a real MariaDB."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from ml_metadata import MetadataStore
from ml_metadata.proto import metadata_store_pb2

from components import manifest
from dashboard.store import Store
from pipelines.cluster.node_main import PASSWORD, failure_of
from pipelines.cluster.package import task_name, write_package
from pipelines.console.progress import Listener
from pipelines.local.run import run
from pipelines.node_list import NODES, NodeRun, State
from pipelines.records import lineage
from pipelines.records.run_result import EXIT_BLESSED, EXIT_DATA_REFUSED, EXIT_NOT_BLESSED
from pipelines.settings import RunSettings
from tests import mariadb
from tests.kubeflow import Cluster, Package
from tests.pipelines.local.test_run import write_pictures

pytestmark = pytest.mark.whole

TASK = "image_classification"
QUICK = {"global_batch_size": "32", "min_steps": "400", "filters": "8", "epochs": "1"}
FIRST, SECOND, THIRD = "6f1c2f9e-run-1", "0a5be7d4-run-2", "c2d9810a-run-3"
SECONDS = 120


@dataclass
class World:
    """A volume, a metadata store and a cluster that share them."""

    root: Path
    server: mariadb.MariaDB
    ends: list[int] = field(default_factory=list)
    """How the Trainer's pods ended that were lost."""

    @property
    def volume(self) -> Path:
        return self.root / "volume"

    @property
    def space(self) -> Path:
        return self.volume / TASK

    @property
    def cluster(self) -> Cluster:
        return Cluster(self.root / "logs", {"benison-mysql": {"password": mariadb.PASSWORD}}, self._disturb)

    def package(self, name: str, data: str, **overrides: str) -> Package:
        given = {**QUICK, **self.server.settings(), "cluster.mount": str(self.volume), **overrides}
        file = self.root / f"{name}.yaml"
        write_package(RunSettings(TASK, data=str(self.volume / data), overrides=given), file)
        assert mariadb.PASSWORD not in file.read_text(encoding="utf-8")
        return Package.read(file)

    def result(self, run_id: str) -> dict[str, Any]:
        return json.loads((self.space / "runs" / run_id / "result.json").read_text(encoding="utf-8"))

    def store(self) -> MetadataStore:
        return MetadataStore(
            lineage.mysql_connection(mariadb.HOST, self.server.port, mariadb.DATABASE, mariadb.USER, mariadb.PASSWORD)
        )

    def executions(self, run_id: str, node: str) -> list[metadata_store_pb2.Execution]:
        return lineage.executions(self.store(), f"benison-{TASK}", run_id, node)

    def _disturb(self, process: subprocess.Popen[bytes], task: str, attempt: int) -> None:
        """The Trainer's first pod is killed and its second told to end, both while they train."""
        if task == "trainer" and len(self.ends) == attempt < 2:
            self._await_training(process)
            process.send_signal((signal.SIGKILL, signal.SIGTERM)[attempt])
            self.ends.append(process.wait(SECONDS))
            if attempt == 1:
                [execution] = self.executions(FIRST, "Trainer")
                assert execution.last_known_state == lineage.FAILED
                assert not list((self.space / "pipeline" / "Trainer").glob(f"*/{execution.id}"))

    def _await_training(self, process: subprocess.Popen[bytes]) -> None:
        begun, deadline = time.time(), time.monotonic() + SECONDS  # the process has only just been started
        while not any(f.stat().st_mtime > begun for f in self.space.glob("training/*/progress.json")):
            assert process.poll() is None, "the Trainer ended before it trained"
            assert time.monotonic() < deadline
            time.sleep(0.02)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    root = tmp_path_factory.mktemp("cluster")
    write_pictures(root / "volume" / "data", 60)
    with mariadb.running(root / "mariadb") as server:
        yield World(root, server)


@pytest.fixture(scope="module")
def first(world: World) -> dict[str, int]:
    return world.cluster.run(world.package("first", "data"), FIRST)


@pytest.fixture(scope="module")
def second(world: World, first: dict[str, int]) -> dict[str, int]:
    """The same with a bar that no model reaches."""
    return world.cluster.run(world.package("second", "data", gate="1.01"), SECOND)


def test_a_package_runs_to_a_blessed_and_pushed_model(world: World, first: dict[str, int]) -> None:
    assert set(first.values()) == {0}, {name: world.cluster.log(FIRST, name)[-2000:] for name, c in first.items() if c}
    result = world.result(FIRST)
    assert result["exit"] == EXIT_BLESSED and result["blessed"] and result["pushed"] == "1"
    assert [node["id"] for node in result["nodes"]] == list(NODES)
    assert {node["state"] for node in result["nodes"]} == {"ran"}
    assert result["examples"]["quarantined"] == 0 and result["seconds"] > 0 and result["peak_rss_mb"] > 100
    assert manifest.verify(world.space / "serving" / "1")["task"] == TASK


def test_it_leaves_what_a_local_run_leaves(world: World, first: dict[str, int]) -> None:
    run = world.space / "runs" / FIRST
    last = json.loads((world.space / "last_run.json").read_text(encoding="utf-8"))
    assert last["result"] == world.result(FIRST) or last["result"]["run_id"] == SECOND
    report = json.loads((run / "report" / "report.json").read_text(encoding="utf-8"))
    assert report["run_id"] == FIRST and report["pushed"] == "1" and report["nodes"] == world.result(FIRST)["nodes"]
    assert len(report["data"]["fingerprint"]) == 16
    assert (run / "report" / "index.html").is_file() and (run / "settings.yaml").is_file()
    store = Store(world.volume)
    steps = {step.node: step for step in store.lineage(store.run(TASK, FIRST))}
    assert set(steps) == set(NODES) and {step.state for step in steps.values()} == {"complete"}
    assert dict(steps["Pusher"].inputs)["model"] == dict(steps["Trainer"].outputs)["model"]
    log = (run / "log.txt").read_text(encoding="utf-8")
    assert [log.index(f"=== {name}\n") for name in NODES] == sorted(log.index(f"=== {name}\n") for name in NODES)
    assert "Execution" in world.cluster.log(FIRST, "data-gate"), "a pod's log tells what its node does"


def test_a_lost_pod_and_one_told_to_end_are_tried_again(world: World, first: dict[str, int]) -> None:
    assert world.ends == [-signal.SIGKILL, 128 + signal.SIGTERM]
    [execution] = world.executions(FIRST, "Trainer")
    assert lineage.state_of(execution) == "ran"
    assert "terminated" in world.cluster.log(FIRST, "trainer")
    assert not list(world.space.glob("training/*")), "the backups have served"


def test_lineage_is_what_the_ir_says(world: World, first: dict[str, int]) -> None:
    """Each node's outputs have the IR's types, and its inputs are what the nodes before it put out."""
    from pipelines.node_runner import from_text

    package, store = world.package("again", "data"), world.store()
    types = {kind.id: kind.name for kind in store.get_artifact_types()}
    put_out: dict[tuple[str, str], int] = {}
    for name in NODES:
        arguments = package.container_spec(package.tasks[task_name(name)])["args"]
        [node] = from_text(arguments[arguments.index("--ir") + 1]).nodes
        [execution] = world.executions(FIRST, name)
        events = store.get_events_by_execution_ids([execution.id])
        artifacts = {a.id: a for a in store.get_artifacts_by_id([event.artifact_id for event in events])}
        for event in events:
            key, artifact = event.path.steps[0].key, artifacts[event.artifact_id]
            if event.type == metadata_store_pb2.Event.OUTPUT:
                assert types[artifact.type_id] == node.pipeline_node.outputs.outputs[key].artifact_spec.type.name
                assert Path(artifact.uri).is_relative_to(world.space / "pipeline" / name)
                put_out[name, key] = artifact.id
            elif event.type == metadata_store_pb2.Event.INPUT:
                [channel] = node.pipeline_node.inputs.inputs[key].channels
                assert put_out[channel.producer_node_query.id, channel.output_key] == artifact.id
    assert {name for name, _ in put_out} == set(NODES) - {"LatestBlessed"}, "there was no blessed model yet"


def test_the_next_run_is_judged_beside_the_blessed_model_of_the_first(world: World, second: dict[str, int]) -> None:
    result = world.result(SECOND)
    assert result["baseline"]["accuracy"] == pytest.approx(world.result(FIRST)["metrics"]["accuracy"])
    [trained], [resolved] = world.executions(FIRST, "Trainer"), world.executions(SECOND, "LatestBlessed")
    events = world.store().get_events_by_execution_ids([resolved.id])
    [baseline] = {event.artifact_id for event in events if event.path.steps[0].key == "model"}
    [found] = world.store().get_artifacts_by_id([baseline])
    assert found.uri == lineage.output_uris(world.store(), trained.id)["model"]
    states = {node["id"]: node["state"] for node in result["nodes"]}
    assert {name for name, state in states.items() if state == "cached"} >= {"FolderExampleGen", "Transform", "Trainer"}
    assert states["Evaluator"] == states["Pusher"] == "ran"


def test_a_run_whose_model_is_not_blessed_ends_as_failed_at_its_verdict(world: World, second: dict[str, int]) -> None:
    assert {name: code for name, code in second.items() if code} == {"verdict": EXIT_NOT_BLESSED}
    assert world.result(SECOND)["exit"] == EXIT_NOT_BLESSED and world.result(SECOND)["pushed"] is None
    assert "not blessed" in world.cluster.log(SECOND, "verdict")
    assert [path.name for path in (world.space / "serving").iterdir()] == ["1"], "what was served stays served"


def test_refused_data_ends_with_its_own_exit_code_and_is_recorded(world: World, second: dict[str, int]) -> None:
    (world.volume / "broken" / "across").mkdir(parents=True)
    (world.volume / "broken" / "across" / "0.png").write_bytes(b"no picture")
    package = world.package("third", "broken", **{"cluster.retries": "0"})
    codes = world.cluster.run(package, THIRD)
    assert codes == {"folder-example-gen": EXIT_DATA_REFUSED, "latest-blessed": 0, "record": EXIT_DATA_REFUSED}
    result = world.result(THIRD)
    assert result["exit"] == EXIT_DATA_REFUSED
    assert result["verdict"].startswith("failed: FolderExampleGen: ")
    states = {node["id"]: node["state"] for node in result["nodes"]}
    assert states["FolderExampleGen"] == "failed" and states["Trainer"] == "skipped"
    last = json.loads((world.space / "last_run.json").read_text(encoding="utf-8"))
    assert last["result"]["run_id"] == SECOND, "the last run that came to an end"


def test_a_package_of_other_code_than_the_images_is_refused(world: World) -> None:
    package = world.package("stale", "data")
    container = package.container(package.tasks["latest-blessed"], THIRD + "y", {"benison-mysql": {"password": "any"}})
    container.command[container.command.index("--code") + 1] = "0" * 16
    ended = subprocess.run(container.command, env=container.environment, capture_output=True, text=True)
    assert ended.returncode == 2
    assert "compiled from other code" in ended.stderr and "build the image anew" in ended.stderr


def test_a_wrong_password_is_said_in_words(world: World) -> None:
    package = world.package("locked", "data")
    container = package.container(package.tasks["verdict"], THIRD + "x", {"benison-mysql": {"password": "wrong"}})
    assert container.environment[PASSWORD] == "wrong"
    ended = subprocess.run(container.command, env=container.environment, capture_output=True, text=True)
    assert ended.returncode == 1
    assert "error: the metadata store mysql://benison@" in ended.stderr and "Secret" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_on_one_machine_a_node_goes_on_from_what_a_local_run_left(tmp_path: Path) -> None:
    """Without a server its store is the file that local runs have: here it finds its result."""
    volume, file = tmp_path / "volume", tmp_path / "package.yaml"
    write_pictures(volume / "data", 12)
    settings = RunSettings(TASK, data=str(volume / "data"), to_node="StatisticsGen", workspace=volume)
    assert run(settings, Listener()).exit == EXIT_BLESSED
    overrides = {"cluster.metadata_host": "", "cluster.mount": str(volume)}
    write_package(RunSettings(TASK, data=str(volume / "data"), overrides=overrides), file)
    package = Package.read(file)
    container = package.container(package.tasks["folder-example-gen"], FIRST, {})
    assert PASSWORD not in container.environment
    ended = subprocess.run(container.command, env=container.environment, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    told = volume / TASK / "runs" / FIRST / "nodes" / "FolderExampleGen.json"
    assert json.loads(told.read_text(encoding="utf-8"))["state"] == "cached"


SAID = {"message": "the disk is full", "fix": "free some space", "exit": 1, "log": "log.txt"}


@pytest.mark.parametrize(
    ("states", "said", "message"),
    [
        (["ran", "cached"], {}, None),
        (["ran", "failed"], {"StatisticsGen": SAID}, "StatisticsGen: the disk is full"),
        (["ran", "skipped"], {"StatisticsGen": SAID}, "StatisticsGen: the disk is full"),
        (["ran", "failed"], {"StatisticsGen": None}, "StatisticsGen ended without saying why"),
        (["ran", "failed"], {}, "StatisticsGen ended without saying why"),
        (["failed", "skipped"], {"StatisticsGen": SAID}, "StatisticsGen: the disk is full"),
        (["ran", "skipped"], {}, "StatisticsGen never began"),
    ],
)
def test_a_failed_run_is_recorded_with_the_best_reason_there_is(
    states: list[State], said: dict[str, Any], message: str | None
) -> None:
    nodes = [NodeRun(name, state, 0.0, 1.0, {}) for name, state in zip(NODES, states, strict=False)]
    failure = failure_of(nodes, {name: {"peak_rss_mb": 1.0, "failure": each} for name, each in said.items()})
    assert (failure and failure.message) == message
    assert failure is None or failure.fix
