"""Examples to predict from are read by the rules of a run: each file in its own folder, training's tables too."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pillow

from data.columns import NO_PICTURE, Boxes, Given, Image, Label, Number, Seed, Text
from data.errors import DataRefused, WrongUse
from pipelines.serving.inputs import given_example, read_examples


class Pair:
    columns = {"before": Image(), "after": Image(), "label": Label()}
    targets = ("label",)


class Picture:
    columns = {"image": Image(), "label": Label(), "noise": Seed()}
    targets = ("label",)


class Painted:
    """The first medium of training's table is a target."""

    columns = {"painting": Image(), "sketch": Image(), "prompt": Text()}
    targets = ("painting",)


class Remembered:
    """A picture may be left out in prediction."""

    columns = {"image": Image(may_be_left_out=True), "towards": Given(kind=Image(), default=NO_PICTURE), "seed": Seed()}
    targets = ()


class Objects:
    columns = {"image": Image(), "objects": Boxes(), "weight": Number()}
    targets = ()


def picture(path: Path, grey: int) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    content = io.BytesIO()
    Pillow.new("L", (8, 6), grey).save(content, "PNG")
    path.write_bytes(content.getvalue())
    return content.getvalue()


def test_two_pictures_of_one_name_are_each_opened_in_their_own_folder(tmp_path):
    before, after = picture(tmp_path / "a" / "1.png", 0), picture(tmp_path / "b" / "1.png", 255)
    given = {"before": str(tmp_path / "a" / "1.png"), "after": str(tmp_path / "b" / "1.png")}
    values = given_example(given, Pair, "pair").values
    assert (values["before"], values["after"]) == (before, after)


def test_what_may_be_left_out_is_stood_in_for_and_files_are_still_taken(tmp_path):
    content = picture(tmp_path / "a.png", 9)
    [alone] = read_examples([tmp_path / "a.png"], Remembered)
    assert (alone.values["image"], alone.values["towards"]) == (content, NO_PICTURE)
    of_seed = given_example({"seed": "7"}, Remembered, "remembered").values
    assert (of_seed["image"], of_seed["image_width"], of_seed["seed"]) == (NO_PICTURE, 1, 7)
    other = picture(tmp_path / "b.png", 200)
    both = given_example(
        {name: str(tmp_path / f"{n}.png") for name, n in (("image", "a"), ("towards", "b"))}, Remembered, ""
    )
    assert (both.values["image"], both.values["towards"]) == (content, other)


def test_training_s_own_table_is_read_relative_to_itself_without_its_targets(tmp_path):
    contents = [picture(tmp_path / "data" / "p" / f"{i}.png", i) for i in range(2)]
    table = tmp_path / "data" / "metadata.csv"
    table.write_text("file_name,label\np/0.png,\np/1.png,no such class\n")
    examples = list(read_examples([table], Picture))
    assert [example.values["image"] for example in examples] == contents
    assert [example.row for example in examples] == [2, 3]
    assert "label" not in examples[0].values


def test_a_seed_that_nobody_gives_follows_from_the_content_as_in_training(tmp_path):
    paths = [tmp_path / f"{i}.png" for i in range(2)]
    for grey, path in enumerate(paths):
        picture(path, grey)
    one, other = (example.values["noise"] for example in read_examples(paths, Picture))
    assert one != other
    given = given_example({"image": str(paths[0]), "noise": "5"}, Picture, "picture")
    assert given.values["noise"] == 5


def test_media_have_the_names_that_training_s_table_gives_them(tmp_path):
    content = picture(tmp_path / "s.png", 9)
    (tmp_path / "t.csv").write_text("file_name,sketch_file_name,prompt\ngone.png,s.png,a cat\n")
    (tmp_path / "own.csv").write_text("sketch,prompt\ns.png,a cat\n")
    for name in ("t.csv", "own.csv"):
        [example] = read_examples([tmp_path / name], Painted)
        assert example.values["sketch"] == content


def test_columns_are_reconciled_as_in_a_run(tmp_path):
    picture(tmp_path / "1.png", 0)

    def row(box: Any) -> str:
        return f'{{"file_name": "1.png", "weight": 1, "objects": [{{"bbox": {box}, "label": "cat"}}]}}\n'

    (tmp_path / "t.jsonl").write_text(row([0, 0, 8.5, 6]) + row([0, 0, 80, 6]))
    examples = read_examples([tmp_path / "t.jsonl"], Objects)
    assert next(examples).values["objects"] == [0, 0, 8, 6]
    with pytest.raises(DataRefused, match="row 2: objects: .* reaches 72 pixels out of its picture"):
        next(examples)


def test_what_is_lacking_is_named(tmp_path):
    picture(tmp_path / "1.png", 0)
    with pytest.raises(WrongUse, match="no value for the input after"):
        given_example({"before": str(tmp_path / "1.png")}, Pair, "pair")
    (tmp_path / "t.csv").write_text("file_name,label\n1.png,cat\n")
    with pytest.raises(DataRefused, match="lacks the column after"):
        list(read_examples([tmp_path / "t.csv"], Pair))
    with pytest.raises(WrongUse, match=r"1\.png is no table"):
        list(read_examples([tmp_path / "1.png"], Pair))


class Lit:
    """A picture, and how bright a person wants it."""

    columns = {"image": Image(), "strength": Given(kind=Number(minimum=0), default=0.5)}
    targets = ()


def test_what_is_chosen_beside_files_holds_for_all_that_do_not_say_otherwise(tmp_path):
    picture(tmp_path / "a.png", 0)
    table = tmp_path / "t.csv"
    table.write_text("file_name,strength\na.png,\na.png,2\n", encoding="utf-8")
    files = [tmp_path / "a.png", table]
    assert [e.values["strength"] for e in read_examples(files, Lit)] == [0.5, 0.5, 2.0]
    assert [e.values["strength"] for e in read_examples(files, Lit, chosen={"strength": "0.25"})] == [0.25, 0.25, 2.0]
    with pytest.raises(DataRefused, match="strength: -1"):
        list(read_examples(files, Lit, chosen={"strength": "-1"}))
    for name in ("image", "nothing"):
        with pytest.raises(WrongUse, match=f"--input {name}=1 beside files") as refused:
            list(read_examples(files, Lit, chosen={name: "1"}))
        assert refused.value.fix == "beside files it may be strength"
    with pytest.raises(WrongUse, match="--input image=1 beside files") as refused:
        list(read_examples(files, Pair, chosen={"image": "1"}))
    assert refused.value.fix == "give either files or --input NAME=VALUE"
