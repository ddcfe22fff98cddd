"""A kind of part says all about itself: one more is one more module, and nothing else asks which kind a part is."""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import trainer.preview.parts
from components.report import page as report_page
from dashboard import previews
from tests.kinds_asked import ROOMS, ROOT, where_asked
from tests.trainer.preview.test_preview import PARTS
from trainer.preview import Picture, Preview, Words
from trainer.preview.disk import write
from trainer.preview.drawing import render_png
from trainer.preview.kinds import is_roomy, kinds, shown


class Told:
    """A page that says in words what it was asked to show."""

    def __getattr__(self, name: str) -> Any:
        return lambda *given: f"{name}({', '.join(map(repr, given))})"


TOLD: Any = Told()


def test_nothing_outside_the_room_of_previews_asks_which_kind_a_part_is() -> None:
    names = {kind.__name__ for kind in kinds().values()}
    assert {"Picture", "Words", "Bars", "Curve", "Sound"} <= names
    assert not list(where_asked(names, but_in=ROOT / "trainer" / "preview"))


def test_nothing_outside_compares_a_kind_by_its_name_on_disk() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for room in ROOMS
        for path in sorted((ROOT / room).rglob("*.py"))
        if not path.is_relative_to(ROOT / "trainer" / "preview")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, (ast.Compare, ast.MatchValue)) and compares_a_kind(node)
    ]
    templates = ROOT / "components" / "report" / "templates"
    found += [file.name for file in templates.glob("*.j2") if "part.kind" in file.read_text(encoding="utf-8")]
    assert not found


def compares_a_kind(node: ast.AST) -> bool:
    inner = list(ast.walk(node))
    texts = {part.value for part in inner if isinstance(part, ast.Constant)}
    return "kind" in texts | {p.attr for p in inner if isinstance(p, ast.Attribute)} and bool(texts & set(kinds()))


def test_the_search_for_names_on_disk_finds_them() -> None:
    for code in ('part["kind"] == "words"', 'part.get("kind") in ("curve", "x")', 'part.kind != "picture"'):
        assert any(compares_a_kind(node) for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Compare))


@pytest.mark.parametrize("name", PARTS)
def test_a_record_of_each_kind_is_of_its_form_and_is_shown(name: str, tmp_path: Path) -> None:
    records = write([Preview("seen", None, {}, [PARTS[name]])], tmp_path)
    [part] = shown(json.loads(json.dumps(records))[0]["parts"], "seen", TOLD)
    assert part.caption == PARTS[name].caption
    assert part.children and not any(str(child).startswith("missing(") for child in part.children)


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({"kind": "hologram", "caption": "tomorrow"}, "This hologram cannot be shown: this version knows no part of"),
        ({"kind": "picture", "caption": ""}, "This picture cannot be shown: it lacks file."),
        ({"kind": "bars", "caption": "", "values": {"a": None}}, "This bars cannot be shown: values.a is None"),
        ({"kind": ["picture"], "caption": ""}, "cannot be shown"),
        ({"caption": "nothing"}, "This part cannot be shown"),
    ],
)
def test_what_cannot_be_shown_is_said_and_hides_no_other(record: dict[str, Any], said: str) -> None:
    text = {"kind": "words", "caption": "", "text": "whole"}
    bad, good = shown([record, text], "seen", TOLD)
    assert said in bad.children[0] and bad.children[0].startswith("missing(")
    assert good.children == ["text([('whole', False)])"]


def test_previews_of_older_versions_are_shown() -> None:
    """As they were left before `any_case`, spectrograms and the sizes of pictures were."""
    old = [
        {"kind": "picture", "file": "previews/000-0.png", "caption": ""},
        {"kind": "words", "text": "hello", "caption": "heard"},
        {"kind": "sound", "file": "a.wav", "caption": "", "seconds": 1, "shown_seconds": 1, "wave": [[-1, 1]]},
    ]
    assert [part.children[-1] for part in shown(old, "seen", TOLD)] == [
        "picture('previews/000-0.png', 'seen', 0, 0)",
        "text([('hello', False)])",
        "note('1 s')",
    ]


def test_texts_are_compared_where_two_of_a_preview_say_so(tmp_path: Path) -> None:
    def texts(*parts: Words) -> Sequence[Any]:
        [record] = write([Preview("seen", None, {}, parts)], tmp_path)
        return [part.children[0] for part in shown(record["parts"], "seen", TOLD)]

    source, heard, said = Words("eins"), Words("One two", compared=True), Words("one three", compared=True)
    assert texts(source, heard, said)[0] == "text([('eins', False)])"
    assert texts(heard, said)[0] == "text([('One two', True)])"
    assert texts(heard, Words("one three", compared=True, any_case=True))[0] == "text([('One two', True)])"
    assert texts(heard) == ["text([('One two', False)])"]


def test_stretches_of_a_text_are_marked_where_it_says_so(tmp_path: Path) -> None:
    [record] = write([Preview("seen", None, {}, [Words("a 👍 good film", marks=((2, 3), (4, 8)))])], tmp_path)
    [part] = shown(record["parts"], "seen", TOLD)
    assert part.children[0] == "text([('a ', False), ('👍', True), (' ', False), ('good', True), (' film', False)])"


def test_previews_are_roomy_where_one_picture_each_is_not_all(tmp_path: Path) -> None:
    digit, words, bars = (PARTS[name] for name in ("picture", "words", "bars"))

    def roomy(*parts: Any) -> bool:
        return is_roomy(write([Preview("seen", None, {}, parts)] * 3, tmp_path))

    assert not roomy(digit) and not roomy(digit, bars)
    assert roomy(digit, digit) and roomy(words) and roomy(digit, words)


@pytest.mark.parametrize(("size", "alone"), [((8, 8), False), ((8, 20), False), ((8, 56), True), ((56, 8), False)])
def test_strips_stand_in_a_row_of_their_own(size: tuple[int, int], alone: bool, tmp_path: Path) -> None:
    [record] = write([Preview("seen", None, {}, [Picture(np.zeros((*size, 1), np.uint8))])], tmp_path)
    assert [part.fills_row for part in shown(record["parts"], "seen", TOLD)] == [alone]


KIND = '''
"""A kind of tomorrow."""
from dataclasses import dataclass
from typing import ClassVar, TypedDict
from trainer.preview.part import Part

class HologramRecord(TypedDict):
    kind: str
    caption: str
    depth: int

@dataclass(frozen=True)
class Hologram(Part):
    depth: int
    caption: str = ""
    kind: ClassVar[str] = "hologram"
    form: ClassVar[type] = HologramRecord

    def record(self, place):
        return {"depth": self.depth}

    @classmethod
    def show(cls, record, page, title, others):
        return [page.note(f"<b>{record['depth']} deep")]

    def draw(self, axes):
        axes.text(0, 1, str(self.depth))
'''


@pytest.fixture
def hologram(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Any]]:
    """A further module in the room, found without being named anywhere."""
    (tmp_path / "room").mkdir()
    (tmp_path / "room" / "hologram.py").write_text(KIND, encoding="utf-8")
    paths = [*trainer.preview.parts.__path__, str(tmp_path / "room")]
    monkeypatch.setattr(trainer.preview.parts, "__path__", paths)
    kinds.cache_clear()
    yield kinds()["hologram"]
    sys.modules.pop("trainer.preview.parts.hologram")
    kinds.cache_clear()


def test_a_kind_is_added_by_one_module(hologram: type[Any], tmp_path: Path) -> None:
    preview = Preview("seen", True, {}, [hologram(7, "deep")])
    records = write([preview], tmp_path)
    report: Mapping[str, Any] = {"task": "x", "run_id": "1", "previews": records}
    (tmp_path / "report.json").write_text(json.dumps(report), encoding="utf-8")
    assert "&lt;b&gt;7 deep" in report_page.render(tmp_path).read_text(encoding="utf-8")
    assert "<b>7 deep" in json.dumps(
        previews.grid(records, previews.of_run("x/1")).to_plotly_json(), default=lambda c: c.to_plotly_json()
    )
    render_png(preview, tmp_path / "seen.png")
    assert (tmp_path / "seen.png").stat().st_size > 1000
