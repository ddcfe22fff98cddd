"""Starting a compiled pipeline on Kubeflow Pipelines, and following it: `benison submit`.

All that the KFP API tells of a run is its state and those of its tasks, so the package is made to say its verdict by
them (`pipelines.cluster.package`): the task `verdict` fails if the model was not blessed, and the exit task `record`
fails if the data was refused.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.errors import BenisonError, WrongUse
from pipelines.cluster.package import RECORD, VERDICT, task_name
from pipelines.console.progress import Listener
from pipelines.node_list import NODES
from pipelines.records.run_result import EXIT_BLESSED, EXIT_DATA_REFUSED, EXIT_FAILED, EXIT_NOT_BLESSED
from pipelines.settings import RunSettings, apply_overrides
from trainer.task import load

if TYPE_CHECKING:
    import kfp

TOKEN = "BENISON_KFP_TOKEN"
"""Environment variable with a bearer token for the KFP API."""

SUCCEEDED, FAILED = "SUCCEEDED", "FAILED"
ENDED = (SUCCEEDED, FAILED, "CANCELED", "SKIPPED")
REFUSING = ("FolderExampleGen", "DataGate")
"""Nodes that refuse data."""

POLL_SECONDS = 5.0
LOST_POLLS = 12
"""Polls in a row that may fail before we stop following a run."""


@dataclass(frozen=True)
class Server:
    """A Kubeflow Pipelines that answers. `multi_user`: whether each namespace has runs of its own."""

    host: str
    multi_user: bool

    @classmethod
    def reached(cls, host: str) -> Server:
        """
        Raises:
          WrongUse: `host` is no http address.
          BenisonError: nobody answers there, or does not let us in, or it is something else that answers.
        """
        host = host.rstrip("/")
        if not host.startswith(("http://", "https://")):
            raise WrongUse(f"--host {host}: expected an address", f"for example http://{host}")
        # Not by kfp.Client: it asks for half a minute where it is refused, and hides why.
        request = urllib.request.Request(f"{host}/apis/v2beta1/healthz")
        if token := os.environ.get(TOKEN):
            request.add_header("Authorization", f"Bearer {token}")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                health = json.load(answer)
        except urllib.error.HTTPError as error:
            raise _refused(host, error.code, error.reason) from None
        except (urllib.error.URLError, OSError) as error:
            raise _unreachable(host, getattr(error, "reason", error)) from None
        except ValueError:
            raise BenisonError(f"what answers at {host} is not the API of Kubeflow Pipelines 2", _REACH) from None
        return cls(host, bool(health.get("multi_user")))

    def start(self, settings: RunSettings, package: Path, namespace: str | None, experiment: str) -> Submitted:
        """Starts a run of a package under the service account of its settings.

        Raises:
          BenisonError: the server refuses it.
        """
        import kfp

        cluster = apply_overrides(load(settings.task).HParams, settings.overrides)[1].cluster
        chosen = (namespace or cluster.namespace) if self.multi_user else None
        name = f"{settings.task} {datetime.now():%Y-%m-%d %H:%M:%S}"
        with _in_words(self.host), contextlib.redirect_stdout(io.StringIO()):  # it prints addresses of its own
            client = kfp.Client(host=self.host, existing_token=os.environ.get(TOKEN), namespace=chosen or "kubeflow")
            filed = client.create_experiment(experiment, namespace=chosen)
            run = client.run_pipeline(
                filed.experiment_id, name, str(package), enable_caching=False, service_account=cluster.service_account
            )
        return Submitted(client, self.host, run.run_id)


@dataclass(frozen=True)
class Submitted:
    """A run on a server."""

    client: kfp.Client
    host: str
    run_id: str

    @property
    def address(self) -> str:
        return f"{self.host}/#/runs/details/{self.run_id}"

    def follow(self, listener: Listener, poll_seconds: float = POLL_SECONDS) -> int:
        """Tells of each node as it ends, and returns the run's exit code when the run has ended.

        Raises:
          BenisonError: the server can no longer be asked, or we were interrupted. The run goes on.
        """
        try:
            return self._followed(listener, poll_seconds)
        except KeyboardInterrupt:
            raise BenisonError("no longer followed; the run itself goes on", f"see {self.address}") from None

    def _followed(self, listener: Listener, poll_seconds: float) -> int:
        told: set[str] = set()
        while True:
            run = self._asked(poll_seconds)
            states = _task_states(run)
            for name in (*NODES, VERDICT):
                state = states.get(task_name(name), "")
                if state in ENDED and name not in told:
                    told.add(name)
                    listener.message(f"{name:<17} {state.lower()}")
            if run.state in ENDED:
                code, said = _verdict(run.state, states)
                listener.message(f"{said}: {self.address}")
                return code
            time.sleep(poll_seconds)

    def _asked(self, poll_seconds: float) -> Any:
        """The run as the server has it. A server that is away for a while is waited for."""
        for _ in range(LOST_POLLS):
            try:
                with _in_words(self.host):
                    return self.client.get_run(self.run_id)
            except _Unreachable as error:
                lost = error
                time.sleep(poll_seconds)
        raise BenisonError(f"{lost.message}; the run itself goes on", f"see {self.address}")


def _verdict(state: str, states: Mapping[str, str]) -> tuple[int, str]:
    """A run's exit code and what it came to, in words, by its state and those of its tasks."""
    if state == SUCCEEDED:
        return EXIT_BLESSED, "blessed and pushed"
    failed = [name for name in NODES if states.get(task_name(name)) == FAILED]
    if states.get(RECORD) == FAILED and any(name in REFUSING for name in failed):
        return EXIT_DATA_REFUSED, f"the data was refused by {failed[0]}, whose log says why"
    if failed:
        return EXIT_FAILED, f"failed at {failed[0]}, whose log says why"
    if states.get(VERDICT) == FAILED:
        return EXIT_NOT_BLESSED, "not blessed; the log of verdict says why"
    return EXIT_FAILED, f"the run ended as {state.lower()}"


def _task_states(run: Any) -> dict[str, str]:
    """Task -> state. KFP also lists drivers, executors and tries, each under a name of its own."""
    details = run.run_details.task_details or [] if run.run_details else []
    return {task_name(task.display_name or ""): task.state or "" for task in details}


# --- errors ---

_REACH = (
    "check the address; from outside the cluster: kubectl port-forward -n kubeflow service/ml-pipeline-ui 8080:80, "
    "then --host http://127.0.0.1:8080"
)


class _Unreachable(BenisonError):
    pass


def _unreachable(host: str, reason: object) -> _Unreachable:
    return _Unreachable(f"Kubeflow Pipelines at {host} cannot be reached: {reason}", _REACH)


def _refused(host: str, status: int, reason: str) -> BenisonError:
    if status >= 500:
        return _unreachable(host, f"{status} {reason}")
    fixes = {
        401: f"put a token of the cluster into the environment variable {TOKEN}",
        403: "ask for the right to run pipelines there, or give another --namespace",
        404: "check --namespace, and that the server is Kubeflow Pipelines 2",
    }
    return BenisonError(f"Kubeflow Pipelines at {host} refuses ({status}): {reason}", fixes.get(status, _REACH))


@contextlib.contextmanager
def _in_words(host: str) -> Iterator[None]:
    """Within, what the KFP client raises is raised as an error for people."""
    from kfp_server_api import ApiException
    from urllib3.exceptions import HTTPError

    try:
        yield
    except ApiException as error:
        raise _refused(host, error.status, _reason(error)) from None
    except HTTPError as error:
        raise _unreachable(host, error) from None


def _reason(error: Any) -> str:
    """What the server says, which is JSON with a message, if it was KFP and not a proxy before it."""
    try:
        return str(json.loads(error.body)["message"])
    except (TypeError, ValueError, KeyError):
        return str(error.reason)
