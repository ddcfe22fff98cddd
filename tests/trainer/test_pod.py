"""A worker pod finds its place and waits for the others. Its training: `tests/components/test_kubernetes_training`."""

from __future__ import annotations

import json
import socket
import subprocess
import sys

import pytest

from data.errors import WrongUse
from trainer import pod

HOSTS = "a-0.a:2222,a-1.a:2222"


def test_its_place_comes_from_the_index() -> None:
    config = json.loads(pod.tf_config({pod.HOSTS: HOSTS, pod.INDEX: "1"}))
    assert config == {"cluster": {"worker": HOSTS.split(",")}, "task": {"type": "worker", "index": 1}}


def test_an_operators_word_is_believed() -> None:
    assert pod.tf_config({"TF_CONFIG": "{}", pod.HOSTS: HOSTS, pod.INDEX: "1"}) == "{}"


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        ({}, "JOB_COMPLETION_INDEX is '', BENISON_WORKER_HOSTS names 0 worker"),
        ({pod.INDEX: "0"}, "names 0 worker"),
        ({pod.HOSTS: HOSTS, pod.INDEX: "2"}, "is '2', BENISON_WORKER_HOSTS names 2 worker"),
        ({pod.HOSTS: HOSTS, pod.INDEX: "-1"}, "is '-1'"),
    ],
)
def test_without_a_place_it_does_not_train_alone(environment: dict[str, str], reason: str) -> None:
    with pytest.raises(WrongUse, match=reason) as caught:
        pod.tf_config(environment)
    assert "python -m trainer.worker" in caught.value.fix


def test_it_waits_until_all_names_are_known(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []

    def resolve(name: str, port: int) -> list[str]:
        asked.append(f"{name}:{port}")
        if asked.count(f"{name}:{port}") < 3 and name == "a-1.a":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return ["an address"]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(pod, "LOOK_SECONDS", 0.0)
    pod.wait_for_names(HOSTS.split(","))
    assert asked == ["a-0.a:2222", "a-1.a:2222", "a-1.a:2222", "a-1.a:2222"]
    assert capsys.readouterr().out == "waiting for a-1.a\n"


def test_a_pod_without_a_place_ends_as_wrong_use() -> None:
    command = [sys.executable, "-m", "trainer.pod", "spec.json"]
    done = subprocess.run(command, env={}, capture_output=True, text=True, check=False)
    assert done.returncode == WrongUse.exit_code
    assert "a worker's place is not known" in done.stderr
    assert "  -> start workers through an Indexed Job" in done.stderr
