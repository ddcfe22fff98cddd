"""Training workers as Kubernetes objects: one description, rendered as an Indexed Job, a TFJob or a TrainJob.

All three run the same pod. They differ in who numbers the pods and who names them:

- `job`: an Indexed Job and a headless Service. Pod i is `NAME-<i>.NAME`. Needs no operator.
- `tfjob` (kubeflow.org/v1, Training Operator v1): the operator makes a Service for each pod and sets `TF_CONFIG`.
- `trainjob` (trainer.kubeflow.org/v1alpha1, Kubeflow Trainer v2): Trainer has no TensorFlow runtime, and what a
  TrainJob may override of a shared runtime changed from release to release. So the TrainJob comes with a
  TrainingRuntime of its own, of the plain machine-learning policy, whose JobSet holds our pod as it is. JobSet names
  pod i `NAME-node-0-<i>.NAME` and publishes the names before the pods are ready.

No pod is worth anything without the others, so nothing restarts a single one: the first failure ends the whole.
`tfjob` and `trainjob` follow the operators' sources; they were never run on a cluster. Pods are not gang-scheduled:
on a cluster short of room, two trainings may each hold half of it until `start_seconds` have passed.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from components.workers.cluster_settings import ClusterSettings, node_selector, tolerations
from components.workers.kubernetes_api import JOB, SERVICE, Document, Kind
from trainer.pod import HOSTS

TFJOB = Kind("kubeflow.org/v1", "TFJob", "tfjobs")
TRAINJOB = Kind("trainer.kubeflow.org/v1alpha1", "TrainJob", "trainjobs")
TRAINING_RUNTIME = Kind("trainer.kubeflow.org/v1alpha1", "TrainingRuntime", "trainingruntimes")

PORT = 2222
TRAINING = "benison/training"
"""Label of all objects and pods of one training; its value is their name."""
TASK, RUN = "benison/task", "benison/run"
DIGEST = "benison/digest"
"""Annotation that tells whether a training that is found running is the one that is wanted."""

GRACE_SECONDS = 5
"""Workers have nothing to finish when they are ended: what counts is the last backup."""

Rendered = tuple[tuple[Kind, Document], ...]
"""Objects in the order of their creation. The last is the workload, whose conditions tell how training ends."""


@dataclass(frozen=True)
class Workers:
    """The workers of one training, whatever they are rendered as."""

    name: str
    """Of every object: a DNS label that leaves room for what is put behind it to name pods."""
    task: str
    run: str
    """The pipeline run's id as a label value, or empty."""
    count: int
    command: Sequence[str]
    settings: ClusterSettings

    @property
    def image(self) -> str:
        return self.settings.training_image or self.settings.image

    @property
    def selector(self) -> dict[str, str]:
        return {TRAINING: self.name}


def name_of(task: str, training_dir: str) -> str:
    """The same for the same training, so that whoever comes back after a crash finds it. At most 44 characters.

    Every part of a pod's host name is a DNS label of at most 63.
    """
    digest = hashlib.sha256(training_dir.encode()).hexdigest()[:16]
    return f"benison-{re.sub('[^a-z0-9]+', '-', task.lower())[:19].strip('-')}-{digest}"


def render(workers: Workers, owner: Document) -> Rendered:
    """The objects, owned by the pod `owner`, whose end is theirs.

    Raises:
      WrongUse: a setting cannot be understood.
    """
    rendered = _RENDERINGS[workers.settings.training](workers)
    digest = hashlib.sha256(json.dumps([document for _, document in rendered], sort_keys=True).encode()).hexdigest()
    for _, document in rendered:
        document["metadata"] |= {
            "labels": _labels(workers) | ({RUN: workers.run} if workers.run else {}),
            "annotations": {DIGEST: digest[:16]},
            "ownerReferences": [owner_reference(owner)],
        }
    return rendered


def owner_reference(pod: Document) -> Document:
    metadata = pod["metadata"]
    return {"apiVersion": "v1", "kind": "Pod", "name": metadata["name"], "uid": metadata["uid"]}


def _job(workers: Workers) -> Rendered:
    service = _object(
        SERVICE,
        workers,
        {
            "clusterIP": "None",
            "publishNotReadyAddresses": True,  # workers look for each other before any of them is ready
            "selector": workers.selector,
            "ports": [{"name": "grpc", "port": PORT}],
        },
    )
    hosts = [f"{workers.name}-{index}.{workers.name}" for index in range(workers.count)]
    job = _object(JOB, workers, _indexed_job(workers, "worker", hosts))
    job["spec"]["template"]["spec"]["subdomain"] = workers.name
    return (SERVICE, service), (JOB, job)


def _tfjob(workers: Workers) -> Rendered:
    template = _pod(workers, "tensorflow", port_name="tfjob-port")  # both names are the operator's
    if workers.count == 1:  # which the operator tells nothing
        template["spec"]["containers"][0]["env"].append({"name": "TF_CONFIG", "value": "{}"})
    replicas = {"replicas": workers.count, "restartPolicy": "Never", "template": template}
    spec = {
        "runPolicy": {"cleanPodPolicy": "Running"},  # pods that ended stay, for their logs
        "successPolicy": "AllWorkers",
        "tfReplicaSpecs": {"Worker": replicas},
    }
    return ((TFJOB, _object(TFJOB, workers, spec)),)


def _trainjob(workers: Workers) -> Rendered:
    hosts = [f"{workers.name}-node-0-{index}.{workers.name}" for index in range(workers.count)]
    node = {
        "name": "node",
        "template": {
            "metadata": {"labels": {"trainer.kubeflow.org/trainjob-ancestor-step": "trainer"}},
            "spec": _indexed_job(workers, "node", hosts),
        },
    }
    runtime = {"mlPolicy": {"numNodes": workers.count}, "template": {"spec": {"replicatedJobs": [node]}}}
    job = {
        "runtimeRef": {
            "apiGroup": TRAINING_RUNTIME.api_version.partition("/")[0],
            "kind": TRAINING_RUNTIME.name,
            "name": workers.name,
        },
        "trainer": {"numNodes": workers.count},
    }
    return (
        (TRAINING_RUNTIME, _object(TRAINING_RUNTIME, workers, runtime)),
        (TRAINJOB, _object(TRAINJOB, workers, job)),
    )


_RENDERINGS: Mapping[str, Callable[[Workers], Rendered]] = {"job": _job, "tfjob": _tfjob, "trainjob": _trainjob}


def _object(kind: Kind, workers: Workers, spec: Document) -> Document:
    return {"apiVersion": kind.api_version, "kind": kind.name, "metadata": {"name": workers.name}, "spec": spec}


def _labels(workers: Workers) -> dict[str, str]:
    return {
        "app.kubernetes.io/name": "benison",
        "app.kubernetes.io/component": "training",
        TASK: workers.task,
        **workers.selector,
    }


def _indexed_job(workers: Workers, container: str, hosts: Sequence[str]) -> Document:
    disrupted = {"type": "DisruptionTarget", "status": "True"}
    return {
        "completionMode": "Indexed",
        "completions": workers.count,
        "parallelism": workers.count,
        "backoffLimit": 0,
        # A drained node takes its pods' records with it; then the Job's reason still says that it was a disruption.
        "podFailurePolicy": {"rules": [{"action": "FailJob", "onPodConditions": [disrupted]}]},
        "template": _pod(workers, container, hosts),
    }


def _pod(workers: Workers, container: str, hosts: Sequence[str] = (), port_name: str = "grpc") -> Document:
    """The pod, within the `restricted` pod security standard. Without `hosts` an operator tells a worker its place."""
    settings = workers.settings
    mounts = {"workspace": settings.mount, "shared-memory": "/dev/shm", "tmp": "/tmp"}
    worker = {
        "name": container,
        "image": workers.image,
        "command": list(workers.command),
        "env": _environment(hosts),
        "ports": [{"name": port_name, "containerPort": PORT}],
        "resources": _resources(settings),
        "volumeMounts": [{"name": name, "mountPath": path} for name, path in mounts.items()],
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    spec = {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "serviceAccountName": settings.service_account,  # for its pull secrets, not for its rights
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [worker],
        "volumes": [
            {"name": "workspace", "persistentVolumeClaim": {"claimName": settings.claim}},
            {"name": "shared-memory", "emptyDir": {"medium": "Memory", "sizeLimit": settings.shared_memory}},
            {"name": "tmp", "emptyDir": {}},
        ],
    }
    if settings.node_selector:
        spec["nodeSelector"] = node_selector(settings.node_selector)
    if settings.tolerations:
        spec["tolerations"] = tolerations(settings.tolerations)
    # A service mesh's sidecar would stand between the workers, and outlive them.
    return {"metadata": {"labels": _labels(workers) | {"sidecar.istio.io/inject": "false"}}, "spec": spec}


def _environment(hosts: Sequence[str]) -> list[Document]:
    """TensorFlow sees all cores of its node: what tells it how many are its own is the container's limit."""
    cores = {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "1"}}
    threads = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS")
    return [
        *([{"name": HOSTS, "value": ",".join(f"{host}:{PORT}" for host in hosts)}] if hosts else []),
        *({"name": name, "valueFrom": cores} for name in threads),
        {"name": "PYTHONUNBUFFERED", "value": "1"},
        {"name": "HOME", "value": "/tmp"},
    ]


def _resources(settings: ClusterSettings) -> Document:
    wanted = {"cpu": settings.training_cpu, "memory": settings.training_memory}
    gpus = {settings.gpu_resource: str(settings.gpus)} if settings.gpus else {}
    return {"requests": wanted | gpus, "limits": wanted | gpus}
