"""How a language reads numbers: tables of words that num2words makes, and how they are put together.

num2words is Python, and a saved model has none. So of each group of digits, thousands and millions, all words are kept
in tables, and joined as the language does. Whether it joins them so is tried out on numbers of all lengths: as far as
that holds, numbers are written in words.
"""

from __future__ import annotations

import functools
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from data.errors import WrongUse

GROUPINGS = ((1_000, 4), (10_000, 3))
"""Numbers in a group of digits, and groups that are tried: thousands, or myriads as in Japanese."""
LEAST = 10_000
"""Numbers from 0 on of which all are known in every language."""
YEARS = range(1_100, 2_100)
CURRENCIES = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY"}
INFLECTED = 200
"""Amounts by which the name of a currency is inflected; beyond, it goes by the last two digits of as many."""
POINT_LANGUAGES = frozenset(
    ["am", "ar", "bn", "ce", "cy", "en", "en_IN", "en_NG", "es_GT", "es_NI", "fa", "he", "ja", "kn", "ko", "te", "th"]
)
"""Of those that num2words knows, with a decimal point (CLDR); the others have a comma."""
TRIED = 300

NOT_SAID = (ArithmeticError, AttributeError, LookupError, NotImplementedError, TypeError, ValueError)
"""What num2words raises where a language lacks a form, or words for so great a number."""


@dataclass(frozen=True)
class Group:
    """Words of the numbers of one group of digits, by number."""

    first: Sequence[str]
    """Where nothing stands before it."""
    further: Sequence[str]
    """What it adds to those before it, with what parts them; nothing for 0."""


@dataclass(frozen=True)
class Currency:
    names: Sequence[str]
    """Behind amounts, with what parts them."""
    inflections: Sequence[int]
    """Of amounts below INFLECTED, which of the names."""
    hundredths: Sequence[str]
    """From 0 to 99 in words, with their name."""


@dataclass(frozen=True)
class Numerals:
    """
    Attributes:
      base: numbers in a group of digits.
      groups: from the last group of digits on; of numbers below `base ** len(groups)` there are words.
      years: of YEARS, where the language reads them otherwise than numbers; else empty.
      ordinals: in place of the last group of ordinal numbers, which there are below `base` alone where it has nothing
        further; None where figures do not tell them.
      suffixes: of these in figures.
      point: what stands in place of the decimal mark; empty where the language reads no digits behind it.
      mark: the decimal mark, and `parting`, that of thousands.
      currencies: by their signs.
    """

    base: int
    groups: Sequence[Group]
    years: Sequence[str]
    ordinals: Group | None
    suffixes: Sequence[str]
    point: str
    mark: str
    parting: str
    currencies: Mapping[str, Currency]

    @property
    def digits(self) -> Sequence[str]:
        return self.groups[0].first[:10]


@functools.cache
def numerals(language: str) -> Numerals:
    """
    Raises:
      WrongUse: num2words does not know the language.
    """
    import num2words

    if language not in num2words.CONVERTER_CLASSES and language[:2] not in num2words.CONVERTER_CLASSES:
        known = ", ".join(sorted(num2words.CONVERTER_CLASSES))
        raise WrongUse(f"no numbers are known in the language {language!r}", f"give one of {known}")
    base, groups = _groups(language)
    ordinals, suffixes = _ordinals(language, base, groups)
    mark, parting = (".", ",") if {language, language[:2]} & POINT_LANGUAGES else (",", ".")
    found = {sign: _currency(language, code) for sign, code in CURRENCIES.items()}
    return Numerals(
        base=base,
        groups=groups,
        years=_years(language),
        ordinals=ordinals,
        suffixes=suffixes,
        point=_point(language),
        mark=mark,
        parting=parting,
        currencies={sign: currency for sign, currency in found.items() if currency},
    )


def _say(language: str, number: Any, form: str = "cardinal") -> str:
    """In lower case, and without the marks between words, which a voice may not have learnt."""
    import num2words

    return _plain(num2words.num2words(number, lang=language, to=form))


def _plain(words: str) -> str:
    return re.sub(r"[\s,-]+", " ", words).lower().strip()


def _groups(language: str) -> tuple[int, Sequence[Group]]:
    """Those of the grouping by which the greatest numbers can be put together."""
    best: tuple[int, Sequence[Group]] = (1, [])
    for base, count in GROUPINGS:
        groups = list(_made(language, base, count))
        while groups and not _holds(language, base, groups):
            groups.pop()
        if base ** len(groups) > best[0] ** len(best[1]):
            best = (base, groups)
        if len(groups) == count:
            break
    if best[0] ** len(best[1]) >= LEAST:
        return best
    try:
        return LEAST, [Group([_say(language, number) for number in range(LEAST)], [])]
    except NOT_SAID as error:
        raise WrongUse(f"num2words lacks numbers of the language {language!r}", "give another") from error


def _made(language: str, base: int, count: int) -> Iterator[Group]:
    """The groups from the last on, until words are lacking or stand in another order."""
    for place in range(count):
        group = _group(language, base, base**place)
        if group is None:
            return
        yield group
        if not group.further:
            return


def _group(language: str, base: int, unit: int, form: str = "cardinal") -> Group | None:
    """The numbers from 0 to `base` - 1 times `unit`. None where words are lacking."""
    try:
        above = _say(language, unit * base)
        first = [_say(language, number * unit, form) for number in range(base)]
        both = [_say(language, (base + number) * unit, form) for number in range(base)]
    except NOT_SAID:
        return None
    joins = all(words.startswith(above) for words in both)
    return Group(first, [words[len(above) :] for words in both] if joins else [])


def _holds(language: str, base: int, groups: Sequence[Group], form: str = "cardinal") -> bool:
    """Whether numbers of all lengths are what their groups are when put together."""
    rng = random.Random(len(groups))
    for _ in range(TRIED):
        number = sum(rng.choice((0, rng.randrange(base))) * base**place for place in range(len(groups)))
        try:
            if (number or form == "cardinal") and joined(number, base, groups) != _say(language, number, form):
                return False
        except NOT_SAID:
            return False
    return True


def joined(number: int, base: int, groups: Sequence[Group]) -> str:
    """A number in words, from the words of its groups."""
    words = ""
    for place in reversed(range(len(groups))):
        part = number // base**place % base
        if words:
            words += groups[place].further[part]
        elif part or not place:
            words = groups[place].first[part]
    return words


def _years(language: str) -> Sequence[str]:
    """Where years are counted in hundreds, as nineteen hundred, and told as numbers elsewhere."""
    try:
        if _say(language, 1984, "year").startswith(_say(language, 19)):
            return [_say(language, year, "year") for year in YEARS]
    except NOT_SAID:
        pass
    return []


def _ordinals(language: str, base: int, groups: Sequence[Group]) -> tuple[Group | None, Sequence[str]]:
    """A full stop behind a number may end a sentence, and is none of the suffixes; nor is a whole word."""
    try:
        figures = {_say(language, number, "ordinal_num") for number in (*range(1, 32), 100)}
    except NOT_SAID:
        return None, []
    suffixes = {found[1] for figure in figures if (found := re.fullmatch(r"\d+([^\d\s.]+)", figure))}
    told = all(re.fullmatch(r"\d+[^\d\s.]+", figure) for figure in figures)
    last = _group(language, base, 1, "ordinal") if told and len(groups) > 1 else None
    if last is None:
        return None, []
    joins = last.further and _holds(language, base, [last, *groups[1:]], "ordinal")
    return last if joins else Group(last.first, []), sorted(suffixes, key=len, reverse=True)


def _point(language: str) -> str:
    try:
        words = _say(language, 0.5)
        zero, five, three, one, four = (_say(language, number) for number in (0, 5, 3, 1, 4))
        point = words.removeprefix(zero).removesuffix(five).strip()
        read = "".join((three, point, one, four)).replace(" ", "")
        return point if _say(language, 3.14).replace(" ", "") == read else ""
    except NOT_SAID:
        return ""


def _currency(language: str, code: str) -> Currency | None:
    """None where amounts are not the number, then a name."""

    def parts(amount: str) -> tuple[str, str]:
        import num2words

        words = num2words.num2words(amount, lang=language, to="currency", currency=code, separator="|")
        whole, hundredths = (_plain(part) for part in words.split("|"))
        return whole, hundredths

    try:
        amounts = [parts(f"{amount}.00")[0] for amount in range(INFLECTED)]
        hundredths = ["", *(parts(f"1.{hundredth:02}")[1] for hundredth in range(1, 100))]
        numbers = [_say(language, amount) for amount in range(INFLECTED)]
    except NOT_SAID:
        return None
    if not all(words.startswith(number) for words, number in zip(amounts, numbers, strict=True)):
        return None
    behind = [words[len(number) :] for words, number in zip(amounts, numbers, strict=True)]
    names = sorted(set(behind))
    return Currency(names, [names.index(name) for name in behind], hundredths)
