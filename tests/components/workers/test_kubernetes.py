"""Training workers as pods, against a real HTTP Kubernetes API with stand-ins for its controllers and its kubelet.

The workers are small scripts without TensorFlow, but in the last test, where two real ones train and one is killed.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from components.workers import kubernetes as launcher_module
from components.workers.cluster_settings import ClusterSettings
from components.workers.kubernetes import KubernetesWorkers
from components.workers.kubernetes_api import Api
from components.workers.rendering import name_of
from data.errors import BenisonError, DataRefused, WrongUse
from tests.components.workers.kubelet import NAMESPACE, Cluster, cluster, until
from trainer.worker import TrainingSpec

PROJECT_ROOT = Path(__file__).resolve().parents[3]
DEADLINE = 60.0

# What each worker script may use. No script can outlast the alarm, so that a failing test does not hang.
PRELUDE = f"""
import json, os, signal, sys, time
from pathlib import Path
sys.path.insert(0, {str(PROJECT_ROOT)!r})
from trainer.pod import tf_config
signal.alarm(90)
spec = json.loads(Path(sys.argv[1]).read_text())
here = Path(spec["training_dir"])
config = json.loads(tf_config(os.environ))
index = config.get("task", {{}}).get("index", 0)
attempt = len(list(here.glob(f"attempt-*-of-{{index}}"))) + 1
(here / f"attempt-{{attempt}}-of-{{index}}").write_text(str(os.getpid()))
def reached(step):
    (here / "progress.tmp").write_text(json.dumps({{"step": step, "steps_total": 100, "loss": 0.5}}))
    os.replace(here / "progress.tmp", here / "progress.json")
def wait_for(name):
    while not (here / name).exists():
        time.sleep(0.01)
def save():
    for folder in ("model_dir", "log_dir"):
        Path(spec[folder]).mkdir(parents=True, exist_ok=True)
    (Path(spec["model_dir"]) / "saved_model.pb").write_text("a model")
    (Path(spec["log_dir"]) / "history.json").write_text("[]")
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    with cluster(tmp_path) as running:
        running.add_pod("executor-1", labels={"pipeline/runid": "run-7"})
        monkeypatch.setenv("KUBECONFIG", str(running.kubeconfig))
        monkeypatch.setenv("POD_NAME", "executor-1")
        monkeypatch.setenv("POD_NAMESPACE", NAMESPACE)
        monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
        yield running


@pytest.fixture
def spec(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "training").mkdir()
    return asdict(
        TrainingSpec("toy_task", {}, [], "", str(tmp_path / "model"), str(tmp_path / "run"), str(tmp_path / "training"))
    )


@pytest.fixture
def workers(tmp_path: Path) -> Callable[..., KubernetesWorkers]:
    """Two workers that run a script."""

    def make(script: str, count: int = 2, **settings: Any) -> KubernetesWorkers:
        file = tmp_path / "worker.py"
        file.write_text(PRELUDE + textwrap.dedent(script))
        chosen = ClusterSettings(**{"mount": str(tmp_path), "start_seconds": 60} | settings)
        return KubernetesWorkers(chosen, count, command=("python", str(file)), poll_seconds=0.05)

    return make


@contextmanager
def beside(action: Callable[[], None]) -> Iterator[None]:
    """Runs `action` in another thread meanwhile; what it raises counts."""
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(action)
        yield
        future.result(DEADLINE)


def attempts(spec: dict[str, Any], index: int) -> int:
    return len(list(Path(spec["training_dir"]).glob(f"attempt-*-of-{index}")))


def left_behind(here: Cluster) -> list[str]:
    """All objects of the training, and its processes, once the cluster has come to rest."""
    kinds = ("services", "jobs")
    gone = until(lambda: not here.workers() and not any(here.client.list(kind) for kind in kinds))
    return [] if gone and all(process.poll() is not None for process in here.processes.values()) else ["processes"]


def created(here: Cluster, what: str) -> int:
    return here.api.calls.count(("create", what))


# Training


def test_workers_know_their_place_and_leave_the_model_and_their_logs(
    here: Cluster, spec: dict[str, Any], workers: Any, tmp_path: Path
) -> None:
    script = """
    names = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "HOME")
    seen = [config, [os.environ[name] for name in names], sorted(os.environ)]
    (here / f"seen-{index}").write_text(json.dumps(seen))
    if index == 0:
        save()
    print("trained")
    """
    workers(script, training_cpu="1.5").run(spec, tmp_path / "logs")
    seen = [json.loads((Path(spec["training_dir"]) / f"seen-{index}").read_text()) for index in range(2)]
    assert [config["task"] for config, *_ in seen] == [{"type": "worker", "index": index} for index in range(2)]
    assert seen[0][0]["cluster"] == seen[1][0]["cluster"]
    assert all(host.startswith("127.0.0.1:") for host in seen[0][0]["cluster"]["worker"])
    assert seen[0][1] == ["2", "2", "2", "/tmp"], "a limit of 1.5 cores is two threads"
    assert not {"POD_NAME", "KUBECONFIG"} & set(seen[0][2])
    for index in range(2):
        header, line = (tmp_path / "logs" / f"worker-{index}.log").read_text().splitlines()
        assert header.startswith(f"=== worker {index} of 2, attempt 1,")
        assert line == "trained"
    assert (Path(spec["model_dir"]) / "saved_model.pb").read_text() == "a model"
    assert (Path(spec["log_dir"]) / "history.json").exists()
    assert left_behind(here) == []


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize(("training", "plural"), [("tfjob", "tfjobs"), ("trainjob", "trainjobs")])
def test_operators_make_the_same_workers(
    here: Cluster, spec: dict[str, Any], workers: Any, tmp_path: Path, training: str, plural: str, count: int
) -> None:
    here.api.served |= {"tfjobs", "trainjobs", "trainingruntimes"}
    script = """
    (here / f"seen-{index}").write_text(json.dumps(config))
    if index == 0:
        save()
    """
    workers(script, count, training=training).run(spec, tmp_path / "logs")
    seen = [json.loads((Path(spec["training_dir"]) / f"seen-{index}").read_text()) for index in range(count)]
    if training == "tfjob" and count == 1:
        assert seen == [{}]
    else:
        assert [config["task"]["index"] for config in seen] == list(range(count))
        assert all(len(set(config["cluster"]["worker"])) == count for config in seen)
        assert all(host.startswith("127.0.0.1:") for host in seen[0]["cluster"]["worker"])
    assert (Path(spec["model_dir"]) / "saved_model.pb").exists()
    kinds = [plural] if training == "tfjob" else [plural, "trainingruntimes"]
    until(lambda: not here.workers() and not any(here.client.list(kind) for kind in kinds))
    assert created(here, "jobs") == 0


def test_it_uses_no_right_that_its_docstring_does_not_name(
    here: Cluster, spec: dict[str, Any], workers: Any, tmp_path: Path
) -> None:
    workers("save() if attempt == 2 else sys.exit(1)", 1).run(spec, tmp_path / "logs")
    used = {f"{resource} {verb}" for verb, resource in here.api.calls}
    text = launcher_module.__doc__ or ""
    block = re.search(r"no others:\n\n(.*?)\n\n", text, re.DOTALL)
    assert block
    named = set()
    for line in block[1].splitlines():
        if match := re.match(r"\s*(\S.*?\S)\s{2,}([\w, ]+?)(?:\s+\(training=(\w+)\))?$", line):
            resources = [resource.split(".")[0] for resource in match[1].split(", ")]
            named |= {f"{resource} {verb}" for resource in resources for verb in match[2].split(", ")}
    assert used <= named
    assert {"jobs create", "services delete", "pods list", "pods/log get"} <= used


# Failures and restarts


def test_when_one_worker_dies_all_are_started_again(
    here: Cluster, spec: dict[str, Any], workers: Any, tmp_path: Path
) -> None:
    script = """
    if attempt == 1:
        wait_for("never")
    if index == 0:
        save()
    """

    def kill() -> None:
        until(lambda: attempts(spec, 0) and attempts(spec, 1))
        here.kill(1)

    with beside(kill):
        workers(script).run(spec, tmp_path / "logs")
    assert attempts(spec, 0) == attempts(spec, 1) == 2
    assert created(here, "jobs") == 2
    assert left_behind(here) == []


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level("INFO", logger="components")
    return caplog


def test_a_failure_that_repeats_without_progress_is_told_with_its_reason(
    here: Cluster, spec: dict[str, Any], workers: Any, tmp_path: Path, told: pytest.LogCaptureFixture
) -> None:
    script = """
    if index == 0:
        wait_for("never")
    print("W some chatter")
    raise ValueError("no such layer: dense_9")
    """
    with pytest.raises(BenisonError) as caught:
        workers(script, max_restarts=5).run(spec, tmp_path / "logs")
    assert attempts(spec, 1) == 2
    assert "training worker 1 of 2 ended with status 1: ValueError: no such layer: dense_9 (attempt 2" in str(
        caught.value
    )
    log = tmp_path / "logs" / "worker-1.log"
    assert str(log) in caught.value.message
    assert re.findall(r"attempt \d", log.read_text()) == ["attempt 1", "attempt 2"]
    assert "chatter" in log.read_text()
    assert "all workers start again from the last backup" in told.text
    assert re.search(r"benison-toy-task-\S+ \| ValueError: no such layer: dense_9", told.text)
    assert left_behind(here) == []


@pytest.mark.parametrize(("status", "kind"), [(1, BenisonError), (2, WrongUse), (4, DataRefused)])
def test_what_a_worker_explains_is_passed_on_and_not_tried_again(
    here: Cluster, spec: dict[str, Any], workers: Any, tmp_path: Path, status: int, kind: type[BenisonError]
) -> None:
    script = f"""
    print("the split holds no examples\\n  -> give it some")
    sys.exit({status})
    """
    with pytest.raises(kind, match="the split holds no examples") as caught:
        workers(script).run(spec, tmp_path / "logs")
    assert type(caught.value) is kind
    assert caught.value.fix == "give it some"
    assert created(here, "jobs") == 1


def test_a_worker_that_is_killed_for_ever_is_told_of_memory(
    here: Cluster, spec: dict[str, Any], workers: Any, tmp_path: Path
) -> None:
    script = "os.kill(os.getpid(), signal.SIGKILL)"
    with pytest.raises(BenisonError, match="was killed by SIGKILL") as caught:
        workers(script, training_memory="3Gi").run(spec, tmp_path / "logs")
    assert "cluster.training_memory, now 3Gi" in caught.value.fix


@pytest.mark.parametrize("status", [128, 255])
def test_a_status_that_names_no_signal_is_told_as_it_is(
    here: Cluster, spec: dict[str, Any], workers: Any, tmp_path: Path, status: int
) -> None:
    with pytest.raises(BenisonError, match=f"ended with status {status}"):
        workers(f"sys.exit({status})", max_restarts=0).run(spec, tmp_path / "logs")


EVICTED = """
if attempt < 3:
    reached(STEPS * attempt)
    wait_for("never")
if index == 0:
    save()
"""


def evict_each_time(here: Cluster, spec: dict[str, Any]) -> None:
    for attempt in (1, 2):
        until(lambda attempt=attempt: attempts(spec, 0) == attempts(spec, 1) == attempt)
        until(lambda: (Path(spec["training_dir"]) / "progress.json").exists())
        here.evict(1)


def test_evictions_are_no_restarts_as_long_as_training_gets_on(
    here: Cluster, spec: dict[str, Any], workers: Any, tmp_path: Path, told: pytest.LogCaptureFixture
) -> None:
    with beside(lambda: evict_each_time(here, spec)):
        workers(EVICTED.replace("STEPS", "10"), max_restarts=0).run(spec, tmp_path / "logs")
    assert created(here, "jobs") == 3
    assert "training worker 1 of 2 was taken off its machine: EvictionByEvictionAPI: Eviction API" in told.text


def test_evictions_without_a_step_forward_are_bounded(
    here: Cluster, spec: dict[str, Any], workers: Any, tmp_path: Path
) -> None:
    with (
        beside(lambda: evict_each_time(here, spec)),
        pytest.raises(BenisonError, match=r"taken off its machine.*\(attempt 2, the last\)") as caught,
    ):
        workers(EVICTED.replace("STEPS", "0"), max_restarts=1).run(spec, tmp_path / "logs")
    assert "machines are there to stay" in caught.value.fix


def test_a_drained_node_takes_its_pods_records_with_it(
    here: Cluster, spec: dict[str, Any], workers: Any, tmp_path: Path, told: pytest.LogCaptureFixture
) -> None:
    script = """
    reached(10 * attempt)
    if attempt == 1:
        wait_for("never")
    save()
    """

    def drain() -> None:
        until(lambda: attempts(spec, 0))
        here.drain("a drained node")
        until(lambda: created(here, "jobs") == 2)
        here.no_pods = False

    with beside(drain):
        workers(script, 1, max_restarts=0).run(spec, tmp_path / "logs")
    assert "was taken off its machine: a drained node" in told.text


# Workers that cannot start


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        ("ErrImagePull", "rpc error: code = NotFound desc = toy:1: not found"),
        ("InvalidImageName", "couldn't parse image name"),
        ("CreateContainerConfigError", "container has runAsNonRoot and image will run as root"),
    ],
)
def test_what_can_never_start_is_told_at_once(
    here: Cluster, spec: dict[str, Any], workers: Any, tmp_path: Path, reason: str, message: str
) -> None:
    here.image_error = (reason, message)
    with pytest.raises(BenisonError, match="cannot start") as caught:
        workers("", training_image="toy:1").run(spec, tmp_path / "logs")
    assert f"{reason}: {message}" in caught.value.message
    if reason != "CreateContainerConfigError":
        assert "toy:1 (cluster.training_image) exists" in caught.value.fix
    assert left_behind(here) == []


def test_an_image_that_is_slow_to_come_is_waited_for(
    here: Cluster, spec: dict[str, Any], workers: Any, tmp_path: Path, told: pytest.LogCaptureFixture
) -> None:
    here.image_error = ("ImagePullBackOff", 'Back-off pulling image "toy:1"')

    def comes() -> None:
        until(lambda: "2 Pending (ImagePullBackOff)" in told.text)
        here.image_error = None

    with beside(comes):
        workers("save()").run(spec, tmp_path / "logs")
    assert len(here.started) == 2


@pytest.mark.parametrize("what", ["image", "node", "quota"])
def test_what_has_not_started_in_time_is_told(
    here: Cluster, spec: dict[str, Any], workers: Any, tmp_path: Path, what: str
) -> None:
    if what == "image":
        here.image_error = ("ImagePullBackOff", "dial tcp: i/o timeout")
    elif what == "node":
        here.unschedulable = "0/3 nodes are available: 3 Insufficient nvidia.com/gpu."
    else:
        here.no_pods = True
    with pytest.raises(BenisonError) as caught:
        workers("", start_seconds=1).run(spec, tmp_path / "logs")
    said = {
        "image": ("ImagePullBackOff: dial tcp: i/o timeout", "benison:0.1.0 (cluster.image)"),
        "node": ("Unschedulable: 0/3 nodes are available", "cluster.gpus"),
        "quota": ("0 of 2 training pods are there", "kubectl describe jobs.batch"),
    }[what]
    assert said[0] in caught.value.message
    assert said[1] in caught.value.fix
    assert left_behind(here) == []


# One training, one owner


def executor(pod: str, spec: dict[str, Any], workers: KubernetesWorkers, logs: Path) -> subprocess.Popen[str]:
    """The launcher in a process of its own, as in the pod of that name."""
    code = f"""
import logging
from pathlib import Path
from components.workers.cluster_settings import ClusterSettings
from components.workers.kubernetes import KubernetesWorkers
logging.basicConfig(level=logging.INFO)
{workers!r}.run({spec!r}, Path({str(logs)!r}))
"""
    environment = {**os.environ, "POD_NAME": pod, "PYTHONPATH": str(PROJECT_ROOT)}
    return subprocess.Popen([sys.executable, "-c", code], env=environment, stderr=subprocess.PIPE, text=True)


def test_an_executor_that_comes_back_takes_its_workers_over(
    here: Cluster, spec: dict[str, Any], workers: Any, tmp_path: Path
) -> None:
    script = """
    wait_for("go")
    if index == 0:
        save()
    """
    two = workers(script)
    first = executor("executor-1", spec, two, tmp_path / "logs")
    until(lambda: attempts(spec, 0) and attempts(spec, 1))
    first.kill()
    first.communicate()
    here.client.status("pods", "executor-1", {"phase": "Failed"})
    retried = spec | {"model_dir": str(tmp_path / "second" / "model"), "log_dir": str(tmp_path / "second" / "run")}
    here.add_pod("executor-2")
    second = executor("executor-2", retried, two, tmp_path / "logs")
    until(lambda: [job["metadata"]["ownerReferences"][0]["name"] for job in here.client.list("jobs")] == ["executor-2"])
    here.client.delete("pods", "executor-1")  # what it still owned would now go with it
    (Path(spec["training_dir"]) / "go").touch()
    _, output = second.communicate(timeout=DEADLINE)
    assert second.returncode == 0, output
    assert "is training already: taking it over" in output
    assert attempts(spec, 0) == attempts(spec, 1) == 1, "training was started again"
    assert len(here.started) == 2
    assert (tmp_path / "second" / "model" / "saved_model.pb").exists()
    assert left_behind(here) == []


def test_a_training_that_another_pod_runs_is_left_alone(
    here: Cluster, spec: dict[str, Any], workers: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    two = workers("wait_for('go'); save()")
    first = executor("executor-1", spec, two, tmp_path / "logs")
    until(lambda: attempts(spec, 0) and attempts(spec, 1))
    here.add_pod("executor-2")
    monkeypatch.setenv("POD_NAME", "executor-2")
    with pytest.raises(BenisonError, match="pod executor-1 is training the same") as caught:
        two.run(spec, tmp_path / "other")
    assert "cancel it" in caught.value.fix
    (Path(spec["training_dir"]) / "go").touch()
    _, output = first.communicate(timeout=DEADLINE)
    assert first.returncode == 0, output


def test_workers_of_other_settings_are_replaced(
    here: Cluster, spec: dict[str, Any], workers: Any, tmp_path: Path
) -> None:
    two = workers("wait_for('go'); save()")
    first = executor("executor-1", spec, two, tmp_path / "logs")
    until(lambda: attempts(spec, 0) and attempts(spec, 1))
    first.kill()
    first.communicate()
    (Path(spec["training_dir"]) / "go").touch()
    other = replace(two, settings=replace(two.settings, image="benison:2"), command=two.command)
    other.run(spec, tmp_path / "logs")
    assert len(here.started) == 4
    assert here.processes[here.started[0]].returncode in (-signal.SIGKILL, 0)


def test_a_service_that_is_on_its_way_out_is_not_relied_on(
    here: Cluster, spec: dict[str, Any], workers: Any, tmp_path: Path
) -> None:
    two = workers("wait_for('go'); save()")
    first = executor("executor-1", spec, two, tmp_path / "logs")
    until(lambda: attempts(spec, 0) and attempts(spec, 1))
    first.kill()
    first.communicate()
    name = name_of("toy_task", spec["training_dir"])
    here.slow_finalizers = True
    here.client.delete("services", name, foreground=True)
    (Path(spec["training_dir"]) / "go").touch()

    def let_go() -> None:
        until(lambda: ("delete", "services") in here.api.calls)
        here.slow_finalizers = False

    with beside(let_go):
        two.run(spec, tmp_path / "logs")
    assert created(here, "services") == 2
    assert len(here.started) == 4


def test_a_cancelled_training_leaves_nothing(here: Cluster, spec: dict[str, Any], workers: Any, tmp_path: Path) -> None:
    script = """
    wait_for(f"attempt-1-of-{1 - index}")
    if index == 1:
        os.kill(os.getppid(), signal.SIGINT)
    signal.pause()
    """
    with pytest.raises(KeyboardInterrupt):
        workers(script).run(spec, tmp_path / "logs")
    assert left_behind(here) == []
    assert [process.returncode for process in here.processes.values()] == [-signal.SIGKILL] * 2


def test_a_deleted_job_is_not_started_again(here: Cluster, spec: dict[str, Any], workers: Any, tmp_path: Path) -> None:
    def delete() -> None:
        until(lambda: attempts(spec, 0))
        here.client.delete("jobs", name_of("toy_task", spec["training_dir"]), foreground=True)

    with beside(delete), pytest.raises(BenisonError, match="somebody deleted the Job benison-toy-task") as caught:
        workers("wait_for('never')", 1).run(spec, tmp_path / "logs")
    assert "resumes from its last backup" in caught.value.fix
    assert created(here, "jobs") == 1


# The API's refusals


@pytest.mark.parametrize(
    ("verb", "resource", "grant"),
    [("create", "jobs", "jobs.batch"), ("list", "pods", "pods"), ("get", "pods", "pods")],
)
def test_a_missing_right_is_named(
    here: Cluster, spec: dict[str, Any], workers: Any, tmp_path: Path, verb: str, resource: str, grant: str
) -> None:
    here.api.forbidden.add((verb, resource))
    with pytest.raises(BenisonError, match=f"Kubernetes refused to {verb} {grant} in namespace benison") as caught:
        workers("save()").run(spec, tmp_path / "logs")
    user = "system:serviceaccount:benison:benison-pipeline"
    assert user in caught.value.message
    assert f"kubectl auth can-i {verb} {grant} -n benison --as={user}" in caught.value.fix
    assert left_behind(here) == []


@pytest.mark.parametrize(("verb", "resource"), [("get", "pods/log"), ("delete", "jobs"), ("delete", "services")])
def test_what_is_not_needed_for_a_model_costs_none(
    here: Cluster,
    spec: dict[str, Any],
    workers: Any,
    tmp_path: Path,
    told: pytest.LogCaptureFixture,
    verb: str,
    resource: str,
) -> None:
    here.api.forbidden.add((verb, resource))
    workers("save()").run(spec, tmp_path / "logs")
    assert (Path(spec["model_dir"]) / "saved_model.pb").exists()
    assert f"Kubernetes refused to {verb} {resource}" in told.text
    here.client.delete("pods", "executor-1")
    assert left_behind(here) == []


def test_a_full_quota_is_no_missing_right(here: Cluster, spec: dict[str, Any], workers: Any, tmp_path: Path) -> None:
    here.api.quota = "jobs.batch is forbidden: exceeded quota: benison, requested: count/jobs.batch=1"
    with pytest.raises(BenisonError, match="exceeded quota") as caught:
        workers("").run(spec, tmp_path / "logs")
    assert "ResourceQuota" in caught.value.fix


def test_an_operator_that_is_not_installed_is_named(
    here: Cluster, spec: dict[str, Any], workers: Any, tmp_path: Path
) -> None:
    with pytest.raises(BenisonError, match="refused to create tfjobs.kubeflow.org") as caught:
        workers("", training="tfjob").run(spec, tmp_path / "logs")
    assert "cluster.training=job" in caught.value.fix


def test_a_setting_that_kubernetes_does_not_take_is_named(
    here: Cluster, spec: dict[str, Any], workers: Any, tmp_path: Path
) -> None:
    with pytest.raises(BenisonError, match="refused to create jobs.batch") as caught:
        workers("", claim=7).run(spec, tmp_path / "logs")
    assert "cluster.* setting" in caught.value.fix


def test_a_short_outage_is_waited_out(
    here: Cluster, spec: dict[str, Any], workers: Any, tmp_path: Path, told: pytest.LogCaptureFixture
) -> None:
    here.api.outage = 2
    workers("save()").run(spec, tmp_path / "logs")
    assert told.text.count("asking again") == 2


def test_an_outage_is_waited_out_for_so_long(here: Cluster) -> None:
    here.api.outage = 1000
    with pytest.raises(BenisonError, match="the server is currently unable"):
        replace(Api.connect(NAMESPACE), patience=1.0).pods({})


def test_a_server_that_is_not_there_is_named(here: Cluster, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "other"
    file.write_text(here.kubeconfig.read_text().replace(here.client.url, "http://127.0.0.1:1"))
    monkeypatch.setenv("KUBECONFIG", str(file))
    with pytest.raises(BenisonError, match="the Kubernetes API does not answer"):
        replace(Api.connect(NAMESPACE), patience=0.0).pods({})


def test_without_a_way_to_the_api_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    with pytest.raises(BenisonError, match="no way to the Kubernetes API"):
        Api.connect(NAMESPACE)


# Wrong use


def test_only_a_pod_of_the_pipeline_starts_workers(
    here: Cluster, spec: dict[str, Any], workers: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("POD_NAME")
    with pytest.raises(WrongUse, match="POD_NAME and POD_NAMESPACE") as caught:
        workers("").run(spec, tmp_path / "logs")
    assert "benison submit" in caught.value.fix


def test_what_is_not_on_the_claim_is_refused(spec: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match="not on the claim that training pods have at /workspace"):
        KubernetesWorkers(ClusterSettings(), 2).run(spec, tmp_path)


def test_a_training_without_a_model_is_no_success(
    here: Cluster, spec: dict[str, Any], workers: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launcher_module, "MODEL_SECONDS", 0.1)
    with pytest.raises(BenisonError, match="its model is not in") as caught:
        workers("pass").run(spec, tmp_path / "logs")
    assert "cluster.claim" in caught.value.fix
    assert left_behind(here) == []
