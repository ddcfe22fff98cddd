"""Beam settings, and the pipeline through a portable job service with workers of their own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from data.errors import DataRefused, WrongUse
from pipelines.beam import (
    BEAM_ARGS,
    BeamSettings,
    beam_args,
    refusal_in,
    remember_option_names,
    take_folders_literally,
)
from pipelines.console.progress import Listener
from pipelines.local.run import run
from pipelines.settings import RunSettings, apply_overrides
from tests.samples import write_sample
from trainer.task import HParams, load

TASK = "image_classification"
POOL = """
import logging, threading
logging.basicConfig(level=logging.INFO)
from apache_beam.runners.worker.worker_pool_main import BeamFnExternalWorkerPoolServicer
address, server = BeamFnExternalWorkerPoolServicer.start()
print(address, flush=True)
threading.Event().wait()
"""
BEAM_NODES = ("FolderExampleGen", "StatisticsGen", "Transform", "Evaluator")
SECONDS = 60


def test_by_default_nodes_compute_in_memory() -> None:
    assert beam_args(BeamSettings(), image="any") == BEAM_ARGS


def test_several_processes_change_nothing_that_beam_is_told() -> None:
    assert beam_args(BeamSettings(workers=3), image="any") == BEAM_ARGS


def test_how_many_processes_compute_and_in_how_many_shards_they_read() -> None:
    cores = len(os.sched_getaffinity(0))
    assert (BeamSettings().processes, BeamSettings().shards) == (cores, None)
    assert (BeamSettings(workers=3).processes, BeamSettings(workers=3).shards) == (3, None)
    assert (BeamSettings("flink", workers=3).processes, BeamSettings("flink", workers=3).shards) == (1, 3)


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


def test_a_folder_is_taken_by_its_name_though_as_a_pattern_it_were_another_too(tmp_path: Path) -> None:
    from apache_beam.io.localfilesystem import LocalFileSystem

    for name in ("a*", "ab", "[ab]"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x-1").touch()
    take_folders_literally()
    for name in ("a*", "[ab]"):
        for pattern in (f"{tmp_path / name}/x*", f"{tmp_path / name}/*", f"{tmp_path / name}/x-1"):
            [found] = LocalFileSystem(None).match([pattern])
            assert [file.path for file in found.metadata_list] == [str(tmp_path / name / "x-1")]


def test_options_seen_from_several_sides_are_the_same_options() -> None:
    from apache_beam.options import pipeline_options

    remember_option_names()
    for arguments in (BEAM_ARGS, ["--streaming", "--experiments=a"]):
        options = pipeline_options.PipelineOptions(arguments)
        for kind in (pipeline_options.SetupOptions, pipeline_options.DebugOptions, pipeline_options.StandardOptions):
            assert options.view_as(kind).get_all_options() == kind(arguments).get_all_options()
            assert type(options.view_as(kind)) is kind
        options.view_as(pipeline_options.DebugOptions).add_experiment("b")
        assert "b" in options.view_as(pipeline_options.DebugOptions).experiments
    assert not pipeline_options.PipelineOptions([]).view_as(pipeline_options.DebugOptions).experiments


def refuse(element: int) -> int:
    raise DataRefused("the first is bad:\n  - it is 1", "mend it, or remove it")


def test_a_refusal_within_beam_keeps_its_words_and_its_advice() -> None:
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions

    options = PipelineOptions(beam_args(BeamSettings(), image="any"))
    with pytest.raises(DataRefused) as caught, beam.Pipeline(options=options) as pipeline:
        _ = pipeline | beam.Create([1]) | beam.Map(refuse)
    assert (caught.value.message, caught.value.fix) == ("the first is bad:\n  - it is 1", "mend it, or remove it")


def test_a_refusal_by_a_worker_in_another_process_is_found_in_the_text_that_beam_makes_of_it() -> None:
    try:
        refuse(1)
    except DataRefused:
        told = RuntimeError(f"Pipeline job-001 failed in state FAILED: stage-2 failed:{traceback.format_exc()}\n")
    found = refusal_in(told)
    assert type(found) is DataRefused
    assert (found.message, found.fix) == ("the first is bad:\n  - it is 1", "mend it, or remove it")


def test_what_is_no_refusal_is_left_as_it_is() -> None:
    assert refusal_in(ValueError("DataRefused, in the middle of a line: x")) is None
    found = refusal_in(RuntimeError("Traceback\ndata.errors.WrongUse: no fix\n\nDuring handling of the above, another"))
    assert type(found) is WrongUse and (found.message, found.fix) == ("no fix", "")


@dataclass(frozen=True)
class WorkerPool:
    """A process that starts Beam workers in itself when a job service asks for them."""

    address: str
    log: Path

    @property
    def workers(self) -> int:
        """How many it has started."""
        return self.log.read_text(encoding="utf-8").count("Creating insecure control channel")


@pytest.fixture
def worker_pool(tmp_path: Path) -> Iterator[WorkerPool]:
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
        yield WorkerPool(found.group(), log)
    finally:
        pool.kill()
        pool.wait()


@pytest.fixture
def job_service(tmp_path: Path) -> Iterator[str]:
    """The address of Beam's job service, in this process but with no workers of its own."""
    from apache_beam.runners.portability.local_job_service import LocalJobServicer

    service = LocalJobServicer(str(tmp_path / "staging"))
    yield f"localhost:{service.start_grpc_server()}"
    service.stop()


@pytest.mark.whole
def test_the_pipeline_is_portable(tmp_path: Path, job_service: str, worker_pool: WorkerPool) -> None:
    """Through a job service whose only workers are another process's, each Beam node does what it does in memory."""
    data = write_sample(load(TASK).columns, tmp_path / "data", 24)
    external = f"--environment_type=EXTERNAL --environment_config={worker_pool.address}"
    engine = {"beam.runner": "portable", "beam.options": f"--job_endpoint={job_service} {external}"}
    for name, chosen in {"portable": engine, "memory": {}}.items():
        overrides = {"global_batch_size": "8", "filters": "4", **chosen}
        settings = RunSettings(TASK, str(data), overrides, steps=4, workspace=tmp_path / name)
        result = run(settings, Listener())
        assert result.examples == {"train": 24, "eval": 12, "quarantined": 0}
        assert result.metrics["example_count"] == 12
    assert worker_pool.workers >= len(BEAM_NODES)
    assert transformed(tmp_path / "portable") == transformed(tmp_path / "memory")


def transformed(workspace: Path) -> list[bytes]:
    """All examples that Transform put out, in an order and with an order of features of their own."""
    from trainer.backend import tf

    files = workspace.glob(f"{TASK}/pipeline/Transform/transformed_examples/*/Split-*/*")
    records = tf.data.TFRecordDataset(sorted(map(str, files)), compression_type="GZIP").as_numpy_iterator()
    examples = sorted(tf.train.Example.FromString(record).SerializeToString(deterministic=True) for record in records)
    assert len(examples) == 24 + 12
    return examples
