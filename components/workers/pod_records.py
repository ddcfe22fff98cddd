"""What Kubernetes' records of a workload and of its pods say of a training: has it started, how did it end, and why."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from components.workers.kubernetes_api import Document

IMAGE_REASONS = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull")
_NEVER_STARTS = ("InvalidImageName", "ErrImageNeverPull", "CreateContainerConfigError")
_NEVER_PULLED = re.compile(r"not found|manifest unknown|denied|unauthorized", re.IGNORECASE)
_ON_ITS_WAY = ("ContainerCreating", "PodInitializing")


@dataclass(frozen=True)
class Outcome:
    """A workload's state, with the last word of its controller."""

    state: Literal["running", "complete", "failed"]
    reason: str = ""
    message: str = ""


@dataclass(frozen=True)
class Obstacle:
    """What keeps a pod from starting."""

    pod: str
    reason: str
    message: str
    hopeless: bool
    """Waiting does not help."""

    @property
    def is_image(self) -> bool:
        return self.reason in IMAGE_REASONS


def outcome(workload: Document) -> Outcome:
    """Job, TFJob and TrainJob tell it by conditions of almost the same names."""
    holding = {c["type"]: c for c in workload.get("status", {}).get("conditions", []) if c["status"] == "True"}
    for kind in ("Failed", "FailureTarget", "Complete", "Succeeded"):
        if kind in holding:
            reason = holding[kind].get("reason", "")
            state: Literal["complete", "failed"] = "failed" if kind.startswith("Fail") else "complete"
            return Outcome(state, reason, holding[kind].get("message") or reason)
    return Outcome("running")


def phase(pod: Document) -> str:
    return str(pod.get("status", {}).get("phase", "Pending"))


def is_alive(pod: Document) -> bool:
    return phase(pod) in ("Pending", "Running") and "deletionTimestamp" not in pod["metadata"]


def worker_index(pod: Document) -> str:
    """The worker's number, by the mark of whichever controller made the pod."""
    marks = pod["metadata"].get("annotations", {}) | pod["metadata"].get("labels", {})
    names = ("batch.kubernetes.io/job-completion-index", "training.kubeflow.org/replica-index")
    return next((marks[name] for name in names if name in marks), pod["metadata"]["name"])


def obstacle(pod: Document) -> Obstacle | None:
    """What keeps the pod from starting, if something does."""
    name, waiting = pod["metadata"]["name"], _container(pod).get("waiting", {})
    reason, message = waiting.get("reason", ""), waiting.get("message", "")
    if reason and reason not in _ON_ITS_WAY:
        hopeless = reason in _NEVER_STARTS or (reason in IMAGE_REASONS and bool(_NEVER_PULLED.search(message)))
        return Obstacle(name, reason, message, hopeless)
    unscheduled = _condition(pod, "PodScheduled", "False")
    if unscheduled is not None:
        return Obstacle(name, unscheduled.get("reason", ""), unscheduled.get("message", ""), hopeless=False)
    return None


def summary(pods: Sequence[Document], count: int) -> str:
    """As `1 Running, 1 Pending (ImagePullBackOff)`, of `count` pods that there should be."""
    states: Counter[str] = Counter()
    for pod in pods:
        found = obstacle(pod)
        states[phase(pod) + (f" ({found.reason})" if found else "")] += 1
    told = [f"{number} {state}" for state, number in sorted(states.items())]
    if count > len(pods):
        told.append(f"{count - len(pods)} not created yet")
    return ", ".join(told)


def failed_first(pods: Sequence[Document]) -> list[Document]:
    """The failed pods, the likeliest cause first: what was taken off its node, then what ended by itself, by time.
    Those that are being deleted were ended because another had failed."""

    def rank(pod: Document) -> tuple[bool, bool, str, str]:
        deleted = "deletionTimestamp" in pod["metadata"]
        return not disruption(pod), deleted, termination(pod).get("finishedAt") or "", worker_index(pod)

    return sorted((pod for pod in pods if phase(pod) == "Failed"), key=rank)


def termination(pod: Document) -> Document:
    """`exitCode`, `reason`, `message`, `finishedAt` of its container; empty if it never ran."""
    return dict(_container(pod).get("terminated", {}))


def disruption(pod: Document) -> str:
    """Why the pod was taken off its node; empty if it was not."""
    status = pod.get("status", {})
    condition = _condition(pod, "DisruptionTarget", "True")
    if condition is None and status.get("reason") != "Evicted":
        return ""
    told = condition or status
    return f"{told.get('reason', 'Disrupted')}: {told.get('message') or status.get('message') or 'no message'}"


def _container(pod: Document) -> Document:
    """The state of its one container: a dict with a key `waiting`, `running` or `terminated`, or empty."""
    statuses = pod.get("status", {}).get("containerStatuses") or [{}]
    return dict(statuses[0].get("state", {}))


def _condition(pod: Document, kind: str, status: str) -> Document | None:
    conditions = pod.get("status", {}).get("conditions", [])
    return next((c for c in conditions if c["type"] == kind and c["status"] == status), None)
