"""What `benison data check` finds out about a data folder before anything is trained on it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from data.columns import Column, Value, content_digest
from data.folders.folder import DataFolder, Problem, Record
from data.folders.verdict import DEFAULT_BOUNDS, Bounds, Finding, Problems, SplitCount, classes_of, judge, unseen

_CLASSES_SHOWN = 20
_EXAMPLES_SHOWN = 3
_PROGRESS_EVERY = 500


@dataclass
class ProblemGroup:
    """Bad records with one reason; `examples` are the first few, each with file, row and its own words."""

    column: str | None
    reason: str
    fix: str
    attack: bool
    count: int = 0
    examples: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class CheckReport:
    """`unseen` are the classes in eval that train lacks, per label column; `findings` is the verdict."""

    root: str
    layout: str
    splits: dict[str, SplitCount]
    problems: list[ProblemGroup]
    leaks: int
    leak_examples: list[str]
    unseen: dict[str, list[str]]
    findings: list[Finding]
    remarks: dict[str, dict[str, int]] = field(default_factory=dict)
    """Good records by column and what they are warned of."""
    without_window: int = 0
    """Good rows of an ordered table that end no window."""
    asked_once: list[str] = field(default_factory=list)
    asked: int = 0
    asked_before: int = 0
    """How many different values the columns `asked_once` have together in eval, and how many of them in train, too."""

    @property
    def bad_share(self) -> float:
        bad = sum(count.bad for count in self.splits.values())
        return bad / max(1, bad + sum(count.good for count in self.splits.values()))

    @property
    def refusals(self) -> list[str]:
        """Why a run would refuse this data, in words; empty if it would not."""
        return [finding.text for finding in self.findings]

    @property
    def ok(self) -> bool:
        return not self.refusals

    def text(self) -> str:
        """The findings for people."""
        return "\n".join(self._lines())

    def to_json(self) -> dict[str, Any]:
        """The findings in plain JSON types."""
        derived = {"bad_share": self.bad_share, "refusals": self.refusals}
        return {"ok": self.ok, **derived, **asdict(self)}

    def _lines(self) -> Iterator[str]:
        yield f"{self.root}: {self.layout}"
        for split, count in self.splits.items():
            yield f"  {split:<6} {count.good} good, {count.bad} bad"
            for column, classes in count.classes.items():
                shown = ", ".join(f"{name} {number}" for name, number in Counter(classes).most_common(_CLASSES_SHOWN))
                more = f" and {len(classes) - _CLASSES_SHOWN} more" if len(classes) > _CLASSES_SHOWN else ""
                yield f"         {column}: {shown}{more}"
        if self.without_window:
            rows = _counted(self.without_window, "more row")
            yield f"{rows} at the beginning or end of a series, of a split, or beside a gap in time"
        for group in self.problems:
            yield f"{'ATTACK ' if group.attack else ''}{_counted(group.count, 'record')}: {_title(group)}"
            yield from (
                f"    {_place(example['file'], example['row'])}: {example['reason']}" for example in group.examples
            )
            yield f"    -> {group.fix}"
        for column, found in self.remarks.items():
            for remark, number in found.items():
                yield f"Warning: {column} of {_counted(number, 'record')}: {remark}"
        if self.leaks:
            yield f"Warning: {_counted(self.leaks, 'record')} of eval also in train: {', '.join(self.leak_examples)}"
            yield "    -> Remove them from one side, or the score will be too good to be true."
        if self.asked_before:
            kind = "pair" if len(self.asked_once) == 2 else "question"
            these = f"{self.asked_before} of {_counted(self.asked, kind)} of {' and '.join(self.asked_once)}"
            yield f"Warning: {these} in eval stand in train, too: a run does not ask for them"
            yield "    -> Remove them from eval, or leave them: a run says what share they are."
        if self.ok:
            yield "Good to train on."
        for finding in self.findings:
            yield f"Refused: {finding.text}"
            yield f"    -> {finding.fix}"


def check(
    root: Path | str,
    columns: Mapping[str, Column],
    progress: Callable[[str, int], None] | None = None,
    split_by: str | None = None,
    names: Mapping[str, Sequence[str]] | None = None,
    targets: Sequence[str] = (),
    bounds: Bounds = DEFAULT_BOUNDS,
    refuse: Callable[[Mapping[str, Value]], str] | None = None,
    asked_once: Sequence[str] = (),
) -> CheckReport:
    """Reads every record once and reports; memory grows by 16 bytes per record of a folder that is split, and by a few
    times as much where there is something `asked_once`.

    Args:
      split_by, names, refuse: as DataFolder's.
      targets: the columns that a task is to answer.
      asked_once: columns as a task's `asked_once`.
      progress: called now and then, and at the end of a split, with its name and the records read from it.

    Raises:
      WrongUse, DataRefused: as DataFolder.
    """
    folder = DataFolder(root, columns, split_by, names, refuse)
    counts = {"train": SplitCount(), "eval": SplitCount()}
    problems: dict[tuple[str | None, str], ProblemGroup] = {}
    copies, bad, questions = _Copies(), Problems(), _Questions({name: columns[name] for name in asked_once})
    remarks: dict[str, Counter[str]] = {name: Counter() for name in columns}
    for split in folder.splits:
        read = 0
        for read, record in enumerate(folder.records(split), 1):
            _count(record, counts[record.split], columns)
            if record.features is not None:
                for name, column in folder.columns.items():
                    remarks[name].update(column.remarks(name, record.features))
                questions.see(record.split, record.features)
            if record.problem is not None:
                _note(record, record.problem, problems, columns)
                bad.see(record.split, record.file, record.row, *astuple(record.problem))
            elif split != "all" and record.features is not None:  # hashing has put exact copies on one side already
                copies.see(record, content_digest(record.features, columns))
            if progress is not None and read % _PROGRESS_EVERY == 0:
                progress(split, read)
        if progress is not None:
            progress(split, read)
    for (name, remark), count in folder.remarks.items():
        remarks[name][remark] += count
    groups = sorted(problems.values(), key=lambda group: (not group.attack, -group.count))
    findings = judge(counts, columns, targets, bounds, bad, split_by, unsplit="all" in folder.splits)
    return CheckReport(
        str(folder.root),
        folder.layout,
        counts,
        groups,
        copies.found,
        copies.examples,
        unseen(counts),
        findings,
        {name: dict(found.most_common()) for name, found in remarks.items() if found},
        without_window=folder.without_window,
        asked_once=list(asked_once),
        asked=len(questions.of["eval"]),
        asked_before=len(questions.of["eval"] & questions.of["train"]),
    )


class _Copies:
    """Finds records of eval whose content train has too; 16 bytes are kept per record of train."""

    def __init__(self) -> None:
        self._train = bytearray()
        self._sorted: np.ndarray[Any, Any] | None = None
        self.found = 0
        self.examples: list[str] = []

    def see(self, record: Record, digest: bytes) -> None:
        """Takes all records of train first, then those of eval."""
        if record.split == "train":
            self._train += digest
            return
        if self._sorted is None:
            self._sorted = np.sort(np.frombuffer(self._train, dtype="S16"))
        query = np.frombuffer(digest, dtype="S16")
        place = int(np.searchsorted(self._sorted, query)[0])
        if place < len(self._sorted) and self._sorted[place] == query[0]:
            self.found += 1
            if len(self.examples) < _EXAMPLES_SHOWN:
                self.examples.append(_place(record.file, record.row))


class _Questions:
    """The different values that some columns have together on each side, as digests of 16 bytes; of no columns none."""

    def __init__(self, columns: Mapping[str, Column]) -> None:
        self._columns = columns
        self.of: dict[str, set[bytes]] = {"train": set(), "eval": set()}

    def see(self, split: str, features: Mapping[str, Value]) -> None:
        if self._columns:
            self.of[split].add(content_digest(features, self._columns))


def _count(record: Record, count: SplitCount, columns: Mapping[str, Column]) -> None:
    if record.features is None:
        count.bad += 1
        return
    count.good += 1
    for column, name in classes_of(record.features, columns):
        classes = count.classes.setdefault(column, {})
        classes[name] = classes.get(name, 0) + 1


def _note(
    record: Record,
    problem: Problem,
    groups: dict[tuple[str | None, str], ProblemGroup],
    columns: Mapping[str, Column],
) -> None:
    # One group for '1.png': 3x2 pixels and '2.png': 4x5 pixels: what is quoted or a number varies.
    reason = re.sub(r"""^(?:'[^']*'|"[^"]*"): """, "", problem.reason)
    key = (problem.column, re.sub(r"""'[^']*'|"[^"]*"|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?""", "*", reason))
    if key not in groups:
        groups[key] = ProblemGroup(problem.column, reason, _fix(problem, columns), problem.attack)
    group = groups[key]
    group.count += 1
    if len(group.examples) < _EXAMPLES_SHOWN:
        group.examples.append({"file": record.file, "row": record.row, "reason": problem.reason})


def _fix(problem: Problem, columns: Mapping[str, Column]) -> str:
    if problem.attack:
        return "Remove it, and ask where this data comes from: a path may not leave the data folder."
    if problem.column is None:
        return "Mend it or remove it."
    noun = columns[problem.column].noun
    if columns[problem.column].is_media:
        return f"Put a readable {noun} there, or remove it."
    return f"Write a {noun} that fits there, or remove the record."


def _title(group: ProblemGroup) -> str:
    return f"{group.column}: {group.reason}" if group.column else group.reason


def _place(file: str, row: int | None) -> str:
    return file if row is None else f"{file}, row {row}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
