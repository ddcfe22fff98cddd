"""One description of workers, three renderings: what Kubernetes knows is checked against its strict schemas."""

from __future__ import annotations

import json
import re
from typing import Any

import kubernetes_validate
import pytest

from components.workers.cluster_settings import ClusterSettings
from components.workers.kubernetes_api import JOB, SERVICE
from components.workers.rendering import (
    DIGEST,
    PORT,
    TFJOB,
    TRAINING_RUNTIME,
    TRAINJOB,
    Rendered,
    Workers,
    name_of,
    render,
)
from data.errors import WrongUse
from trainer.pod import HOSTS
from trainer.task import task_names

VERSIONS = ("1.27", "1.29", "1.32", "1.34", "1.37")
OWNER = {"metadata": {"name": "trainer-node", "uid": "1-2-3"}}
COMMAND = ("python", "-P", "-m", "trainer.pod", "/workspace/training/1/spec.json")
NAME = name_of("image_classification", "/workspace/training/1")
GPUS = {"gpus": 2, "node_selector": "gpu=a100, zone=west", "tolerations": "nvidia.com/gpu:NoSchedule"}


def rendered(training: Any = "job", count: int = 3, run: str = "run-7", **settings: Any) -> Rendered:
    chosen = ClusterSettings(training=training, **settings)
    return render(Workers(NAME, "image_classification", run, count, COMMAND, chosen), OWNER)


def template(objects: Rendered) -> dict[str, Any]:
    """The pod template of any rendering."""
    kind, document = objects[-1]
    if kind == TFJOB:
        return document["spec"]["tfReplicaSpecs"]["Worker"]["template"]
    if kind == TRAINJOB:
        _, runtime = objects[0]
        document = runtime["spec"]["template"]["spec"]["replicatedJobs"][0]["template"]
    return document["spec"]["template"]


def environment(objects: Rendered) -> dict[str, Any]:
    (container,) = template(objects)["spec"]["containers"]
    return {one["name"]: one.get("value", one.get("valueFrom")) for one in container["env"]}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("settings", [{}, GPUS, {"training_image": "trainer:2", "tolerations": "a=b:NoExecute"}])
@pytest.mark.parametrize("training", ["job", "tfjob", "trainjob"])
def test_kubernetes_own_kinds_pass_its_strict_schema(training: str, settings: dict[str, Any], version: str) -> None:
    """Of an operator's kinds that is the pod, and TrainJob's Job."""
    objects = rendered(training, **settings)
    documents = [document for _, document in objects if training == "job"]
    documents.append({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, **_pod(objects)})
    if training == "trainjob":
        (node,) = objects[0][1]["spec"]["template"]["spec"]["replicatedJobs"]
        job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "a"}, "spec": node["template"]["spec"]}
        documents.append(job)
    for document in documents:
        kubernetes_validate.validate(document, version, strict=True)


def _pod(objects: Rendered) -> dict[str, Any]:
    return {"spec": template(objects)["spec"]}


@pytest.mark.parametrize("training", ["job", "tfjob", "trainjob"])
def test_every_rendering_runs_the_same_pod(training: str) -> None:
    """But for what tells it its place, and for the names that operators ask for."""

    def common(objects: Rendered) -> dict[str, Any]:
        pod = json.loads(json.dumps(template(objects)))
        pod["spec"].pop("subdomain", None)
        (container,) = pod["spec"]["containers"]
        container.pop("name")
        container["ports"][0].pop("name")
        container["env"] = [one for one in container["env"] if one["name"] != HOSTS]
        return pod

    assert common(rendered(training, **GPUS)) == common(rendered("job", **GPUS))


def test_a_pod_keeps_to_the_restricted_standard_and_to_the_settings() -> None:
    made = template(rendered(**GPUS, training_cpu="500m", training_memory="3Gi", claim="c", mount="/m"))
    pod, labels = made["spec"], made["metadata"]["labels"]
    assert labels["benison/training"] == NAME
    assert labels["sidecar.istio.io/inject"] == "false"
    (container,) = pod["containers"]
    assert pod["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert (pod["serviceAccountName"], pod["automountServiceAccountToken"]) == ("benison-pipeline", False)
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)
    limits = {"cpu": "500m", "memory": "3Gi", "nvidia.com/gpu": "2"}
    assert container["resources"] == {"requests": limits, "limits": limits}
    assert pod["nodeSelector"] == {"gpu": "a100", "zone": "west"}
    assert pod["tolerations"] == [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]
    volumes = {volume.pop("name"): volume for volume in pod["volumes"]}
    at = {mount["mountPath"]: volumes[mount["name"]] for mount in container["volumeMounts"]}
    assert at["/m"] == {"persistentVolumeClaim": {"claimName": "c"}}
    assert at["/dev/shm"] == {"emptyDir": {"medium": "Memory", "sizeLimit": "2Gi"}}
    assert at["/tmp"] == {"emptyDir": {}}
    assert "nvidia.com/gpu" not in template(rendered())["spec"]["containers"][0]["resources"]["limits"]


def test_the_training_image_is_the_pipelines_unless_it_is_another() -> None:
    images = [
        template(rendered(image="a:1", training_image=other))["spec"]["containers"][0]["image"] for other in ("", "b:1")
    ]
    assert images == ["a:1", "b:1"]


def test_job_names_its_pods_through_a_headless_service() -> None:
    (first, service), (second, job) = rendered()
    assert (first, second) == (SERVICE, JOB)
    assert service["spec"]["clusterIP"] == "None"
    assert service["spec"]["publishNotReadyAddresses"] is True
    assert service["spec"]["selector"].items() <= job["spec"]["template"]["metadata"]["labels"].items()
    assert job["spec"]["template"]["spec"]["subdomain"] == service["metadata"]["name"]
    assert environment(rendered())[HOSTS] == ",".join(f"{NAME}-{index}.{NAME}:{PORT}" for index in range(3))
    spec = job["spec"]
    assert (spec["completionMode"], spec["completions"], spec["parallelism"]) == ("Indexed", 3, 3)
    assert (spec["backoffLimit"], spec["template"]["spec"]["restartPolicy"]) == (0, "Never")


def test_tfjob_is_what_its_operator_reads() -> None:
    ((kind, job),) = rendered("tfjob")
    assert (kind, job["apiVersion"], job["kind"]) == (TFJOB, "kubeflow.org/v1", "TFJob")
    worker = job["spec"]["tfReplicaSpecs"]["Worker"]
    assert (worker["replicas"], worker["restartPolicy"]) == (3, "Never")
    assert (job["spec"]["successPolicy"], job["spec"]["runPolicy"]["cleanPodPolicy"]) == ("AllWorkers", "Running")
    (container,) = worker["template"]["spec"]["containers"]
    assert container["name"] == "tensorflow"
    assert container["ports"] == [{"name": "tfjob-port", "containerPort": PORT}]
    assert not {HOSTS, "TF_CONFIG"} & set(environment(rendered("tfjob"))), "the operator sets it"
    assert environment(rendered("tfjob", count=1))["TF_CONFIG"] == "{}"


def test_trainjob_brings_a_runtime_of_its_own() -> None:
    (first, runtime), (second, job) = rendered("trainjob")
    assert (first, second) == (TRAINING_RUNTIME, TRAINJOB)
    reference = job["spec"]["runtimeRef"]
    assert reference == {"apiGroup": "trainer.kubeflow.org", "kind": "TrainingRuntime", "name": NAME}
    assert job["spec"]["trainer"]["numNodes"] == runtime["spec"]["mlPolicy"]["numNodes"] == 3
    assert set(runtime["spec"]["mlPolicy"]) == {"numNodes"}, "the plain policy: no torchrun, no MPI"
    (node,) = runtime["spec"]["template"]["spec"]["replicatedJobs"]
    assert node["template"]["metadata"]["labels"] == {"trainer.kubeflow.org/trainjob-ancestor-step": "trainer"}
    assert node["template"]["spec"]["backoffLimit"] == 0
    assert "subdomain" not in template(rendered("trainjob"))["spec"], "JobSet sets it"
    hosts = [f"{NAME}-node-0-{index}.{NAME}:{PORT}" for index in range(3)]
    assert environment(rendered("trainjob"))[HOSTS] == ",".join(hosts)


@pytest.mark.parametrize("training", ["job", "tfjob", "trainjob"])
def test_objects_tell_their_task_run_and_training_and_their_owner(training: str) -> None:
    for kind, document in rendered(training):
        assert (document["apiVersion"], document["kind"]) == (kind.api_version, kind.name)
        metadata = document["metadata"]
        assert metadata["name"] == NAME
        assert metadata["labels"] == {
            "app.kubernetes.io/name": "benison",
            "app.kubernetes.io/component": "training",
            "benison/task": "image_classification",
            "benison/run": "run-7",
            "benison/training": NAME,
        }
        owner = {"apiVersion": "v1", "kind": "Pod", "name": "trainer-node", "uid": "1-2-3"}
        assert metadata["ownerReferences"] == [owner]


def test_the_digest_is_of_what_decides_the_workers() -> None:
    def digest(**changes: Any) -> str:
        return str(rendered(**changes)[-1][1]["metadata"]["annotations"][DIGEST])

    assert digest() == digest(run="another"), "a retry belongs to the same training"
    assert len({digest(), digest(count=2), digest(image="b:1"), digest(training_memory="1Gi"), digest(gpus=1)}) == 5


@pytest.mark.parametrize("task", [*task_names(), "A task; of Ümlauts"])
def test_names_are_dns_labels_with_room_for_what_names_pods(task: str) -> None:
    name = name_of(task, "/workspace/training/1")
    assert re.fullmatch("[a-z]([-a-z0-9]*[a-z0-9])?", name)
    assert len(f"{name}-node-0-9999") <= 63
    assert name == name_of(task, "/workspace/training/1") != name_of(task, "/workspace/training/2")


@pytest.mark.parametrize("wrong", [{"node_selector": "gpu"}, {"tolerations": "gpu:Never"}])
def test_a_setting_that_cannot_be_understood_is_wrong_use(wrong: dict[str, str]) -> None:
    (name,) = wrong
    with pytest.raises(WrongUse, match=f"cluster.{name}"):
        rendered(**wrong)
