"""A stand-in of Kubeflow Pipelines for tests: runs a package's tasks as a cluster would, each by its own command.

Each task is a process of its own with the environment that the package gives its container, started when the tasks that
it depends on have ended well. Volumes are folders: compile with `cluster.mount` set to one.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

RUN_ID = "{{$.pipeline_job_uuid}}"
"""What KFP's driver replaces where it is all of a parameter's constant value, and nowhere else."""


@dataclass(frozen=True)
class Container:
    """What a task's pod would run."""

    command: list[str]
    environment: dict[str, str]
    needs: list[str]
    """Tasks that must have ended well before."""
    tries: int


@dataclass(frozen=True)
class Package:
    """A compiled package: `spec`, a PipelineSpec, and `platform`, its platform spec, both as read from YAML."""

    spec: dict[str, Any]
    platform: dict[str, Any]

    @classmethod
    def read(cls, file: Path) -> Package:
        spec, platform = yaml.safe_load_all(file.read_text(encoding="utf-8"))
        return cls(spec, platform)

    @property
    def tasks(self) -> dict[str, dict[str, Any]]:
        """All tasks but the exit task, which is `exit_task`."""
        inner = self.spec["root"]["dag"]["tasks"]["exit-handler-1"]["componentRef"]["name"]
        return dict(self.spec["components"][inner]["dag"]["tasks"])

    @property
    def exit_task(self) -> tuple[str, dict[str, Any]]:
        [found] = [(name, task) for name, task in self.spec["root"]["dag"]["tasks"].items() if "triggerPolicy" in task]
        return found

    def executor(self, task: Mapping[str, Any]) -> str:
        return str(self.spec["components"][task["componentRef"]["name"]]["executorLabel"])

    def container_spec(self, task: Mapping[str, Any]) -> dict[str, Any]:
        return dict(self.spec["deploymentSpec"]["executors"][self.executor(task)]["container"])

    def kubernetes(self, task: Mapping[str, Any]) -> dict[str, Any]:
        """What the platform spec says of a task's pod."""
        return dict(self.platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"][self.executor(task)])

    def container(self, task: Mapping[str, Any], run_id: str, secrets: Mapping[str, Mapping[str, str]]) -> Container:
        spec, pod = self.container_spec(task), self.kubernetes(task)
        environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        environment |= {each["name"]: each["value"] for each in spec.get("env", ())}
        for secret in pod.get("secretAsEnv", ()):
            for key in secret["keyToEnv"]:
                environment[key["envVar"]] = secrets[secret["secretName"]][key["secretKey"]]
        command = [_resolved(text, _parameters(task, run_id)) for text in (*spec["command"], *spec["args"])]
        assert not any("{{$" in text for text in command), "a placeholder that KFP would leave as it is"
        assert command[0] == "python"
        retries = task.get("retryPolicy", {}).get("maxRetryCount", 0)
        return Container([sys.executable, *command[1:]], environment, task.get("dependentTasks", []), 1 + retries)


def _parameters(task: Mapping[str, Any], run_id: str) -> dict[str, str]:
    """A task's parameters, as KFP's driver hands them to the pod."""
    values = {
        name: value["runtimeValue"]["constant"] for name, value in task.get("inputs", {}).get("parameters", {}).items()
    }
    return {name: run_id if value == RUN_ID else value for name, value in values.items()}


def _resolved(text: str, parameters: Mapping[str, str]) -> str:
    """An argument of a container, as KFP's launcher hands it to the command."""
    for name, value in parameters.items():
        text = text.replace(f"{{{{$.inputs.parameters['{name}']}}}}", value)
    return text


@dataclass(frozen=True)
class Cluster:
    """Where packages run.

    `logs`: a folder for the pods' output; `secrets`: name -> key -> value; `disturb`: told of each process that starts,
    its task and which try it is.
    """

    logs: Path
    secrets: Mapping[str, Mapping[str, str]]
    disturb: Callable[[subprocess.Popen[bytes], str, int], None] = lambda process, task, attempt: None

    def run(self, package: Package, run_id: str) -> dict[str, int]:
        """Exit codes of the tasks that were started, the exit task's among them."""
        containers = {name: package.container(task, run_id, self.secrets) for name, task in package.tasks.items()}
        codes: dict[str, int] = {}
        running: dict[Future[int], str] = {}
        with ThreadPoolExecutor() as pool:
            while True:
                for name, container in containers.items():
                    ready = all(codes.get(needed) == 0 for needed in container.needs)
                    if ready and name not in codes and name not in running.values():
                        running[pool.submit(self._run_task, container, run_id, name)] = name
                if not running:
                    break
                for ended in wait(running, return_when=FIRST_COMPLETED).done:
                    codes[running.pop(ended)] = ended.result()
        name, task = package.exit_task
        codes[name] = self._run_task(package.container(task, run_id, self.secrets), run_id, name)
        return codes

    def log(self, run_id: str, task: str) -> str:
        """What a task's pods printed."""
        return self._log(run_id, task).read_text(encoding="utf-8", errors="replace")

    def _log(self, run_id: str, task: str) -> Path:
        self.logs.mkdir(parents=True, exist_ok=True)
        return self.logs / f"{run_id}-{task}.txt"

    def _run_task(self, container: Container, run_id: str, task: str) -> int:
        """Its exit code, that of the last try if it failed each time."""
        for attempt in range(container.tries):
            with self._log(run_id, task).open("ab") as log:
                process = subprocess.Popen(
                    container.command, env=container.environment, stdout=log, stderr=log, cwd=self.logs
                )
            self.disturb(process, task, attempt)
            code = process.wait()
            if code == 0:
                break
        return code
