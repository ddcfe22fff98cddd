"""A cluster of one machine: a real HTTP Kubernetes API (kmock) with stand-ins for what acts on its objects.

- The API server checks Kubernetes' own kinds against their strict schema, gives uids, selects by label, deletes in the
  foreground (an object goes after all that it owns), refuses what it is told to refuse.
- The controllers (Job, TFJob's and TrainJob's operators, garbage collector) make pods, end a workload by its first
  failed pod, and write the conditions that Kubernetes writes.
- The kubelet runs each pod's container as a process of this machine, with the environment of its manifest and no other,
  and writes the pod's status. All pods share one loopback: the name and port of a pod, which it has only if a headless
  Service or its operator gives it one, is replaced by a port of 127.0.0.1.

Controllers and kubelet are clients of the API, in one thread. Only what the tests need is here: no scheduler, no
resources, no volumes (the claim is a folder of this machine at the same path), no users.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import json
import math
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import kmock
import kubernetes_validate

Document = dict[str, Any]

NAMESPACE = "benison"
KUBERNETES = "1.32"
PERIOD = 0.05  # seconds between two looks at the API
INDEX = "batch.kubernetes.io/job-completion-index"
OPERATORS = {"tfjobs": "kubeflow.org/v1", "trainjobs": "trainer.kubeflow.org/v1alpha1"}
SERVED = {"pods": "v1", "services": "v1", "jobs": "batch/v1"}
VERBS = {"GET": "get", "POST": "create", "PATCH": "patch", "DELETE": "delete"}


class ApiServer(kmock.KubernetesEmulator):
    """kmock, with what Kubernetes' API server does beside storing objects."""

    def __init__(self, logs: Path) -> None:
        super().__init__()
        self.logs = logs
        self.forbidden: set[tuple[str, str]] = set()
        """(verb, resource) that the launcher may not use."""
        self.quota = ""
        """Message with which all creations are refused."""
        self.outage = 0
        """How many of the launcher's next calls are answered with 503."""
        self.served = set(SERVED)
        self.calls: list[tuple[str, str]] = []
        """What the launcher did: (verb, resource)."""

    async def _handle(self, request: Any) -> Any:
        del self._requests[:-10]  # kmock looks each request up in all earlier ones
        if request.headers.get("User-Agent") != "kubelet":
            self._admit(request)
        if request.resource is not None and request.method.value == "POST":
            _validate(request.data)
            request.data["metadata"] |= {"uid": str(uuid.uuid4()), "creationTimestamp": now()}
        if request.method.value == "DELETE" and (request.data or {}).get("propagationPolicy") == "Foreground":
            key = (request.resource, request.namespace, request.name)
            if key in self.objects and not self.objects[key].deleted:
                self.objects[key].patch({"metadata": {"finalizers": ["foregroundDeletion"]}})
        return await super()._handle(request)

    def _admit(self, request: Any) -> None:
        plural = request.resource.plural
        verb = "list" if request.method.value == "GET" and request.name is None else VERBS[request.method.value]
        what = f"{plural}/{request.subresource}" if request.subresource else plural
        self.calls.append((verb, what))
        if self.outage:
            self.outage -= 1
            raise kmock.KubernetesError(503, "ServiceUnavailable", "the server is currently unable")
        if (verb, what) in self.forbidden:
            user = f"system:serviceaccount:{NAMESPACE}:benison-pipeline"
            said = f'{what} is forbidden: User "{user}" cannot {verb} resource "{what}" in the namespace "{NAMESPACE}"'
            raise kmock.KubernetesError(403, "Forbidden", said)
        if plural not in self.served:
            raise kmock.KubernetesError(404, "NotFound", "the server could not find the requested resource")
        if verb == "create" and self.quota:
            raise kmock.KubernetesError(403, "Forbidden", self.quota)

    async def _serve_list(self, request: Any) -> Any:
        selector = dict(item.split("=") for item in request.params.get("labelSelector", "").split(",") if item)
        objects = [
            item.raw
            for (resource, namespace, _), item in self.objects.items()
            if (resource, namespace) == (request.resource, request.namespace) and not item.deleted
        ]
        return {"items": [one for one in objects if selector.items() <= one["metadata"].get("labels", {}).items()]}

    async def _serve_fetch(self, request: Any) -> Any:
        if request.subresource != "log":
            return await super()._serve_fetch(request)
        log = self.logs / f"{request.name}.log"
        if not log.exists():
            raise kmock.KubernetesError(400, "BadRequest", f"container in pod {request.name} is waiting to start")
        lines = log.read_bytes().splitlines(keepends=True)
        return b"".join(lines[-int(request.params["tailLines"]) :])


def _validate(document: Document) -> None:
    """Refuses what the real API server would refuse of Kubernetes' own kinds."""
    try:
        kubernetes_validate.validate(document, KUBERNETES, strict=True)
    except kubernetes_validate.SchemaNotFoundError:
        return  # a custom resource, whose schema is its operator's
    except kubernetes_validate.ValidationError as error:
        raise kmock.KubernetesError(422, "Invalid", error.message) from error


@dataclass
class Client:
    """Controllers' and kubelet's access to the API."""

    url: str

    def call(self, method: str, path: str, body: Document | None = None) -> Document:
        request = urllib.request.Request(
            f"{self.url}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"User-Agent": "kubelet", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def list(self, plural: str) -> list[Document]:
        return self.call("GET", path(plural))["items"]

    def create(self, plural: str, document: Document) -> Document:
        return self.call("POST", path(plural), document)

    def status(self, plural: str, name: str, status: Document) -> None:
        self.call("PATCH", path(plural, name) + "/status", {"status": status})

    def delete(self, plural: str, name: str, foreground: bool = False) -> None:
        try:
            self.call("DELETE", path(plural, name), {"propagationPolicy": "Foreground"} if foreground else None)
        except urllib.error.HTTPError as error:
            if error.code != 404:  # somebody else was faster
                raise

    def release(self, plural: str, name: str) -> None:
        """Lets an object go that waited for the end of what it owns."""
        self.call("PATCH", path(plural, name), {"metadata": {"finalizers": []}})


def path(plural: str, name: str = "") -> str:
    version = {**SERVED, **OPERATORS, "trainingruntimes": OPERATORS["trainjobs"]}[plural]
    root = "apis" if "/" in version else "api"
    return f"/{root}/{version}/namespaces/{NAMESPACE}/{plural}" + (f"/{name}" if name else "")


@dataclass
class Cluster:
    """What a test sees of it, and what it may do to it."""

    api: ApiServer
    client: Client
    folder: Path
    image: dict[str, str] = field(default_factory=lambda: {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"})
    """The environment that the image sets."""
    image_error: tuple[str, str] | None = None
    """Reason and message with which containers wait."""
    unschedulable: str = ""
    """Why no node takes a pod."""
    no_pods: bool = False
    """Whether controllers are kept from creating pods, as by a quota."""
    slow_finalizers: bool = False
    """Whether what is on its way out stays there until told otherwise."""
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    evicted: set[str] = field(default_factory=set)
    started: list[str] = field(default_factory=list)
    """Every pod whose container was ever started."""
    errors: list[str] = field(default_factory=list)
    _held: list[socket.socket] = field(default_factory=list)
    _ports: dict[str, int] = field(default_factory=dict)

    @property
    def kubeconfig(self) -> Path:
        file = self.folder / "kubeconfig"
        context = {"cluster": "here", "user": "me", "namespace": NAMESPACE}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "here",
            "contexts": [{"name": "here", "context": context}],
            "clusters": [{"name": "here", "cluster": {"server": self.client.url}}],
            "users": [{"name": "me", "user": {}}],
        }
        file.write_text(json.dumps(config))
        return file

    def add_pod(self, name: str, **metadata: Any) -> Document:
        """A pod that runs something else: the Trainer node's."""
        spec = {"containers": [{"name": "main", "image": "benison:0.1.0"}]}
        document = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, **metadata}, "spec": spec}
        pod = self.client.create("pods", document)
        self.client.status("pods", name, {"phase": "Running"})
        return pod

    def workers(self) -> list[Document]:
        return [pod for pod in self.client.list("pods") if pod["metadata"].get("ownerReferences")]

    def kill(self, index: int) -> None:
        """As the kernel does where memory runs out."""
        _kill(self.processes[self._pod_name(index)])

    def evict(self, index: int) -> None:
        """Takes a worker off its node: its pod's record stays, marked as disrupted."""
        self.evicted.add(self._pod_name(index))
        self.kill(index)

    def drain(self, message: str) -> None:
        """Takes all workers off their nodes, with their records. Their Job says why; no pods come until told so."""
        self.no_pods = True
        (job,) = self.client.list("jobs")
        condition = {"type": "Failed", "status": "True", "reason": "PodFailurePolicy", "message": message}
        self.client.status("jobs", job["metadata"]["name"], {"conditions": [condition]})
        for pod in self.workers():
            self._end(pod)

    def _pod_name(self, index: int) -> str:
        (pod,) = (pod for pod in self.workers() if pod["metadata"]["annotations"][INDEX] == str(index))
        return str(pod["metadata"]["name"])

    # One round of controllers and kubelet

    def act(self) -> None:
        pods = self.client.list("pods")
        self._collect_garbage(pods)
        for plural in ("jobs", *OPERATORS):
            for workload in self.client.list(plural) if plural in self.api.served else ():
                self._control(plural, workload, [pod for pod in pods if _owner(pod) == workload["metadata"]["uid"]])
        for pod in self.workers():
            self._run(pod)

    def _collect_garbage(self, pods: list[Document]) -> None:
        living = {pod["metadata"]["uid"] for pod in pods}
        for plural in self.api.served & {"jobs", "services", *OPERATORS, "trainingruntimes"}:
            for item in self.client.list(plural):
                living.add(item["metadata"]["uid"])
                leaving, name = "deletionTimestamp" in item["metadata"], item["metadata"]["name"]
                held = self.slow_finalizers or any(_owner(pod) == item["metadata"]["uid"] for pod in pods)
                if leaving and not held:
                    self.client.release(plural, name)
                if not leaving and _owner(item) not in {pod["metadata"]["uid"] for pod in pods}:
                    self.client.delete(plural, name, foreground=True)
        for pod in pods:
            if _owner(pod) and _owner(pod) not in living:
                self._end(pod)

    def _control(self, plural: str, workload: Document, pods: list[Document]) -> None:
        if "deletionTimestamp" in workload["metadata"]:
            for pod in pods:
                self._end(pod)
            return
        if workload.get("status", {}).get("conditions"):
            return
        template, places = self._plan(plural, workload)
        if not pods and not self.no_pods:
            for place in places:
                self.client.create("pods", _pod(workload, template, place))
        phases = [pod.get("status", {}).get("phase") for pod in pods]
        failed = [pod for pod, phase in zip(pods, phases, strict=True) if phase == "Failed"]
        if failed:
            for pod, phase in zip(pods, phases, strict=True):
                if phase != "Failed":
                    self._end(pod)
            disrupted = any(pod["status"].get("conditions") for pod in failed)
            reason = "PodFailurePolicy" if disrupted else "BackoffLimitExceeded"
            self.client.status(plural, workload["metadata"]["name"], _over("Failed", reason))
        elif phases == ["Succeeded"] * len(places):
            done = "Succeeded" if plural == "tfjobs" else "Complete"
            self.client.status(plural, workload["metadata"]["name"], _over(done, "CompletionsReached"))

    def _plan(self, plural: str, workload: Document) -> tuple[Document, list[_Place]]:
        """The template of its pods and the place of each, as the kind's own controller has them."""
        if plural == "tfjobs":
            return _plan_of_tfjob(workload)
        if plural == "trainjobs":
            reference = workload["spec"]["runtimeRef"]
            assert reference["kind"] == "TrainingRuntime"
            runtimes = {one["metadata"]["name"]: one for one in self.client.list("trainingruntimes")}
            return _plan_of_trainjob(workload, runtimes[reference["name"]])
        return _plan_of_job(workload, self.client.list("services"))

    def _run(self, pod: Document) -> None:
        name, status = pod["metadata"]["name"], pod.get("status", {})
        process = self.processes.get(name)
        if status.get("phase") in ("Succeeded", "Failed"):
            return
        if process is None:
            self._start(pod)
        elif process.poll() is not None:
            self.client.status("pods", name, self._ended(name, process.returncode))

    def _start(self, pod: Document) -> None:
        name = pod["metadata"]["name"]
        if self.unschedulable:
            told = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": self.unschedulable}
            self.client.status("pods", name, {"phase": "Pending", "conditions": [told]})
        elif self.image_error:
            reason, message = self.image_error
            self.client.status("pods", name, _state("Pending", {"waiting": {"reason": reason, "message": message}}))
        else:
            (container,) = pod["spec"]["containers"]
            assert any(mount["mountPath"] == str(self.folder) for mount in container["volumeMounts"])
            with (self.api.logs / f"{name}.log").open("wb") as log:
                self.processes[name] = subprocess.Popen(
                    container["command"],
                    env=self._environment(container),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            self.started.append(name)
            self.client.status("pods", name, _state("Running", {"running": {"startedAt": now()}}))

    def _environment(self, container: Document) -> dict[str, str]:
        values = dict(self.image)
        for variable in container["env"]:
            reference = variable.get("valueFrom", {}).get("resourceFieldRef")
            if reference:
                limit = container["resources"]["limits"][reference["resource"].removeprefix("limits.")]
                values[variable["name"]] = str(math.ceil(float(limit)))
            else:
                values[variable["name"]] = self._on_loopback(variable["value"])
        return values | {"TF_GRPC_REUSE_PORT": "true"}

    def _on_loopback(self, text: str) -> str:
        """Replaces pods' names and ports: our DNS and network."""
        for pod in self.workers():
            host = pod["metadata"]["annotations"]["dns"]
            if host and host not in self._ports:
                held = socket.socket()
                held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                held.bind(("", 0))
                self._held.append(held)
                self._ports[host] = held.getsockname()[1]
            text = text.replace(f"{host}:2222", f"127.0.0.1:{self._ports[host]}") if host else text
        return text

    def _ended(self, name: str, code: int) -> Document:
        ended = {"exitCode": 128 - code if code < 0 else code, "finishedAt": now()}
        if code == 0:
            return _state("Succeeded", {"terminated": ended | {"reason": "Completed"}})
        status = _state("Failed", {"terminated": ended | {"reason": "Error"}})
        if name in self.evicted:
            told = {"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI"}
            status["conditions"] = [told | {"message": "Eviction API: evicting"}]
        return status

    def _end(self, pod: Document) -> None:
        name = pod["metadata"]["name"]
        if name in self.processes:
            _kill(self.processes[name])
        self.client.delete("pods", name)

    def close(self) -> None:
        for process in self.processes.values():
            _kill(process)
        for held in self._held:
            held.close()


def _kill(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):  # another thread saw its end first
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@dataclass(frozen=True)
class _Place:
    """What a controller gives a pod beside its template."""

    dns: str
    """Its name in the cluster, or empty."""
    metadata: Document
    environment: list[Document] = field(default_factory=list)


def _plan_of_job(job: Document, services: list[Document]) -> tuple[Document, list[_Place]]:
    name, spec, template = job["metadata"]["name"], job["spec"], job["spec"]["template"]
    assert spec["completionMode"] == "Indexed"
    published = any(
        service["metadata"]["name"] == template["spec"].get("subdomain")
        and service["spec"]["clusterIP"] == "None"
        and service["spec"]["publishNotReadyAddresses"]
        and service["spec"]["selector"].items() <= template["metadata"]["labels"].items()
        for service in services
    )
    names = [f"{name}-{index}.{template['spec'].get('subdomain')}" for index in range(spec["completions"])]
    return template, [_indexed(dns if published else "", index) for index, dns in enumerate(names)]


def _plan_of_trainjob(job: Document, runtime: Document) -> tuple[Document, list[_Place]]:
    """Trainer makes a JobSet of the runtime's template, and that an Indexed Job in a headless Service of its name."""
    (node,) = runtime["spec"]["template"]["spec"]["replicatedJobs"]
    assert node["template"]["metadata"]["labels"]["trainer.kubeflow.org/trainjob-ancestor-step"] == "trainer"
    name, count = job["metadata"]["name"], job["spec"]["trainer"]["numNodes"]
    places = [_indexed(f"{name}-{node['name']}-0-{index}.{name}", index) for index in range(count)]
    return node["template"]["spec"]["template"], places


def _plan_of_tfjob(job: Document) -> tuple[Document, list[_Place]]:
    """The operator gives each pod a Service, its index as a label, and `TF_CONFIG` if there are several."""
    replicas = job["spec"]["tfReplicaSpecs"]["Worker"]
    template = replicas["template"]
    (container,) = (c for c in template["spec"]["containers"] if c["name"] == "tensorflow")
    (port,) = (p["containerPort"] for p in container["ports"] if p["name"] == "tfjob-port")
    names = [f"{job['metadata']['name']}-worker-{index}.{NAMESPACE}.svc" for index in range(replicas["replicas"])]
    places = []
    for index, dns in enumerate(names):
        hosts, task = [f"{host}:{port}" for host in names], {"type": "worker", "index": index}
        config = {"cluster": {"worker": hosts}, "task": task}
        environment = [{"name": "TF_CONFIG", "value": json.dumps(config)}] if len(names) > 1 else []
        marks = {"training.kubeflow.org/replica-index": str(index)}
        places.append(_Place(dns, {"labels": marks}, environment))
    return template, places


def _indexed(dns: str, index: int) -> _Place:
    return _Place(dns, {"annotations": {INDEX: str(index)}}, [{"name": "JOB_COMPLETION_INDEX", "value": str(index)}])


def _pod(workload: Document, template: Document, place: _Place) -> Document:
    """The manifest of one pod, with the marks of the controller that makes it."""
    spec = json.loads(json.dumps(template["spec"]))
    for container in spec["containers"]:
        container["env"] += place.environment
    owner = {
        "apiVersion": workload["apiVersion"],
        "kind": workload["kind"],
        "name": workload["metadata"]["name"],
        "uid": workload["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    metadata = {
        "name": f"{workload['metadata']['name']}-{uuid.uuid4().hex[:5]}",
        "labels": template["metadata"]["labels"] | place.metadata.get("labels", {}),
        "annotations": {"dns": place.dns} | place.metadata.get("annotations", {}),
        "ownerReferences": [owner],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _owner(item: Document) -> str | None:
    owners = item["metadata"].get("ownerReferences") or [{}]
    assert len(owners) == 1
    return owners[0].get("uid")


def _state(phase: str, state: Document) -> Document:
    return {"phase": phase, "containerStatuses": [{"name": "worker", "state": state}]}


def _over(kind: str, reason: str) -> Document:
    return {"conditions": [{"type": kind, "status": "True", "reason": reason, "message": f"the pods: {reason}"}]}


def until(condition: Callable[[], Any], seconds: float = 60.0) -> Any:
    """What `condition` gives once it gives something."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.01)
    return found


def now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat()


@contextlib.contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """A running cluster whose claim is `folder`."""
    logs = folder / "pod-logs"
    logs.mkdir()
    ready, rest, stop = threading.Event(), threading.Event(), threading.Event()
    made: list[Cluster] = []

    async def serve() -> None:
        async with ApiServer(logs) as api, kmock.Server(api) as server:
            made.append(Cluster(api, Client(str(server.url).rstrip("/")), folder))
            ready.set()
            while not stop.is_set():
                await asyncio.sleep(0.05)

    def act() -> None:
        while not rest.wait(PERIOD):
            try:
                made[0].act()
            except urllib.error.HTTPError as error:
                if error.code != 404:  # an object that has just gone: the next round sees it
                    made[0].errors.append(f"{error.url}: {error.code} {error.read().decode()}")
            except Exception:
                made[0].errors.append(traceback.format_exc())

    server = threading.Thread(target=lambda: asyncio.run(serve()))
    server.start()
    assert ready.wait(10)
    actors = threading.Thread(target=act)
    actors.start()
    acting = made[0]
    try:
        yield acting
    finally:
        rest.set()
        actors.join()
        stop.set()
        server.join()
        acting.close()
    assert not acting.errors, acting.errors[0]
