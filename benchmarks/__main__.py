"""All benchmarks, one after the other, and one table of what they found."""

from __future__ import annotations

import importlib
import sys

from benchmarks import measure

NAMES = (
    "startup",
    "dashboard",
    "first_fit",
    "steps",
    "health",
    "evaluator",
    "ingest_memory",
    "listing",
    "workers",
    "whole_run",
    "beam_workers",
)


def main() -> None:
    options = measure.options("Runs all benchmarks and prints one table.")
    rows = []
    for name in NAMES:
        print(f"{name} ...", file=sys.stderr, flush=True)
        rows += importlib.import_module(f"benchmarks.{name}").rows(options)
    print(measure.table(rows))


if __name__ == "__main__":
    main()
