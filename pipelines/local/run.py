"""One run of one task, from settings to a result: from what is on disk if nothing has changed, else by the pipeline."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from data.folders.files import tree_digest
from pipelines import node_list
from pipelines.console import logs
from pipelines.console.progress import Listener
from pipelines.identity import code_digest, library_versions
from pipelines.local.pipeline import Inputs, local_pipeline
from pipelines.memory import peak_rss_mb
from pipelines.records import live_state, workspace
from pipelines.records.run_record import RunRecord
from pipelines.records.run_result import RunResult
from pipelines.settings import RunSettings, apply_overrides, check_local
from trainer.task import load

PROGRESS_SECONDS = 0.3


def run(settings: RunSettings, listener: Listener, verbose: bool = False) -> RunResult:
    """Runs a task's pipeline and returns what it came to, blessed or not.

    Raises:
      WrongUse: the settings name something that there is not.
      DataRefused: the data must not be trained on.
      BenisonError: the task is in use, or a node failed for a reason that a person can mend.
    """
    begun = time.monotonic()
    node_list.check("--from", settings.from_node)
    node_list.check("--to", settings.to_node)
    task_class = load(settings.task)
    hparams = check_local(task_class.HParams, settings.overrides)
    space = workspace.task_space(settings.workspace, settings.task)
    try:
        with space.lock():
            if space.root.parent != settings.workspace.resolve():
                listener.message(
                    f"to TensorFlow the path of the workspace is a pattern: this run names it {space.root.parent}"
                )
            inputs = Inputs.of(settings, task_class, hparams, listener.message)
            identity = _Identity.of(settings, inputs)
            answer = None if settings.fresh or settings.from_node or settings.to_node else _answer(space, identity)
            if answer:
                listener.message("nothing has changed since the last run: this is its result")
                for node in answer.nodes:
                    listener.node_finished(node["id"], node["state"], 0.0)
                return dataclasses.replace(
                    answer, seconds=round(time.monotonic() - begun, 3), peak_rss_mb=peak_rss_mb()
                )
            return _Run(settings, space, inputs, identity).go(listener, verbose, begun)
    except Exception as error:
        error.__dict__.setdefault("benison_space", str(space.root))
        raise


@dataclasses.dataclass(frozen=True)
class _Identity:
    """All that decides a run's result: equal identities, equal results."""

    settings: str
    code: str
    data: str
    assets: dict[str, Any]

    @classmethod
    def of(cls, settings: RunSettings, inputs: Inputs) -> _Identity:
        chosen = [settings.data, sorted(settings.overrides.items()), settings.steps, settings.limit, settings.workers]
        decided = json.dumps([chosen, list(library_versions().values())])
        return cls(
            hashlib.sha256(decided.encode()).hexdigest()[:16],
            code_digest(),
            tree_digest(inputs.data)[:16],
            dict(inputs.assets),
        )


def _answer(space: workspace.TaskSpace, identity: _Identity) -> RunResult | None:
    """The last run's result, its nodes cached, if it had this identity and what it made is still there."""
    last = space.last_run
    if not last or last["identity"] != dataclasses.asdict(identity):
        return None
    result = RunResult(**last["result"])
    if "report" not in result.places or not all(Path(place).exists() for place in result.places.values()):
        return None
    nodes = [{**node, "state": "cached", "start": 0.0, "seconds": 0.0} for node in result.nodes]
    return dataclasses.replace(result, nodes=nodes)


@dataclasses.dataclass
class _Run:
    settings: RunSettings
    space: workspace.TaskSpace
    inputs: Inputs
    identity: _Identity

    def __post_init__(self) -> None:
        run_id = datetime.now().strftime("%Y%m%d-%H%M%S-%f")
        self.record = RunRecord(self.space, self.settings, run_id, dataclasses.asdict(self.identity))

    def go(self, listener: Listener, verbose: bool, begun: float) -> RunResult:
        self.record.begin()
        log = self.record.log
        listener.message(f"{self.settings.task}: {self.inputs.data}  (log: {log})")
        with live_state.kept(self.record.directory, self.record.facts, listener) as listener:
            try:
                with logs.captured(log, verbose):
                    nodes = self._nodes(listener)
            except BaseException as error:
                error.__dict__.setdefault("benison_log", str(log))
                raise
            return self.record.finish(nodes, time.monotonic() - begun, peak_rss_mb())

    def _nodes(self, listener: Listener) -> list[Any]:
        pipeline = local_pipeline(self.settings, self.space, self.inputs)
        from pipelines.beam_workers import forked
        from pipelines.node_runner import NodeRunner, compile_ir

        _, options = apply_overrides(load(self.settings.task).HParams, self.settings.overrides)
        runner = NodeRunner(compile_ir(pipeline), self.record.run_id)
        runner.bury_the_dead()
        done = []
        first, last = self.settings.from_node, self.settings.to_node
        try:
            with forked(options.beam.processes), _watching(self.space, listener) as watch:
                for node in runner.run(watch, self.space.expected_seconds, first, last):
                    done.append(node)
                    self.record.keep_reading(node)
        except KeyboardInterrupt:  # TFX closes the books on nodes that fail, not on those that are interrupted
            runner.bury_the_dead()
            raise
        self.space.remember_seconds({node.id: node.seconds for node in done if node.state == "ran"})
        return done


class _Watched(Listener):
    """Passes on what the runner says, and keeps in mind which node runs."""

    def __init__(self, listener: Listener) -> None:
        self._listener, self.node = listener, ""

    def node_started(self, node: str, index: int, total: int, expected_seconds: float | None) -> None:
        self.node = node
        self._listener.node_started(node, index, total, expected_seconds)

    def node_finished(self, node: str, state: str, seconds: float) -> None:
        self.node = ""
        self._listener.node_finished(node, state, seconds)


@contextmanager
def _watching(space: workspace.TaskSpace, listener: Listener) -> Iterator[_Watched]:
    """Within, a thread tells the listener how reading and training go on, from files that they keep up to date."""
    from components.example_gen import rows_read

    watched, over = _Watched(listener), threading.Event()

    def watch() -> None:
        while not over.wait(PROGRESS_SECONDS):
            try:
                if watched.node == "FolderExampleGen":
                    listener.node_progress(watched.node, {"rows": rows_read(space.pipeline_root / watched.node)})
                elif watched.node == "Trainer":
                    for file in space.training_root.glob("*/progress.json"):
                        listener.node_progress("Trainer", json.loads(file.read_text(encoding="utf-8")))
            except FileNotFoundError:  # the node ended between the look and the reading
                continue

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield watched
    finally:
        over.set()
        thread.join()
