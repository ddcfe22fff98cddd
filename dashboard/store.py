"""What runs left in a workspace, read as it stands and never written to.

A file is read only if it really lies in the workspace: links out of it, and names with `..`, lead nowhere.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from components import manifest
from components.report.page import MEDIA, ReportData
from dashboard import lineage
from data.errors import BenisonError
from pipelines.records.lineage import Step, steps_of_json

STALE_SECONDS = 60
"""A run touches its state now and then; after so many without, it is taken for killed, unless it asks for patience."""
LOG_BYTES = 32_000
"""How much of a log's end is shown."""
QUARANTINE_ROWS = 500
_EPOCH = datetime.fromtimestamp(0, UTC)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class NotThere(LookupError):
    """Nothing in the workspace has this name."""


class Damaged(ValueError):
    """A file that a run left is not what it should be. The text names it and says what is wrong."""


@dataclass(frozen=True)
class Run:
    """One run of one task. `state`: running, finished, failed, interrupted, stopped (killed) or unreadable.

    `metrics`, `baseline`: metric -> value; `reference`: method -> metric -> value; `nodes` as in the report, of a run
    that goes on also one that is "running"; `error`: message and fix.
    """

    task: str
    id: str
    state: str
    started: datetime | None = None
    seconds: float = 0.0
    blessed: bool | None = None
    verdict: str = ""
    key_metric: str = ""
    higher_is_better: bool = True
    metrics: Mapping[str, float] = field(default_factory=dict)
    baseline: Mapping[str, float] = field(default_factory=dict)
    reference: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    examples: Mapping[str, int] = field(default_factory=dict)
    data: Mapping[str, str] = field(default_factory=dict)
    hparams: Mapping[str, Any] = field(default_factory=dict)
    code_digest: str = ""
    pushed: str | None = None
    nodes: tuple[Mapping[str, Any], ...] = ()
    nodes_total: int = 0
    progress: Mapping[str, Any] = field(default_factory=dict)
    error: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Its name in addresses: task/id."""
        return f"{self.task}/{self.id}"

    @property
    def is_running(self) -> bool:
        return self.state == "running"

    @property
    def outcome(self) -> str:
        """In a word or two: blessed, not blessed, not judged, or why there is no verdict."""
        if self.state != "finished":
            return self.state
        return "not judged" if self.blessed is None else "blessed" if self.blessed else "not blessed"

    @property
    def score(self) -> float | None:
        return self.metrics.get(self.key_metric)

    @property
    def best_reference(self) -> tuple[str, float] | None:
        """The strongest rival in the key metric: method and value."""
        found = [(who, values[self.key_metric]) for who, values in self.reference.items() if self.key_metric in values]
        return (max if self.higher_is_better else min)(found, key=lambda pair: pair[1], default=None)


@dataclass(frozen=True)
class Model:
    """A pushed version. `about` is its manifest; `problem` says why its files are not what was pushed, or is empty."""

    task: str
    version: int
    served: bool
    path: Path
    about: Mapping[str, Any]
    problem: str


class Store:
    """The runs and models of a workspace."""

    def __init__(self, workspace: Path) -> None:
        self.root = workspace.resolve()
        self._known: dict[str, tuple[tuple[float, ...], Run]] = {}

    # --- runs ---

    def tasks(self) -> list[str]:
        """Those that have a folder here."""
        return sorted(entry.name for entry in _folders(self.root) if (self.root / entry.name / "runs").is_dir())

    def runs(self, task: str | None = None) -> list[Run]:
        """All, or those of a task, the latest first. A run that has not changed is not read again."""
        tasks = self.tasks() if task is None else [task] if task in self.tasks() else []
        found = [self._run(name, entry.path) for name in tasks for entry in _folders(self.root / name / "runs")]
        return sorted(found, key=lambda run: (run.started or _EPOCH, run.id), reverse=True)

    def run(self, task: str, run_id: str) -> Run:
        """Raises NotThere."""
        return self._run(task, str(self._folder(task, run_id)))

    def is_busy(self, task: str) -> bool:
        """Whether a run of this task goes on."""
        return any(run.is_running for run in self.runs(task))

    def _folder(self, task: str, run_id: str) -> Path:
        folder = self.root / task / "runs" / run_id
        if not (_NAME.fullmatch(task) and _NAME.fullmatch(run_id)) or not self._inside(folder).is_dir():
            raise NotThere(f"{task}/{run_id}")
        return folder

    def _run(self, task: str, folder: str) -> Run:
        signature = tuple(_changed(os.path.join(folder, name)) for name in ("state.json", "result.json"))
        known = self._known.get(folder)
        if known and known[0] == signature and not known[1].is_running:
            return known[1]
        run = self._read_run(task, Path(folder), age=time.time() - signature[0])
        self._known[folder] = signature, run
        return run

    def _read_run(self, task: str, folder: Path, age: float) -> Run:
        try:
            state, result = self._json(folder / "state.json"), self._json(folder / "result.json")
            nodes = result.get("nodes") or state.get("nodes") or self._nodes_so_far(folder, state)
        except Damaged as error:
            return Run(task, folder.name, "unreadable", _moment(folder.name), error=_damaged(folder, error))
        word = state.get("state", "finished" if result else "stopped")
        if word == "running" and age > state.get("patience", STALE_SECONDS):
            word = "stopped"
        gates = result.get("gates") or [{}]
        return Run(
            task=task,
            id=folder.name,
            state=word,
            started=_moment(state.get("started", folder.name)),
            seconds=result.get("seconds", state.get("seconds", 0.0)),
            blessed=result.get("blessed"),
            verdict=result.get("verdict", ""),
            key_metric=state.get("key_metric") or gates[0].get("metric", ""),
            higher_is_better=state.get("higher_is_better", gates[0].get("higher_is_better", True)),
            metrics=result.get("metrics", {}),
            baseline=result.get("baseline", {}),
            reference=result.get("reference", {}),
            examples=result.get("examples", {}),
            data=state.get("data", {}),
            hparams=state.get("hparams", {}),
            code_digest=state.get("code_digest", ""),
            pushed=result.get("pushed"),
            nodes=tuple(nodes),
            nodes_total=state.get("nodes_total", 0),
            progress=state["progress"] if "progress" in state else self._training_so_far(task, nodes),
            error=state.get("error", {}),
        )

    def _nodes_so_far(self, folder: Path, state: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Of a run whose nodes are processes of their own, in the order in which they began. Raises Damaged."""
        nodes = [self._json(file) for file in (folder / "nodes").glob("*.json")]
        begun = _moment(state.get("started", "")) or _EPOCH
        for node in nodes:
            started = _moment(node.get("started", "")) or begun
            node["start"] = max(0.0, (started - begun).total_seconds())
            node.setdefault("seconds", (datetime.now(UTC) - started).total_seconds())
        return sorted(nodes, key=lambda node: float(node["start"]))

    def _training_so_far(self, task: str, nodes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """What the training tells that goes on: step, loss, `history` of each round."""
        if not any(node["id"] == "Trainer" and node["state"] == "running" for node in nodes):
            return {}
        files = (self.root / task / "training").glob("*/progress.json")
        latest = max(files, key=lambda file: file.stat().st_mtime, default=None)
        return self._json(latest) if latest else {}

    # --- what else a run left ---

    def report(self, run: Run) -> ReportData:
        """The run's report; of one that has none, what is known of it in the same form. Raises Damaged."""
        folder = self.root / run.task / "runs" / run.id
        found = self._json(folder / "report" / "report.json")
        known: dict[str, Any] = {
            "task": run.task,
            "run_id": run.id,
            "state": run.state,
            "blessed": run.blessed,
            "verdict": run.verdict,
            "key_metric": run.key_metric,
            "metrics": dict(run.metrics),
            "examples": self._json(folder / "counts.json") or dict(run.examples),
            "hparams": dict(run.hparams),
            "data": dict(run.data),
            "code_digest": run.code_digest,
            "nodes": list(run.nodes),
        }
        if run.is_running:
            known["curves"] = self.curves_so_far(run)
        report: ReportData = known | found  # type: ignore[assignment]
        return report

    def curves_so_far(self, run: Run) -> dict[str, list[float]]:
        """Of a run whose Trainer is at work: the quantities of each round until now."""
        curves: dict[str, list[float]] = self._training_so_far(run.task, run.nodes).get("history", {})
        return curves

    def settings(self, run: Run) -> str:
        """The settings that it was given, as YAML to give back by `--config`; empty if there are none."""
        return self._text(self.root / run.task / "runs" / run.id / "settings.yaml")

    def log_tail(self, run: Run) -> str:
        file = self._inside(self.root / run.task / "runs" / run.id / "log.txt")
        if not file.is_file():
            return ""
        with file.open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, size - LOG_BYTES))
            text = stream.read().decode("utf-8", "replace")
        return text if size <= LOG_BYTES else text.partition("\n")[2]

    def lineage(self, run: Run) -> list[Step]:
        """What made what: as a run on a cluster, whose metadata store is a server, wrote it down, else as the store has
        it. Raises Damaged."""
        file = self.root / run.task / "runs" / run.id / "lineage.json"
        if not (written := self._json(file)):
            try:
                return lineage.of_run(self.root / run.task, run.id)
            except BenisonError as error:
                raise Damaged(f"{error.message}; {error.fix}") from None
        try:
            return steps_of_json(written["steps"])
        except (KeyError, TypeError, ValueError) as error:
            raise Damaged(f"{file} cannot be read: {error!r}") from None

    def quarantine(self, run: Run) -> list[dict[str, Any]]:
        """The first bad records, each with file, row, column and reason. Raises Damaged."""
        file = self.root / run.task / "runs" / run.id / "quarantine.jsonl"
        return [_object(file, line) for line in self._text(file).splitlines()[:QUARANTINE_ROWS]]

    def media(self, task: str, run_id: str, name: str) -> Path:
        """A picture or sound of a report. Raises NotThere."""
        report = self._folder(task, run_id) / "report"
        file = Path(os.path.realpath(report / name))
        if file.suffix not in MEDIA or not file.is_file() or not file.is_relative_to(self._inside(report)):
            raise NotThere(name)
        return file

    def one_file_report(self, task: str, run_id: str) -> Path:
        """The report as one page. Raises NotThere."""
        page = self._inside(self._folder(task, run_id) / "report" / "index.html")
        if not page.is_file():
            raise NotThere(f"report of {task}/{run_id}")
        return page

    # --- models ---

    def models(self, task: str) -> list[Model]:
        """The pushed versions, the latest first, each file checked against its digest."""
        if not _NAME.fullmatch(task):
            raise NotThere(task)
        serving = self._inside(self.root / task / "serving")
        versions = manifest.versions(serving)[::-1]
        return [self._model(task, serving / str(version), version == versions[0]) for version in versions]

    def _model(self, task: str, path: Path, served: bool) -> Model:
        try:
            about, problem = manifest.verify(self._inside(path)), ""
        except BenisonError as error:
            about, problem = {}, error.message.replace(f"{path}/", "")
        return Model(task, int(path.name), served, path, about, problem)

    # --- files ---

    def _inside(self, path: Path) -> Path:
        """The path as it really is. Raises NotThere if that is outside the workspace."""
        real = Path(os.path.realpath(path))
        if not real.is_relative_to(self.root):
            raise NotThere(str(path))
        return real

    def _text(self, path: Path) -> str:
        try:
            return self._inside(path).read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""

    def _json(self, path: Path) -> dict[str, Any]:
        """Nothing for a file that is not there. Raises Damaged."""
        text = self._text(path)
        return _object(path, text) if text else {}


def _object(file: Path, text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise Damaged(f"{file} cannot be read: {error}") from None
    if not isinstance(found, dict):
        raise Damaged(f"{file} holds no JSON object")
    return found


def _folders(root: Path) -> Iterator[os.DirEntry[str]]:
    if root.is_dir():
        with os.scandir(root) as entries:
            yield from (e for e in entries if _NAME.fullmatch(e.name) and e.is_dir(follow_symlinks=False))


def _changed(file: str) -> float:
    try:
        return os.stat(file).st_mtime
    except FileNotFoundError:
        return 0.0


def _moment(text: str) -> datetime | None:
    """When a run began: ISO 8601, or the name that it gave itself by the clock of its machine."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    try:
        return datetime.strptime(text, "%Y%m%d-%H%M%S-%f").astimezone()
    except ValueError:
        return None


def _damaged(folder: Path, error: Damaged) -> dict[str, str]:
    return {"message": str(error), "fix": f"remove the folder {folder}"}
