"""Training by two workers pinned to one core each, against one worker pinned to one core: same model, same batch.

Steps a second are what the chief's progress file says shortly before the end: from the first step on, without the
validation that ends the training.
"""

from __future__ import annotations

import dataclasses
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks import measure
from trainer import distribution

STEPS = 40
HPARAMS: dict[str, Any] = {"filters": 64, "global_batch_size": 512}


def rows(options: measure.Options) -> list[measure.Row]:
    steps = options.steps or STEPS
    with tempfile.TemporaryDirectory() as scratch:
        root = measure.trained_task(Path(scratch))

        def side(workers: int) -> float:
            with tempfile.TemporaryDirectory(dir=scratch) as place:
                return _steps_per_second(_spec(root, Path(place), steps), Path(place), workers)

        median = measure.interleaved(options.repeats, two=lambda: side(2), one=lambda: side(1))
    what = f"2 workers on a core each, batch {HPARAMS['global_batch_size']}"
    return [measure.Row(what, median["two"], median["one"], "steps/s", "1 worker on a core", at_least=1.7)]


def _spec(root: Path, place: Path, steps: int) -> dict[str, Any]:
    from trainer.task import load
    from trainer.worker import TrainingSpec

    transformed = measure.newest(root, "Transform", "transformed_examples")
    spec = TrainingSpec(
        task="image_classification",
        hparams=dataclasses.asdict(load("image_classification").HParams(**HPARAMS)),
        train_files=[str(path) for path in sorted((transformed / "Split-train").iterdir())],
        transform_graph=str(measure.newest(root, "Transform", "transform_graph")),
        model_dir=str(place / "model"),
        log_dir=str(place / "logs"),
        training_dir=str(place / "training"),
        steps=steps,
    )
    return dataclasses.asdict(spec)


def _steps_per_second(spec: dict[str, Any], place: Path, workers: int) -> float:
    from trainer.worker import TrainingSpec

    file = place / "spec.json"
    file.write_text(json.dumps(spec), encoding="utf-8")
    cores = sorted(os.sched_getaffinity(0))[:workers]
    if len(cores) < workers:
        raise RuntimeError(f"{workers} workers need {workers} cores; this process may use {len(cores)}")
    hosts = [f"127.0.0.1:{port}" for port in _free_ports(workers)]
    with ExitStack() as started:
        processes = [started.enter_context(_worker(file, place, hosts, i, core)) for i, core in enumerate(cores)]
        for process in processes:
            started.callback(process.kill)
        rate = _last_rate(TrainingSpec(**spec).progress_file, processes)
        if any(process.wait() for process in processes):
            logs = "\n".join(log.read_text(encoding="utf-8")[-2000:] for log in sorted(place.glob("*.log")))
            raise RuntimeError(f"training by {workers} workers failed\n{logs}")
    return rate


def _worker(spec: Path, place: Path, hosts: list[str], index: int, core: int) -> subprocess.Popen[bytes]:

    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"}
    if len(hosts) > 1:
        environment["TF_CONFIG"] = distribution.tf_config(hosts, index)
    command = ["taskset", "--cpu-list", str(core), sys.executable, "-m", "trainer.worker", str(spec)]
    with (place / f"{index}.log").open("wb") as log:
        return subprocess.Popen(command, cwd=measure.ROOT, env=environment, stdout=log, stderr=log)


def _last_rate(progress: Path, processes: list[subprocess.Popen[bytes]]) -> float:
    """The rate that was reported last before the end of the last step."""
    rate = 0.0
    while all(process.poll() is None for process in processes):
        if progress.exists():
            state = json.loads(progress.read_text(encoding="utf-8"))
            if state["step"] < state["steps_total"]:
                rate = state["steps_per_second"]
        time.sleep(0.2)
    return rate


def _free_ports(count: int) -> list[int]:
    with ExitStack() as bound:
        sockets = [bound.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


if __name__ == "__main__":
    measure.main(rows, __doc__)
