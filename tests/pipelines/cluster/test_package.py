"""Every task as a package for Kubeflow Pipelines, read back by KFP's own loader: a new task is tested by existing."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format
from kfp import components
from kfp.pipeline_spec import pipeline_spec_pb2

from data.errors import WrongUse
from pipelines import cli
from pipelines.cluster.node_main import PASSWORD
from pipelines.cluster.package import RECORD, VERDICT, task_name, write_package
from pipelines.node_list import NODES
from pipelines.settings import RunSettings
from tests.kubeflow import Package
from trainer.task import task_names

TASK = "image_classification"
GOLDEN = Path(__file__).with_name("golden") / f"{TASK}.yaml"
ONE_ARGUMENT, ALL_ARGUMENTS = 128 * 1024, 256 * 1024
"""Bytes: Linux' bound on one argument of a process, and Kubernetes' on the annotations of an object together."""


def compiled(folder: Path, task: str = TASK, data: str | None = None, workers: int = 1, **overrides: str) -> Path:
    file = folder / "package.yaml"
    write_package(RunSettings(task, data=data, workers=workers, overrides=overrides), file)
    return file


@pytest.fixture(scope="module", params=task_names())
def file(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled(tmp_path_factory.mktemp(request.param), request.param)


@pytest.fixture(scope="module")
def package(file: Path) -> Package:
    return Package.read(file)


def options(package: Package, task: str) -> dict[str, str]:
    """The arguments of a task's container: option -> value."""
    arguments = package.container_spec(package.tasks[task])["args"]
    return dict(zip(arguments[::2], arguments[1::2], strict=True))


def ir(package: Package, node: str) -> Any:
    from pipelines.node_runner import from_text

    return from_text(options(package, task_name(node))["--ir"])


def test_kfp_loads_it(file: Path, package: Package) -> None:
    loaded = components.load_component_from_file(str(file))
    assert loaded.name == package.spec["pipelineInfo"]["name"]
    spec = json_format.ParseDict(package.spec, pipeline_spec_pb2.PipelineSpec())
    assert spec.schema_version == "2.1.0"
    assert not spec.root.input_definitions.parameters


def test_every_node_is_a_container(package: Package) -> None:
    """The open-source backend knows no resolvers, and an importer would go round our metadata store."""
    assert set(package.tasks) == {*map(task_name, NODES), VERDICT}
    assert package.exit_task[0] == RECORD
    for executor in package.spec["deploymentSpec"]["executors"].values():
        assert list(executor) == ["container"]


def test_tasks_wait_for_what_the_ir_says(package: Package) -> None:
    for name in NODES:
        [node] = ir(package, name).nodes
        assert node.pipeline_node.node_info.id == name
        needs = package.tasks[task_name(name)].get("dependentTasks", [])
        assert sorted(needs) == sorted(map(task_name, node.pipeline_node.upstream_nodes))
    assert set(package.tasks[VERDICT]["dependentTasks"]) == set(map(task_name, NODES))


def test_platform_spec_and_executors_have_the_same_labels(package: Package) -> None:
    [platform] = package.platform["platforms"].values()
    assert set(platform["deploymentSpec"]["executors"]) == set(package.spec["deploymentSpec"]["executors"])


def test_every_pod_has_the_volume_and_the_password_and_no_cached_answer(package: Package) -> None:
    for task in (*package.tasks.values(), package.exit_task[1]):
        assert not task["cachingOptions"].get("enableCache")
        pod = package.kubernetes(task)
        assert [mount["mountPath"] for mount in pod["pvcMount"]] == ["/workspace"]
        assert [key["envVar"] for secret in pod["secretAsEnv"] for key in secret["keyToEnv"]] == [PASSWORD]


def test_arguments_are_short_enough_for_what_carries_them(package: Package) -> None:
    specs = [package.container_spec(task) for task in package.tasks.values()]
    sizes = [len(argument) for spec in specs for argument in (*spec["command"], *spec["args"])]
    assert max(sizes) < ONE_ARGUMENT and sum(sizes) < ALL_ARGUMENTS


def test_the_package_of_one_task_is_what_it_was_in_every_byte(tmp_path: Path) -> None:
    """The golden file holds all but the IR, which other tests read, and the digest of the code."""
    text = compiled(tmp_path).read_text(encoding="utf-8")
    assert compiled(tmp_path / "again").read_text(encoding="utf-8") == text, "equal settings, equal bytes"
    text = re.sub(r"(- --ir\n *- )[\w+/=]+\n", r"\1IR\n", text)
    text = re.sub(r"(- --code\n *- )'?\w+'?\n", r"\1DIGEST\n", text)
    actual = tmp_path / "actual.yaml"
    actual.write_text(text, encoding="utf-8")
    assert text == GOLDEN.read_text(encoding="utf-8"), f"if that is what it should be: cp {actual} {GOLDEN}"


def test_settings_of_the_cluster_reach_the_pods(tmp_path: Path) -> None:
    package = Package.read(
        compiled(
            tmp_path,
            **{
                "cluster.image": "registry/benison:1",
                "cluster.training_image": "registry/benison:1-gpu",
                "cluster.claim": "files",
                "cluster.mount": "/files",
                "cluster.retries": "5",
                "cluster.memory": "3Gi",
                "cluster.gpus": "2",
                "cluster.training_memory": "20Gi",
                "cluster.node_selector": "pool=gpu,zone=a",
                "cluster.tolerations": "nvidia.com/gpu:NoSchedule,team=ml:NoExecute",
            },
        )
    )
    trainer = package.tasks["trainer"]
    spec, pod = package.container_spec(trainer), package.kubernetes(trainer)
    assert spec["image"] == "registry/benison:1-gpu"
    assert spec["resources"]["accelerator"]["resourceType"] == "nvidia.com/gpu"
    assert spec["resources"]["accelerator"]["resourceCount"] == "2"
    assert spec["resources"]["resourceMemoryLimit"] == spec["resources"]["resourceMemoryRequest"] == "20Gi"
    assert pod["nodeSelector"]["labels"] == {"pool": "gpu", "zone": "a"}
    assert pod["tolerations"] == [
        {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"},
        {"key": "team", "operator": "Equal", "value": "ml", "effect": "NoExecute"},
    ]
    assert [(m["mountPath"], m["medium"]) for m in pod["emptyDirMounts"]] == [("/dev/shm", "Memory")]
    assert {env["name"] for env in pod["fieldPathAsEnv"]} == {"POD_NAME", "POD_UID", "POD_NAMESPACE"}
    for name, task in package.tasks.items():
        assert task.get("retryPolicy", {}).get("maxRetryCount", 0) == (0 if name == VERDICT else 5)
        assert [(m["constant"], m["mountPath"]) for m in package.kubernetes(task)["pvcMount"]] == [("files", "/files")]
        if name != "trainer":
            spec, pod = package.container_spec(task), package.kubernetes(task)
            assert spec["image"] == "registry/benison:1" and spec["resources"]["resourceMemoryLimit"] == "3Gi"
            assert "accelerator" not in spec["resources"]
            assert not {"nodeSelector", "tolerations", "emptyDirMounts"} & set(pod)
    default = ir(package, "Pusher").runtime_spec.pipeline_root.runtime_parameter.default_value
    assert default.string_value == f"/files/{TASK}/pipeline"


def test_workers_get_the_devices_where_training_has_pods_of_its_own(tmp_path: Path) -> None:
    overrides = {"cluster.gpus": "1", "cluster.node_selector": "pool=gpu", "cluster.retries": "7"}
    package = Package.read(compiled(tmp_path, workers=2, **overrides))
    trainer = package.tasks["trainer"]
    assert "accelerator" not in package.container_spec(trainer)["resources"]
    assert "nodeSelector" not in package.kubernetes(trainer)
    [node] = ir(package, "Trainer").nodes
    config = json.loads(node.pipeline_node.parameters.parameters["custom_config"].field_value.string_value)
    assert config["workers"] == 2
    assert config["cluster"]["gpus"] == 1 and config["cluster"]["node_selector"] == "pool=gpu"
    assert not {"retries", "memory", "metadata_host"} & set(config["cluster"]), "changes of these must not train anew"


def test_an_operators_rendering_has_pods_of_its_own_even_for_one_worker(tmp_path: Path) -> None:
    package = Package.read(compiled(tmp_path, **{"cluster.training": "tfjob"}))
    [node] = ir(package, "Trainer").nodes
    config = json.loads(node.pipeline_node.parameters.parameters["custom_config"].field_value.string_value)
    assert config["cluster"]["training"] == "tfjob"


def test_beam_settings_reach_the_nodes_that_compute_with_beam(tmp_path: Path) -> None:
    overrides = {"beam.runner": "flink", "beam.options": "--flink_master=flink:8081", "cluster.image": "i:1"}
    package = Package.read(compiled(tmp_path, **overrides))
    for name, is_beam in {"Transform": True, "Evaluator": True, "Trainer": False}.items():
        text = str(ir(package, name).deployment_config)
        assert ("FlinkRunner" in text and "flink:8081" in text and "sdk_container_image=i:1" in text) == is_beam


def test_data_on_the_volume_is_left_to_the_first_node(tmp_path: Path) -> None:
    package = Package.read(compiled(tmp_path, data="/workspace/data/mine"))
    assert json.loads(options(package, task_name(NODES[0]))["--settings"])["data"] == "/workspace/data/mine"
    [node] = ir(package, NODES[0]).nodes
    assert node.pipeline_node.parameters.parameters["input_base"].field_value.string_value == ""


@pytest.mark.parametrize(
    ("data", "overrides", "message"),
    [
        (".", {}, "a folder of this machine"),
        ("/tmp", {}, "a folder of this machine"),
        ("/workspaces/mine", {}, "a folder of this machine"),
        ("/workspace/../etc", {}, "a folder of this machine"),
        ("digitz", {}, "no data set 'digitz'"),
        (None, {"cluster.mount": "files"}, "expected an absolute path"),
        (None, {"cluster.cpu": "two"}, "cluster.cpu=two: no quantity"),
        (None, {"cluster.training_memory": "8GB"}, "cluster.training_memory=8GB: no quantity"),
        (None, {"cluster.node_selector": "gpu"}, "is not KEY=VALUE"),
        (None, {"cluster.tolerations": "gpu:Never"}, "is not KEY"),
        (None, {"cluster.imagge": "i"}, "no setting 'cluster.imagge'"),
        (None, {"beam.runner": "portable"}, "without a job service"),
        (None, {"beam.options": "job_endpoint"}, "is no option"),
    ],
)
def test_what_a_cluster_cannot_follow_is_refused(
    tmp_path: Path, data: str | None, overrides: dict[str, str], message: str
) -> None:
    with pytest.raises(WrongUse, match=message) as caught:
        compiled(tmp_path, data=data, **overrides)
    assert caught.value.fix
    assert not (tmp_path / "package.yaml").exists()


def test_the_command_writes_it_and_says_where(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "new" / "package.yaml"
    with pytest.raises(SystemExit) as ended:
        cli.main(["compile", TASK, "-o", str(file), "--image", "registry/benison:1", "--set", "cluster.claim=files"])
    out, err = capfd.readouterr()
    assert (ended.value.code, out, err) == (0, f"{file}\n", "")
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    package = Package.read(file)
    assert package.container_spec(package.tasks["pusher"])["image"] == "registry/benison:1"
    assert package.kubernetes(package.tasks["pusher"])["pvcMount"][0]["constant"] == "files"


def test_a_run_on_this_machine_has_no_cluster(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["run", TASK, "--set", "cluster.gpus=1"])
    assert ended.value.code == 2
    assert "cluster.gpus" in capfd.readouterr().err
