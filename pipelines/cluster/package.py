"""A task's pipeline as a package for Kubeflow Pipelines: `benison compile`.

The TFX IR is the one description. Each of its nodes becomes one container task of a KFP v2 package (schema 2.1.0 and a
platform spec for Kubernetes), whose command runs that node through TFX's launcher: `python -m
pipelines.cluster.node_main run`. KFP's own caching is off, since TFX's knows what a result depends on. After the last
node the task `verdict` records the run and fails if the model was not blessed; the exit task `record` records runs that
failed. The backend must be KFP 2.4 or later: those before do not tell a run's id.

The IR travels in the nodes' arguments, cut: each node gets its own part of it, 1 to 5 KB in base64, whose letters are
none that KFP (`{{...}}`) or Kubernetes (`$(...)`) would replace. A file would have to be on the volume before the first
run, and would be another one than the package was made with as soon as someone forgets it. KFP keeps all arguments in
the Argo Workflow, an object of at most 1.5 MB that KFP 2.0 puts into annotations (256 KiB together), and hands each
task's to its driver as one argument of at most 128 KiB: there is room for all of them many times over.

What kfp-kubernetes 1.5 cannot say: a security context, a read-only root file system and an fsGroup. Nodes are non-root
by the USER of the image and by the pod security that the namespace enforces (`kubeflow/base`).
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.workers.cluster_settings import ClusterSettings, node_selector, tolerations, trains_in_workers
from data.errors import WrongUse
from data.sources import catalogue
from data.sources.assets import NONE
from pipelines import assets
from pipelines.cluster.node_main import PASSWORD
from pipelines.identity import code_digest
from pipelines.quick_imports import quick_imports
from pipelines.records.workspace import TaskSpace
from pipelines.settings import RunSettings, apply_overrides
from trainer.task import load

if TYPE_CHECKING:
    from tfx.proto.orchestration import pipeline_pb2

VERDICT, RECORD = "verdict", "record"
"""KFP tasks that are no nodes: the last one, and the exit task."""

PYTHON = ("python", "-P", "-m", "pipelines.cluster.node_main")
"""-P: a folder named `data` where the container starts must not be taken for ours."""

POD = {"POD_NAME": "metadata.name", "POD_UID": "metadata.uid", "POD_NAMESPACE": "metadata.namespace"}
"""What the Trainer must know of its own pod to own the workers that it starts."""

QUANTITIES = {
    "cpu": r"\d*\.?\d+m?",
    "training_cpu": r"\d*\.?\d+m?",
    "memory": r"\d+(\.\d+)?([EPTGMK]i?)?",
    "training_memory": r"\d+(\.\d+)?([EPTGMK]i?)?",
    "shared_memory": r"\d+(\.\d+)?([EPTGMK]i?)?",
}
"""Cluster settings that are quantities, and how Kubeflow Pipelines wants them written."""


def task_name(node: str) -> str:
    """KFP's name of a node's task: `data-gate` for DataGate."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", node).lower()


def write_package(settings: RunSettings, output: Path) -> None:
    """Compiles a task's pipeline to a YAML file that `kfp.Client` uploads. Equal settings and code, equal bytes.

    Raises:
      WrongUse: a setting that there is not or that a cluster cannot follow, or data that its pods do not see.
    """
    cluster = apply_overrides(load(settings.task).HParams, settings.overrides)[1].cluster
    _check(settings, cluster)
    _check_assets(settings, cluster)
    settings = dataclasses.replace(settings, workspace=Path(cluster.mount))
    package = _Package(settings, cluster, _compiled(settings, cluster))
    output.parent.mkdir(parents=True, exist_ok=True)
    package.write(output)


def _check(settings: RunSettings, cluster: ClusterSettings) -> None:
    if settings.from_node or settings.to_node:
        raise WrongUse("a package is of the whole pipeline", "leave out from_node and to_node")
    if not Path(cluster.mount).is_absolute():
        raise WrongUse(f"--set cluster.mount={cluster.mount}: expected an absolute path", "for example /workspace")
    for name, pattern in QUANTITIES.items():
        text = getattr(cluster, name)
        if not re.fullmatch(pattern, text):
            raise WrongUse(
                f"--set cluster.{name}={text}: no quantity", "cpu is like 2 or 500m, memory like 4Gi or 500M"
            )
    node_selector(cluster.node_selector)  # raises if it is not understood
    tolerations(cluster.tolerations)
    data = settings.data
    if data is None or data.startswith("tfds:") or data in catalogue.names():
        return
    if not Path(os.path.normpath(data)).is_relative_to(cluster.mount):
        if "/" not in data and not Path(data).exists():
            catalogue.get(data)  # says what is like it
        raise WrongUse(
            f"--data {data}: a folder of this machine, which the cluster's pods do not see",
            f"copy it to the volume and give its path there, below {cluster.mount}; or name a data set",
        )


def _check_assets(settings: RunSettings, cluster: ClusterSettings) -> None:
    task_class = load(settings.task)
    hparams, _ = apply_overrides(task_class.HParams, settings.overrides)
    for name, choice in assets.chosen(task_class, hparams).items():
        if choice not in ("", NONE) and not Path(os.path.normpath(choice)).is_relative_to(cluster.mount):
            raise WrongUse(
                f"--set {name}={choice}: a file of this machine, which the cluster's pods do not see",
                f"copy it to the volume and give its path there, below {cluster.mount}",
            )


def _compiled(settings: RunSettings, cluster: ClusterSettings) -> pipeline_pb2.Pipeline:
    with quick_imports():
        from trainer.backend import load_tensorflow

        load_tensorflow()
        from pipelines import dag
        from pipelines.node_runner import compile_ir
        from pipelines.records.lineage import cluster_connection

    space = TaskSpace(settings.workspace / settings.task)
    connection = cluster_connection(cluster, space, password="")
    chosen = dag.PipelineSettings.of(settings, space, data=None, assets={}, connection=connection, on_cluster=True)
    return compile_ir(dag.build(load(settings.task), chosen))


@dataclasses.dataclass(frozen=True)
class _Package:
    settings: RunSettings
    cluster: ClusterSettings
    ir: pipeline_pb2.Pipeline

    def write(self, output: Path) -> None:
        from kfp import compiler, dsl

        def nodes() -> None:
            with dsl.ExitHandler(self._end(RECORD), name="Pipeline"):
                tasks: dict[str, Any] = {}
                for wrapped in self.ir.nodes:
                    node = wrapped.pipeline_node
                    task = tasks[node.node_info.id] = self._node(node.node_info.id)
                    task.after(*(tasks[upstream] for upstream in node.upstream_nodes))
                self._end(VERDICT).after(*tasks.values())

        nodes.__annotations__.clear()  # KFP would take them for outputs
        name = f"benison-{self.settings.task}".replace("_", "-")
        pipeline = dsl.pipeline(nodes, name=name, description=load(self.settings.task).title)
        compiler.Compiler().compile(pipeline, str(output))

    def _node(self, name: str) -> Any:
        from kfp import kubernetes

        from pipelines.node_runner import slice_of, to_text

        trains = name == "Trainer" and not trains_in_workers(self.cluster, self.settings.workers)
        arguments = ["--ir", to_text(slice_of(self.ir, name)), "--code", code_digest()]
        image = self.cluster.training_image if trains and self.cluster.training_image else self.cluster.image
        task = self._task(task_name(name), image, ["run", name], arguments)
        task.set_display_name(name)
        task.set_retry(self.cluster.retries)
        if trains:
            self._give_what_training_needs(task)
        else:
            task.container_spec.resources = _resources(self.cluster.cpu, self.cluster.memory)
        if name == "Trainer":
            for variable, field in POD.items():
                kubernetes.use_field_path_as_env(task, variable, field)
        return task

    def _end(self, name: str) -> Any:
        """`verdict` or `record`. Not tried again: that it fails says what the run came to."""
        task = self._task(name, self.cluster.image, [name], [])
        task.container_spec.resources = _resources(self.cluster.cpu, self.cluster.memory)
        return task

    def _task(self, name: str, image: str, command: list[str], arguments: list[str]) -> Any:
        from kfp import dsl, kubernetes

        settings = dataclasses.asdict(self.settings) | {"workspace": str(self.settings.workspace)}
        about = ["--settings", json.dumps(settings)]

        def container(run_id: str) -> dsl.ContainerSpec:
            return dsl.ContainerSpec(
                image=image, command=[*PYTHON, *command], args=[*about, "--run-id", run_id, *arguments]
            )

        container.__name__ = name.replace("-", "_")  # KFP names a component after its function
        container.__annotations__ = {"run_id": str}  # and reads types, not their names
        # The backend knows the run's id as the whole value of a parameter, not inside a container's arguments.
        task = dsl.container_component(container)(run_id=dsl.PIPELINE_JOB_ID_PLACEHOLDER)
        task.set_caching_options(False)
        kubernetes.mount_pvc(task, self.cluster.claim, self.cluster.mount)
        if self.cluster.metadata_host:
            secret = {self.cluster.metadata_secret_key: PASSWORD}
            kubernetes.use_secret_as_env(task, self.cluster.metadata_secret, secret)
        return task

    def _give_what_training_needs(self, task: Any) -> None:
        from kfp import kubernetes

        cluster = self.cluster
        task.container_spec.resources = _resources(
            cluster.training_cpu, cluster.training_memory, cluster.gpus, cluster.gpu_resource
        )
        kubernetes.empty_dir_mount(task, "shared-memory", "/dev/shm", "Memory", cluster.shared_memory)
        for key, value in node_selector(cluster.node_selector).items():
            kubernetes.add_node_selector(task, key, value)
        for toleration in tolerations(cluster.tolerations):
            kubernetes.add_toleration(task, **toleration)


def _resources(cpu: str, memory: str, gpus: int = 0, gpu_resource: str = "") -> Any:
    """Requests and limits alike.

    Not by the task's setters: each looks through the call stack, which takes seconds beside TensorFlow's thousands of
    modules.
    """
    from kfp.dsl.structures import ResourceSpec

    devices = {"accelerator_type": gpu_resource, "accelerator_count": str(gpus)} if gpus else {}
    return ResourceSpec(cpu_request=cpu, cpu_limit=cpu, memory_request=memory, memory_limit=memory, **devices)
