"""What stands in an address: where a page is, and what a person has chosen on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import parse_qs, quote, urlencode

Query = Mapping[str, Sequence[str]]
"""Name -> the values it has, in order."""


def query(search: str | None) -> Query:
    return parse_qs((search or "").removeprefix("?"))


def first(found: Query, name: str) -> str:
    """The first value, or nothing."""
    return next(iter(found.get(name, ())), "")


def run(key: str) -> str:
    """`key` is task/id."""
    return f"/run/{quote(key)}"


def report(key: str, threshold: float | None = None) -> str:
    """The run's report as one file, with the figures at a threshold that was chosen."""
    return f"/report/{quote(key)}" + ("" if threshold is None else f"?threshold={threshold:g}")


def answers(key: str, query: str = "") -> str:
    """All answers of a run; `query` is that of a `dashboard.answers.Choice`."""
    return f"/answers/{quote(key)}" + (f"?{query}" if query else "")


def answer(key: str, example: str) -> str:
    """One of them, as a preview."""
    return f"/answers/{quote(key)}/{quote(example)}"


def answers_file(key: str, kind: str, query: str = "") -> str:
    """Those that are chosen as a file; `kind`: csv or parquet."""
    return f"/answers-{kind}/{quote(key)}" + (f"?{query}" if query else "")


def models(task: str) -> str:
    return f"/models/{quote(task)}"


def compare(keys: Sequence[str]) -> str:
    return "/compare?" + urlencode([("run", key) for key in keys], safe="/")


def media(key: str, name: str) -> str:
    """A preview's file; `name` as in the report."""
    return f"/media/{quote(key)}/{quote(name, errors='replace')}"
