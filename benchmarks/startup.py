"""How long a person waits for `benison --help` and `benison tasks`."""

from __future__ import annotations

from benchmarks import measure

LIMITS = {"--help": 0.4, "tasks": 0.8}  # seconds
REPEATS = 10


def rows(options: measure.Options) -> list[measure.Row]:
    return [_row(argument, limit, max(REPEATS, options.repeats)) for argument, limit in LIMITS.items()]


def _row(argument: str, limit: float, repeats: int) -> measure.Row:
    command = [measure.BENISON, argument]
    measure.run(command)  # the first reads from disk what the others find in memory
    median = measure.interleaved(repeats, ours=lambda: measure.run(command).seconds)
    return measure.Row(f"`benison {argument}`", median["ours"], limit, "s", "limit", at_most=1.0)


if __name__ == "__main__":
    measure.main(rows, __doc__)
