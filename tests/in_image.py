"""What pods do, done in the built image: `kubeflow/test-image` runs this file, and `make test` does not.

Each process is the image's own, as user 10001 without capabilities, on a read-only root file system. Beside it there
are a volume and a real MariaDB.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shlex
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from components import manifest
from components.workers.cluster_settings import ClusterSettings
from pipelines.cluster.package import write_package
from pipelines.settings import RunSettings
from tests import mariadb
from tests.kubeflow import Cluster, Container, Package
from tests.pipelines.cluster.test_node_main import QUICK, write_pictures
from trainer.pod import HOSTS, INDEX
from trainer.worker import TrainingSpec

INSIDE = shlex.split(os.environ["BENISON_INSIDE"])
"""Command that runs what comes behind it in the image."""
VOLUME = Path(os.environ["BENISON_VOLUME"])
"""What the image has at /workspace."""
MOUNT = Path(ClusterSettings().mount)
TASK, RUN, USER = "image_classification", "4b1d-in-the-image", 10001
SECONDS = 180


class ImagePackage(Package):
    """A package whose containers run in the image and not in this environment."""

    def container(self, task: Mapping[str, Any], run_id: str, secrets: Mapping[str, Mapping[str, str]]) -> Container:
        found = super().container(task, run_id, secrets)
        return dataclasses.replace(found, command=[*INSIDE, "python", *found.command[1:]])


def inside(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*INSIDE, *command], env=os.environ | environment, capture_output=True, text=True, timeout=SECONDS
    )


def on_host(path: str) -> Path:
    """A path of the image's volume, here."""
    return VOLUME / Path(path).relative_to(MOUNT)


@pytest.fixture(scope="module")
def codes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, int]]:
    """How the tasks of a package ended that was compiled here and ran there."""
    folder = tmp_path_factory.mktemp("cluster")
    write_pictures(VOLUME / "data", 60)
    with mariadb.running(folder / "mariadb") as server:
        settings = RunSettings(TASK, data=str(MOUNT / "data"), overrides={**QUICK, **server.settings()})
        write_package(settings, folder / "package.yaml")
        cluster = Cluster(folder / "logs", {"benison-mysql": {"password": mariadb.PASSWORD}})
        ended = cluster.run(ImagePackage.read(folder / "package.yaml"), RUN)
        for name, code in ended.items():
            if code:
                print(f"=== {name} ended with {code}\n{cluster.log(RUN, name)[-3000:]}")
        yield ended


def test_the_process_is_nobody_on_a_read_only_root() -> None:
    assert inside("id", "--user").stdout.strip() == str(USER)
    refused = inside("touch", "/opt/benison/mark")
    assert refused.returncode != 0 and "Read-only file system" in refused.stderr
    assert inside("touch", "/tmp/mark").returncode == 0
    status = inside("cat", "/proc/self/status").stdout
    assert "CapEff:\t0000000000000000" in status and "CapBnd:\t0000000000000000" in status
    assert "NoNewPrivs:\t1" in status


def test_the_command_line_answers() -> None:
    tasks = json.loads(inside("benison", "tasks", "--json").stdout)
    assert TASK in {task["task"] for task in tasks}
    checks = json.loads(inside("benison", "doctor", "--json").stdout)
    assert not [check for check in checks if check["state"] == "missing"]


def test_a_package_runs_to_a_pushed_model(codes: dict[str, int]) -> None:
    assert set(codes.values()) == {0}
    result = json.loads((VOLUME / TASK / "runs" / RUN / "result.json").read_text())
    assert result["blessed"] and result["pushed"] == "1"
    assert manifest.verify(VOLUME / TASK / "serving" / "1")["task"] == TASK
    assert {path.stat().st_uid for path in (VOLUME / TASK).rglob("*")} == {USER}


def test_the_pushed_model_answers(codes: dict[str, int]) -> None:
    picture = MOUNT / "data" / "down" / next((VOLUME / "data" / "down").iterdir()).name
    asked = inside("benison", "predict", "--json", TASK, str(picture))
    [answer] = json.loads(asked.stdout)
    assert answer["label"] == "down", asked.stderr


def test_two_pods_train_together(codes: dict[str, int]) -> None:
    pipeline = VOLUME / TASK / "pipeline"
    [graph] = (pipeline / "Transform" / "transform_graph").iterdir()
    [examples] = (pipeline / "Transform" / "transformed_examples").iterdir()
    report = json.loads((VOLUME / TASK / "runs" / RUN / "report" / "report.json").read_text())
    there = MOUNT / TASK / "by-hand"
    spec = TrainingSpec(
        task=TASK,
        hparams=report["hparams"],
        train_files=[str(MOUNT / file.relative_to(VOLUME)) for file in sorted((examples / "Split-train").iterdir())],
        transform_graph=str(MOUNT / graph.relative_to(VOLUME)),
        model_dir=str(there / "model"),
        log_dir=str(there / "log"),
        training_dir=str(there / "training"),
        steps=20,
    )
    for folder in ("", "training"):
        on_host(str(there / folder)).mkdir()
        os.chown(on_host(str(there / folder)), USER, USER)
    on_host(str(there / "spec.json")).write_text(json.dumps(dataclasses.asdict(spec)))
    hosts = ",".join(f"127.0.0.1:{free_port()}" for _ in range(2))
    command = [*INSIDE, "python", "-m", "trainer.pod", str(there / "spec.json")]
    pods = [
        subprocess.Popen(command, env=os.environ | {HOSTS: hosts, INDEX: str(index)}, stderr=subprocess.PIPE, text=True)
        for index in range(2)
    ]
    for pod in pods:
        _, said = pod.communicate(timeout=SECONDS)
        assert pod.returncode == 0, said[-3000:]
    assert (on_host(spec.model_dir) / "saved_model.pb").is_file()
    assert (on_host(spec.log_dir) / "history.json").is_file()


def test_the_dashboard_shows_the_run(codes: dict[str, int]) -> None:
    token, port = "a-token-for-the-tests-of-the-image", free_port()
    command = [*INSIDE, "benison", "dashboard", "--host", "0.0.0.0", "--port", str(port)]
    environment = os.environ | {"BENISON_DASHBOARD_TOKEN": token}
    with subprocess.Popen(command, env=environment, start_new_session=True) as process:
        try:
            assert answered(f"http://127.0.0.1:{port}/healthz", process) == 200
            with pytest.raises(urllib.error.HTTPError, match="401"):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=SECONDS)
            opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
            assert opener.open(f"http://127.0.0.1:{port}/?token={token}", timeout=SECONDS).status == 200
        finally:
            os.killpg(process.pid, signal.SIGKILL)  # `unshare` would not pass on a gentler one


def answered(address: str, process: subprocess.Popen[bytes]) -> int:
    """Status of the first answer that a server gives that is starting."""
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            return urllib.request.urlopen(address, timeout=SECONDS).status
        except urllib.error.URLError:
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.2)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
