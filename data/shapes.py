"""Whether what was read from a file is of the types that the code expects of it.

Files of runs come from other versions, from half-broken disks and from people: the pages that show them read them
through these checks, so that a wrong type is said in words with its place, and is not an error somewhere in a page.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Union, get_args, get_origin


class WrongShape(ValueError):
    """The text says where, and what should stand there."""


def finite(number: float | None) -> bool:
    """For `Annotated[float, finite]`: a number that can be reckoned with."""
    return number is not None and math.isfinite(number)


def expect(value: Any, shape: Any, where: str = "") -> None:
    """Checks what JSON holds against a type.

    Args:
      value: what was read.
      shape: a TypedDict (keys it does not name may be there), a dataclass (of which `value` is one), a plain type, a
        union, or a list, tuple, mapping or sequence of these. A float may be a whole number, or null, which some
        write for NaN. What is `Annotated` must also pass the functions that it is annotated with.
      where: the value's place, for the message.

    Raises:
      WrongShape: some part is of another type, or a key is missing.
    """
    origin, arguments = get_origin(shape), get_args(shape)
    if shape is Any:
        return
    if origin in (typing.Required, typing.NotRequired):
        expect(value, arguments[0], where)
        return
    if origin is typing.Annotated:
        expect(value, arguments[0], where)
        if not all(holds(value) for holds in arguments[1:]):
            raise WrongShape(f"{where or 'the value'} is {_cut(repr(value))}")
    elif origin in (Union, types.UnionType):
        _one_of(value, arguments, where)
    elif typing.is_typeddict(shape):
        _keys(value, shape, where)
    elif isinstance(shape, type) and dataclasses.is_dataclass(shape):
        hints = _hints(shape)
        _parts(((getattr(value, name), hint, name) for name, hint in hints.items()), where)
    elif origin in (dict, Mapping):
        _is(value, dict, where)
        _parts(((one, arguments[1], str(name)) for name, one in value.items()), where)
    elif origin is tuple and Ellipsis not in arguments:
        _is(value, (list, tuple), where)
        if len(value) != len(arguments):
            raise WrongShape(f"{where or 'it'} has {len(value)} values and should have {len(arguments)}")
        _parts(((one, hint, str(i)) for i, (one, hint) in enumerate(zip(value, arguments, strict=True))), where)
    elif origin in (list, tuple, Sequence):
        _is(value, (list, tuple), where)
        if not set(map(type, value)) <= _PLAIN.get(arguments[0], set()):
            _parts(((one, arguments[0], str(i)) for i, one in enumerate(value)), where)
    else:
        _is(value, shape, where)


@functools.cache
def _hints(shape: Any) -> dict[str, Any]:
    return typing.get_type_hints(shape, include_extras=True)


def _one_of(value: Any, shapes: Iterable[Any], where: str) -> None:
    said = None
    for shape in shapes:
        try:
            expect(value, shape, where)
            return
        except WrongShape as wrong:
            said = said or wrong
    raise said or WrongShape(where)


def _keys(value: Any, shape: Any, where: str) -> None:
    _is(value, dict, where)
    hints = _hints(shape)
    needed, free = (  # which a class does not see itself where annotations are postponed
        {name for name, hint in hints.items() if get_origin(hint) is mark}
        for mark in (typing.Required, typing.NotRequired)
    )
    missing = sorted((shape.__required_keys__ | needed) - free - value.keys())
    if missing:
        raise WrongShape(f"{f'{where} lacks' if where else 'it lacks'} {', '.join(missing)}")
    _parts(((value[name], hint, name) for name, hint in hints.items() if name in value), where)


def _parts(parts: Iterable[tuple[Any, Any, str]], where: str) -> None:
    for value, shape, name in parts:
        expect(value, shape, f"{where}.{name}" if where else name)


_PLAIN: Mapping[Any, set[type]] = {int: {int}, str: {str}, float: {float, int, type(None)}}
"""What stands in lists of these. They are looked at as a whole: a matrix of 1,000 classes has a million counts."""
_WORDS = {dict: "an object", list: "a list", tuple: "a list", str: "a text", float: "a number", int: "a whole number"}


def _is(value: Any, kind: Any, where: str) -> None:
    kinds = kind if isinstance(kind, tuple) else (kind,)
    if kinds == (float,) and value is None:
        return
    fits = isinstance(value, (*kinds, int) if float in kinds else kinds)
    if not fits or (isinstance(value, bool) and bool not in kinds):
        wanted = "null" if kinds == (type(None),) else _WORDS.get(kinds[0], kinds[0].__name__)
        raise WrongShape(f"{where or 'it'} should be {wanted} and is {_short(value)}")


def _short(value: Any) -> str:
    if isinstance(value, (dict, list)):
        return _WORDS[type(value)]
    return "null" if value is None else _cut(repr(value))


def _cut(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"
