"""TFX's own LocalDagRunner and `benison run` come to the same of one pipeline, each in a process as users start it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import pipelines
from components import manifest
from data.errors import BenisonError, WrongUse
from pipelines.console.failures import ROOT
from pipelines.node_list import NODES
from tests.samples import write_sample
from trainer.task import load

pytestmark = pytest.mark.whole

TASK = "image_classification"
SETTINGS = ("--set", "global_batch_size=32", "--steps", "200")
BLESSED = 0


@dataclass(frozen=True)
class Ended:
    """What one run left. `said` is its standard output."""

    code: int
    said: str
    workspace: Path

    @property
    def space(self) -> Path:
        return self.workspace / TASK

    @property
    def report(self) -> dict[str, Any]:
        (file,) = self.space.glob("pipeline/Report/report/*/report.json")
        return json.loads(file.read_text(encoding="utf-8"))

    @property
    def pages(self) -> list[Path]:
        """Of reports, among the artifacts."""
        return [*self.space.glob("pipeline/**/index.html")]

    @property
    def artifacts(self) -> set[str]:
        """Names of the files of all artifacts, without the numbers of executions and models, and without the page that
        a verdict makes of a report."""
        found = (path for path in (self.space / "pipeline").rglob("*") if path.name != "index.html")
        files = [path.relative_to(self.space / "pipeline") for path in found]
        named = ["/".join(part for part in file.parts if not part.isdigit()) for file in files]
        return {name.partition(".tfevents.")[0] for name in named if "/.system" not in name}


def start(module: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    command = [sys.executable, "-m", module, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=environment)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sample(load(TASK).columns, tmp_path_factory.mktemp("sample"), 96)


@pytest.fixture(scope="module")
def stock(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Ended:
    workspace = tmp_path_factory.mktemp("stock") / "what? *"  # taken for a pattern, it would be its neighbour's, too
    neighbour = workspace.with_name("what! else") / TASK / "pipeline" / "FolderExampleGen" / "examples" / "1"
    (neighbour / "Split-train").mkdir(parents=True)
    (neighbour / "Split-train" / "data_tfrecord-00000-of-00001.gz").write_bytes(b"no examples")
    ended = start("pipelines.local_dag_runner", TASK, "--data", sample, "--workspace", workspace, *SETTINGS)
    assert ended.returncode == BLESSED, ended.stderr
    return Ended(ended.returncode, ended.stdout, workspace)


@pytest.fixture(scope="module")
def ours(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Ended:
    workspace = tmp_path_factory.mktemp("ours")
    ended = start("pipelines", "run", TASK, "--data", sample, "--workspace", workspace, *SETTINGS, "--json")
    assert ended.returncode == BLESSED, ended.stderr
    return Ended(ended.returncode, ended.stdout, workspace)


def test_both_runners_come_to_one_verdict_and_the_same_figures(stock: Ended, ours: Ended) -> None:
    assert stock.code == ours.code == BLESSED
    assert not ours.pages  # its page lies with the run's record
    assert stock.report["verdict"] == ours.report["verdict"] == pipelines.verdict(TASK, ours.workspace).text
    assert stock.said.startswith(stock.report["verdict"])
    page = Path(stock.said.splitlines()[-1].removeprefix("report: "))
    assert "Blessed" in page.read_text(encoding="utf-8")
    for part in ("metrics", "reference", "gates", "examples", "key_metric", "hparams", "data"):
        assert stock.report[part] == ours.report[part], part


def test_both_runners_leave_the_same_artifacts(stock: Ended, ours: Ended) -> None:
    assert {path.parts[0] for path in map(Path, stock.artifacts)} >= set(NODES) - {"LatestBlessed"}
    assert stock.artifacts == ours.artifacts


def test_both_runners_push_the_same_model(stock: Ended, ours: Ended) -> None:
    """Weights and vocabularies to the byte; TensorFlow numbers the functions of a graph anew in each process."""
    first, second = (manifest.verify(ended.space / "serving" / "1") for ended in (stock, ours))
    assert first["task"] == TASK and first["files"].keys() == second["files"].keys()
    graph = {"saved_model.pb", "fingerprint.pb"}
    alike = {name for name, digest in first["files"].items() if digest == second["files"][name]}
    assert alike >= first["files"].keys() - graph and "variables/variables.data-00000-of-00001" in alike
    assert {**first, "files": ()} == {**second, "files": ()}


def test_each_takes_up_what_the_other_has_made(stock: Ended, sample: Path) -> None:
    ended = start("pipelines", "run", TASK, "--data", sample, "--workspace", stock.workspace, *SETTINGS, "--json")
    result = json.loads(ended.stdout)
    states = {node["id"]: node["state"] for node in result["nodes"]}
    assert {states[name] for name in NODES if name not in ("LatestBlessed", "Evaluator", "Report", "Pusher")} == {
        "cached"
    }
    assert result["pushed"] == "1"
    assert pipelines.verdict(TASK, stock.workspace).blessed is result["blessed"] is True


def test_a_verdict_that_there_is_not_is_told(tmp_path: Path) -> None:
    with pytest.raises(BenisonError, match=f"{TASK} has no finished run in") as told:
        pipelines.verdict(TASK, tmp_path)
    assert told.value.fix == f"benison run {TASK}"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"epohcs": 3}, "'epohcs'"),
        ({"steps": "3"}, "steps is '3'; expected a whole number"),
        ({"steps": 0}, "steps is 0; expected at least 1"),
        ({"gate": "much"}, "gate=much: expected a number"),
        ({"to_node": "Trainer"}, "'to_node'"),
        ({"cluster.image": "i"}, "no cluster"),
    ],
)
def test_wrong_settings_are_told_before_anything_is_made(settings: dict[str, Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match=words):
        pipelines.create_pipeline(TASK, data="none", workspace=tmp_path / "w", **settings)
    assert not (tmp_path / "w").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["image_clasification"], 2, "did you mean image_classification?"),
        ([TASK, "--data", "/nowhere"], 2, "/nowhere"),
        ([TASK, "--set", "epochs"], 2, "NAME=VALUE"),
    ],
)
def test_errors_are_words_and_a_code(arguments: list[str], code: int, words: str, tmp_path: Path) -> None:
    ended = start("pipelines.local_dag_runner", *arguments, "--workspace", tmp_path)
    assert ended.returncode == code and words in ended.stderr and "Traceback" not in ended.stderr


def test_tensorflow_that_came_first_with_another_keras_is_told(tmp_path: Path) -> None:
    code = "import sys; sys.modules['tensorflow'] = sys; import pipelines; pipelines.create_pipeline('gan')"
    environment = {name: value for name, value in os.environ.items() if name != "TF_USE_LEGACY_KERAS"}
    command = [sys.executable, "-c", code.replace("'gan'", f"'gan', workspace={str(tmp_path)!r}, data={str(ROOT)!r}")]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=environment)
    assert "set TF_USE_LEGACY_KERAS=1 before the first import of TensorFlow" in ended.stderr


def test_importing_pipelines_imports_nothing_heavy() -> None:
    code = "import sys, pipelines; print(sorted({'tensorflow', 'tfx', 'yaml', 'numpy', 'data'} & set(sys.modules)))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert ended.stdout == "[]\n"
