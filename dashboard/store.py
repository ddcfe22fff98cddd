"""What runs left in a workspace, read as it stands; all that is ever written beside it is a person's notes.

A file is read only if it really lies in the workspace, or in a folder that whoever started the dashboard named: other
links out of it, and names with `..`, lead nowhere.
"""

from __future__ import annotations

import json
import math
import os
import stat
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, cast

from components import manifest
from components.report.page import Confusion, ReportData, page_of
from dashboard import lineage, texts
from dashboard.kept import (
    BadRecord,
    EndedNodeFile,
    Finite,
    HistogramPlot,
    KeptCurves,
    KeptGate,
    KeptNode,
    KeptNotes,
    KeptResult,
    KeptState,
    KeptThresholds,
    LinesPlot,
    NodeFile,
    Progress,
    ShownColumn,
    ShownPlot,
    ShownPreview,
    square,
)
from data.atomic import write_atomic
from data.errors import BenisonError, WrongUse
from data.media.kinds import BY_SUFFIX
from data.shapes import WrongShape, expect
from pipelines.records.lineage import Step, steps_of_json
from pipelines.records.workspace import NAME
from trainer.curves import FILE as CURVES
from trainer.curves import StepCurves

STALE_SECONDS = 60
"""A run touches its state now and then; after so many without, it is taken for killed, unless it asks for patience."""
NOTES = "notes.json"
READER = "FolderExampleGen"
"""The node that reads examples."""
LOG_BYTES = 32_000
"""How much of a log's end is shown."""
QUARANTINE_ROWS = 500
_EPOCH = datetime.fromtimestamp(0, UTC)


RACY_NS = 2_000_000_000
"""A file changed within so many nanoseconds before it was hashed may change again with no later time to show."""

_SHOWN: Mapping[str, Any] = {
    "previews": list[ShownPreview],
    "train_previews": list[ShownPreview],
    "quarantined_previews": list[ShownPreview],
    "plots": list[ShownPlot],
    "quarantine": list[BadRecord],
    "statistics": dict[str, dict[str, ShownColumn]],
    "bounds": dict[str, Finite],
    "intervals": dict[str, tuple[float, float]],
    "confusion": Annotated[Confusion | None, square],
    "thresholds": KeptThresholds | None,
    "step_curves": KeptCurves,
}
"""What pages need of parts of `report.json`, beyond what its own types say."""


class NotThere(LookupError):
    """Nothing in the workspace has this name."""


class Damaged(ValueError):
    """A file that a run left is not what it should be. The text names it and says what is wrong."""


@dataclass(frozen=True)
class Run:
    """One run of one task. `state`: running, finished, failed, interrupted, stopped (killed) or unreadable.

    `metrics`, `baseline`: metric -> value; `intervals`: metric -> its limits at 95 %; `reference`: method -> metric ->
    value; `nodes` as in the report, of a run that goes on also one that is "running"; `error`: message and fix;
    `command` makes the run again.
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
    intervals: Mapping[str, Sequence[float]] = field(default_factory=dict)
    baseline: Mapping[str, float] = field(default_factory=dict)
    reference: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    examples: Mapping[str, int] = field(default_factory=dict)
    data: Mapping[str, str] = field(default_factory=dict)
    hparams: Mapping[str, Any] = field(default_factory=dict)
    code_digest: str = ""
    command: str = ""
    pushed: str | None = None
    nodes: tuple[Mapping[str, Any], ...] = ()
    nodes_total: int = 0
    progress: Mapping[str, Any] = field(default_factory=dict)
    error: Mapping[str, str] = field(default_factory=dict)
    notes: KeptNotes = field(default_factory=KeptNotes)

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
        values = [(who, scores.get(self.key_metric)) for who, scores in self.reference.items()]
        found = [(who, value) for who, value in values if value is not None and not math.isnan(value)]
        return (max if self.higher_is_better else min)(found, key=lambda pair: pair[1], default=None)


@dataclass(frozen=True)
class Model:
    """A pushed version."""

    task: str
    version: int
    served: bool
    path: Path


@dataclass(frozen=True)
class Checked:
    """`files`: how many a pushed version has; `problem` says why they are not what was pushed, or is empty."""

    files: int
    problem: str


@dataclass(frozen=True)
class LeftOut:
    """A link in the place of a folder of the workspace, which is not followed. `place` within the workspace."""

    place: str
    target: Path
    is_there: bool


class Store:
    """The runs and models of a workspace. `follow`: folders outside it that links in it may lead to; `takes_notes`:
    whether people may write notes beside runs."""

    def __init__(self, workspace: Path, follow: Sequence[Path] = (), takes_notes: bool = False) -> None:
        self.takes_notes = takes_notes
        self.root = workspace.resolve()
        self._roots = (self.root, *(folder.resolve() for folder in follow))
        self._known: dict[str, tuple[tuple[float, ...], Run]] = {}
        self._checked: dict[Path, tuple[manifest.Signature, Checked]] = {}

    # --- runs ---

    def tasks(self) -> list[str]:
        """Those that have a folder here."""
        return sorted(entry.name for entry in self._folders(self.root) if self._runs_of(entry.name))

    def runs(self, task: str | None = None) -> list[Run]:
        """All, or those of a task, the latest first. A run that has not changed is not read again."""
        tasks = self.tasks() if task is None else [task] if task in self.tasks() else []
        found = [self._run(name, entry.path) for name in tasks for entry in self._folders(self._runs_of(name))]
        return sorted(found, key=lambda run: (run.started or _EPOCH, run.id), reverse=True)

    def _runs_of(self, task: str) -> Path | None:
        """The folder of its runs; None if it has none, or a link out of the workspace in its place."""
        folder = self.root / task / "runs"
        return folder if self._holds(folder) and folder.is_dir() else None

    def left_out(self) -> list[LeftOut]:
        """The links that are not followed, of all that might hold runs or models."""
        places = [self.root / name for name in _names(self.root)]
        places += [task / name for task in places if self._holds(task) for name in ("runs", "serving")]
        inner = [folder for folder in places if folder.name in ("runs", "serving") and self._holds(folder)]
        places += [folder / name for folder in inner for name in _names(folder)]
        links = [place for place in places if not self._holds(place) and (place.is_dir() or not place.exists())]
        return [LeftOut(str(p.relative_to(self.root)), Path(os.path.realpath(p)), p.exists()) for p in links]

    def run(self, task: str, run_id: str) -> Run:
        """Raises NotThere."""
        return self._run(task, str(self._folder(task, run_id)))

    def run_of(self, key: str) -> Run:
        """The run that addresses call so. Raises NotThere."""
        task, _, run_id = key.partition("/")
        return self.run(task, run_id)

    def is_busy(self, task: str) -> bool:
        """Whether a run of this task goes on."""
        return any(run.is_running for run in self.runs(task))

    def _folder(self, task: str, run_id: str) -> Path:
        folder = self.root / task / "runs" / run_id
        if not (NAME.fullmatch(task) and NAME.fullmatch(run_id)) or not self._inside(folder).is_dir():
            raise NotThere(f"{task}/{run_id}")
        return folder

    def _run(self, task: str, folder: str) -> Run:
        signature = tuple(_changed(os.path.join(folder, name)) for name in ("state.json", "result.json", NOTES))
        known = self._known.get(folder)
        if known and known[0] == signature and not known[1].is_running:
            return known[1]
        run = self._read_run(task, Path(folder), age=time.time() - signature[0])
        self._known[folder] = signature, run
        return run

    def _read_run(self, task: str, folder: Path, age: float) -> Run:
        try:
            state: KeptState = self._shaped(folder / "state.json", KeptState)
            result: KeptResult = self._shaped(folder / "result.json", KeptResult)
            nodes = result.get("nodes") or state.get("nodes") or self._nodes_so_far(folder, state)
            progress = state["progress"] if "progress" in state else self._training_so_far(task, nodes)
        except Damaged as error:
            return Run(task, folder.name, "unreadable", _moment(folder.name), error=_damaged(folder, error))
        word = state.get("state", "finished" if result else "stopped")
        if word == "running" and age > state.get("patience", STALE_SECONDS):
            word = "stopped"
        gate = next(iter(result.get("gates", [])), KeptGate())
        return Run(
            task=task,
            id=folder.name,
            state=word,
            started=_moment(state.get("started", folder.name)),
            seconds=result.get("seconds", state.get("seconds", 0.0)),
            blessed=result.get("blessed"),
            verdict=result.get("verdict", ""),
            key_metric=state.get("key_metric") or gate.get("metric", ""),
            higher_is_better=state.get("higher_is_better", gate.get("higher_is_better", True)),
            metrics=result.get("metrics", {}),
            intervals=result.get("intervals", {}),
            baseline=result.get("baseline", {}),
            reference=result.get("reference", {}),
            examples=result.get("examples", {}),
            data=state.get("data", {}),
            hparams=state.get("hparams", {}),
            code_digest=state.get("code_digest", ""),
            command=state.get("command", ""),
            pushed=result.get("pushed"),
            nodes=tuple(cast(list[dict[str, Any]], nodes)),
            nodes_total=state.get("nodes_total", 0),
            progress=cast(dict[str, Any], progress),
            error=state.get("error", {}),
            notes=self._notes(folder),
        )

    def _notes(self, folder: Path) -> KeptNotes:
        """What cannot be read is said in the note's place: it hides nothing else of the run."""
        try:
            found: KeptNotes = self._shaped(folder / NOTES, KeptNotes)
        except Damaged as error:
            return {"note": f"! {error}"}
        return found

    def annotate(self, run: Run, notes: KeptNotes) -> None:
        """Keeps what a person wrote of a run, in place of what was written before. Raises NotThere or OSError."""
        write_atomic(self._inside(self._folder(run.task, run.id)) / NOTES, json.dumps(notes))

    def _nodes_so_far(self, folder: Path, state: KeptState) -> list[KeptNode]:
        """Of a run whose nodes are processes of their own, in the order in which they began. Raises Damaged."""
        begun = _moment(state.get("started", "")) or _EPOCH
        nodes = []
        for file in (folder / "nodes").glob("*.json"):
            told: NodeFile = self._shaped(file, NodeFile)
            ended: EndedNodeFile = self._shaped(file, EndedNodeFile)
            started = _moment(told["started"]) or begun
            start = max(0.0, (started - begun).total_seconds())
            seconds = ended.get("seconds", (datetime.now(UTC) - started).total_seconds())
            nodes.append(KeptNode(id=told["id"], state=told["state"], start=start, seconds=seconds))
        return sorted(nodes, key=lambda node: node["start"])

    def _training_so_far(self, task: str, nodes: Sequence[KeptNode]) -> Progress:
        """What the training tells that goes on. Raises Damaged."""
        folder = self._training_folder(task, nodes)
        found: Progress = self._shaped(folder / "progress.json", Progress) if folder else {}
        return found

    def _curves_so_far(self, task: str, nodes: Sequence[KeptNode]) -> dict[str, StepCurves]:
        """By step, as a report has them; none before the first were written. Raises Damaged."""
        folder = self._training_folder(task, nodes)
        found = self._shaped(folder / CURVES, KeptCurves) if folder else None
        return {"step_curves": found} if found else {}

    def _training_folder(self, task: str, nodes: Sequence[KeptNode]) -> Path | None:
        """Of the training that goes on."""
        if not any(node["id"] == "Trainer" and node["state"] == "running" for node in nodes):
            return None
        files = (self.root / task / "training").glob("*/progress.json")
        latest = max(files, key=_changed, default=None)
        return latest.parent if latest else None

    # --- what else a run left ---

    def report(self, run: Run) -> ReportData:
        """The run's report; of one that has none, what is known of it in the same form. Raises Damaged."""
        file = self.root / run.task / "runs" / run.id / "report" / "report.json"
        found = self._shaped(file, ReportData)
        for name, shape in _SHOWN.items():
            if name in found:
                _expect(file, found[name], shape, name)
        for place, plot in enumerate(found.get("plots", [])):
            shape = HistogramPlot if plot["kind"] == "histogram" else LinesPlot
            _expect(file, plot, shape, f"plots.{place}")
        report: ReportData = self.known(run) | found
        return report

    def readable_report(self, run: Run) -> tuple[ReportData, list[str]]:
        """The report, or as much as can be read in its place, and what cannot."""
        said: list[str] = []
        for read in (self.report, self.known):
            try:
                return read(run), said
            except Damaged as damage:
                said += [str(damage)] if str(damage) not in said else []
        return {"task": run.task, "run_id": run.id}, said

    def known(self, run: Run) -> ReportData:
        """What is known of a run without its report, in the report's form. Raises Damaged."""
        folder = self.root / run.task / "runs" / run.id
        known: dict[str, Any] = {
            "task": run.task,
            "run_id": run.id,
            "state": run.state,
            "blessed": run.blessed,
            "verdict": run.verdict,
            "key_metric": run.key_metric,
            "metrics": dict(run.metrics),
            "examples": self._shaped(folder / "counts.json", dict[str, int]) or dict(run.examples),
            "hparams": dict(run.hparams),
            "data": dict(run.data),
            "code_digest": run.code_digest,
            "nodes": list(run.nodes),
        }
        if run.is_running:
            nodes = cast(Sequence[KeptNode], run.nodes)
            known["curves"] = self._training_so_far(run.task, nodes).get("history", {})
            known |= self._curves_so_far(run.task, nodes)
        return cast(ReportData, known)

    def settings(self, run: Run) -> str:
        """The settings that it was given, as YAML to give back by `--config`; empty if there are none. Raises
        Damaged."""
        return self._text(self.root / run.task / "runs" / run.id / "settings.yaml")

    def log_tail(self, run: Run) -> str:
        """The end of the log. Raises Damaged."""
        content = self._content(self.root / run.task / "runs" / run.id / "log.txt", last=LOG_BYTES + 1)
        text = texts.visible(content[-LOG_BYTES:].decode("utf-8", "replace"))
        return text if len(content) <= LOG_BYTES else text.partition("\n")[2]

    def lineage(self, run: Run) -> list[Step]:
        """What made what: as a run on a cluster, whose metadata store is a server, wrote it down, else as the store has
        it. Raises Damaged."""
        file = self.root / run.task / "runs" / run.id / "lineage.json"
        if not (written := self._shaped(file, dict[str, Any])):
            return self._stored_lineage(run)
        try:
            steps = steps_of_json(written["steps"])
        except (KeyError, TypeError, ValueError) as error:
            raise Damaged(f"{file} cannot be read: {error!r}") from None
        _expect(file, steps, list[Step], "steps")
        return steps

    def eval_split(self, run: Run) -> Path:
        """The folder of the files with the examples that a run was evaluated on. Raises NotThere or Damaged."""
        made = [artifact for step in self.lineage(run) if step.node == READER for _, artifact in step.outputs]
        if not made:
            raise NotThere(f"the lineage of {run.key} names none")
        folder = self._inside(self.root / run.task / made[0].place / "Split-eval")
        if not folder.is_dir():
            raise NotThere(f"{made[0].place} was removed")
        for file in folder.iterdir():
            self._inside(file)
        return folder

    def _stored_lineage(self, run: Run) -> list[Step]:
        space = self.root / run.task
        try:
            self._inside(space / "metadata.db")
            return lineage.of_run(space, run.id)
        except NotThere:
            raise Damaged(f"{space / 'metadata.db'} cannot be read: it is a link out of the workspace") from None
        except BenisonError as error:
            raise Damaged(f"{error.message}; {error.fix}") from None

    def quarantine(self, run: Run) -> list[dict[str, Any]]:
        """The first bad records, each with file, row, column and reason. Raises Damaged."""
        file = self.root / run.task / "runs" / run.id / "quarantine.jsonl"
        lines = self._text(file).splitlines()[:QUARANTINE_ROWS]
        return [_shaped(file, line, BadRecord, f"line {place}") for place, line in enumerate(lines, 1)]

    def media(self, task: str, run_id: str, name: str) -> Path:
        """A picture or sound of a report. Raises NotThere."""
        report = self._folder(task, run_id) / "report"
        if "\0" in name:
            raise NotThere(name)
        file = Path(os.path.realpath(report / name))
        if file.suffix not in BY_SUFFIX or not file.is_file() or not file.is_relative_to(self._inside(report)):
            raise NotThere(name)
        return file

    def report_file(self, run: Run, name: str, most: int) -> bytes:
        """A file of a run's report, of at most so many bytes; none of one that is not there. Raises Damaged."""
        return self._content(self.root / run.task / "runs" / run.id / "report" / name, most=most)

    def one_file_report(self, task: str, run_id: str) -> Path:
        """The report as one page. Raises NotThere."""
        page = self._inside(self._folder(task, run_id) / "report" / "index.html")
        if not page.is_file():
            raise NotThere(f"report of {task}/{run_id}")
        return page

    def report_at(self, task: str, run_id: str, threshold: float) -> str:
        """The same with the figures at a threshold. Raises NotThere, also where it has none, or Damaged."""
        folder = self.one_file_report(task, run_id).parent
        try:
            return page_of(self.report(self.run(task, run_id)), folder, threshold)
        except (WrongUse, ValueError, OSError) as error:
            raise NotThere(f"report of {task}/{run_id} at a threshold: {error}") from None

    # --- models ---

    def models(self, task: str) -> list[Model]:
        """The pushed versions, the latest first; whether their files are as pushed, `check` tells."""
        if not NAME.fullmatch(task):
            raise NotThere(task)
        serving = self._inside(self.root / task / "serving")
        versions = manifest.versions(serving)[::-1]
        return [Model(task, version, version == versions[0], serving / str(version)) for version in versions]

    def check(self, model: Model) -> Checked:
        """Each file against its digest. A version that has not changed since it was checked is not hashed again."""
        try:
            folder = self._inside(model.path)
            before = manifest.signature(folder)
            known = self._checked.get(model.path)
            if known and known[0] == before:
                return known[1]
            found = self._hashed(folder)
        except (NotThere, OSError) as error:
            said = (
                "is a link out of the workspace" if isinstance(error, NotThere) else f"cannot be read: {error.strerror}"
            )
            return Checked(0, f"version {model.version} {said}")
        if before.newest < time.time_ns() - RACY_NS and manifest.signature(folder) == before:
            self._checked[model.path] = before, found
        return found

    def _hashed(self, folder: Path) -> Checked:
        try:
            return Checked(len(manifest.verify(folder)["files"]), "")
        except BenisonError as error:
            return Checked(0, error.message.replace(f"{folder}/", ""))

    # --- files ---

    def _inside(self, path: Path) -> Path:
        """The path as it really is. Raises NotThere if that is outside all that may be read."""
        if not self._holds(path):
            raise NotThere(str(path))
        return Path(os.path.realpath(path))

    def _holds(self, path: Path) -> bool:
        real = Path(os.path.realpath(path))
        return any(real.is_relative_to(root) for root in self._roots)

    def _folders(self, root: Path | None) -> Iterator[os.DirEntry[str]]:
        if root is not None and root.is_dir():
            with os.scandir(root) as entries:
                for entry in entries:
                    within = not entry.is_symlink() or self._holds(Path(entry.path))
                    if NAME.fullmatch(entry.name) and within and entry.is_dir():
                        yield entry

    def _content(self, path: Path, last: int | None = None, most: int | None = None) -> bytes:
        """All bytes of a file, or the last ones; none of a file that is not there. Raises Damaged, also of more than
        `most` bytes."""
        try:
            # Whoever can write here could put a pipe in a file's place, whose opening would wait for ever.
            handle = os.open(self._inside(path), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            with os.fdopen(handle, "rb") as stream:
                if not stat.S_ISREG(os.fstat(handle).st_mode):
                    raise Damaged(f"{path} cannot be read: it is no file")
                if last is not None:
                    stream.seek(max(0, stream.seek(0, os.SEEK_END) - last))
                content = stream.read() if most is None else stream.read(most + 1)
                if most is not None and len(content) > most:
                    raise Damaged(f"{path} cannot be read: it has more than {most:,} bytes")
                return content
        except FileNotFoundError:
            return b""
        except NotThere:
            raise Damaged(f"{path} cannot be read: it is a link out of the workspace") from None
        except OSError as error:
            raise Damaged(f"{path} cannot be read: {error.strerror}") from None

    def _text(self, path: Path) -> str:
        """Nothing for a file that is not there. Raises Damaged."""
        try:
            return texts.visible(self._content(path).decode("utf-8"))
        except UnicodeDecodeError as error:
            raise Damaged(f"{path} cannot be read: byte {error.start} is not UTF-8") from None

    def _shaped(self, path: Path, shape: Any) -> Any:
        """What a JSON file of this type holds, an empty object for a file that is not there. Raises Damaged."""
        text = self._text(path)
        return _shaped(path, text, shape) if text else {}


def _shaped(file: Path, text: str, shape: Any, where: str = "") -> Any:
    try:
        found = texts.of_json(text)
    except (ValueError, RecursionError) as error:
        raise Damaged(f"{file} cannot be read: {where}{': ' if where else ''}{error}") from None
    _expect(file, found, shape, where)
    return found


def _expect(file: Path, found: Any, shape: Any, where: str = "") -> None:
    try:
        expect(found, shape, where)
    except WrongShape as wrong:
        raise Damaged(f"{file} cannot be read: {wrong}") from None


def _names(folder: Path) -> list[str]:
    """What may be a task, a run or a version; nothing of what is no folder."""
    return sorted(name for name in os.listdir(folder) if NAME.fullmatch(name)) if folder.is_dir() else []


def _changed(file: str | Path) -> float:
    """When, in seconds since 1970; 0 for what is not there or cannot be looked at."""
    try:
        return os.stat(file).st_mtime
    except OSError:
        return 0.0


def _moment(text: str) -> datetime | None:
    """When a run began, in this zone: ISO 8601, or the name that it gave itself by the clock of its machine."""
    for read in (datetime.fromisoformat, lambda said: datetime.strptime(said, "%Y%m%d-%H%M%S-%f")):
        try:
            return read(text).astimezone()
        except (ValueError, OverflowError):
            continue
    return None


def _damaged(folder: Path, error: Damaged) -> dict[str, str]:
    return {"message": str(error), "fix": f"remove the folder {folder}"}
