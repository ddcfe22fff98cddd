"""What a run came to, as it is shown, stored and printed by `--json`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

EXIT_BLESSED, EXIT_FAILED, EXIT_WRONG_USE, EXIT_NOT_BLESSED, EXIT_DATA_REFUSED = range(5)

_SEVERITY = (EXIT_BLESSED, EXIT_NOT_BLESSED, EXIT_DATA_REFUSED, EXIT_FAILED, EXIT_WRONG_USE)


@dataclass(frozen=True)
class RunResult:
    """One run of one task.

    `metrics`: name -> value; `intervals`: name -> its limits at 95 %, where they can be told; `reference`: method ->
    metric -> value; `baseline`: the latest blessed model's metrics.
    `examples`: good records of train and eval, and quarantined ones. `nodes`: id, state (ran, cached, failed,
    skipped), start and seconds. `gates`: one row for each bound, as in the report. `places`: what lies where.
    """

    task: str
    run_id: str
    exit: int
    blessed: bool | None = None
    pushed: str | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    intervals: dict[str, list[float]] = field(default_factory=dict)
    reference: dict[str, dict[str, float]] = field(default_factory=dict)
    baseline: dict[str, float] = field(default_factory=dict)
    examples: dict[str, int] = field(default_factory=lambda: {"train": 0, "eval": 0, "quarantined": 0})
    nodes: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0
    peak_rss_mb: float = 0.0
    verdict: str = ""
    gates: list[dict[str, Any]] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    """References that are no numbers, in words."""
    places: dict[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    def to_json(self) -> dict[str, Any]:
        """What `benison run --json` promises: nodes that were to run, and null where a number is not finite."""
        shown = asdict(self)
        for name in ("verdict", "gates", "left_out", "places"):
            del shown[name]
        shown["nodes"] = [
            {key: node[key] for key in ("id", "state", "seconds")} for node in self.nodes if node["state"] != "skipped"
        ]
        finite: dict[str, Any] = _finite(shown)
        return finite

    def closing(self) -> str:
        """For people: why it was blessed or not, scores beside their rivals', gates, examples, places, what next."""
        blocks = [
            [f"{self.task}: {self.verdict or 'done'}"],
            list(self._score_lines()),
            [*self._gate_lines(), *(f"  note  {words}" for words in self.left_out)],
            [*self._place_lines(), f"  time         {self.seconds:.1f} s, peak memory {self.peak_rss_mb:,.0f} MB"],
            list(self._next_lines()),
        ]
        return "\n" + "\n\n".join("\n".join(block) for block in blocks if block)

    def _score_lines(self) -> Iterator[str]:
        scores = {"this run": self.metrics, "last blessed": self.baseline, **self.reference}
        rivals = {who: found for who, found in scores.items() if found}
        if self.metrics:
            columns: list[dict[str, str]] = [
                {"metric": who, **{name: f"{found[name]:.4g}" for name in self.metrics if name in found}}
                for who, found in rivals.items()
            ]
            if self.intervals:
                limits = {name: f"{low:.4g} to {high:.4g}" for name, (low, high) in self.intervals.items()}
                columns.insert(1, {"metric": "95 % interval", **limits})
            yield from aligned(
                [[name, *(column.get(name, "") for column in columns)] for name in ("metric", *self.metrics)],
                indent="  ",
            )

    def _gate_lines(self) -> Iterator[str]:
        """Each bound, but bounds on slices only where they fail: there are as many as there are classes."""
        kept = [gate for gate in self.gates if gate["slice"] and gate["passed"]]
        for gate in self.gates:
            if gate not in kept:
                where = f" for {gate['slice']}" if gate["slice"] else ""
                sign = "≥" if gate["higher_is_better"] else "≤"
                held = "pass" if gate["passed"] else "open" if gate.get("state") == "open" else "FAIL"
                limit = "" if gate["bound"] is None else f" {sign} {gate['bound']:.4g}"
                tie = ", within the sampling error" if gate.get("tie") else ""
                yield f"  {held}  {gate['metric']}{where} {gate['value']:.4g}{limit} ({gate['bound_from']}){tie}"
        if kept:
            yield f"  pass  bounds on {len(kept)} slices"

    def _place_lines(self) -> Iterator[str]:
        yield "  examples     " + ", ".join(f"{kind} {count:,}" for kind, count in self.examples.items())
        for name, place in self.places.items():
            yield f"  {name:<12} {place}"

    def _next_lines(self) -> Iterator[str]:
        if self.pushed:
            from pipelines.console.usage import usage

            yield f"next: {usage(self.task)}   or open the report"
        elif self.blessed is False:
            yield "next: open the report to see which examples go wrong; the model served before, if any, stays served"
        elif self.blessed is None:
            yield f"next: benison run {self.task}   runs the other nodes, too"


def worst(exits: Sequence[int]) -> int:
    """The exit code of several runs together."""
    return max(exits, key=_SEVERITY.index)


def aligned(rows: Sequence[Sequence[str]], indent: str = "") -> Iterator[str]:
    """Lines with columns as wide as what they hold; the last one may run on."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        yield indent + "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
