"""Every task on data that nobody tuned it on, with nothing but `--data`, and a table in `docs/results.md`.

    python -m benchmarks.foreign [--task NAME]... [--set NAME]... [--workspace DIR]

The sets are made by `benchmarks/foreign_sets`. Each run is a process of its own. Lines of sets that are not run stay as
they were.
"""

from __future__ import annotations

import argparse
import importlib
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.measure import BENISON, ROOT
from benchmarks.results import FOREIGN, PAGE, line

INTRODUCTION = """
## Data that nobody tuned on

Each task with nothing but `--data`, on sets that code makes, unlike the default ones in size, colour, number of
classes, script or scale (`benchmarks/foreign_sets/`). `make foreign` runs them all again. On such data a model is
blessed, too, where no reference is better by more than chance: that is told as a tie.

"""
COLUMNS = ("task", "set", "key metric", "score", "best reference", "seconds", "verdict")


def sets_of(task: str) -> Mapping[str, Callable[[Path], None]]:
    """Name -> what writes that set into a folder; none where `benchmarks.foreign_sets` has no module of that name."""
    if not (ROOT / "benchmarks" / "foreign_sets" / f"{task}.py").exists():
        return {}
    sets: Mapping[str, Callable[[Path], None]] = importlib.import_module(f"benchmarks.foreign_sets.{task}").SETS
    return sets


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--task", action="append", help="only this one; may be given again")
    parser.add_argument("--set", action="append", help="only sets of this name; may be given again")
    parser.add_argument("--workspace", type=Path, help="an empty folder of its own otherwise")
    options = parser.parse_args()
    from trainer.task import task_names

    with tempfile.TemporaryDirectory() as scratch:
        root = options.workspace or Path(scratch)
        for task in options.task or task_names():
            for name, write in sets_of(task).items():
                if options.set and name not in options.set:
                    continue
                print(f"{task} on {name} ...", file=sys.stderr, flush=True)
                publish(task, name, _run(task, name, write, root))
    print(PAGE.read_text("utf-8").partition(FOREIGN)[2])


def publish(task: str, name: str, cells: tuple[str, ...]) -> None:
    """Puts one line into the page's table, in place of an earlier one of the same task and set."""
    page, _, section = PAGE.read_text("utf-8").partition(FOREIGN)
    rows = {match[1]: match[0] for match in re.finditer(r"^\| (`\w+` \| \w+) \|.*\n", section, re.MULTILINE)}
    rows[f"`{task}` | {name}"] = line((f"`{task}`", name, *cells))
    table = [line(COLUMNS), line("---" for _ in COLUMNS), *(rows[key] for key in sorted(rows))]
    PAGE.write_text(page + FOREIGN + INTRODUCTION + "".join(table), "utf-8")


def _run(task: str, name: str, write: Callable[[Path], None], root: Path) -> tuple[str, ...]:
    """Key metric, score, best reference, seconds and verdict, one text each."""
    from pipelines.records.workspace import task_space

    workspace, data = root / f"{task}-{name}", root / f"{task}-{name}-data"
    if not data.exists():
        data.mkdir(parents=True)
        write(data)
    command = [BENISON, "run", task, "--data", str(data), "--workspace", str(workspace), "--json"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=False)
    last = task_space(workspace, task).last_run
    if last is None or not last["result"]["metrics"]:
        return "–", "–", "–", "–", _why_not(done.stdout, done.returncode)
    return _cells(task, last["result"])


def _why_not(printed: bytes, code: int) -> str:
    """The verdict on a set of which no model came, from what `benison run --json` printed."""
    from pipelines.records.run_result import EXIT_DATA_REFUSED

    try:
        [reason, *_] = json.loads(printed)["error"].splitlines()
    except (ValueError, KeyError):
        return f"**failed** with exit code {code}"
    return f"**{'refused' if code == EXIT_DATA_REFUSED else 'failed'}**: {reason.removesuffix(':')}"


def _cells(task: str, result: Mapping[str, Any]) -> tuple[str, ...]:
    from trainer.task import load

    task_class = load(task)
    gate = task_class(task_class.HParams()).metrics().gates[0]
    rivals = {who: scores[gate.metric] for who, scores in result["reference"].items() if gate.metric in scores}
    best = (max if gate.higher_is_better else min)(rivals, key=rivals.__getitem__, default="")
    report = json.loads(Path(result["places"]["report"]).with_name("report.json").read_text("utf-8"))
    score = result["metrics"][gate.metric]
    ahead = not best or (score > rivals[best] if gate.higher_is_better else score < rivals[best])
    return (
        gate.metric,
        f"{score:.4g}",
        f"{rivals[best]:.4g} ({best})" if best else "–",
        f"{result['seconds']:.0f}",
        ("blessed" if ahead else "blessed: a tie")
        if result["blessed"]
        else f"**not blessed**: {report['verdict'].partition(': ')[2]}",
    )


if __name__ == "__main__":
    main()
