"""Runs every task on its default data and writes what came of it to `docs/results.md`.

    python -m benchmarks.results [--task NAME]... [--workspace DIR]

Each run is a process of its own, in the workspace given or in an empty one. A task that was run before with nothing
changed is answered from disk with the seconds of that answer: use an empty workspace for figures to publish. Figures
of tasks that are not run stay as they were.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.measure import BENISON, ROOT

PAGE = ROOT / "docs" / "results.md"
HEADING = """# Results

Every task on its default data, as `benison run TASK` ran it last: seed 0, default settings, {machine}.
`make results` runs them all again.
The reference is the best classical method on the same split, the gate what the model had to reach. Each line is one
run, the last one, not the best.

"""
FOREIGN = "\n<!-- from here on written by benchmarks/foreign.py -->\n"
COLUMNS = (
    *("task", "data", "examples", "key metric", "score", "best reference", "gate", "blessed"),
    *("training", "in all", "peak memory", "date"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--task", action="append", help="only this one; may be given again")
    parser.add_argument("--workspace", type=Path, help="an empty folder of its own otherwise")
    options = parser.parse_args()
    from trainer.task import task_names

    rows = _published()
    with tempfile.TemporaryDirectory() as scratch:
        for name in options.task or task_names():
            print(f"{name} ...", file=sys.stderr, flush=True)
            rows[name] = _row(name, _run(name, options.workspace or Path(scratch)))
            lines = [line(COLUMNS), line("---" for _ in COLUMNS), *(rows[known] for known in sorted(rows))]
            _, mark, foreign = PAGE.read_text("utf-8").partition(FOREIGN) if PAGE.exists() else ("", "", "")
            PAGE.write_text(HEADING.format(machine=_machine()) + "".join(lines) + mark + foreign, "utf-8")
    print(PAGE.read_text("utf-8"))


def _published() -> dict[str, str]:
    text = PAGE.read_text("utf-8").partition(FOREIGN)[0] if PAGE.exists() else ""
    return {match[1]: match[0] for match in re.finditer(r"^\| `(\w+)` .*\n", text, re.MULTILINE)}


def _run(name: str, workspace: Path) -> dict[str, Any]:
    """The whole result of a run, also of one that ended without a blessing."""
    from pipelines.records.workspace import task_space

    command = [BENISON, "run", name, "--workspace", str(workspace), "--json"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=False)
    last = task_space(workspace, name).last_run
    if last is None or not last["result"]["metrics"]:
        raise SystemExit(f"{name} failed with exit code {done.returncode}: {done.stdout.decode()[-500:]}")
    result: dict[str, Any] = last["result"]
    return result


def _row(name: str, result: dict[str, Any]) -> str:
    from data.sources import catalogue
    from trainer.task import load

    task = load(name)
    gate = task(task.HParams()).metrics().gates[0]
    rivals = {who: scores[gate.metric] for who, scores in result["reference"].items() if gate.metric in scores}
    best = (max if gate.higher_is_better else min)(rivals, key=rivals.__getitem__, default="")
    training = next((node["seconds"] for node in result["nodes"] if node["id"] == "Trainer"), 0.0)
    report = json.loads(Path(result["places"]["report"]).with_name("report.json").read_text("utf-8"))
    cells = [
        f"`{name}`",
        catalogue.get(task.data).title,
        f"{result['examples']['train']:,} + {result['examples']['eval']:,}",
        gate.metric,
        f"{result['metrics'][gate.metric]:.4g}",
        f"{rivals[best]:.4g} ({best})" if best else "–",
        ", ".join(str(one) for one in task(task.HParams()).metrics().gates),
        "yes" if result["blessed"] else f"**no**: {report['verdict'].partition(': ')[2]}",
        f"{training:.0f} s",
        f"{result['seconds']:.0f} s",
        f"{result['peak_rss_mb']:,.0f} MB",
        datetime.date.today().isoformat(),
    ]
    return line(cells)


def line(cells: Iterable[str]) -> str:
    """One line of a table in Markdown."""
    return f"| {' | '.join(cells)} |\n"


def _machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores ({platform.machine()}), {memory:.0f} GiB, no GPU"


if __name__ == "__main__":
    main()
