"""Beam settings, and the pipeline through a portable job service with workers of their own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from data.errors import WrongUse
from pipelines.beam import BEAM_ARGS, BeamSettings, beam_args
from pipelines.progress import Listener
from pipelines.run import run
from pipelines.settings import RunSettings, apply_overrides
from tests.samples import write_sample
from trainer.task import HParams, load

TASK = "image_classification"
POOL = """
import threading
from apache_beam.runners.worker.worker_pool_main import BeamFnExternalWorkerPoolServicer
address, server = BeamFnExternalWorkerPoolServicer.start()
print(address, flush=True)
threading.Event().wait()
"""
BEAM_NODES = ("FolderExampleGen", "StatisticsGen", "Transform", "Evaluator")
SECONDS = 60


def test_by_default_nodes_compute_in_memory() -> None:
    assert beam_args(BeamSettings(), image="any") == BEAM_ARGS


def test_several_workers_are_processes_of_the_direct_runner() -> None:
    arguments = beam_args(BeamSettings(workers=3), image="any")
    assert {"--direct_running_mode=multi_processing", "--direct_num_workers=3"} <= set(arguments)
    assert "--direct_running_mode=in_memory" not in arguments


@pytest.mark.parametrize(
    ("runner", "expected"), [("flink", "FlinkRunner"), ("spark", "SparkRunner"), ("dataflow", "DataflowRunner")]
)
def test_an_engine_is_chosen_by_name(runner: str, expected: str) -> None:
    overrides = {"beam.runner": runner, "beam.options": "--project=p --labels='a b'"}
    arguments = beam_args(apply_overrides(HParams, overrides)[1].beam, image="registry/benison:1")
    assert arguments[:2] == [f"--runner={expected}", "--sdk_container_image=registry/benison:1"]
    assert arguments[-2:] == ["--project=p", "--labels=a b"]
    assert not [text for text in arguments if text.startswith("--direct")]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (BeamSettings("portable"), "without a job service"),
        (BeamSettings(options="job_endpoint=h:1"), "is no option"),
        (BeamSettings(options="--label='a"), "No closing quotation"),
    ],
)
def test_options_that_cannot_work_are_refused(settings: BeamSettings, message: str) -> None:
    with pytest.raises(WrongUse, match=message) as caught:
        beam_args(settings, image="any")
    assert caught.value.fix


@pytest.mark.parametrize(("name", "text"), [("beam.runner", "storm"), ("beam.workers", "0"), ("beam.worker", "2")])
def test_settings_that_there_are_not_are_refused(name: str, text: str) -> None:
    with pytest.raises(WrongUse, match=name):
        apply_overrides(HParams, {name: text})


@pytest.fixture
def worker_pool(tmp_path: Path) -> Iterator[str]:
    """The address of a process that starts Beam workers when a job service asks for them."""
    log = tmp_path / "pool.txt"
    with log.open("wb") as output:
        command = [sys.executable, "-P", "-c", POOL]
        environment = {**os.environ, "TF_USE_LEGACY_KERAS": "1"}
        pool = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment)
    try:
        deadline = time.monotonic() + SECONDS
        while not (found := re.search(r"^localhost:\d+$", log.read_text(encoding="utf-8"), re.MULTILINE)):
            assert pool.poll() is None and time.monotonic() < deadline, log.read_text(encoding="utf-8")
            time.sleep(0.05)
        yield found.group()
        assert pool.poll() is None
    finally:
        pool.kill()
        pool.wait()


def test_the_pipeline_is_portable(tmp_path: Path, worker_pool: str) -> None:
    """All Beam nodes through a job service, whose only workers are the pool's: same counts and metrics as in memory."""
    from apache_beam.runners.portability.local_job_service import LocalJobServicer

    columns = load(TASK).columns
    data = write_sample(columns, tmp_path / "data", 24)
    service = LocalJobServicer(str(tmp_path / "staging"))
    port = service.start_grpc_server()
    options = (
        f"--job_endpoint=localhost:{port} --environment_type=EXTERNAL --environment_config={worker_pool} "
        f"--artifact_endpoint=localhost:{port}"
    )
    quick = {"global_batch_size": "8", "filters": "4"}
    results = {
        name: run(
            RunSettings(
                TASK,
                data=str(data),
                overrides={**quick, **engine},
                steps=4,
                workspace=tmp_path / name,
                to_node="Evaluator",
            ),
            Listener(),
        )
        for name, engine in {
            "portable": {"beam.runner": "portable", "beam.options": options},
            "memory": {},
        }.items()
    }
    service.stop()
    log = Path(results["portable"].places["log"]).read_text(encoding="utf-8")
    jobs = set(re.findall(r"Job state changed to DONE", log))
    assert jobs
    assert results["portable"].examples == results["memory"].examples == {"train": 24, "eval": 12, "quarantined": 0}
