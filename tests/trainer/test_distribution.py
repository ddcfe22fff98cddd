"""The worker's place in the cluster comes from TF_CONFIG; the strategy follows from it."""

import json
import subprocess
import sys

import pytest

from data.errors import WrongUse
from trainer import distribution

HOSTS = ["127.0.0.1:4001", "127.0.0.1:4002", "127.0.0.1:4003"]


@pytest.fixture(autouse=True)
def no_cluster(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)


@pytest.mark.parametrize("text", [None, "", "{}"])
def test_without_a_cluster_one_worker_is_the_chief(monkeypatch, text):
    if text is not None:
        monkeypatch.setenv("TF_CONFIG", text)
    assert (distribution.num_workers(), distribution.task_index(), distribution.is_chief()) == (1, 0, True)


@pytest.mark.parametrize(("index", "chief"), [(0, True), (2, False)])
def test_each_worker_finds_its_place(monkeypatch, index, chief):
    monkeypatch.setenv("TF_CONFIG", distribution.tf_config(HOSTS, index))
    assert (distribution.num_workers(), distribution.task_index(), distribution.is_chief()) == (3, index, chief)


def test_a_task_of_type_chief_comes_before_the_workers(monkeypatch):
    config = {"cluster": {"chief": HOSTS[:1], "worker": HOSTS[1:]}, "task": {"type": "worker", "index": 0}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(config))
    assert (distribution.num_workers(), distribution.task_index(), distribution.is_chief()) == (3, 1, False)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        ('{"cluster": {"worker": ["a:1"]}}', 'type of "task"'),
        ('{"cluster": {"worker": ["a:1"]}, "task": {"type": "evaluator", "index": 0}}', "one of the cluster's: worker"),
        ('{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}', "index"),
        ('{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": "0"}}', "'0'"),
        ('{"cluster": {"worker": "a:1"}, "task": {"type": "worker", "index": 0}}', "host:port"),
        ('{"cluster": {"worker": ["a:1"], "ps": ["b:1"]}, "task": {"type": "ps", "index": 0}}', "ps"),
    ],
)
def test_a_config_that_cannot_be_used_is_explained(monkeypatch, text, reason):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(WrongUse) as caught:
        distribution.num_workers()
    assert reason in caught.value.message
    assert "unset TF_CONFIG" in caught.value.fix


def test_reading_the_place_does_not_import_tensorflow():
    code = (
        "import sys; from trainer import distribution; distribution.is_chief(); sys.exit('tensorflow' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


class _FakeTensorFlow:
    """Stands for TensorFlow on a machine with `gpus`: building a real multi-worker strategy waits for its peers."""

    def __init__(self, gpus):
        self.config = self.distribute = self.experimental = self
        self.list_physical_devices = lambda kind: [kind] * gpus
        self.CommunicationImplementation = type("Kinds", (), {"NCCL": "nccl", "RING": "ring"})
        self.CommunicationOptions = lambda implementation: implementation
        self.MultiWorkerMirroredStrategy = lambda communication_options: f"multi-worker over {communication_options}"
        self.MirroredStrategy = lambda: "mirrored"
        self.get_strategy = lambda: "default"


@pytest.mark.parametrize(
    ("workers", "gpus", "expected"),
    [
        (1, 0, "default"),
        (1, 2, "mirrored"),
        (3, 0, "multi-worker over ring"),
        (3, 2, "multi-worker over nccl"),
    ],
)
def test_the_strategy_fits_workers_and_gpus(monkeypatch, workers, gpus, expected):
    monkeypatch.setattr(distribution, "load_tensorflow", lambda: _FakeTensorFlow(gpus))
    monkeypatch.setenv("TF_CONFIG", distribution.tf_config(HOSTS[:workers], 0))
    assert distribution.strategy() == expected
