"""What `--set cluster.NAME=VALUE` may say of the Kubernetes cluster that a pipeline is compiled for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from data.errors import WrongUse

EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


@dataclass(frozen=True)
class ClusterSettings:
    """Names are those of the manifests in `kubeflow/base`. Quantities are Kubernetes' own: `2`, `500m`, `4Gi`.

    `node_selector` is `KEY=VALUE,...` and `tolerations` `KEY[=VALUE]:EFFECT,...`; both are for training pods alone.
    """

    namespace: str = "benison"
    image: str = "benison:0.1.0"
    """Of the pipeline's nodes; it holds this project. Kubernetes would pull a tag `latest` anew for each pod."""
    training_image: str = ""
    """Of the training workers, where it is another, as one with CUDA."""
    service_account: str = "benison-pipeline"
    claim: str = "benison-workspace"
    """Read-write-many volume that all pods share."""
    mount: str = "/workspace"
    """Where every pod has the claim."""

    metadata_host: str = "benison-mysql"
    """MySQL server. Empty: the SQLite file of the workspace, which local runs have, too, for nodes that are run on one
    machine one after the other."""
    metadata_port: int = field(default=3306, metadata={"min": 1, "max": 65535})
    metadata_database: str = "benison"
    metadata_user: str = "benison"
    metadata_secret: str = "benison-mysql"
    metadata_secret_key: str = "password"

    retries: int = field(default=2, metadata={"min": 0})
    """How often a node whose pod failed is tried again."""
    cpu: str = "1"
    memory: str = "4Gi"

    training: Literal["job", "tfjob", "trainjob"] = "job"
    """What the workers are rendered as: an Indexed Job, which needs no operator, or an operator's own kind."""
    gpus: int = field(default=0, metadata={"min": 0})
    """Of each training worker."""
    gpu_resource: str = "nvidia.com/gpu"
    training_cpu: str = "2"
    training_memory: str = "8Gi"
    shared_memory: str = "2Gi"
    """Size of `/dev/shm` in training pods, which NCCL uses; it counts towards their memory."""
    node_selector: str = ""
    tolerations: str = ""
    max_restarts: int = field(default=3, metadata={"min": 0})
    """How often all workers start again from the last backup."""
    start_seconds: int = field(default=900, metadata={"min": 1})
    """How long workers may wait for a node, an image or a volume."""


def trains_in_workers(settings: ClusterSettings, workers: int) -> bool:
    """Whether training has pods of its own: for several workers, or where an operator is to run them.

    One worker trains in the Trainer node's own pod.
    """
    return workers > 1 or settings.training != "job"


def node_selector(text: str) -> dict[str, str]:
    """The labels that a node must have, of `KEY=VALUE,...`. Raises WrongUse."""
    labels = {}
    for pair in _listed(text):
        key, equals, value = pair.partition("=")
        if not (key and equals):
            raise WrongUse(
                f"--set cluster.node_selector={text}: {pair!r} is not KEY=VALUE",
                "for example cluster.node_selector=cloud.example.com/gpu=a100",
            )
        labels[key] = value
    return labels


def tolerations(text: str) -> list[dict[str, str]]:
    """The tolerations as a pod has them, of `KEY[=VALUE]:EFFECT,...`. Raises WrongUse."""
    found = []
    for taint_and_effect in _listed(text):
        taint, _, effect = taint_and_effect.rpartition(":")
        key, equals, value = taint.partition("=")
        if not key or effect not in EFFECTS:
            raise WrongUse(
                f"--set cluster.tolerations={text}: {taint_and_effect!r} is not KEY[=VALUE]:EFFECT",
                f"for example cluster.tolerations=nvidia.com/gpu:NoSchedule; effects: {', '.join(EFFECTS)}",
            )
        matched = {"operator": "Equal", "value": value} if equals else {"operator": "Exists"}
        found.append({"key": key, **matched, "effect": effect})
    return found


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
