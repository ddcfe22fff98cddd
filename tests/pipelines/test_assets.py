"""A task with an asset, made here, from the catalogue's entry to what is trained, and what a person may swap it for."""

from __future__ import annotations

import hashlib
import io
import json
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import data.assets
import trainer.tasks
from data.errors import BenisonError, WrongUse
from data.sources import assets
from pipelines.cluster import node_main
from pipelines.cluster.package import write_package
from pipelines.console.progress import Listener
from pipelines.local.run import run
from pipelines.records.run_result import RunResult
from pipelines.settings import RunSettings

TASK, ASSET = "throwaway_slopes", "throwaway_slope"
SLOPE = 3.0

ASSET_MODULE = '''
"""The slope of a straight line."""

import numpy as np

from data.sources.archives import unpack
from data.sources.assets import FILE, Asset
from data.sources.fetch import Source

ARCHIVE = Source("npm", "slope", "1.0", "slope.zip", "{sha256}", 9, "a slope")
ASSET = Asset("throwaway_slope", "A slope", "CC0", "A. Maker", ((ARCHIVE,),), {{"line/kernel": (1, 1)}})


def prepare(archives, target, sources):
    [text] = unpack(archives[0], target, "slope.txt")
    np.savez(target / FILE, **{{"line/kernel": np.array([[float(text.read_text())]], np.float32)}})
'''

TASK_MODULE = '''
"""What lies on a straight line? benison run throwaway_slopes"""

from dataclasses import dataclass

import numpy as np

from data.columns import Number
from data.sources.assets import read_tensors
from trainer.backend import tf
from trainer.networks import outputs
from trainer.optimisers import optimizer
from trainer.preview import Preview
from trainer.task import Evaluation, Gate, HParams, Metric, Task


@dataclass(frozen=True)
class SlopesHParams(HParams):
    slope: str = ""


class Slopes(Task):
    title = "Slopes"
    questions = ()
    modality = "table"
    data = "digits"
    columns = {"x": Number(), "y": Number()}
    targets = ("y",)
    HParams = SlopesHParams
    assets = {"slope": "throwaway_slope"}

    def preprocess(self, inputs):
        return {"x": inputs["x"][:, None], "y": inputs["y"][:, None]}

    def build_model(self, spec):
        x = tf.keras.Input([1], name="x")
        line = tf.keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")
        model = outputs.model_of({"x": x}, line(x), target="y")
        if spec.assets["slope"] is not None:
            line.set_weights([read_tensors(spec.assets["slope"])["line/kernel"]])
        model.compile(optimizer(self.hparams, spec.steps), "mse")
        return model

    def predict(self, model, features, spec):
        return {"y": model(features, training=False)[:, 0]}

    def metrics(self):
        metrics = (Metric("rmse", "RootMeanSquaredError"),)
        return Evaluation("y", "y", metrics, (Gate("rmse", higher_is_better=False),), raw_label=True)

    def reference(self, train, evaluation, spec):
        slope = 1.0 if spec.assets["slope"] is None else read_tensors(spec.assets["slope"])["line/kernel"].item()
        return {"the asset": {"rmse": float(np.sqrt(np.mean((slope * evaluation["x"] - evaluation["y"]) ** 2)))}}

    def preview(self, example, prediction):
        return Preview(str(prediction["y"]), None, {}, ())
'''


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with data; the task and its asset are found meanwhile, and the asset's archive lies in the cache."""
    folder = tmp_path_factory.mktemp("slopes")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("slope.txt", str(SLOPE))
    sha256 = hashlib.sha256(packed.getvalue()).hexdigest()
    for name, source in {
        f"data/assets/{ASSET}.py": ASSET_MODULE.format(sha256=sha256),
        f"trainer/tasks/{TASK}.py": TASK_MODULE,
    }.items():
        file = folder / name
        file.parent.mkdir(parents=True)
        file.write_text(source.lstrip(), encoding="utf-8")
    kept = folder / "cache" / "downloads" / f"{sha256[:12]}-slope.zip"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(packed.getvalue())
    for split, numbers in (("train", range(64)), ("eval", range(64, 96))):
        rows = "".join(f"{x / 10},{SLOPE * x / 10}\n" for x in numbers)
        (folder / "own" / f"{split}.csv").parent.mkdir(exist_ok=True)
        (folder / "own" / f"{split}.csv").write_text("x,y\n" + rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        patch.setattr(trainer.tasks, "__path__", [*trainer.tasks.__path__, str(folder / "trainer" / "tasks")])
        assert str(folder / "data" / "assets") in list(data.assets.__path__)
        patch.setenv("BENISON_CACHE", str(folder / "cache"))
        yield folder
    for module in [name for name in sys.modules if "throwaway" in name]:
        del sys.modules[module]


@pytest.fixture
def settings(world: Path) -> RunSettings:
    overrides = {"learning_rate": "0", "global_batch_size": "16"}  # what is trained stays what it began with
    return RunSettings(TASK, data=str(world / "own"), overrides=overrides, steps=2, workspace=world / "workspace")


def with_slope(settings: RunSettings, choice: str | Path) -> RunSettings:
    return replace(settings, overrides={**settings.overrides, "slope": str(choice)})


def write_slope(file: Path, slope: float) -> Path:
    np.savez(file, **{"line/kernel": np.array([[slope]], np.float32)})
    return file


def states(result: RunResult) -> dict[str, str]:
    return {node["id"]: node["state"] for node in result.nodes}


@pytest.mark.whole
def test_training_and_reference_get_it_and_are_run_again_where_it_is_another(
    settings: RunSettings, world: Path
) -> None:
    first = run(settings, Listener())
    assert first.metrics["rmse"] == pytest.approx(0, abs=1e-5)
    report = json.loads(Path(first.places["report"]).with_name("report.json").read_text(encoding="utf-8"))
    assert report["reference"]["the asset"]["rmse"] == pytest.approx(0, abs=1e-5)
    assert report["assets"] == {"slope": "throwaway_slope (CC0; A. Maker)"}
    assert set(states(run(settings, Listener())).values()) == {"cached"}

    own = write_slope(world / "own.npz", SLOPE + 1)
    second = run(with_slope(settings, own), Listener())
    off = float(np.sqrt(np.mean((np.arange(64, 96) / 10) ** 2)))
    assert second.metrics["rmse"] == pytest.approx(off, rel=1e-4)
    assert {name: states(second)[name] for name in ("Transform", "Reference", "Trainer")} == {
        "Transform": "cached",
        "Reference": "ran",
        "Trainer": "ran",
    }
    write_slope(own, SLOPE - 2)
    third = run(with_slope(settings, own), Listener())
    assert third.metrics["rmse"] == pytest.approx(2 * off, rel=1e-4), "the same file, but it holds another slope"


@pytest.mark.whole
def test_a_task_does_without_where_a_person_says_so(settings: RunSettings) -> None:
    scratch = run(with_slope(settings, "none"), Listener())
    off = float(np.sqrt(np.mean((2 * np.arange(64, 96) / 10) ** 2)))
    assert scratch.metrics["rmse"] == pytest.approx(off, rel=1e-4), "it began with ones"


def test_what_is_wrong_with_it_is_said_before_anything_runs(settings: RunSettings, world: Path) -> None:
    elsewhere = replace(settings, workspace=world / "refused")
    with pytest.raises(WrongUse, match="--set slope=nowhere.npz: that file is not there"):
        run(with_slope(elsewhere, "nowhere.npz"), Listener())
    np.savez(world / "other.npz", kernel=np.ones((1, 1)))
    with pytest.raises(WrongUse, match=r"does not hold the tensors of throwaway_slope: there is no 'line/kernel'"):
        run(with_slope(elsewhere, world / "other.npz"), Listener())
    assert not (world / "refused" / TASK / "pipeline").exists()


def test_without_a_network_it_is_said_before_the_data_is_looked_at(
    settings: RunSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENISON_CACHE", str(tmp_path / "empty"))
    monkeypatch.setenv("PATH", str(tmp_path))
    nothing = replace(settings, data=str(tmp_path / "no folder"))
    with pytest.raises(BenisonError, match="the asset throwaway_slope cannot be fetched") as caught:
        run(nothing, Listener())
    for advice in ("Install npm", "benison data prepare throwaway_slope", "--set slope=FILE", "--set slope=none"):
        assert advice in caught.value.fix


def test_on_a_cluster_the_nodes_find_it_on_their_volume(settings: RunSettings, world: Path, tmp_path: Path) -> None:
    archive = next((world / "cache" / "downloads").iterdir())
    downloads = tmp_path / "volume" / node_main.DATA_CACHE / "downloads"
    downloads.mkdir(parents=True)
    (downloads / archive.name).write_bytes(archive.read_bytes())
    there = replace(settings, data=None, workspace=tmp_path / "volume")
    located = node_main._assets(there)
    assert located["slope"] is not None
    assert Path(located["slope"]["file"]).is_relative_to(tmp_path / "volume")
    assert assets.read_tensors(Path(located["slope"]["file"]))["line/kernel"] == SLOPE


def test_a_package_takes_no_file_that_its_pods_do_not_see(settings: RunSettings, tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match="which the cluster's pods do not see"):
        write_package(
            replace(with_slope(settings, tmp_path / "own.npz"), data=None, workspace=tmp_path), tmp_path / "p"
        )


def test_nodes_of_a_package_are_told_where_it_lies_when_they_start(settings: RunSettings, tmp_path: Path) -> None:
    from pipelines.cluster.package import _compiled
    from pipelines.node_runner import update_json
    from pipelines.settings import apply_overrides
    from trainer.task import load

    chosen = replace(settings, data=None, workspace=tmp_path)
    ir = _compiled(chosen, apply_overrides(load(TASK).HParams, chosen.overrides)[1].cluster)
    located = {"slope": {"file": "/workspace/.cache/slope.npz", "digest": "0123"}}
    for name, parameter in node_main.assets.NODES.items():
        [node] = [node.pipeline_node for node in ir.nodes if node.pipeline_node.node_info.id == name]
        value = node.parameters.parameters[parameter].field_value
        before = json.loads(value.string_value)
        assert before["assets"] == {}
        update_json(ir, name, parameter, {node_main.assets.KEY: located})
        assert json.loads(value.string_value) == before | {"assets": located}
