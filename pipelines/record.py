"""How a run goes on and how it ended, as a file in its folder for whoever looks from outside: `state.json`.

It is written again every few seconds while the run lives, so that one that is "running" in an old file was killed.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines.failures import explained
from pipelines.progress import Listener
from pipelines.workspace import write_atomic

STATE = "state.json"
BEAT_SECONDS = 2.0


@contextmanager
def kept(directory: Path, facts: Mapping[str, Any], listener: Listener) -> Iterator[Listener]:
    """Within, what the returned listener hears is passed on to `listener` and kept in `directory/state.json`.

    The file holds the `facts`, `state` (running, finished, failed or interrupted), `started` (ISO 8601), `seconds`,
    `nodes` (id, state, start and seconds; the last one may be running), `nodes_total`, `progress` of the node that
    runs, and of a run that did not finish the `error`: message and fix.
    """
    record = _Record(directory / STATE, facts, listener)
    over = threading.Event()

    def beat() -> None:
        while not over.wait(BEAT_SECONDS):
            record.write()

    thread = threading.Thread(target=beat, daemon=True)
    record.write()
    thread.start()
    ended: dict[str, Any] = {"state": "finished"}
    try:
        yield record
    except BaseException as error:
        message, fix = explained(error)
        state = "interrupted" if isinstance(error, KeyboardInterrupt) else "failed"
        ended = {"state": state, "error": {"message": message, "fix": fix}}
        raise
    finally:
        over.set()
        thread.join()
        record.write(**ended)


class _Record(Listener):
    def __init__(self, file: Path, facts: Mapping[str, Any], listener: Listener) -> None:
        self._file, self._listener = file, listener
        self._begun = time.monotonic()
        started = datetime.now(UTC).isoformat(timespec="seconds")
        self._state: dict[str, Any] = {**facts, "state": "running", "started": started, "nodes": [], "progress": {}}
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
