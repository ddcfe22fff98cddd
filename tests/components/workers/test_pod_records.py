"""Records as Kubernetes and the operators write them, and what is read from them."""

from __future__ import annotations

from typing import Any

import pytest

from components.workers import pod_records
from components.workers.pod_records import Obstacle, Outcome


def workload(*conditions: tuple[str, str]) -> dict[str, Any]:
    return {
        "status": {
            "conditions": [
                {"type": kind, "status": status, "reason": f"Because{kind}", "message": f"{kind} it is"}
                for kind, status in conditions
            ]
        }
    }


@pytest.mark.parametrize(
    ("conditions", "state"),
    [
        ([], "running"),
        ([("Suspended", "True")], "running"),
        ([("Failed", "False")], "running"),
        ([("SuccessCriteriaMet", "True")], "running"),
        ([("SuccessCriteriaMet", "True"), ("Complete", "True")], "complete"),
        ([("FailureTarget", "True")], "failed"),
        ([("FailureTarget", "True"), ("Failed", "True")], "failed"),
        ([("Created", "True"), ("Running", "False"), ("Succeeded", "True")], "complete"),  # TFJob
        ([("Created", "True"), ("Running", "False"), ("Failed", "True")], "failed"),
    ],
)
def test_a_workloads_conditions(conditions: list[tuple[str, str]], state: str) -> None:
    assert pod_records.outcome(workload(*conditions)).state == state


def test_a_workload_without_a_status_runs() -> None:
    assert pod_records.outcome({}) == Outcome("running")


def test_the_reason_is_the_controllers() -> None:
    assert pod_records.outcome(workload(("Failed", "True"))) == Outcome("failed", "BecauseFailed", "Failed it is")


def pod(name: str = "a-1-xyz", phase: str = "Pending", **parts: Any) -> dict[str, Any]:
    """`parts`: index, state (of the container), conditions, reason, message, deleted."""
    metadata: dict[str, Any] = {"name": name}
    if "index" in parts:
        metadata["annotations"] = {"batch.kubernetes.io/job-completion-index": parts["index"]}
    if parts.get("deleted"):
        metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    status = {"phase": phase} | {key: parts[key] for key in ("reason", "message", "conditions") if key in parts}
    if "state" in parts:
        status["containerStatuses"] = [{"name": "worker", "state": parts["state"]}]
    return {"metadata": metadata, "status": status}


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    return pod(state={"waiting": {"reason": reason, "message": message}})


def failed(name: str, at: str, **parts: Any) -> dict[str, Any]:
    return pod(name, "Failed", state={"terminated": {"exitCode": 1, "finishedAt": f"2026-01-01T00:00:{at}Z"}}, **parts)


DISRUPTED = {"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler", "message": "preempting"}


@pytest.mark.parametrize("made", [pod(), waiting("ContainerCreating"), pod(phase="Running", state={"running": {}})])
def test_a_pod_on_its_way_meets_no_obstacle(made: dict[str, Any]) -> None:
    assert pod_records.obstacle(made) is None


@pytest.mark.parametrize(
    ("reason", "message", "hopeless"),
    [
        ("ErrImagePull", 'failed to resolve reference "a:1": a:1: not found', True),
        ("ErrImagePull", "manifest unknown: manifest unknown", True),
        ("ImagePullBackOff", "ErrImagePull: pull access denied, repository does not exist", True),
        ("ErrImagePull", "401 Unauthorized", True),
        ("ErrImagePull", "dial tcp: i/o timeout", False),
        ("ImagePullBackOff", 'Back-off pulling image "a:1"', False),
        ("InvalidImageName", "couldn't parse image name", True),
        ("CreateContainerConfigError", "image will run as root", True),
        ("CreateContainerError", "context deadline exceeded", False),
    ],
)
def test_what_keeps_a_container_from_starting(reason: str, message: str, hopeless: bool) -> None:
    assert pod_records.obstacle(waiting(reason, message)) == Obstacle("a-1-xyz", reason, message, hopeless)


def test_a_pod_that_has_no_node() -> None:
    unscheduled = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes"}
    found = pod_records.obstacle(pod(conditions=[unscheduled]))
    assert found == Obstacle("a-1-xyz", "Unschedulable", "0/3 nodes", hopeless=False)


def test_a_summary_counts_states_and_what_is_missing() -> None:
    pods = [pod(phase="Running"), waiting("ErrImagePull"), waiting("ErrImagePull")]
    assert pod_records.summary(pods, 4) == "2 Pending (ErrImagePull), 1 Running, 1 not created yet"


def test_a_worker_is_known_by_the_mark_of_its_controller() -> None:
    by_operator = {"metadata": {"name": "b", "labels": {"training.kubeflow.org/replica-index": "3"}}}
    assert [pod_records.worker_index(one) for one in (pod(index="2"), by_operator, pod("c"))] == ["2", "3", "c"]


def test_the_likeliest_cause_comes_first() -> None:
    pods = [
        failed("victim", "01", deleted=True),
        failed("later", "09"),
        pod("running", "Running"),
        failed("first", "05"),
        failed("drained", "08", conditions=[DISRUPTED]),
    ]
    names = [one["metadata"]["name"] for one in pod_records.failed_first(pods)]
    assert names == ["drained", "first", "later", "victim"]


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (pod(phase="Failed"), ""),
        (pod(phase="Failed", conditions=[DISRUPTED | {"status": "False"}]), ""),
        (pod(phase="Failed", conditions=[DISRUPTED]), "PreemptionByScheduler: preempting"),
        (pod(phase="Failed", reason="Evicted", message="low on memory"), "Evicted: low on memory"),
        (pod(phase="Failed", reason="Evicted"), "Evicted: no message"),
    ],
)
def test_a_disruption_is_told_from_a_failure(made: dict[str, Any], why: str) -> None:
    assert pod_records.disruption(made) == why


@pytest.mark.parametrize(
    ("made", "alive"),
    [
        (pod(), True),
        (pod(phase="Running"), True),
        (pod(phase="Running", deleted=True), False),
        (pod(phase="Failed"), False),
        (pod(phase="Succeeded"), False),
    ],
)
def test_a_pod_lives_until_it_has_ended_or_is_being_deleted(made: dict[str, Any], alive: bool) -> None:
    assert pod_records.is_alive(made) is alive
