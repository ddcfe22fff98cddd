"""How long a person waits for `benison dashboard` and for its first page, with 1,000 runs in the workspace."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks import measure
from pipelines.node_list import NODES
from pipelines.records.run_result import RunResult

RUNS, TASKS = 1000, 29
START_SECONDS, PAGE_SECONDS = 3.0, 1.0
FIRST = datetime(2026, 1, 1, tzinfo=UTC)


def make_store(workspace: Path) -> None:
    """What RUNS finished runs of TASKS tasks leave, as far as the table of runs reads it."""
    for number in range(RUNS):
        task, started = f"task_{number % TASKS:02d}", FIRST + timedelta(hours=number)
        run_id, score = started.strftime("%Y%m%d-%H%M%S-%f"), 0.5 + (number * 37 % 500) / 1000
        nodes = [{"id": name, "state": "ran", "start": i, "seconds": 1.0} for i, name in enumerate(NODES)]
        state = {
            "task": task,
            "run_id": run_id,
            "state": "finished",
            "started": started.isoformat(),
            "key_metric": "accuracy",
            "higher_is_better": True,
            "data": {"name": "mnist", "fingerprint": f"{number:016x}"},
            "code_digest": f"{number:016x}",
            "nodes": nodes,
            "nodes_total": len(nodes),
        }
        end = RunResult(
            task,
            run_id,
            exit=0,
            blessed=score > 0.7,
            metrics={"accuracy": score, "cross_entropy": 1 - score},
            reference={"nearest neighbours": {"accuracy": 0.7}},
            baseline={"accuracy": 0.72},
            nodes=nodes,
            seconds=40.0 + number % 60,
            verdict=f"accuracy {score:.4g}",
            gates=[{"metric": "accuracy", "higher_is_better": True, "slice": "", "passed": True}] * 12,
        )
        folder = workspace / task / "runs" / run_id
        folder.mkdir(parents=True)
        (folder / "state.json").write_text(json.dumps(state), encoding="utf-8")
        (folder / "result.json").write_text(json.dumps(end.to_dict()), encoding="utf-8")


@contextmanager
def started(workspace: Path) -> Iterator[tuple[str, float]]:
    """The address that the dashboard prints, and the seconds until it does and answers."""
    begun = time.perf_counter()
    command = [measure.BENISON, "dashboard", "--workspace", str(workspace)]
    with subprocess.Popen(command, cwd=measure.ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        address = re.findall(r"http://\S+/", process.stdout.readline())[0]
        with urllib.request.urlopen(f"{address}healthz"):
            seconds = time.perf_counter() - begun
        try:
            yield address, seconds
        finally:
            process.terminate()


def seconds_to_start(workspace: Path) -> float:
    with started(workspace) as (_, seconds):
        return seconds


@contextmanager
def browser() -> Iterator[Callable[[str], float] | None]:
    """What measures, in a real browser with nothing kept from before, the seconds from asking for an address until its
    rows are drawn; None without Chromium."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        yield None
        return
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium: Any = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])

        def seconds_to_rows(address: str) -> float:
            context = chromium.new_context()
            page = context.new_page()
            begun = time.perf_counter()
            page.goto(address, wait_until="commit")
            page.wait_for_selector(".ag-row [col-id=task]")
            seconds = time.perf_counter() - begun
            context.close()
            return seconds

        yield seconds_to_rows
        chromium.close()


def rows(options: measure.Options) -> list[measure.Row]:
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder)
        make_store(workspace)
        seconds_to_start(workspace)  # the first reads from disk what the others find in memory
        start = measure.interleaved(options.repeats, ours=lambda: seconds_to_start(workspace))["ours"]
        found = [measure.Row(f"`benison dashboard`, {RUNS:,} runs", start, START_SECONDS, "s", "limit", at_most=1.0)]
        with browser() as seconds_to_rows, started(workspace) as (address, _):
            if seconds_to_rows:
                seconds_to_rows(address)
                page = measure.interleaved(max(5, options.repeats), ours=lambda: seconds_to_rows(address))["ours"]
                what = f"first page in Chromium, {RUNS:,} runs"
                found.append(measure.Row(what, page, PAGE_SECONDS, "s", "limit", at_most=1.0))
    return found


if __name__ == "__main__":
    measure.main(rows, __doc__)
