"""How a run goes on and how it ended, as a file in its folder for whoever looks from outside: `state.json`.

It holds what is known of the run before it begins, `state` (running, finished, failed or interrupted), `started`
(ISO 8601), `seconds`, `patience`, `nodes_total` and, of a run that did not finish, the `error`: message and fix; of a
local run also `nodes` (id, state, start and seconds; the last one may be running) and the `progress` of the node that
runs. The file is touched every few seconds while the run lives: one that is "running" in a file older than its
`patience` in seconds was killed.

Where nodes are processes of their own, several may run at once: each keeps its own file, `nodes/<name>.json`, with
`id`, `state` (running, ran, cached or failed), `started` and, when it has ended, `seconds`, `peak_rss_mb` and
`failure`: message, fix and exit code, or null.
"""

from __future__ import annotations

import dataclasses
import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from data.atomic import write_atomic
from pipelines.console.failures import Failure, explained
from pipelines.console.progress import Listener
from pipelines.memory import peak_rss_mb
from pipelines.node_list import NODES, State

STATE = "state.json"
BEAT_SECONDS = 2.0
PATIENCE_SECONDS = 60


def begin(directory: Path, facts: Mapping[str, Any], patience: float) -> None:
    """Of a run whose nodes are processes of their own."""
    write_atomic(
        directory / STATE, json.dumps({**facts, **_begun(), "patience": patience, "nodes_total": len(NODES)}, indent=2)
    )


def end(directory: Path, seconds: float, failure: Failure | None) -> None:
    """The end of what `begin` began."""
    state = json.loads((directory / STATE).read_text(encoding="utf-8"))
    state |= {"state": "finished" if failure is None else "failed", "seconds": round(seconds, 3)}
    if failure is not None:
        state["error"] = {"message": failure.message, "fix": failure.fix}
    write_atomic(directory / STATE, json.dumps(state, indent=2))


@contextmanager
def alive(directory: Path) -> Iterator[None]:
    """Within, the run that `begin` began is known to live."""
    with _beating(lambda: os.utime(directory / STATE)):
        yield


def node_begins(directory: Path, name: str) -> None:
    """In a process of its own; of a node that is tried again, once more."""
    begun = {"id": name, "state": "running", "started": datetime.now(UTC).isoformat(timespec="milliseconds")}
    write_atomic(_node_file(directory, name), json.dumps(begun))


def node_ends(directory: Path, name: str, state: State, failure: Failure | None = None) -> None:
    """The end of what `node_begins` began, in the same process."""
    node = json.loads(_node_file(directory, name).read_text(encoding="utf-8"))
    seconds = (datetime.now(UTC) - datetime.fromisoformat(node["started"])).total_seconds()
    node |= {"state": state, "seconds": round(seconds, 3), "peak_rss_mb": peak_rss_mb()}
    node["failure"] = None if failure is None else dataclasses.asdict(failure)
    write_atomic(_node_file(directory, name), json.dumps(node))


def ended_nodes(directory: Path) -> dict[str, dict[str, Any]]:
    """What those nodes say that came to say how they ended, by name."""
    files = {name: _node_file(directory, name) for name in NODES}
    found = {name: json.loads(file.read_text(encoding="utf-8")) for name, file in files.items() if file.exists()}
    return {name: node for name, node in found.items() if node["state"] != "running"}


def _node_file(directory: Path, name: str) -> Path:
    return directory / "nodes" / f"{name}.json"


@contextmanager
def kept(directory: Path, facts: Mapping[str, Any], listener: Listener) -> Iterator[Listener]:
    """Within, what the returned listener hears is passed on to `listener` and kept in `directory/state.json`."""
    record = _LiveState(directory / STATE, facts, listener)
    record.write()
    ended: dict[str, Any] = {"state": "finished"}
    try:
        with _beating(record.write):
            yield record
    except BaseException as error:
        message, fix = explained(error)
        state = "interrupted" if isinstance(error, KeyboardInterrupt) else "failed"
        ended = {"state": state, "error": {"message": message, "fix": fix}}
        raise
    finally:
        record.write(**ended)


@contextmanager
def _beating(beat: Callable[[], None]) -> Iterator[None]:
    """Within, a thread calls `beat` now and then."""
    over = threading.Event()

    def go() -> None:
        while not over.wait(BEAT_SECONDS):
            beat()

    thread = threading.Thread(target=go, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _begun() -> dict[str, Any]:
    return {"state": "running", "started": datetime.now(UTC).isoformat(timespec="seconds"), "seconds": 0.0}


class _LiveState(Listener):
    def __init__(self, file: Path, facts: Mapping[str, Any], listener: Listener) -> None:
        self._file, self._listener = file, listener
        self._begun = time.monotonic()
        self._state: dict[str, Any] = {
            **facts,
            **_begun(),
            "patience": PATIENCE_SECONDS,
            "nodes": [],
            "progress": {},
        }
        self._guard = threading.Lock()

    def write(self, **changes: Any) -> None:
        with self._guard:
            now = self._now()
            for node in self._state["nodes"]:
                if node["state"] == "running":
                    node["seconds"] = round(now - node["start"], 3)
            self._state |= {**changes, "seconds": round(now, 3)}
            write_atomic(self._file, json.dumps(self._state, indent=2))

    def _now(self) -> float:
        return time.monotonic() - self._begun

    def _keep(self, node: str, state: str, seconds: float) -> None:
        with self._guard:
            nodes = [row for row in self._state["nodes"] if row["id"] != node]
            row = {"id": node, "state": state, "start": round(self._now() - seconds, 3), "seconds": round(seconds, 3)}
            self._state |= {"nodes": [*nodes, row], "progress": {}}
        self.write()

    def node_started(self, node: str, index: int, total: int, expected_seconds: float | None) -> None:
        self._listener.node_started(node, index, total, expected_seconds)
        with self._guard:
            self._state["nodes_total"] = total
        self._keep(node, "running", 0.0)

    def node_progress(self, node: str, fields: dict[str, Any]) -> None:
        self._listener.node_progress(node, fields)
        with self._guard:  # written with the next beat; the curves are in the file that these fields came from
            self._state["progress"] = {name: value for name, value in fields.items() if name != "history"}

    def node_finished(self, node: str, state: str, seconds: float) -> None:
        self._listener.node_finished(node, state, seconds)
        self._keep(node, state, seconds)

    def message(self, text: str) -> None:
        self._listener.message(text)

    def close(self) -> None:
        self._listener.close()
