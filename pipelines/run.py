"""One run of one task, from settings to a result: from what is on disk if nothing has changed, else by the pipeline."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata
import json
import resource
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from data import catalogue
from data.files import tree_digest
from pipelines import logs, nodes, record, workspace
from pipelines.imports import quick_imports
from pipelines.progress import Listener
from pipelines.result import EXIT_BLESSED, EXIT_NOT_BLESSED, RunResult
from pipelines.settings import RunOptions, RunSettings, apply_overrides
from trainer import source_digest
from trainer.task import HParams, Task, load

PACKAGES = ("pipelines", "components", "trainer", "data")
LIBRARIES = ("tfx", "tensorflow", "tf-keras", "tensorflow-transform", "tensorflow-model-analysis", "apache-beam")
PROGRESS_SECONDS = 0.3


def run(settings: RunSettings, listener: Listener, verbose: bool = False) -> RunResult:
    """Runs a task's pipeline and returns what it came to, blessed or not.

    Raises:
      WrongUse: the settings name something that there is not.
      DataRefused: the data must not be trained on.
      BenisonError: the task is in use, or a node failed for a reason that a person can mend.
    """
    begun = time.monotonic()
    nodes.check("--from", settings.from_node)
    nodes.check("--to", settings.to_node)
    task_class = load(settings.task)
    hparams, options = apply_overrides(task_class.HParams, settings.overrides)
    space = workspace.task_space(settings.workspace, settings.task)
    try:
        with space.lock():
            data = catalogue.resolve(settings.data or task_class.data, task_class.columns, listener.message).resolve()
            identity = _Identity.of(settings, data)
            answer = None if settings.fresh or settings.from_node or settings.to_node else _answer(space, identity)
            if answer:
                listener.message("nothing has changed since the last run: this is its result")
                for node in answer.nodes:
                    listener.node_finished(node["id"], node["state"], 0.0)
                return dataclasses.replace(
                    answer, seconds=round(time.monotonic() - begun, 3), peak_rss_mb=_peak_rss_mb()
                )
            return _Run(settings, task_class, hparams, options, space, data, identity).go(listener, verbose, begun)
    except Exception as error:
        error.__dict__.setdefault("benison_space", str(space.root))
        raise


@dataclasses.dataclass(frozen=True)
class _Identity:
    """All that decides a run's result: equal identities, equal results."""

    settings: str
    code: str
    data: str

    @classmethod
    def of(cls, settings: RunSettings, data: Path) -> _Identity:
        chosen = [settings.data, sorted(settings.overrides.items()), settings.steps, settings.limit, settings.workers]
        versions = [importlib.metadata.version(name) for name in LIBRARIES]
        code = source_digest.package_digest(*PACKAGES)
        return cls(
            hashlib.sha256(json.dumps([chosen, versions]).encode()).hexdigest()[:16], code[:16], tree_digest(data)[:16]
        )


def _answer(space: workspace.TaskSpace, identity: _Identity) -> RunResult | None:
    """The last run's result, its nodes cached, if it had this identity and what it made is still there."""
    last = space.last_run
    if not last or last["identity"] != dataclasses.asdict(identity):
        return None
    result = RunResult(**last["result"])
    if not all(Path(place).exists() for place in result.places.values()):
        return None
    nodes = [{**node, "state": "cached", "start": 0.0, "seconds": 0.0} for node in result.nodes]
    return dataclasses.replace(result, nodes=nodes)


@dataclasses.dataclass
class _Run:
    settings: RunSettings
    task_class: type[Task]
    hparams: HParams
    options: RunOptions
    space: workspace.TaskSpace
    data: Path
    identity: _Identity

    def __post_init__(self) -> None:
        self.run_id = datetime.now().strftime("%Y%m%d-%H%M%S-%f")
        self.directory = self.space.run(self.run_id)
        self.log = self.directory / "log.txt"

    def go(self, listener: Listener, verbose: bool, begun: float) -> RunResult:
        workspace.write_atomic(self.directory / "settings.yaml", self.settings.to_yaml())
        listener.message(f"{self.settings.task}: {self.data}  (log: {self.log})")
        with record.kept(self.directory, self._facts(), listener) as listener:
            try:
                with logs.captured(self.log, verbose):
                    nodes = self._nodes(listener)
            except BaseException as error:
                error.__dict__.setdefault("benison_log", str(self.log))
                raise
            result = self._result(nodes, time.monotonic() - begun)
            workspace.write_atomic(self.directory / "result.json", json.dumps(result.to_dict(), indent=2))
            if not self.settings.to_node:
                self.space.finish({"identity": dataclasses.asdict(self.identity), "result": result.to_dict()})
            return result

    def _facts(self) -> dict[str, Any]:
        """What is known of the run before it begins."""
        key = self.task_class(self.hparams).metrics().gates[0]
        return {
            "task": self.settings.task,
            "run_id": self.run_id,
            "key_metric": key.metric,
            "higher_is_better": key.higher_is_better,
            "data": self._data_facts(),
            "code_digest": self.identity.code,
            "hparams": dataclasses.asdict(self.hparams),
        }

    def _data_facts(self) -> dict[str, str]:
        return {"name": self.settings.data or self.task_class.data, "fingerprint": self.identity.data}

    def _nodes(self, listener: Listener) -> list[Any]:
        with quick_imports():
            from trainer.backend import load_tensorflow

            load_tensorflow()
            from pipelines import dag
            from pipelines.runner import LocalRunner

        pipeline = dag.build(self.task_class, self._pipeline_settings(dag.PipelineSettings))
        runner = LocalRunner(pipeline, self.run_id)
        runner.bury_the_dead()
        done = []
        first, last = self.settings.from_node, self.settings.to_node
        try:
            with _watching(self.space, listener) as watch:
                for node in runner.run(watch, self.space.expected_seconds, first, last):
                    done.append(node)
                    self._keep_reading(node)
        except KeyboardInterrupt:  # TFX closes the books on nodes that fail, not on those that are interrupted
            runner.bury_the_dead()
            raise
        self.space.remember_seconds({node.id: node.seconds for node in done if node.state == "ran"})
        return done

    def _pipeline_settings(self, kind: Any) -> Any:
        settings, space = self.settings, self.space
        about = {
            "data": self._data_facts(),
            "code_digest": self.identity.code,
            "versions": {name: importlib.metadata.version(name) for name in LIBRARIES},
        }
        return kind(
            task=settings.task,
            hparams=self.hparams,
            data_root=str(self.data),
            default_data=settings.data in (None, self.task_class.data) and settings.limit is None,
            gate=self.options.gate,
            max_quarantined=self.options.max_quarantined,
            limit=settings.limit,
            steps=settings.steps,
            workers=settings.workers,
            pipeline_root=str(space.pipeline_root),
            metadata_db=str(space.metadata_db),
            serving=str(space.serving),
            training_root=str(space.training_root),
            worker_log_dir=str(space.worker_logs),
            about=about,
            fresh=settings.fresh,
        )

    def _result(self, nodes: list[Any], seconds: float) -> RunResult:
        outputs = {node.id: node.outputs for node in nodes}
        shown = [
            {"id": n.id, "state": n.state, "start": round(n.start, 3), "seconds": round(n.seconds, 3)} for n in nodes
        ]
        result = RunResult(
            task=self.settings.task,
            run_id=self.run_id,
            exit=EXIT_BLESSED,
            nodes=shown,
            seconds=round(seconds, 3),
            peak_rss_mb=_peak_rss_mb(),
            places={"log": str(self.log)},
        )
        if "examples" in outputs["FolderExampleGen"]:
            result = self._with_examples(result, Path(outputs["FolderExampleGen"]["examples"]))
        if "report" in outputs["Report"]:
            result = self._with_report(result, Path(outputs["Report"]["report"]), outputs["Pusher"])
        return result

    def _keep_reading(self, node: Any) -> None:
        """What was read and what could not be, beside the log as soon as it is known: it is needed most where the data
        is refused."""
        if "examples" in node.outputs:
            for name in ("counts.json", "quarantine.jsonl"):
                if Path(node.outputs["examples"], name).stat().st_size:
                    shutil.copy(Path(node.outputs["examples"], name), self.directory)

    def _with_examples(self, result: RunResult, examples: Path) -> RunResult:
        counts = json.loads((examples / "counts.json").read_text(encoding="utf-8"))
        places = dict(result.places)
        if counts["quarantined"]:
            places["quarantine"] = str(self.directory / "quarantine.jsonl")
        return dataclasses.replace(result, examples=counts, places=places)

    def _with_report(self, result: RunResult, report: Path, pushed: dict[str, str]) -> RunResult:
        """Completes the report with what only the whole run knows."""
        from components import report_page

        directory = self.directory / "report"
        shutil.copytree(report, directory)
        found = json.loads((directory / "report.json").read_text(encoding="utf-8"))
        version = _pushed_version(self.space.serving, pushed.get("pushed_model")) if found["blessed"] else None
        found |= {"run_id": self.run_id, "nodes": result.nodes, "pushed": version}
        found["settings"] = dataclasses.asdict(self.settings) | {"workspace": str(self.settings.workspace)}
        workspace.write_atomic(directory / "report.json", json.dumps(found, indent=2))
        report_page.render(directory)
        places = {**result.places, "report": str(directory / "index.html")}
        if version:
            places["model"] = str(self.space.serving / version)
        return dataclasses.replace(
            result,
            exit=EXIT_BLESSED if found["blessed"] else EXIT_NOT_BLESSED,
            blessed=found["blessed"],
            pushed=version,
            metrics=found["metrics"],
            reference=found["reference"],
            baseline=found["baseline"],
            gates=found["gates"],
            verdict=found["verdict"],
            places=places,
        )


def _pushed_version(serving: Path, pushed_model: str | None) -> str | None:
    """The served version that a push artifact stands for: the executor leaves its number beside the artifact."""
    if pushed_model is None:
        return None
    record = Path(pushed_model, "version.txt")
    if not record.exists():
        return None
    version = record.read_text(encoding="utf-8").strip()
    return version if (serving / version).is_dir() else None


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


def _peak_rss_mb() -> float:
    """Peak resident memory of this process or, if larger, of the largest of its children, in MB."""
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return round(peak * 1024 / 1e6, 1)
