"""What a run leaves for people, out of what its nodes left: `result.json`, the report, the last finished run.

A local run and one on a cluster are recorded alike, so that the dashboard shows them alike.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from components.report import page as report_page
from data.atomic import write_atomic
from pipelines.console.failures import Failure
from pipelines.console.usage import usage
from pipelines.identity import code_digest
from pipelines.node_list import NodeRun
from pipelines.records import workspace
from pipelines.records.run_result import EXIT_BLESSED, EXIT_NOT_BLESSED, RunResult
from pipelines.settings import RunSettings, apply_overrides
from trainer.task import load


@dataclasses.dataclass(frozen=True)
class RunRecord:
    """Where one run is recorded, and what is known of it beside its nodes. `identity`: what equal runs have equal."""

    space: workspace.TaskSpace
    settings: RunSettings
    run_id: str
    identity: Mapping[str, str]

    @property
    def directory(self) -> Path:
        return self.space.run(self.run_id)

    @property
    def log(self) -> Path:
        return self.directory / "log.txt"

    @property
    def facts(self) -> dict[str, Any]:
        """What is known of the run before it begins."""
        task_class = load(self.settings.task)
        hparams, _ = apply_overrides(task_class.HParams, self.settings.overrides)
        key = task_class(hparams).metrics().gates[0]
        data = {"name": self.settings.data or task_class.data}
        return {
            "task": self.settings.task,
            "run_id": self.run_id,
            "key_metric": key.metric,
            "higher_is_better": key.higher_is_better,
            "data": data | ({"fingerprint": self.identity["data"]} if "data" in self.identity else {}),
            "code_digest": code_digest(),
            "hparams": dataclasses.asdict(hparams),
            "command": self.settings.command(),
        }

    @property
    def result(self) -> RunResult | None:
        """What was recorded already."""
        file = self.directory / "result.json"
        if not file.exists():
            return None
        return RunResult(**self.space.located(json.loads(file.read_text(encoding="utf-8"))))

    def begin(self) -> None:
        """Keeps the settings, which also tells whoever looks that there is such a run."""
        write_atomic(self.directory / "settings.yaml", self.settings.to_yaml())

    def keep_reading(self, node: NodeRun) -> None:
        """What was read and what could not be, beside the log as soon as it is known: it is needed most where the data
        is refused."""
        if "examples" in node.outputs:
            for name in ("counts.json", "quarantine.jsonl"):
                if Path(node.outputs["examples"], name).stat().st_size:
                    shutil.copy(Path(node.outputs["examples"], name), self.directory)

    def finish(self, nodes: Sequence[NodeRun], seconds: float, peak_rss_mb: float) -> RunResult:
        """Of a run whose nodes all ended well."""
        result = self._completed(self._bare(nodes, EXIT_BLESSED, seconds, peak_rss_mb), nodes)
        self._write(result)
        if not self.settings.to_node:
            self.space.finish({"identity": dict(self.identity), "result": result.to_dict()})
        return result

    def fail(self, nodes: Sequence[NodeRun], seconds: float, peak_rss_mb: float, failure: Failure) -> RunResult:
        """Of a run that ended before its last node. What was served before stays the last finished run's."""
        result = self._completed(self._bare(nodes, failure.exit, seconds, peak_rss_mb), nodes)
        result = dataclasses.replace(result, exit=failure.exit, verdict=f"failed: {failure.message}")
        self._write(result)
        return result

    def _write(self, result: RunResult) -> None:
        write_atomic(self.directory / "result.json", json.dumps(self.space.portable(result.to_dict()), indent=2))

    def _bare(self, nodes: Sequence[NodeRun], code: int, seconds: float, peak_rss_mb: float) -> RunResult:
        shown = [
            {"id": n.id, "state": n.state, "start": round(n.start, 3), "seconds": round(n.seconds, 3)} for n in nodes
        ]
        return RunResult(
            task=self.settings.task,
            run_id=self.run_id,
            exit=code,
            nodes=shown,
            seconds=round(seconds, 3),
            peak_rss_mb=peak_rss_mb,
            places={"log": str(self.log)},
            commands={
                "again": self.settings.command(),
                "predict": usage(self.settings.task, self.settings.workspace),
            },
        )

    def _completed(self, result: RunResult, nodes: Sequence[NodeRun]) -> RunResult:
        """With what the nodes found, as far as they came."""
        for node in nodes:
            self.keep_reading(node)
        outputs = {node.id: node.outputs for node in nodes}
        if "examples" in outputs["FolderExampleGen"]:
            result = self._with_examples(result, Path(outputs["FolderExampleGen"]["examples"]))
        if "report" in outputs["Report"]:
            result = self._with_report(result, Path(outputs["Report"]["report"]), outputs["Pusher"])
        return result

    def _with_examples(self, result: RunResult, examples: Path) -> RunResult:
        counts = json.loads((examples / "counts.json").read_text(encoding="utf-8"))
        places = dict(result.places)
        if counts["quarantined"]:
            places["quarantine"] = str(self.directory / "quarantine.jsonl")
        return dataclasses.replace(result, examples=counts, places=places)

    def _with_report(self, result: RunResult, report: Path, pushed: dict[str, str]) -> RunResult:
        """Completes the report with what only the whole run knows."""

        directory = self.directory / "report"
        shutil.copytree(report, directory, dirs_exist_ok=True)  # an earlier attempt to record may have been killed
        found = json.loads((directory / "report.json").read_text(encoding="utf-8"))
        version = _pushed_version(self.space.serving, pushed.get("pushed_model")) if found["blessed"] else None
        found |= {
            "run_id": self.run_id,
            "nodes": result.nodes,
            "pushed": version,
            "predict": result.commands["predict"],
        }
        found["settings"] = dataclasses.asdict(self.settings) | {"workspace": str(self.settings.workspace)}
        write_atomic(directory / "report.json", json.dumps(found, separators=(",", ":")))
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
            intervals=found["intervals"],
            left_out=found["left_out"],
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
