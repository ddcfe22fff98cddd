"""Slots by a dictionary: each value that training marked is marked wherever it stands, under its most frequent name."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

Words = Sequence[int]
"""A text as numbers of words."""
Passage = tuple[int, int, int]
"""First word, the first behind, and the place of the name."""


def learn(texts: Sequence[Words], passages: Sequence[Sequence[Passage]]) -> dict[tuple[int, ...], int]:
    """Value -> the name that it has most often among the marked passages; of values that stand outside of passages more
    often than in them none, as of `on`."""
    names: defaultdict[tuple[int, ...], Counter[int]] = defaultdict(Counter)
    for words, marked in zip(texts, passages, strict=True):
        for first, behind, name in marked:
            names[tuple(words[first:behind])][name] += 1
    places = _longest_first(names)
    outside: Counter[tuple[int, ...]] = Counter()
    for words, marked in zip(texts, passages, strict=True):
        inside = {(first, behind) for first, behind, _ in marked}
        for size in places:
            for first in range(len(words) - size + 1):
                value = tuple(words[first : first + size])
                if value in names and (first, first + size) not in inside:
                    outside[value] += 1
    return {value: counts.most_common(1)[0][0] for value, counts in names.items() if counts.total() >= outside[value]}


def find(words: Words, values: Mapping[tuple[int, ...], int]) -> list[Passage]:
    """The passages of a text, from the left, the longest value first."""
    sizes = _longest_first(values)
    found, at = [], 0
    while at < len(words):
        left = len(words) - at
        size = next((size for size in sizes if size <= left and tuple(words[at : at + size]) in values), 0)
        if size:
            found.append((at, at + size, values[tuple(words[at : at + size])]))
        at += max(size, 1)
    return found


def _longest_first(values: Mapping[tuple[int, ...], object]) -> list[int]:
    return sorted({len(value) for value in values}, reverse=True)
