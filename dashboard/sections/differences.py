"""Where runs that answered the same examples differ, example by example, and whether by more than chance."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dash import html

from dashboard import address, parts
from dashboard import answers as table_of
from dashboard.paging import ROWS, Long, in_pages
from dashboard.store import Damaged, Run, Store
from trainer.preview.wording import number

COLUMNS = ("example", "place", "truth", "answer", "correct", "loss")
CHANCE = 0.05
"""Of a p-value: below it a difference is said to be more than chance."""


@dataclass(frozen=True)
class Answered:
    """One example, and what each run answered to it: rows of `COLUMNS`."""

    rows: Sequence[Mapping[str, Any]]

    @property
    def verdicts(self) -> tuple[bool | None, ...]:
        return tuple(row["correct"] for row in self.rows)

    @property
    def differs(self) -> bool:
        return len({(row["answer"], row["correct"]) for row in self.rows}) > 1

    @property
    def order(self) -> tuple[Any, ...]:
        """First what is right by one and wrong by another, then by how far the losses lie apart."""
        losses = [row["loss"] for row in self.rows if row["loss"] is not None and math.isfinite(row["loss"])]
        apart = max(losses) - min(losses) if losses else 0.0
        return not {True, False} <= set(self.verdicts), -apart, self.rows[0]["place"]


def section(store: Store, runs: Sequence[Run]) -> html.Section:
    try:
        shared = list(_shared(store, runs))
    except Damaged as damage:
        return _section(parts.damaged(str(damage)))
    if not shared:
        said = "These runs have no answers to the same examples: they read different data, or one left no answers."
        return _section(parts.empty(said))
    listed = _rows(runs, shared)
    table = in_pages("differences", listed) if listed.rows else parts.empty("They gave the same answers to all.")
    note = "First those right by one and wrong by another, then those whose losses lie farthest apart."
    return _section(*_counted(runs, shared), table, note=note)


def _section(*children: Any, note: str = "") -> html.Section:
    return parts.section("differences", "Where they differ", *children, note=note)


def rows(store: Store, runs: Sequence[Run]) -> Long:
    """The examples in which the runs differ. Raises Damaged."""
    return _rows(runs, list(_shared(store, runs)))


def _shared(store: Store, runs: Sequence[Run]) -> Iterator[Answered]:
    """The examples to which all runs left an answer. Raises Damaged."""
    found = []
    for run in runs:
        table = table_of.read(store, run)
        if table is None:
            return
        found.append({row["example"]: row for row in table.select(COLUMNS).to_pylist()})
    for example in found[0]:
        if all(example in one for one in found):
            yield Answered([one[example] for one in found])


def _counted(runs: Sequence[Run], shared: Sequence[Answered]) -> list[Any]:
    """How many are right by which run."""
    judged = [one.verdicts for one in shared if None not in one.verdicts]
    of = f"Of {number(len(shared))} examples that all of them answered"
    if not judged:
        return [html.P(f"{of}, none is right or wrong.", className="soft")]
    counts = Counter(judged)
    many = len(runs)
    said = {"right by all": counts[(True,) * many]}
    if many == 2:
        said |= {"only by A": counts[True, False], "only by B": counts[False, True]}
    else:
        said |= {"only by some": sum(n for kind, n in counts.items() if len(set(kind)) > 1)}
    said |= {"by none": counts[(False,) * many]}
    if len(judged) < len(shared):
        said |= {"not judged": len(shared) - len(judged)}
    tiles = parts.tiles((name, number(count)) for name, count in said.items())
    return [html.P(f"{of}:", className="soft"), tiles, *([_chance(counts)] if many == 2 else [])]


def _chance(counts: Mapping[tuple[bool | None, ...], int]) -> html.P:
    p = mcnemar(counts[True, False], counts[False, True])
    words = "more than chance" if p < CHANCE else "it may be chance"
    return html.P(f"By McNemar's exact test p = {p:.2g}: {words}.", id="mcnemar")


def mcnemar(only_first: int, only_second: int) -> float:
    """The exact two-sided p-value of so many examples right by one alone (McNemar 1947), where neither is better: how
    likely it is that a fair coin falls as unevenly."""
    n, least = only_first + only_second, min(only_first, only_second)
    logarithms = (math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) for k in range(least + 1))
    return min(1.0, 2 * math.fsum(math.exp(one - n * math.log(2)) for one in logarithms))


def _rows(runs: Sequence[Run], shared: Sequence[Answered]) -> Long:
    differing = sorted((one for one in shared if one.differs), key=lambda one: one.order)

    def table(some: Sequence[Answered]) -> Any:
        headings = ["Place", "Truth", *(parts.letter(i) for i in range(len(runs)))]
        return parts.table(headings, [_cells(runs, one) for one in some], "Where they differ", numbers=(0,))

    return Long(differing, table, ROWS, "examples in which they differ")


def _cells(runs: Sequence[Run], one: Answered) -> list[Any]:
    found = [table_of.shown(row) for row in one.rows]
    cells = []
    for run, row in zip(runs, found, strict=True):
        sign, _, tone = parts.JUDGED[row["correct"]]
        loss = "" if row["loss"] is None else f"loss {number(row['loss'])}"
        led = parts.link(row["answer"] or "nothing", address.answer(run.key, row["example"]))
        cells.append(html.Span([html.Span(f"{sign} ".lstrip(), className=tone), led, html.Small(loss)]))
    return [f"{found[0]['place']:,}", found[0]["truth"], *cells]
