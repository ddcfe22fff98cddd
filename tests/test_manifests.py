"""The manifests in `kubeflow/`: valid, restricted, least rights, and the names that pipelines are compiled with."""

from __future__ import annotations

import base64
import dataclasses
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import kubernetes_validate
import pytest
import yaml

from components.workers.cluster_settings import ClusterSettings

ROOT = Path(__file__).resolve().parents[1]
KUBEFLOW = ROOT / "kubeflow"
OVERLAYS = ("local-path", "nfs", "gpu", "serving", "serving/tensorflow-serving", "serving/kserve")
VERSIONS = ("1.28", "1.30", "1.32", "1.34")
KNOWN_TO_KUBERNETES = re.compile(r"v1|apps/v1|batch/v1|(networking|rbac\.authorization)\.k8s\.io/v1")
USER = 10001
SECRETS = {"mysql-password": "benison-mysql", "dashboard-token": "benison-dashboard"}

Document = dict[str, Any]

needs_kubectl = pytest.mark.skipif(
    shutil.which("kubectl") is None, reason="needs kubectl: https://kubernetes.io/docs/tasks/tools/"
)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of `kubeflow/` with the secrets that a reader makes."""
    copy = tmp_path_factory.mktemp("deploy") / "kubeflow"
    shutil.copytree(KUBEFLOW, copy, ignore=shutil.ignore_patterns(*SECRETS))
    for file, name in SECRETS.items():
        (copy / "base/secrets" / file).write_text(f"of {name}")
    return copy


def render(folder: Path) -> list[Document]:
    done = subprocess.run(["kubectl", "kustomize", folder], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


@pytest.fixture(scope="module")
def rendered(tree: Path) -> dict[str, list[Document]]:
    return {overlay: render(tree / "overlays" / overlay) for overlay in OVERLAYS}


@pytest.fixture(params=OVERLAYS)
def documents(request: pytest.FixtureRequest, rendered: dict[str, list[Document]]) -> list[Document]:
    return rendered[request.param]


def of_kind(documents: list[Document], kind: str) -> dict[str, Document]:
    return {document["metadata"]["name"]: document for document in documents if document["kind"] == kind}


def pods(documents: list[Document]) -> Iterator[tuple[str, Document]]:
    """Name of the owner, and template, of all pods that the documents lead to, KServe's included."""
    for document in documents:
        spec, name = document.get("spec", {}), f"{document['kind']} {document['metadata']['name']}"
        if "template" in spec:
            yield name, spec["template"]
        if "predictor" in spec:
            labels = {"serving.kserve.io/inferenceservice": document["metadata"]["name"]}
            predictor = {**spec["predictor"], "containers": [spec["predictor"]["model"]]}
            yield name, {"metadata": {"labels": labels}, "spec": predictor}


def selects(policy: Document, labels: dict[str, str]) -> bool:
    selector = policy["spec"]["podSelector"]
    exist = [term["key"] in labels for term in selector.get("matchExpressions", []) if term["operator"] == "Exists"]
    return selector.get("matchLabels", {}).items() <= labels.items() and all(exist)


# --- validity ---


@needs_kubectl
@pytest.mark.parametrize("version", VERSIONS)
def test_every_document_is_valid(documents: list[Document], version: str) -> None:
    for document in documents:
        if KNOWN_TO_KUBERNETES.fullmatch(document["apiVersion"]):
            kubernetes_validate.validate(document, version, strict=True)
        else:
            assert document["kind"] == "InferenceService"


@needs_kubectl
def test_the_validator_refuses_what_it_should(rendered: dict[str, list[Document]]) -> None:
    claim = of_kind(rendered["nfs"], "PersistentVolumeClaim")["benison-workspace"]
    misspelt = {**claim, "spec": {**claim["spec"], "acessModes": []}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(misspelt, VERSIONS[-1], strict=True)


@needs_kubectl
def test_the_inference_service_serves_a_pushed_model(rendered: dict[str, list[Document]]) -> None:
    (service,) = of_kind(rendered["serving/kserve"], "InferenceService").values()
    assert service["apiVersion"] == "serving.kserve.io/v1beta1"
    model = service["spec"]["predictor"]["model"]
    assert model["modelFormat"]["name"] == "tensorflow"
    assert model["storageUri"] == f"pvc://{ClusterSettings().claim}/image_classification/serving"
    assert re.fullmatch(r"[a-z0-9-]+", service["metadata"]["name"])


# --- what pods may do ---


@needs_kubectl
def test_pods_are_restricted(documents: list[Document]) -> None:
    """As Kubernetes' `restricted` standard has it, and beyond: a read-only root, a user by number, no token."""
    for name, template in pods(documents):
        spec = template["spec"]
        assert spec["automountServiceAccountToken"] is False, name
        assert spec["securityContext"]["runAsNonRoot"] is True, name
        assert spec["securityContext"]["runAsUser"] > 0, name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys(), name
        assert not any("hostPath" in volume for volume in spec.get("volumes", [])), name
        for container in [*spec["containers"], *spec.get("initContainers", [])]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, name


@needs_kubectl
def test_pods_have_bounds_and_pinned_images(documents: list[Document]) -> None:
    for name, template in pods(documents):
        for container in template["spec"]["containers"]:
            for bound in ("requests", "limits"):
                assert {"cpu", "memory"} <= container["resources"][bound].keys(), name
            if "image" in container:  # KServe's comes with its runtime
                tag = container["image"].rpartition("/")[2].partition(":")[2]
                assert tag not in ("", "latest"), name


@needs_kubectl
def test_pods_of_the_image_run_as_its_user(documents: list[Document]) -> None:
    assert f"\nUSER {USER}:{USER}\n" in (KUBEFLOW / "Dockerfile").read_text()
    for name, template in pods(documents):
        if "benison:" in template["spec"]["containers"][0].get("image", ""):
            assert template["spec"]["securityContext"]["runAsUser"] == USER, name


@needs_kubectl
def test_the_image_is_that_of_this_version(documents: list[Document]) -> None:
    version = re.search(r'version="([^"]+)"', (ROOT / "setup.py").read_text())
    assert version
    for name, template in pods(documents):
        image = template["spec"]["containers"][0].get("image", "")
        if "benison:" in image:
            assert image.removesuffix("-gpu").endswith(f":{version[1]}"), name


@needs_kubectl
def test_roles_hold_the_least(documents: list[Document]) -> None:
    assert not of_kind(documents, "ClusterRole") and not of_kind(documents, "ClusterRoleBinding")
    for name, role in of_kind(documents, "Role").items():
        for rule in role["rules"]:
            assert "*" not in [*rule["apiGroups"], *rule["resources"], *rule["verbs"]], name
            assert "secrets" not in rule["resources"] or rule["resourceNames"], name


@needs_kubectl
@pytest.mark.parametrize("overlay", ["local-path", "nfs", "gpu"])
def test_the_trainer_may_do_what_it_does(rendered: dict[str, list[Document]], overlay: str) -> None:
    rules = of_kind(rendered[overlay], "Role")["benison-training"]["rules"]
    rights = {resource: rule["verbs"] for rule in rules for resource in rule["resources"]}
    assert rights == {
        "pods": ["get", "list"],
        "pods/log": ["get"],
        "services": ["get", "create", "patch", "delete"],
        "jobs": ["get", "create", "patch", "delete"],
    }


@needs_kubectl
@pytest.mark.parametrize("overlay", ["local-path", "nfs", "gpu"])
def test_rights_are_bound_to_the_account_of_pipelines(rendered: dict[str, list[Document]], overlay: str) -> None:
    documents = rendered[overlay]
    (account,) = of_kind(documents, "ServiceAccount").values()
    bindings = of_kind(documents, "RoleBinding")
    assert {binding["roleRef"]["name"] for binding in bindings.values()} == of_kind(documents, "Role").keys()
    for binding in bindings.values():
        (subject,) = binding["subjects"]
        assert subject["name"] == account["metadata"]["name"]
        assert subject["namespace"] == account["metadata"]["namespace"] == binding["metadata"]["namespace"]


@needs_kubectl
@pytest.mark.parametrize(
    ("operator", "group", "resources"),
    [
        ("tfjob", "kubeflow.org", ["tfjobs"]),
        ("trainjob", "trainer.kubeflow.org", ["trainjobs", "trainingruntimes"]),
    ],
)
def test_an_operator_is_a_line_in_an_overlay(tree: Path, operator: str, group: str, resources: list[str]) -> None:
    overlay = tree / "overlays" / f"with-{operator}"
    overlay.mkdir()
    (overlay / "kustomization.yaml").write_text(
        f"resources: [../local-path]\ncomponents: [../../operators/{operator}]\nnamespace: kubeflow\n"
    )
    documents = render(overlay)
    role = of_kind(documents, "Role")[f"benison-training-{operator}"]
    assert role["rules"] == [
        {"apiGroups": [group], "resources": resources, "verbs": ["get", "create", "patch", "delete"]}
    ]
    binding = of_kind(documents, "RoleBinding")[role["metadata"]["name"]]
    assert binding["subjects"][0]["namespace"] == role["metadata"]["namespace"] == "kubeflow"


# --- the network, the namespace ---


@needs_kubectl
def test_every_pod_is_shut_off_but_for_what_a_policy_allows(documents: list[Document]) -> None:
    policies = of_kind(documents, "NetworkPolicy").values()
    for name, template in pods(documents):
        if not name.startswith("Job"):  # the check of GPUs has no policy of its own: the namespace denies by default
            chosen = [policy for policy in policies if selects(policy, template["metadata"]["labels"])]
            assert any(set(policy["spec"]["policyTypes"]) == {"Ingress", "Egress"} for policy in chosen), name


@needs_kubectl
@pytest.mark.parametrize("overlay", ["nfs", "gpu"])
def test_the_namespace_denies_by_default(rendered: dict[str, list[Document]], overlay: str) -> None:
    policy = of_kind(rendered[overlay], "NetworkPolicy")["default-deny"]
    assert policy["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


@needs_kubectl
def test_a_laptop_leaves_kubeflow_alone(rendered: dict[str, list[Document]]) -> None:
    """In Kubeflow's own namespace no policy, quota or label of ours may catch Kubeflow's pods."""
    documents = rendered["local-path"]
    for policy in of_kind(documents, "NetworkPolicy").values():
        assert policy["spec"]["podSelector"]["matchLabels"]["app.kubernetes.io/name"] == "benison"
    assert not {"Namespace", "ResourceQuota", "LimitRange"} & {document["kind"] for document in documents}
    assert {document["metadata"]["namespace"] for document in documents} == {"kubeflow"}


@needs_kubectl
@pytest.mark.parametrize("overlay", ["local-path", "nfs", "gpu"])
@pytest.mark.parametrize("training", ["job", "tfjob"])
def test_training_pods_reach_each_other(
    rendered: dict[str, list[Document]], overlay: str, training: Literal["job", "tfjob"]
) -> None:
    from components.workers.rendering import Workers, render

    workers = Workers("benison-x", "x", "run", 2, ["true"], ClusterSettings(training=training))
    *_, (_, workload) = render(workers, {"metadata": {"name": "trainer", "uid": "0"}})
    spec = workload["spec"]
    template = spec["template"] if training == "job" else spec["tfReplicaSpecs"]["Worker"]["template"]
    policy = of_kind(rendered[overlay], "NetworkPolicy")["benison-training"]
    labels = template["metadata"]["labels"]
    assert selects(policy, labels)
    for way, end in (("ingress", "from"), ("egress", "to")):
        peers = [peer for rule in policy["spec"][way] for peer in rule[end] if "ports" not in rule]
        assert any(selects({"spec": peer}, labels) for peer in peers), way


@needs_kubectl
@pytest.mark.parametrize("overlay", ["nfs", "gpu"])
def test_pods_of_pipelines_reach_what_they_need(rendered: dict[str, list[Document]], overlay: str) -> None:
    documents = rendered[overlay]
    node = {"workflows.argoproj.io/workflow": "benison-x7k2p"}
    (policy,) = [
        policy
        for policy in of_kind(documents, "NetworkPolicy").values()
        if selects(policy, node) and policy["spec"]["podSelector"]
    ]
    ports = {port["port"] for rule in policy["spec"]["egress"] for port in rule["ports"]}
    assert {53, 443, 6443, 3306, 8887, 8080, 9000} <= ports
    (admitted,) = of_kind(documents, "NetworkPolicy")["benison-mysql"]["spec"]["ingress"]
    assert selects({"spec": admitted["from"][0]}, node) and admitted["ports"][0]["port"] == 3306


@needs_kubectl
@pytest.mark.parametrize("overlay", ["nfs", "gpu"])
def test_the_namespace_is_restricted_and_bounded(rendered: dict[str, list[Document]], overlay: str) -> None:
    documents = rendered[overlay]
    labels = of_kind(documents, "Namespace")[ClusterSettings().namespace]["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    quota = of_kind(documents, "ResourceQuota")["benison"]["spec"]["hard"]
    assert quota["requests.nvidia.com/gpu"] == ("8" if overlay == "gpu" else "0")
    assert of_kind(documents, "LimitRange")


# --- names ---


@needs_kubectl
@pytest.mark.parametrize("overlay", ["local-path", "nfs", "gpu"])
def test_names_are_those_that_pipelines_are_compiled_with(rendered: dict[str, list[Document]], overlay: str) -> None:
    documents, settings = rendered[overlay], ClusterSettings()
    assert of_kind(documents, "ServiceAccount").keys() == {settings.service_account}
    assert of_kind(documents, "PersistentVolumeClaim").keys() == {settings.claim}
    service = of_kind(documents, "Service")[settings.metadata_host]
    assert [port["port"] for port in service["spec"]["ports"]] == [settings.metadata_port]
    server = of_kind(documents, "StatefulSet")["benison-mysql"]["spec"]["template"]["spec"]["containers"][0]
    variables = {variable["name"]: variable.get("value") for variable in server["env"]}
    assert variables["MARIADB_DATABASE"] == settings.metadata_database
    assert variables["MARIADB_USER"] == settings.metadata_user
    secret = of_kind(documents, "Secret")[settings.metadata_secret]
    assert base64.b64decode(secret["data"][settings.metadata_secret_key]) == b"of benison-mysql"


@needs_kubectl
def test_services_lead_to_pods(documents: list[Document]) -> None:
    templates = dict(pods(documents)).values()
    for name, service in of_kind(documents, "Service").items():
        (template,) = [t for t in templates if service["spec"]["selector"].items() <= t["metadata"]["labels"].items()]
        open_ports = {port["name"] for port in template["spec"]["containers"][0]["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= open_ports, name


@needs_kubectl
def test_the_claim_is_mounted_where_pipelines_have_it(documents: list[Document]) -> None:
    settings = ClusterSettings()
    for name, template in pods(documents):
        volumes = {volume["name"]: volume for volume in template["spec"].get("volumes", [])}
        if "workspace" in volumes:
            assert volumes["workspace"]["persistentVolumeClaim"]["claimName"] == settings.claim, name
            mounts = {m["name"]: m["mountPath"] for m in template["spec"]["containers"][0]["volumeMounts"]}
            assert mounts["workspace"] == settings.mount, name


@needs_kubectl
def test_served_folders_are_where_models_are_pushed(rendered: dict[str, list[Document]]) -> None:
    from pipelines.records.workspace import task_space

    (models,) = of_kind(rendered["serving/tensorflow-serving"], "ConfigMap").values()
    found = re.findall(r'name: "(\w+)"\s+base_path: "([^"]+)"', models["data"]["models.config"])
    assert found
    for task, path in found:
        assert Path(path) == task_space(Path(ClusterSettings().mount), task).serving


def test_no_secret_is_in_the_repository() -> None:
    kept = subprocess.run(["git", "ls-files", "kubeflow/base/secrets"], cwd=ROOT, capture_output=True, text=True)
    assert kept.stdout.split() in (["kubeflow/base/secrets/.gitignore"], [])  # [] outside a git checkout


# --- the guide ---


@pytest.mark.parametrize("field", dataclasses.fields(ClusterSettings), ids=lambda field: field.name)
def test_the_guide_names_every_setting_with_its_default(field: Any) -> None:
    guide = (ROOT / "docs/deploy.md").read_text()
    row = re.search(rf"^\| `cluster\.{field.name}` \| ([^|]*) \|", guide, re.MULTILINE)
    assert row, f"docs/deploy.md has no row for cluster.{field.name}"
    assert row[1].strip("` ") == str(field.default)
