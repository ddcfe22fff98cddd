"""Emoji with their names: which are taken, what they are called, and what stays on one side."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from data.sets import emoji
from data.sets.emoji import Emoji

LISTED = """# group: People & Body
# subgroup: person-role
1F9D1 200D 1F692                           ; fully-qualified     # x E12.1 firefighter
1F468 200D 1F692                           ; fully-qualified     # x E4.0 man firefighter
1F469 1F3FB 200D 1F692                     ; fully-qualified     # x E4.0 woman firefighter: light skin tone
1F469 1F3FF 200D 1F692                     ; fully-qualified     # x E4.0 woman firefighter: dark skin tone
# group: Symbols
2640 FE0F                                  ; fully-qualified     # x E4.0 female sign
2640                                       ; unqualified         # x E4.0 female sign
"""


@pytest.fixture
def listed(tmp_path: Path) -> list[Emoji]:
    (tmp_path / "list.txt").write_text(LISTED, encoding="utf-8")
    return list(emoji.listed_emoji(tmp_path / "list.txt"))


def test_the_list_gives_names_and_groups(listed: list[Emoji]) -> None:
    assert [one.name for one in listed][:2] == ["firefighter", "man firefighter"]
    assert [one.group for one in listed] == ["People & Body"] * 4 + ["Symbols"]


def test_who_differs_in_tone_and_gender_alone_has_one_subject(listed: list[Emoji]) -> None:
    assert len({one.subject for one in listed[:4]}) == 1 and listed[4].subject != listed[0].subject


@pytest.mark.parametrize(
    ("one", "other"),
    [("👨‍👩‍👦", "👪"), ("👭", "🧑‍🤝‍🧑"), ("💏", "👩‍❤️‍💋‍👨"), ("👨‍🦰", "👩‍🦳"), ("👵", "👴🏿")],
)
def test_so_have_families_and_couples(one: str, other: str) -> None:
    assert Emoji(one, "", "").subject == Emoji(other, "", "").subject


def test_of_those_that_differ_in_tone_alone_one_is_taken(listed: list[Emoji]) -> None:
    taken = list(emoji.one_of_each(iter(listed)))
    assert len(taken) == 4 and sum("woman" in one.name for one in taken) == 1
    assert taken == list(emoji.one_of_each(iter(listed)))


def test_aliases_are_captions_unless_they_say_the_same_or_nothing() -> None:
    one = Emoji("👍", "thumbs up", "People & Body")
    aliases = [":thumbs_up:", ":Thumbs-Up:", ":+1:", ":u6708:", ":like_it:"]
    assert emoji.captions_of(one, aliases) == ["thumbs up", "like it"]


def test_all_that_show_the_same_are_on_one_side(listed: list[Emoji], tmp_path: Path) -> None:
    many = [*listed, *(Emoji(chr(code), f"thing {code}", "Objects") for code in range(0x1F400, 0x1F450))]
    emoji.write(tmp_path, ((one, [one.name], b"png") for one in many))
    rows = {
        split: list(csv.DictReader((tmp_path / split / "metadata.csv").open(encoding="utf-8")))
        for split in ("train", "eval")
    }
    assert len(rows["train"]) + len(rows["eval"]) == len(many) and 5 < len(rows["eval"]) < 35
    people = [split for split, those in rows.items() for row in those if row["group"] == "People & Body"]
    assert len(people) == 4 and len(set(people)) == 1
    for split, those in rows.items():
        assert all((tmp_path / split / row["file_name"]).read_bytes() == b"png" for row in those)
        assert all(len(json.loads(row["captions"])) == 1 for row in those)
