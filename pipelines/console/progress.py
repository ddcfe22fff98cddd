"""Who is told of a run's progress, and how a person sees it: one line a node, live on a terminal, plain in a pipe."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, TextIO

from data.errors import BenisonError
from pipelines.console.failures import RESUME

TELL_SECONDS = 30.0
"""In a pipe, a node that takes long says how it goes on no more often than this."""

MARKS = {"ran": "✓", "cached": "=", "failed": "✗", "skipped": "-"}


class Listener:
    """Hears everything and shows nothing: for `--json`, where standard output holds the result and nothing else."""

    def node_started(self, node: str, index: int, total: int, expected_seconds: float | None) -> None:
        """Node `index` of `total` begins; `expected_seconds` is how long it took when it last ran."""

    def node_progress(self, node: str, fields: dict[str, Any]) -> None:
        """`fields`: any of rows, rows_total, step, steps_total, steps_per_second, loss. Called from another thread."""

    def node_finished(self, node: str, state: str, seconds: float) -> None:
        """`state`: ran, cached, failed or skipped."""

    def message(self, text: str) -> None:
        """Something for a person to read."""

    def close(self) -> None:
        """The run is over."""


class Plain(Listener):
    """For pipes and files: one line when a node ends and now and then while it runs, without control characters."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream, self._clock = stream, clock
        self._last: dict[str, Any] = {}
        self._node, self._begun, self._told = "", clock(), clock()
        self._expected: float | None = None
        self._guard = threading.Lock()

    def node_started(self, node: str, index: int, total: int, expected_seconds: float | None) -> None:
        with self._guard:
            self._node, self._expected, self._last = node, expected_seconds, {}
            self._begun = self._told = self._clock()

    def node_progress(self, node: str, fields: dict[str, Any]) -> None:
        with self._guard:
            self._last = fields
            now = self._clock()
            if node != self._node or now - self._told < TELL_SECONDS or not describe(fields):
                return
            self._told = now
            line = f"… {node:<17} {'runs':<7} {now - self._begun:6.1f} s  {describe(fields)}"
            line += in_words(seconds_left(fields, now - self._begun, self._expected))
        try:
            self._write(line)
        except BrokenPipeError:
            return  # the run is told so at the next line of its own: this one came from the thread that watches it

    def node_finished(self, node: str, state: str, seconds: float) -> None:
        with self._guard:
            detail, self._last, self._node = last_words(self._last), {}, ""
        self.message(f"{MARKS[state]} {node:<17} {state:<7} {seconds:6.1f} s  {detail}".rstrip())

    def message(self, text: str) -> None:
        try:
            self._write(text)
        except BrokenPipeError:
            raise BenisonError("whoever read the output has gone, as `head` does", RESUME) from None

    def _write(self, text: str) -> None:
        with self._guard:
            self._stream.write(text + "\n")
            self._stream.flush()


class Live(Listener):
    """For terminals: a line for each node, the current one with its time, speed, loss and time left."""

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console
        from rich.live import Live as RichLive

        self._console = Console(file=stream, highlight=False, force_terminal=True)
        self._node: str | None = None
        self._begun = 0.0
        self._expected: float | None = None
        self._fields: dict[str, Any] = {}
        self._live = RichLive(
            get_renderable=self._line,
            console=self._console,
            refresh_per_second=5,
            transient=True,
            redirect_stdout=False,  # what libraries print belongs into the log, not above the live line
            redirect_stderr=False,
        )
        self._live.start()

    def node_started(self, node: str, index: int, total: int, expected_seconds: float | None) -> None:
        self._node, self._begun, self._expected = f"[{index + 1}/{total}] {node}", time.monotonic(), expected_seconds
        self._fields = {}

    def node_progress(self, node: str, fields: dict[str, Any]) -> None:
        self._fields = fields

    def node_finished(self, node: str, state: str, seconds: float) -> None:
        detail, self._fields, self._node = last_words(self._fields), {}, None
        style = {"failed": "bold red", "cached": "dim", "skipped": "dim"}.get(state, "green")
        self._console.print(
            f"[{style}]{MARKS[state]}[/] {node:<17} [{style}]{state:<7}[/] {seconds:6.1f} s  [dim]{detail}[/]"
        )

    def message(self, text: str) -> None:
        self._console.print(text, markup=False, soft_wrap=True)

    def close(self) -> None:
        self._live.stop()

    def _line(self) -> Any:
        from rich.text import Text

        if self._node is None:
            return Text("")
        seconds = time.monotonic() - self._begun
        left = seconds_left(self._fields, seconds, self._expected)
        parts = [f"{self._node}  {seconds:.0f} s", describe(self._fields)]
        return Text("  ".join(part for part in parts if part) + in_words(left), no_wrap=True, overflow="ellipsis")


def describe(fields: dict[str, Any]) -> str:
    """Progress in words, such as "step 300/1000, 58.1 steps/s, loss 0.124"."""
    parts = []
    if "rows" in fields:
        of_all = f"/{fields['rows_total']:,}" if "rows_total" in fields else ""
        parts.append(f"{fields['rows']:,}{of_all} rows")
    if "step" in fields:
        parts.append(f"step {fields['step']}/{fields['steps_total']}")
    if fields.get("steps_per_second"):
        parts.append(f"{fields['steps_per_second']:.1f} steps/s")
    if "loss" in fields:
        parts.append(f"loss {fields['loss']:.4g}")
    if fields.get("stopped_early"):
        parts.append("stopped early")
    return ", ".join(parts)


def last_words(fields: dict[str, Any]) -> str:
    """The same when the node has ended. Rows were counted some time before, and not to the end."""
    return describe({name: value for name, value in fields.items() if name != "rows"})


def seconds_left(fields: dict[str, Any], seconds: float, expected: float | None) -> float | None:
    """Seconds until the node ends: by the steps it has yet to take, else by how long it took last time."""
    if fields.get("steps_per_second") and fields["step"] < fields["steps_total"] and not fields.get("stopped_early"):
        return (fields["steps_total"] - fields["step"]) / fields["steps_per_second"]
    return None if expected is None or expected <= seconds else expected - seconds


def in_words(left: float | None) -> str:
    """The time left, behind two blanks; nothing where it is not known."""
    if left is None:
        return ""
    minutes, seconds = divmod(round(left), 60)
    return f"  {minutes} min {seconds} s left" if minutes else f"  {seconds} s left"
