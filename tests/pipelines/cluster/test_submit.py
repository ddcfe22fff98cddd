"""The KFP client against a small server that speaks the KFP API over HTTP."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from data.errors import BenisonError, WrongUse
from pipelines import cli
from pipelines.cluster import package
from pipelines.cluster.submit import TOKEN, Server, Submitted
from pipelines.console.progress import Listener
from pipelines.node_list import NODES
from pipelines.records.run_result import EXIT_BLESSED, EXIT_DATA_REFUSED, EXIT_FAILED, EXIT_NOT_BLESSED
from pipelines.settings import RunSettings
from tests.pipelines.cluster.test_package import GOLDEN, TASK

RUN = "0b7c44c5"


@dataclass
class Backend:
    """What the server was asked and what it answers. `states`: of the run and its tasks, each time that it is asked."""

    multi_user: bool = False
    refusal: tuple[int, str] | None = None
    """Status and message with which everything but the health check is refused."""
    token: str | None = None
    """Without this token, everything is refused."""
    absences: int = 0
    """How often the question for the run is answered with 503 first."""
    states: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    asked: list[tuple[str, str, Any]] = field(default_factory=list)

    def answer(self, method: str, path: str, token: str | None, body: Any) -> tuple[int, Any]:
        self.asked.append((method, path, body))
        if self.token and token != f"Bearer {self.token}":
            return 401, {"message": "no valid token"}
        if path == "/apis/v2beta1/healthz":
            return 200, {"multi_user": self.multi_user}
        if self.refusal:
            return self.refusal[0], {"code": 7, "message": self.refusal[1]}
        match method, path:
            case "GET", "/apis/v2beta1/experiments":
                return 200, {}
            case "POST", "/apis/v2beta1/experiments":
                return 200, {**body, "experiment_id": "e1"}
            case "POST", "/apis/v2beta1/runs":
                return 200, {**body, "run_id": RUN}
            case "GET", "/apis/v2beta1/runs/0b7c44c5":
                return self._run()
        return 404, {"message": f"there is no {path}"}

    def _run(self) -> tuple[int, Any]:
        if self.absences:
            self.absences -= 1
            return 503, {"message": "upstream connect error"}
        state, tasks = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        details = [{"display_name": name, "state": one} for name, one in tasks.items()]
        return 200, {"run_id": RUN, "state": state, "run_details": {"task_details": details}}

    def sent(self, path: str) -> Any:
        [body] = [body for method, asked, body in self.asked if method == "POST" and asked == path]
        return body


@pytest.fixture
def backend() -> Backend:
    return Backend()


@pytest.fixture
def host(backend: Backend) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            status, answer = backend.answer(
                self.command, urlsplit(self.path).path, self.headers.get("Authorization"), body
            )
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        do_POST = do_GET

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


class Heard(Listener):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def message(self, text: str) -> None:
        self.lines.append(text)


def start(host: str, namespace: str | None = None, **overrides: str) -> Submitted:
    return Server.reached(host).start(RunSettings(TASK, overrides=overrides), GOLDEN, namespace, "trials")


def follow(host: str, heard: Heard | None = None) -> int:
    return start(host).follow(heard or Heard(), poll_seconds=0.01)


def test_the_package_is_started_under_the_settings_service_account(host: str, backend: Backend) -> None:
    submitted = start(host + "/", **{"cluster.service_account": "trainer"})
    assert submitted.address == f"{host}/#/runs/details/{RUN}"
    run = backend.sent("/apis/v2beta1/runs")
    assert run["service_account"] == "trainer" and run["experiment_id"] == "e1"
    assert run["display_name"].startswith(TASK)
    executors = run["pipeline_spec"]["pipeline_spec"]["deploymentSpec"]["executors"]
    pods = run["pipeline_spec"]["platform_spec"]["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    assert set(executors) == set(pods) and len(pods) == len(NODES) + 2
    assert backend.sent("/apis/v2beta1/experiments")["display_name"] == "trials"


@pytest.mark.parametrize(
    ("multi_user", "given", "expected"),
    [(False, None, None), (False, "team", None), (True, None, "benison"), (True, "team", "team")],
)
def test_a_namespace_is_named_where_there_are_several(
    host: str, backend: Backend, multi_user: bool, given: str | None, expected: str | None
) -> None:
    backend.multi_user = multi_user
    start(host, given)
    assert (backend.sent("/apis/v2beta1/experiments")["namespace"] or None) == expected


def tasks(**ends: str) -> dict[str, str]:
    return {name.replace("_", "-"): state for name, state in ends.items()}


@pytest.mark.parametrize(
    ("state", "ends", "code", "said"),
    [
        ("SUCCEEDED", tasks(pusher="SUCCEEDED", verdict="SUCCEEDED"), EXIT_BLESSED, "blessed and pushed"),
        ("FAILED", tasks(pusher="SUCCEEDED", verdict="FAILED", record="SUCCEEDED"), EXIT_NOT_BLESSED, "not blessed"),
        ("FAILED", tasks(data_gate="FAILED", record="FAILED"), EXIT_DATA_REFUSED, "refused by DataGate"),
        (
            "FAILED",
            tasks(folder_example_gen="FAILED", record="FAILED"),
            EXIT_DATA_REFUSED,
            "refused by FolderExampleGen",
        ),
        ("FAILED", tasks(data_gate="FAILED", record="SUCCEEDED"), EXIT_FAILED, "failed at DataGate"),
        ("FAILED", tasks(trainer="FAILED", record="FAILED"), EXIT_FAILED, "failed at Trainer"),
        ("CANCELED", tasks(trainer="CANCELED"), EXIT_FAILED, "ended as canceled"),
        ("FAILED", {}, EXIT_FAILED, "ended as failed"),
    ],
)
def test_a_run_is_followed_to_its_verdict(
    host: str, backend: Backend, state: str, ends: dict[str, str], code: int, said: str
) -> None:
    backend.states = [("PENDING", {}), ("RUNNING", {}), (state, ends)]
    heard = Heard()
    assert follow(host, heard) == code
    assert said in heard.lines[-1] and RUN in heard.lines[-1]


def test_each_node_is_told_of_once_as_it_ends(host: str, backend: Backend) -> None:
    backend.states = [
        ("RUNNING", {"folder-example-gen-driver": "SUCCEEDED", "folder-example-gen": "RUNNING"}),
        ("RUNNING", {"folder-example-gen": "SUCCEEDED", "statistics-gen": "RUNNING", "executor": "RUNNING"}),
        ("SUCCEEDED", {"folder-example-gen": "SUCCEEDED", "statistics-gen": "SUCCEEDED"}),
    ]
    heard = Heard()
    assert follow(host, heard) == EXIT_BLESSED
    assert [line.split() for line in heard.lines[:-1]] == [
        ["FolderExampleGen", "succeeded"],
        ["StatisticsGen", "succeeded"],
    ]


def test_a_server_that_is_away_for_a_while_is_waited_for(host: str, backend: Backend) -> None:
    backend.states, backend.absences = [("SUCCEEDED", {})], 3
    assert follow(host) == EXIT_BLESSED


def test_a_server_that_stays_away_is_given_up_but_not_the_run(host: str, backend: Backend) -> None:
    backend.absences = 10**6
    with pytest.raises(BenisonError, match="the run itself goes on") as caught:
        follow(host)
    assert RUN in caught.value.fix


def test_an_interruption_ends_the_following_but_not_the_run(host: str, backend: Backend) -> None:
    class Impatient(Heard):
        def message(self, text: str) -> None:
            raise KeyboardInterrupt

    backend.states = [("RUNNING", {"folder-example-gen": "SUCCEEDED"})]
    with pytest.raises(BenisonError, match="the run itself goes on") as caught:
        follow(host, Impatient())
    assert RUN in caught.value.fix


def test_a_token_opens_the_server(host: str, backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    backend.token = "sesame"
    with pytest.raises(BenisonError, match=r"refuses \(401\)") as caught:
        Server.reached(host)
    assert TOKEN in caught.value.fix
    monkeypatch.setenv(TOKEN, "sesame")
    assert start(host).run_id == RUN


@pytest.mark.parametrize(
    ("status", "message", "fix"),
    [
        (403, "User cannot create runs in namespace nowhere", "--namespace"),
        (404, "Namespace nowhere not found", "--namespace"),
        (400, "the template is invalid", ""),
    ],
)
def test_what_the_server_refuses_is_said_in_its_words(
    host: str, backend: Backend, status: int, message: str, fix: str
) -> None:
    backend.multi_user, backend.refusal = True, (status, message)
    with pytest.raises(BenisonError) as caught:
        start(host, "nowhere")
    assert f"refuses ({status}): {message}" in caught.value.message
    assert fix in caught.value.fix


def test_nobody_there(host: str) -> None:
    with pytest.raises(BenisonError, match="cannot be reached") as caught:
        Server.reached("http://127.0.0.1:9")
    assert "port-forward" in caught.value.fix


def test_something_else_that_answers(tmp_path: Path) -> None:
    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>log in</html>")

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        with pytest.raises(BenisonError, match="not the API of Kubeflow Pipelines"):
            Server.reached(f"http://127.0.0.1:{server.server_port}")
        server.shutdown()
        thread.join()


def test_an_address_without_http_is_refused() -> None:
    with pytest.raises(WrongUse, match="expected an address") as caught:
        Server.reached("kubeflow.example.com")
    assert "http://kubeflow.example.com" in caught.value.fix


@pytest.fixture
def quickly_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """In place of compiling, which needs TFX and has tests of its own."""

    def write_package(settings: RunSettings, output: Path) -> None:
        shutil.copyfile(GOLDEN, output)

    monkeypatch.setattr(package, "write_package", write_package)


def test_the_command_waits_and_ends_with_the_runs_exit_code(
    host: str, backend: Backend, quickly_compiled: None, capfd: pytest.CaptureFixture[str]
) -> None:
    backend.states = [("FAILED", tasks(pusher="SUCCEEDED", verdict="FAILED"))]
    with pytest.raises(SystemExit) as ended:
        cli.main(["submit", TASK, "--host", host, "--image", "registry/benison:1", "--wait"])
    out, err = capfd.readouterr()
    assert (ended.value.code, err) == (EXIT_NOT_BLESSED, "")
    address = f"{host}/#/runs/details/{RUN}"
    assert out.splitlines()[0] == f"{TASK}: {address}"
    assert out.splitlines()[-1] == f"not blessed; the log of verdict says why: {address}"


def test_the_command_prints_json_and_nothing_else(
    host: str, backend: Backend, quickly_compiled: None, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["submit", TASK, "--host", host, "--json"])
    out, err = capfd.readouterr()
    assert (ended.value.code, err) == (0, "")
    assert json.loads(out) == {"task": TASK, "run_id": RUN, "address": f"{host}/#/runs/details/{RUN}", "exit": 0}


def test_nothing_is_compiled_for_a_server_that_is_not_there(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["submit", TASK, "--host", "http://127.0.0.1:9"])
    out, err = capfd.readouterr()
    assert (ended.value.code, out) == (EXIT_FAILED, "")
    assert err.startswith("error: Kubeflow Pipelines at http://127.0.0.1:9 cannot be reached")
