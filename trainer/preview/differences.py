"""Which words of two texts differ, in time that grows with the texts' length and not with its square."""

from __future__ import annotations

import difflib
import itertools
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence

SHORT = 100
"""Stretches of at most so many words are compared word by word with all of each other."""
DEPTH = 12
"""So often at most are long stretches cut at words that both hold once."""

Pieces = list[tuple[str, bool]]
Pairs = Iterator[tuple[int, int]]


def differences(text: str, other: str, any_case: bool = False) -> Pieces:
    """`text` in pieces, each with whether `other` lacks it. Of `any_case`, words that differ in case alone are the
    same. Seen from either text, the same words are the common ones."""
    words, others = (re.findall(r"\S+", one.casefold() if any_case else one) for one in (text, other))
    if words <= others:
        return _pieces(text, {i for i, _ in _pairs(words, others)})
    return _pieces(text, {j for _, j in _pairs(others, words)})


def _pieces(text: str, same: set[int]) -> Pieces:
    """A text in pieces as long as can be; the space between two words is marked if both of them are."""
    tokens = [(token, not token.isspace()) for token in re.findall(r"\s+|\S+", text)]
    places = itertools.count()
    marks = [is_word and next(places) not in same for _, is_word in tokens]
    for i in range(1, len(tokens) - 1):
        if not tokens[i][1]:
            marks[i] = marks[i - 1] and marks[i + 1]
    pieces: Pieces = []
    for (token, _), mark in zip(tokens, marks, strict=True):
        if pieces and pieces[-1][1] == mark:
            pieces[-1] = (pieces[-1][0] + token, mark)
        else:
            pieces.append((token, mark))
    return pieces


def _pairs(one: Sequence[str], other: Sequence[str], depth: int = DEPTH) -> Pairs:
    """Places of equal words, in the order of both texts.

    Long stretches are cut at the words that both hold exactly once, as in patience diff, or else into stretches of
    equal shares.
    """
    start = _alike(one, other)
    end = _alike(one[start:][::-1], other[start:][::-1])
    yield from ((i, i) for i in range(start))
    inner, outer = one[start : len(one) - end], other[start : len(other) - end]
    if len(inner) <= SHORT and len(outer) <= SHORT:
        for block in difflib.SequenceMatcher(None, inner, outer, autojunk=False).get_matching_blocks():
            yield from ((start + block.a + i, start + block.b + i) for i in range(block.size))
    elif inner and outer and depth:
        cuts = _anchors(inner, outer) or _shares(len(inner), len(outer))
        for (a, b), (c, d) in zip([(0, 0), *cuts], [*cuts, (len(inner), len(outer))], strict=True):
            yield from ((start + a + i, start + b + j) for i, j in _pairs(inner[a:c], outer[b:d], depth - 1))
    yield from ((len(one) - i, len(other) - i) for i in range(end, 0, -1))


def _alike(one: Sequence[str], other: Sequence[str]) -> int:
    """Equal words at the beginning."""
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _anchors(one: Sequence[str], other: Sequence[str]) -> list[tuple[int, int]]:
    """Places of words that both hold exactly once: as many as come in the same order in both."""
    counts, places = Counter(one), {word: j for j, word in enumerate(other)}
    once = Counter(other)
    found = [(i, places[word]) for i, word in enumerate(one) if counts[word] == 1 and once[word] == 1]
    ends: list[int] = []  # of the increasing runs of each length, the least last place
    last: list[int] = []
    before: list[int] = []
    for place, (_, j) in enumerate(found):
        length = bisect_left(ends, j)
        before.append(last[length - 1] if length else -1)
        if length == len(ends):
            ends.append(j)
            last.append(place)
        else:
            ends[length], last[length] = j, place
    chosen, place = [], last[-1] if last else -1
    while place >= 0:
        chosen.append(found[place])
        place = before[place]
    return chosen[::-1]


def _shares(one: int, other: int) -> list[tuple[int, int]]:
    count = -(-max(one, other) // SHORT)
    return [(one * i // count, other * i // count) for i in range(1, count)]
