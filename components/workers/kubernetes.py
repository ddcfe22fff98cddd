"""Training workers on Kubernetes, started and watched by the pod of the Trainer node.

    Trainer node (a pod without GPUs)
      └ owns: headless Service + Indexed Job (or TFJob, or TrainingRuntime + TrainJob)
          └ pods 0 … N-1: `python -m trainer.pod`, which train in step and write to the shared claim

The rights it needs, all in its own namespace, and no others:

    pods                                  get, list
    pods/log                              get
    services, jobs.batch                  get, create, patch, delete   (training=job)
    tfjobs.kubeflow.org                   get, create, patch, delete   (training=tfjob)
    trainjobs, trainingruntimes
      .trainer.kubeflow.org               get, create, patch, delete   (training=trainjob)

Objects are named after the training. So the Trainer node that comes back after a crash, as another pod, finds its
workers still training and takes them over. What workers write stays below the training's own folder, which no retry of
the node changes, until the model is complete.

The API is polled: a watch would have to be renewed and re-read anyway, and seconds do not matter here.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from components.workers import pod_records
from components.workers.cluster_settings import ClusterSettings
from components.workers.kubernetes_api import POD, Api, Document, Kind
from components.workers.rendering import DIGEST, Rendered, Workers, name_of, owner_reference, render
from components.workers.restarts import Failure, last_words, until_trained
from data.atomic import write_atomic
from data.errors import BenisonError, WrongUse
from trainer.worker import TrainingSpec

logger = logging.getLogger(__name__)

LOG_LINES = 2000
"""Of each worker, kept when it ends."""

SHOWN_LINES = 100
"""Of a worker that failed, repeated in the Trainer node's own log, where people look first."""

GONE_SECONDS = 300.0
"""How long a deleted training may take to be gone."""

MODEL_SECONDS = 60.0
"""How long a file written by another pod may take to be seen: NFS clients cache directories."""

NARRATION_SECONDS = 60.0

RUN_LABEL = "pipeline/runid"
"""Kubeflow Pipelines' label of the pods of a run."""


@dataclass(frozen=True)
class KubernetesWorkers:
    """Several workers, one pod each.

    When one fails the others cannot go on: all are removed and created again, and resume from their last backup, by the
    rules of `restarts.until_trained`. All objects are removed when the call ends, however it ends: a process that is
    asked to end cannot tell a cancelled run from its own eviction. If it is killed outright, they live as long as its
    pod's record, or until its successor takes them over.

    Worker i's output is kept in `log_dir/worker-<i>.log`.
    """

    settings: ClusterSettings
    workers: int
    command: Sequence[str] = ("python", "-P", "-m", "trainer.pod")
    poll_seconds: float = 2.0

    def run(self, spec: dict[str, Any], log_dir: Path) -> None:
        if self.workers < 1:
            raise WrongUse(f"{self.workers} training workers", "ask for at least one")
        training = TrainingSpec(**spec)
        folder = Path(training.training_dir)
        if not folder.is_relative_to(self.settings.mount):
            raise WrongUse(
                f"{folder} is not on the claim that training pods have at {self.settings.mount}",
                "put the workspace there, or say with --set cluster.mount=DIR where the claim is",
            )
        # The executor's own output folders belong to this attempt of the node; workers may outlive it.
        in_pods = replace(training, model_dir=str(folder / "model"), log_dir=str(folder / "logs"))
        spec_file = folder / "spec.json"
        write_atomic(spec_file, json.dumps(asdict(in_pods)))  # workers of an earlier attempt may be reading it
        log_dir.mkdir(parents=True, exist_ok=True)
        api, own_pod = _own_place()
        workers = Workers(
            name=name_of(training.task, training.training_dir),
            task=training.task,
            run=own_pod["metadata"].get("labels", {}).get(RUN_LABEL, ""),
            count=self.workers,
            command=[*self.command, str(spec_file)],
            settings=self.settings,
        )
        cluster = _Training(api, own_pod, workers, render(workers, own_pod), training, log_dir, self.poll_seconds)
        cluster.refuse_a_second()
        with cluster.removed_afterwards():
            until_trained(cluster.attempt, training.progress_file, self.settings.max_restarts)
            _await_model(Path(in_pods.model_dir))
        for written, wanted in ((in_pods.model_dir, training.model_dir), (in_pods.log_dir, training.log_dir)):
            Path(wanted).parent.mkdir(parents=True, exist_ok=True)
            os.replace(written, wanted)


def _own_place() -> tuple[Api, Document]:
    """The API in this pod's namespace, and this pod."""
    name, namespace = os.environ.get("POD_NAME"), os.environ.get("POD_NAMESPACE")
    if not name or not namespace:
        raise WrongUse(
            "training on Kubernetes is started by a pod of the pipeline; POD_NAME and POD_NAMESPACE are not set",
            "start the pipeline with benison submit, or train on this machine with benison run --workers N",
        )
    api = Api.connect(namespace)
    pod = api.get(POD, name)
    if pod is None:
        raise BenisonError(f"namespace {namespace} has no pod {name}, which this process takes itself for")
    return api, pod


def _await_model(folder: Path) -> None:
    deadline = time.monotonic() + MODEL_SECONDS
    while not (folder / "saved_model.pb").is_file():
        if time.monotonic() > deadline:
            raise BenisonError(
                f"training ended well, but its model is not in {folder}",
                "see that the claim is read-write-many and mounted at the same path in every pod (cluster.claim, "
                "cluster.mount)",
            )
        time.sleep(0.5)


@dataclass(frozen=True)
class _Training:
    """One training in the cluster."""

    api: Api
    own_pod: Document
    workers: Workers
    rendered: Rendered
    training: TrainingSpec
    log_dir: Path
    poll_seconds: float

    def attempt(self, number: int) -> Failure | None:
        """Creates the workers, or takes over those that are there, and waits for their end."""
        self._discard_another()
        for kind, document in self.rendered:
            self._create_or_adopt(kind, document)
        failure = self._watch(number)
        if failure is not None:
            self._remove()
            self._wait_until_gone(failure.message)
        return failure

    def refuse_a_second(self) -> None:
        """Raises BenisonError if another pod that still runs trains the same."""
        for kind, _ in self.rendered:
            self._check_owner(self.api.get(kind, self.workers.name))

    @contextmanager
    def removed_afterwards(self) -> Iterator[None]:
        try:
            yield
        finally:
            try:
                self._remove()
            except BenisonError as error:  # how training ended matters more; and they go with this pod's record
                logger.warning("the objects of %s are left behind: %s", self.workers.name, error)

    # Objects

    def _discard_another(self) -> None:
        """Removes objects of this name that are on their way out, or that were made from other settings."""
        found = [self.api.get(kind, self.workers.name) for kind, _ in self.rendered]
        if all(item is None or self._is_wanted(item) for item in found):
            if found[-1] is not None:
                logger.info("%s is training already: taking it over", self.workers.name)
            return
        self._remove()
        self._wait_until_gone("they were made from other settings, or were on their way out")

    def _is_wanted(self, item: Document) -> bool:
        _, document = self.rendered[-1]
        wanted, metadata = document["metadata"]["annotations"][DIGEST], item["metadata"]
        return metadata.get("annotations", {}).get(DIGEST) == wanted and "deletionTimestamp" not in metadata

    def _create_or_adopt(self, kind: Kind, document: Document) -> None:
        if self.api.create(kind, document):
            logger.info("created %s %s", kind.name, self.workers.name)
            return
        self._check_owner(self.api.get(kind, self.workers.name))
        self.api.merge(kind, self.workers.name, {"metadata": {"ownerReferences": [owner_reference(self.own_pod)]}})

    def _check_owner(self, found: Document | None) -> None:
        other = self._living_owner(found)
        if other is not None:
            raise BenisonError(
                f"pod {other} is training the same, as {self.workers.name}",
                "wait for that run's end, or cancel it, then run again",
            )

    def _living_owner(self, found: Document | None) -> str | None:
        """The name of another pod that owns the object and still runs."""
        for owner in (found or {}).get("metadata", {}).get("ownerReferences", []):
            if owner["kind"] != POD.name or owner["uid"] == self.own_pod["metadata"]["uid"]:
                continue
            pod = self.api.get(POD, owner["name"])
            if pod is not None and pod["metadata"]["uid"] == owner["uid"] and pod_records.is_alive(pod):
                return str(owner["name"])
        return None

    def _remove(self) -> None:
        """Asks for the end of all objects that no other living pod owns."""
        for kind, _ in reversed(self.rendered):
            found = self.api.get(kind, self.workers.name)
            if found is not None and self._living_owner(found) is None:
                self.api.delete(kind, self.workers.name)

    def _wait_until_gone(self, why: str) -> None:
        deadline = time.monotonic() + GONE_SECONDS
        while self._left_over():
            if time.monotonic() > deadline:
                selector = ",".join(f"{key}={value}" for key, value in self.workers.selector.items())
                raise BenisonError(
                    f"{self.workers.name} cannot be started again, because its pods do not go away ({why})",
                    f"look for a node that is gone: kubectl get pods -o wide -n {self.api.namespace} -l {selector}",
                )
            time.sleep(self.poll_seconds)

    def _left_over(self) -> bool:
        gone = all(self.api.get(kind, self.workers.name) is None for kind, _ in self.rendered)
        return not gone or bool(self.api.pods(self.workers.selector))

    # Waiting

    def _watch(self, attempt: int) -> Failure | None:
        """Returns when all workers have ended well, or with the first failure.

        Raises:
          BenisonError: the workers cannot be started.
        """
        kind, _ = self.rendered[-1]
        begun = narrated = time.monotonic()
        started, told = False, ""
        while True:
            workload = self.api.get(kind, self.workers.name)
            if workload is None:
                raise BenisonError(
                    f"somebody deleted the {kind.name} {self.workers.name} while it trained",
                    "if that was not to end the training, run again: it resumes from its last backup",
                )
            pods = self.api.pods(self.workers.selector)
            outcome, failed = pod_records.outcome(workload), pod_records.failed_first(pods)
            if failed or outcome.state == "failed":
                return self._failure(failed, self._keep_outputs(pods, attempt), outcome)
            if outcome.state == "complete":
                self._keep_outputs(pods, attempt)
                return None
            if not started:
                started = self._have_started(pods, time.monotonic() - begun)
            states = pod_records.summary(pods, self.workers.count)
            if states != told or time.monotonic() - narrated > NARRATION_SECONDS:
                logger.info("%s: %s%s", self.workers.name, states, _progress(self.training.progress_file))
                told, narrated = states, time.monotonic()
            time.sleep(self.poll_seconds)

    def _have_started(self, pods: list[Document], waited: float) -> bool:
        """Whether all workers run. Raises BenisonError if one never will, or has not for `start_seconds`."""
        patience = self.workers.settings.start_seconds
        for obstacle in filter(None, map(pod_records.obstacle, pods)):
            if obstacle.hopeless or waited > patience:
                raise self._cannot_start(obstacle)
        if len(pods) == self.workers.count and all(pod_records.phase(pod) != "Pending" for pod in pods):
            return True
        if waited > patience:
            kind, _ = self.rendered[-1]
            raise BenisonError(
                f"after {patience} s {len(pods)} of {self.workers.count} training pods are there, and they do not run",
                f"see why with: kubectl describe {kind.resource} {self.workers.name} -n {self.api.namespace} (often a "
                "quota, the namespace's pod security, or a volume that cannot be mounted)",
            )
        return False

    def _cannot_start(self, obstacle: pod_records.Obstacle) -> BenisonError:
        settings = self.workers.settings
        message = f"pod {obstacle.pod} cannot start: {obstacle.reason}: {obstacle.message}"
        if obstacle.is_image:
            name = "cluster.training_image" if settings.training_image else "cluster.image"
            return BenisonError(message, f"see that {self.workers.image} ({name}) exists and nodes may pull it")
        if obstacle.reason == "Unschedulable":
            return BenisonError(
                message,
                "free such a node, or ask for less with cluster.training_cpu, cluster.training_memory, cluster.gpus, "
                "cluster.node_selector, cluster.tolerations; cluster.start_seconds is how long to wait",
            )
        return BenisonError(message, f"see more with: kubectl describe pod {obstacle.pod} -n {self.api.namespace}")

    # Ends

    def _keep_outputs(self, pods: list[Document], attempt: int) -> dict[str, str]:
        """Adds what each pod wrote to its worker's log. Returns it by the pod's name.

        A log that cannot be read, as of a node that is gone, is no reason to give training up.
        """
        outputs = {}
        for pod in pods:
            index, name = pod_records.worker_index(pod), pod["metadata"]["name"]
            try:
                outputs[name] = self.api.log(name, LOG_LINES)
            except BenisonError as error:
                logger.warning("the log of worker %s is lost: %s", index, error)
                outputs[name] = ""
            title = f"worker {index} of {self.workers.count}, attempt {attempt}, {time.strftime('%Y-%m-%d %H:%M:%S')}"
            with self._log(index).open("a", encoding="utf-8") as log:
                log.write(f"=== {title}\n{outputs[name]}")
        return outputs

    def _log(self, index: str) -> Path:
        return self.log_dir / f"worker-{index}.log"

    def _failure(self, failed: list[Document], outputs: dict[str, str], outcome: pod_records.Outcome) -> Failure:
        """The failure that the others followed from: a disruption, else one that the worker explained, else the
        earliest."""
        if not failed:  # a drained node's pods are gone, records and all
            who, disrupted = f"a worker of {self.workers.name}", outcome.reason == "PodFailurePolicy"
            return Failure(who, 1, outcome.message, "", self.log_dir, disrupted)
        for pod in failed:
            for line in outputs[pod["metadata"]["name"]].splitlines()[-SHOWN_LINES:]:
                logger.info("%s | %s", pod["metadata"]["name"], line)
        failures = [self._failure_of(pod, outputs[pod["metadata"]["name"]]) for pod in failed]
        return next((one for one in failures if one.disrupted or one.explained), failures[0])

    def _failure_of(self, pod: Document, output: str) -> Failure:
        index, disruption = pod_records.worker_index(pod), pod_records.disruption(pod)
        ended = pod_records.termination(pod)
        code, cause = ended.get("exitCode", 1), ended.get("reason", "Error")
        reason, fix = last_words((output or ended.get("message", "")).splitlines())
        return Failure(
            who=f"training worker {index} of {self.workers.count}",
            status=128 - code if code - 128 in signal.valid_signals() else code,  # 137 is 128 + SIGKILL
            reason=disruption or (reason if cause == "Error" else f"{cause}: {reason}"),
            fix="" if disruption else fix,
            log=self._log(index),
            disrupted=bool(disruption),
            if_killed=(
                f"most often memory ran out: raise cluster.training_memory, now {self.workers.settings.training_memory}"
                ", or use a smaller global_batch_size, then run again"
            ),
        )


def _progress(progress_file: Path) -> str:
    if not progress_file.exists():
        return ""
    state = json.loads(progress_file.read_text(encoding="utf-8"))
    return f"; step {state['step']} of {state['steps_total']}, loss {state['loss']:.4g}"
