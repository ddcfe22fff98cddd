"""Two real TensorFlow workers, started from their Job's manifest, train one model; one of them is killed on the way."""

from __future__ import annotations

import dataclasses
import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.workers.cluster_settings import ClusterSettings
from components.workers.kubernetes import KubernetesWorkers
from pipelines.console.progress import Listener
from pipelines.local.run import run
from pipelines.settings import RunSettings
from tests.components.workers.kubelet import NAMESPACE, Cluster, cluster, until
from tests.samples import write_sample
from trainer.task import load
from trainer.worker import MIN_ROUND, TrainingSpec

pytestmark = pytest.mark.whole

TASK = "image_classification"
ROUNDS = 4
SECONDS = 240


@pytest.fixture
def spec(tmp_path: Path) -> TrainingSpec:
    """A training of `ROUNDS` rounds on what the pipeline transformed."""
    task = load(TASK)
    data = write_sample(task.columns, tmp_path / "data", 64)
    run(RunSettings(TASK, data=str(data), workspace=tmp_path / "workspace", to_node="Transform"), Listener())
    node = tmp_path / "workspace" / TASK / "pipeline" / "Transform"
    (examples,) = node.glob("transformed_examples/*/Split-train")
    (graph,) = node.glob("transform_graph/*")
    hparams = task.HParams(filters=8, global_batch_size=16, min_steps=ROUNDS * MIN_ROUND, patience=ROUNDS)
    (tmp_path / "training").mkdir()
    return TrainingSpec(
        task=TASK,
        hparams=dataclasses.asdict(hparams),
        train_files=[str(path) for path in sorted(examples.iterdir())],
        transform_graph=str(graph),
        model_dir=str(tmp_path / "model"),
        log_dir=str(tmp_path / "run"),
        training_dir=str(tmp_path / "training"),
        steps=ROUNDS * MIN_ROUND,
    )


def progress(spec: TrainingSpec) -> dict[str, Any]:
    return json.loads(spec.progress_file.read_text()) if spec.progress_file.exists() else {"step": 0}


def kill_after_a_round(here: Cluster, spec: TrainingSpec) -> int:
    """Kills worker 1 once there is a backup. Returns the first step that the next attempt tells of."""
    until(lambda: progress(spec)["step"] > MIN_ROUND, SECONDS)
    here.kill(1)
    until(lambda: len(here.started) == 4, SECONDS)
    before = spec.progress_file.stat().st_mtime_ns
    until(lambda: spec.progress_file.stat().st_mtime_ns > before, SECONDS)
    return int(progress(spec)["step"])


def test_two_workers_train_and_recover_from_the_backup(
    spec: TrainingSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trainer.backend import tf

    with cluster(tmp_path) as here:
        here.add_pod("executor-1")
        monkeypatch.setenv("KUBECONFIG", str(here.kubeconfig))
        monkeypatch.setenv("POD_NAME", "executor-1")
        monkeypatch.setenv("POD_NAMESPACE", NAMESPACE)
        here.image["PYTHONPROFILEIMPORTTIME"] = "1"  # each import is told in the pod's log
        workers = KubernetesWorkers(ClusterSettings(mount=str(tmp_path), training_cpu="1"), 2, poll_seconds=0.1)
        with ThreadPoolExecutor(1) as pool:
            resumed = pool.submit(kill_after_a_round, here, spec)
            workers.run(dataclasses.asdict(spec), tmp_path / "logs")
        assert len(here.started) == 4
    assert resumed.result() > MIN_ROUND, "the second attempt began from the backup"
    history = json.loads((Path(spec.log_dir) / "history.json").read_text())
    assert len(history["loss"]) == ROUNDS
    assert history["loss"][-1] < history["loss"][0]
    served = tf.saved_model.load(spec.model_dir).signatures["raw"]
    picture = next((tmp_path / "data" / "eval").glob("*.png")).read_bytes()
    answer = served(**{name: tf.constant([picture]) for name in served.structured_input_signature[1]})
    assert any(np.isclose(value.numpy().sum(), 1.0) for value in answer.values() if value.dtype == tf.float32)
    logs = [(tmp_path / "logs" / f"worker-{index}.log").read_text() for index in range(2)]
    assert all("attempt 1" in log and "attempt 2" in log for log in logs)
    for pod in here.started:
        imported = re.findall(r"^import time:.*\| +([\w.]+)$", (here.api.logs / f"{pod}.log").read_text(), re.MULTILINE)
        packages = {name.split(".")[0] for name in imported}
        assert {"trainer", "tensorflow", "tensorflow_transform"} <= packages
        assert not {"tfx", "kfp", "kubernetes", "components", "pipelines"} & packages
