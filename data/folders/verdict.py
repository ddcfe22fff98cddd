"""The verdict on data: `benison data check` and a run's own nodes judge by this code alone, and say the same words.

It takes counts, which `check` has from reading the folder and a run from what its ingestion left, and gives findings.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from data.columns import Column, Timestamp, Value
from data.errors import DataRefused
from data.folders.splits import CONTENT, ways_to_split

MAX_CLASSES = 100_000
"""Of one column: so many names are held in the schema, in a vocabulary and in a model's last layer."""
MAX_QUARANTINED = 0.05
MAX_SKEW = 0.25

SHOWN = 5
"""Bad records that a finding quotes."""
_NAMES_SHOWN = 10


@dataclass
class SplitCount:
    """Records of one split; `classes` counts the good ones per label column and class, of boxes the objects."""

    good: int = 0
    bad: int = 0
    classes: dict[str, dict[str, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Bounds:
    """What of the verdict a person may set: `--set NAME=VALUE`.

    `max_quarantined` is the share of all records that may be bad, `max_skew` how far the share of any class in train
    may lie from its share in eval; where the splits are so small that chance takes them further apart, that is no
    finding. The default is set to catch a split by class or by order of collection.
    """

    max_quarantined: float = MAX_QUARANTINED
    max_skew: float = MAX_SKEW


DEFAULT_BOUNDS = Bounds()


@dataclass
class Problems:
    """Bad records in words, the first `SHOWN` of all, of each split and of those with a path out of the data folder."""

    first: list[str] = field(default_factory=list)
    first_of: dict[str, list[str]] = field(default_factory=dict)
    attacks: int = 0
    first_attacks: list[str] = field(default_factory=list)

    def see(self, split: str, file: str, row: int | None, column: str | None, reason: str, attack: bool) -> None:
        """Takes one, in the order in which records are read."""
        text = describe(file, row, column, reason)
        of_split = self.first_of.setdefault(split, [])
        for texts in (self.first, of_split):
            if len(texts) < SHOWN:
                texts.append(text)
        if attack:
            self.attacks += 1
            if len(self.first_attacks) < SHOWN:
                self.first_attacks.append(text)


def describe(file: str, row: int | None, column: str | None, reason: str) -> str:
    """One bad record in words."""
    return f"{file}{f', row {row}' if row else ''}{f', column {column}' if column else ''}: {reason}"


@dataclass(frozen=True)
class Finding:
    """One reason to refuse the data, and what to do about it."""

    text: str
    fix: str

    def __str__(self) -> str:
        return self.text


def classes_of(features: Mapping[str, Value], columns: Mapping[str, Column]) -> Iterator[tuple[str, str]]:
    """(column, class) of each class name in a record: one of a label, one for each object of boxes."""
    for name, column in columns.items():
        for found in column.class_names(name, features):
            yield name, found


def judge(
    splits: Mapping[str, SplitCount],
    columns: Mapping[str, Column],
    targets: Sequence[str],
    bounds: Bounds,
    problems: Problems,
    split_by: str | None,
    unsplit: bool,
) -> list[Finding]:
    """Why this data must not be trained on; empty if it may be.

    Args:
      splits: counts of "train" and "eval".
      unsplit: whether the folder holds no train and eval of its own, so that `split_by` decided.
    """
    fatal = [*_attacks(problems), *_empty(splits, columns, split_by, unsplit, problems.first_of)]
    return fatal or [
        *_bad_share(splits, bounds.max_quarantined, problems.first),
        *filter(None, (too_many_classes(name, len(found)) for name, found in splits["train"].classes.items())),
        *_single_class(splits, columns, targets),
        *_unseen(splits),
        *_skew(splits, bounds.max_skew),
    ]


def judge_reading(
    splits: Mapping[str, SplitCount],
    columns: Mapping[str, Column],
    problems: Problems,
    split_by: str | None,
    unsplit: bool,
) -> list[Finding]:
    """The part of `judge` without which there is nothing to compute statistics of. Arguments as there."""
    return [*_attacks(problems), *_empty(splits, columns, split_by, unsplit, problems.first_of)]


def refusal(findings: Sequence[Finding]) -> DataRefused:
    """All findings as one error."""
    fixes = list(dict.fromkeys(finding.fix for finding in findings))
    message = "the data is not fit to train on:\n" + "\n".join(f"  - {finding.text}" for finding in findings)
    return DataRefused(message, "\n     ".join(fixes))


def _attacks(problems: Problems) -> Iterator[Finding]:
    if number := problems.attacks:
        shown = "".join(f"\n      {text}" for text in problems.first_attacks)
        yield Finding(
            f"{number} path{'' if number == 1 else 's'} out of the data folder:{shown}",
            "remove these records, and ask where the data comes from: paths must stay inside the data folder",
        )


def _empty(
    splits: Mapping[str, SplitCount],
    columns: Mapping[str, Column],
    split_by: str | None,
    unsplit: bool,
    shown: Mapping[str, Sequence[str]],
) -> Iterator[Finding]:
    for split, count in splits.items():
        if count.good:
            continue
        told = "; ".join(shown.get(split, ()))
        bad = f" ({count.bad} bad: {told})" if told else ""
        others = sum(other.good for other in splits.values())
        if not unsplit or not others:
            yield Finding(f"{split} holds no good record{bad}", f"mend its bad records, or add records to {split}")
            continue
        by_time = isinstance(columns.get(split_by or ""), Timestamp)
        if split_by is None:
            reason = f"each record's side follows from a hash of its content, and {others} records are too few"
        elif by_time:
            reason = f"the last fifth by {split_by} is for evaluation, and all or most records have one time"
        else:
            reason = f"records of one {split_by} stay together, and there are too few different ones"
        yield Finding(
            f"{split} holds no good record{bad}: the folder is not split; {reason}",
            "put records for evaluation into eval/ and the others into train/"
            + _other_ways([way for way in ways_to_split(columns) if way != (split_by or CONTENT)]),
        )


def _other_ways(ways: Sequence[str]) -> str:
    """How else to split, as the end of a sentence."""
    columns = ", ".join(way for way in ways if way != CONTENT)
    said = [f"--set split_by={CONTENT} goes by a hash of each record"] if CONTENT in ways else []
    said += [f"--set split_by=NAME by another column ({columns})"] if columns else []
    return f", or split by something else: {', '.join(said)}" if said else ""


def _bad_share(splits: Mapping[str, SplitCount], most: float, shown: Sequence[str]) -> Iterator[Finding]:
    bad = sum(count.bad for count in splits.values())
    total = bad + sum(count.good for count in splits.values())
    if bad > most * total:
        lines = "".join(f"\n      {text}" for text in shown)
        more = f"\n      and {bad - len(shown)} more" if shown and bad > len(shown) else ""
        yield Finding(
            f"{bad} of {total} records are bad ({bad / total:.1%}; at most {most:.0%} may be){':' if lines else ''}"
            f"{lines}{more}",
            "mend or remove them (`benison data check TASK DIR` lists them by reason), or allow more: "
            "--set max_quarantined=SHARE",
        )


def too_many_classes(column: str, number: int) -> Finding | None:
    if number <= MAX_CLASSES:
        return None
    return Finding(
        f"column {column} has {number:,} classes; at most {MAX_CLASSES:,} may be",
        "look whether the column holds classes at all, and merge the rare ones",
    )


def _single_class(
    splits: Mapping[str, SplitCount], columns: Mapping[str, Column], targets: Sequence[str]
) -> Iterator[Finding]:
    """Of targets with one class a record: where all have the same, there is nothing to tell apart."""
    for name in targets:
        kinds = columns[name].features(name).values()
        classes = splits["train"].classes.get(name, {})
        if len(classes) == 1 and any(kind.categories and kind.length == 1 for kind in kinds):
            yield Finding(
                f"column {name}: every record of train is of one class, {next(iter(classes))!r}; there is nothing to "
                "tell apart",
                "add records of at least one other class",
            )


def _unseen(splits: Mapping[str, SplitCount]) -> Iterator[Finding]:
    for column, names in unseen(splits).items():
        yield Finding(
            f"column {column}: eval has classes that train lacks: {_listed(names)}",
            "add records of these classes to train, or remove them from eval",
        )


def unseen(splits: Mapping[str, SplitCount]) -> dict[str, list[str]]:
    """The classes in eval that train lacks, per column that has such."""
    train, evaluation = splits["train"].classes, splits["eval"].classes
    lacking = {name: sorted(set(classes) - set(train.get(name, ()))) for name, classes in evaluation.items()}
    return {name: classes for name, classes in lacking.items() if classes}


def _skew(splits: Mapping[str, SplitCount], most: float) -> Iterator[Finding]:
    """By the L-infinity distance between the shares of the classes in train and in eval."""
    for column, train in splits["train"].classes.items():
        evaluation = splits["eval"].classes.get(column, {})
        if not train or not evaluation:
            continue
        parts, wholes = (train, evaluation), (sum(train.values()), sum(evaluation.values()))

        def shares(name: str) -> tuple[float, float]:
            return parts[0].get(name, 0) / wholes[0], parts[1].get(name, 0) / wholes[1]  # noqa: B023

        widest = max(sorted(train.keys() | evaluation.keys()), key=lambda name: abs(shares(name)[0] - shares(name)[1]))
        here, there = shares(widest)
        # By chance a share of the smaller side strays so far: three standard errors of what both sides hold together.
        share = (train.get(widest, 0) + evaluation.get(widest, 0)) / (wholes[0] + wholes[1])
        by_chance = 3 * math.sqrt(share * (1 - share) * (1 / wholes[0] + 1 / wholes[1]))
        if abs(here - there) > max(most, by_chance):
            yield Finding(
                f"column {column}: train and eval differ too much: {widest!r} is {here:.1%} of train and {there:.1%} "
                f"of eval, {abs(here - there):.3f} apart; at most {most:g} may be",
                "split the data so that both sides hold the classes alike, or, if eval differs on purpose (as one with "
                f"equally many of each class), allow it: --set max_skew={min(1.0, abs(here - there) + 0.05):.2f}",
            )


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    return ", ".join(names[:_NAMES_SHOWN]) + more
