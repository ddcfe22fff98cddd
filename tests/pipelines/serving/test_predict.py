from __future__ import annotations

import io
import json
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import numpy as np
import pytest
from PIL import Image as Pillow

from components import manifest
from data.columns import Ahead, Column, Image, Integer, Label, Seed, SeriesName, Text, Timestamp, Window
from data.errors import BenisonError, DataRefused, WrongUse
from pipelines.serving import questions, served
from pipelines.serving.answer_files import AnswerFiles, without_media
from pipelines.serving.inputs import CheckedExamples, Example
from pipelines.serving.predict import ask, predict
from pipelines.serving.served import Served
from trainer.backend import load_tensorflow
from trainer.families.classification import Classifier
from trainer.preview import Picture, Preview
from trainer.task import HParams, Task


def titled(title: str, *parts: Picture) -> Preview:
    return Preview(title, None, {}, parts)


class Stand:
    """Stands for a task."""

    columns: ClassVar[Mapping[str, Column]]
    targets: ClassVar[tuple[str, ...]] = ()
    predict_batch_size = 8
    enrols = None
    shown_classes = 3
    HParams = HParams

    def __init__(self, hparams: Any) -> None:
        self.hparams = hparams

    answer_row = Task.answer_row


class Brightness(Stand, Classifier):
    """A task of one picture: is it dark or bright?"""

    columns: ClassVar[Mapping[str, Column]] = {"image": Image(), "label": Label()}
    targets: ClassVar[tuple[str, ...]] = ("label",)

    def preview(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Preview:
        return titled(f"{prediction['label'].decode()}, {len(example['image'])} bytes")


class Repeat(Stand):
    """Stands for a task of two plain columns, which is no classifier."""

    columns: ClassVar[Mapping[str, Column]] = {"text": Text(), "times": Integer(minimum=0)}
    targets = ()

    def preview(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Preview:
        return titled(prediction["repeated"].decode())


class Rise(Stand):
    """Stands for a task that forecasts from an ordered table."""

    columns: ClassVar[Mapping[str, Column]] = {
        "place": SeriesName(),
        "time": Timestamp(),
        "height": Window(steps=3),
        "next": Ahead(of="height"),
    }
    targets = ("next",)

    def preview(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Preview:
        return titled(str(prediction["forecast"]))


class Noise(Stand):
    """Stands for a task that makes a picture of a seed."""

    columns: ClassVar[Mapping[str, Column]] = {"image": Image(), "seed": Seed()}
    targets = ("image",)

    def preview(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Preview:
        return titled(str(example["seed"]), Picture(prediction["image"]))


class Negative(Stand):
    """Stands for a task whose answer is as large as what it is asked of."""

    columns: ClassVar[Mapping[str, Column]] = {"image": Image()}
    targets = ()
    predict_batch_size = 1

    def preview(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Preview:
        return titled("negative", Picture(prediction["image"]))


TASKS = {"negative": Negative, "brightness": Brightness, "repeat": Repeat, "rise": Rise, "noise": Noise}


@pytest.fixture(scope="session")
def pushed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """<task>/1: a pushed model of each task."""
    tf = load_tensorflow()
    root = tmp_path_factory.mktemp("pushed")
    names = tf.constant(["dark", "bright"])

    def brightness(image: Any) -> Any:
        def one(data: Any) -> Any:
            return tf.reduce_mean(tf.cast(tf.io.decode_image(data, channels=1, expand_animations=False), tf.float32))

        bright = tf.map_fn(one, image, fn_output_signature=tf.float32) / 255
        probabilities = tf.stack([1 - bright, bright], axis=1)
        labels = tf.broadcast_to(names, tf.shape(probabilities))
        return {
            "label": tf.gather(names, tf.argmax(probabilities, 1)),
            "labels": labels,
            "probabilities": probabilities,
        }

    def repeat(text: Any, times: Any) -> Any:
        joined = tf.map_fn(
            lambda pair: tf.strings.reduce_join(tf.repeat(pair[0], pair[1])),
            (text, times),
            fn_output_signature=tf.string,
        )
        return {"repeated": joined, "lengths": tf.stack([tf.strings.length(text), tf.strings.length(joined)], 1)}

    strings, numbers = tf.TensorSpec([None], tf.string), tf.TensorSpec([None], tf.int64)

    def rise(place: Any, time: Any, height: Any) -> Any:
        del place, time
        return {"forecast": 2 * height[:, -1] - height[:, -2]}

    def noise(seed: Any) -> Any:
        image = tf.ones([tf.shape(seed)[0], 3, 4, 1], tf.uint8) * tf.cast(seed, tf.uint8)[:, None, None, None]
        return {"image": image, "image_bytes": tf.io.encode_png(image), "again": image, "text": tf.fill([1], b"GIF89a")}

    def negative(image: Any) -> Any:
        def one(data: Any) -> Any:
            return 255 - tf.io.decode_image(data, channels=1, expand_animations=False)

        return {"image": tf.map_fn(one, image, fn_output_signature=tf.TensorSpec([None, None, 1], tf.uint8))}

    functions = {
        "negative": tf.function(negative).get_concrete_function(image=strings),
        "rise": tf.function(rise).get_concrete_function(
            place=strings, time=numbers, height=tf.TensorSpec([None, 3], tf.float32)
        ),
        "noise": tf.function(noise).get_concrete_function(seed=numbers),
        "brightness": tf.function(brightness).get_concrete_function(image=strings),
        "repeat": tf.function(repeat).get_concrete_function(text=strings, times=numbers),
    }
    for name, function in functions.items():
        tf.saved_model.save(tf.Module(), str(root / name / "1"), signatures={"raw": function})
        manifest.write(root / name / "1", {"task": name, "hparams": {"epochs": 3, "gone_since": 1}})
    return root


@pytest.fixture(autouse=True)
def tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served, "load", lambda name: TASKS[name])
    preview = ModuleType("trainer.preview.drawing")
    preview.render_png = lambda preview, path: path.write_text(preview.title)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "trainer.preview.drawing", preview)


def picture(path: Path, grey: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    content = io.BytesIO()
    Pillow.new("L", (3, 2), grey).save(content, "PNG")
    path.write_bytes(content.getvalue())
    return path


def test_each_picture_gets_its_label_and_ranked_probabilities(tmp_path: Path, pushed: Path) -> None:
    files = [picture(tmp_path / f"{i}.png", 255 if i % 3 else 51) for i in range(Brightness.predict_batch_size + 2)]
    answers = predict("brightness", files, pushed / "brightness", None)
    assert [answer["file"] for answer in answers] == [str(file) for file in files]
    assert [answer["label"] for answer in answers] == ["bright" if i % 3 else "dark" for i in range(len(files))]
    assert answers[0] == {
        "file": str(files[0]),
        "label": "dark",
        "probabilities": pytest.approx({"dark": 0.8, "bright": 0.2}),
    }
    assert list(answers[0]["probabilities"]) == ["dark", "bright"]
    assert list(answers[1]["probabilities"]) == ["bright", "dark"]
    json.dumps(answers)


def test_an_answer_below_the_threshold_is_not_sure(tmp_path: Path, pushed: Path) -> None:
    files = [picture(tmp_path / "a.png", 255), picture(tmp_path / "b.png", 140)]
    sure, unsure = predict("brightness", files, pushed / "brightness", None, threshold=0.6)
    assert (sure["label"], sure["would_be"], sure["threshold"]) == ("bright", "bright", 0.6)
    assert (unsure["label"], unsure["would_be"]) == ("not sure", "bright")
    assert unsure["probabilities"] == predict("brightness", files, pushed / "brightness", None)[1]["probabilities"]
    row = predict("brightness", files, pushed / "brightness", None, as_rows=True, threshold=0.6)[1]
    assert row["label"] == "not sure" and row["would_be"] == "bright"


def test_a_question_of_the_form_may_hold_a_threshold(tmp_path: Path, pushed: Path) -> None:
    brightness, given = (
        Served.open(pushed / "brightness", "brightness"),
        {"image": str(picture(tmp_path / "b.png", 140))},
    )
    question = {"files": [], "given": given, "output": str(tmp_path / "out"), "most": 1}
    for threshold, label in ((None, "bright"), (0.5, "bright"), (0.6, "not sure")):
        [answer] = questions._reply(brightness, question | {"threshold": threshold})
        assert answer["values"]["label"] == label == answer["told"]["label"]
    with pytest.raises(WrongUse, match="not one from 0 to 1"):
        questions._reply(brightness, question | {"threshold": 7.0})


def test_a_task_without_scores_takes_no_threshold(pushed: Path) -> None:
    with pytest.raises(WrongUse, match="repeat takes no threshold"):
        predict("repeat", [], pushed / "repeat", None, {"text": "a", "times": "2"}, threshold=0.5)


def test_a_bad_input_is_told_before_anything_is_loaded(
    tmp_path: Path, pushed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [picture(tmp_path / f"{i}.png", 0) for i in range(9)]
    files[-1].write_bytes(b"no picture")
    monkeypatch.setattr(served, "load_tensorflow", lambda: pytest.fail("the model was about to be loaded"))
    with pytest.raises(DataRefused, match=r"8\.png"):
        predict("brightness", files, pushed / "brightness", None)


def test_examples_that_do_not_fit_are_read_again_when_their_turn_comes(
    tmp_path: Path, pushed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [picture(tmp_path / f"{i}.png", 255 if i % 2 else 51) for i in range(5)]
    whole = predict("brightness", files, pushed / "brightness", None)
    size = files[0].stat().st_size
    monkeypatch.setattr(CheckedExamples, "HELD_BYTES", 2 * size + 1000)
    read: list[Path] = []
    monkeypatch.setattr(Image, "encode", noting(read, Image.encode))
    assert predict("brightness", files, pushed / "brightness", None) == whole
    assert len(read) == 2 * len(files)
    monkeypatch.setattr(CheckedExamples, "HELD_BYTES", 2**20)
    assert predict("brightness", files, pushed / "brightness", None) == whole
    assert len(read) == 3 * len(files), "what fits is read once"


def noting(read: list[Any], encode: Any) -> Any:
    def noted(self: Any, name: str, value: Any) -> Any:
        read.append(name)
        return encode(self, name, value)

    return noted


def test_a_served_model_is_loaded_once_for_all_that_it_is_asked(
    tmp_path: Path, pushed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tf, loads = load_tensorflow(), []
    load_model = tf.saved_model.load
    monkeypatch.setattr(tf.saved_model, "load", lambda path: loads.append(path) or load_model(path))
    model = served.Served.open(pushed / "brightness", "brightness")
    assert not loads, "opened is not loaded"
    for grey, label in ((0, "dark"), (255, "bright"), (1, "dark")):
        [answer] = ask(model, [picture(tmp_path / "a.png", grey)], None)
        assert answer.values["label"] == label
    assert len(loads) == 1


def test_one_batch_is_read_ahead_and_no_more(tmp_path: Path, pushed: Path) -> None:
    model, taken = served.Served.open(pushed / "repeat", "repeat"), []

    def examples() -> Iterator[Example]:
        for i in range(20):
            taken.append(i)
            yield Example(tmp_path, i, {"text": b"a", "times": i})

    answers = model.answers(examples())
    example, answer = next(answers)
    assert (example.row, answer["repeated"], len(taken)) == (0, b"", Repeat.predict_batch_size)
    assert [answer["repeated"] for _, answer in answers] == [b"a" * i for i in range(1, 20)]


def test_a_model_of_any_size_answers_pictures_of_several_sizes_in_one_call(tmp_path: Path, pushed: Path) -> None:
    files = []
    for name, size in (("a", (3, 2)), ("b", (5, 7)), ("c", (1, 1))):
        files.append(tmp_path / f"{name}.png")
        Pillow.new("L", size, 100).save(files[-1])
    answers = predict("negative", files, pushed / "negative", tmp_path / "out")
    for file, answer in zip(files, answers, strict=True):
        with Pillow.open(file) as asked, Pillow.open(answer["image"]) as negative:
            assert negative.size == asked.size
            assert negative.getpixel((0, 0)) == 155


def test_pictures_never_replace_inputs_or_each_other(tmp_path: Path, pushed: Path) -> None:
    files = [
        picture(tmp_path / "a.png", 0),
        picture(tmp_path / "b" / "a.png", 255),
        picture(tmp_path / "a.prediction.png", 255),
    ]
    before = [file.read_bytes() for file in files]
    answers = predict("brightness", files, pushed / "brightness", tmp_path)
    drawn = [Path(answer["picture"]) for answer in answers]
    assert len({*drawn, *files}) == 6
    assert [file.read_bytes() for file in files] == before
    assert [path.read_text().split(",")[0] for path in drawn] == ["dark", "bright", "bright"]


def test_rows_of_tables_are_answered_by_row(tmp_path: Path, pushed: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("times,text,other\n2,ä,x\n0,b,x\n")
    lines = tmp_path / "t.jsonl"
    lines.write_text('{"text": "c", "times": 3}\n')
    answers = predict("repeat", [table, lines], pushed / "repeat", tmp_path / "out")
    assert [(a["file"], a["row"], a["repeated"]) for a in answers] == [
        (str(table), 2, "ää"),
        (str(table), 3, ""),
        (str(lines), 1, "ccc"),
    ]
    assert answers[0]["lengths"] == [2, 4]
    assert Path(answers[0]["picture"]).read_text() == "ää"


def test_the_latest_version_answers(tmp_path: Path, pushed: Path) -> None:
    shutil.copytree(pushed / "brightness" / "1", tmp_path / "10")
    (tmp_path / "9").mkdir()
    assert predict("brightness", [picture(tmp_path / "a.png", 0)], tmp_path, None)[0]["label"] == "dark"


def test_no_pushed_model_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(BenisonError, match="no pushed model") as caught:
        predict("brightness", [picture(tmp_path / "a.png", 0)], tmp_path / "serving", None)
    assert caught.value.fix == "benison run brightness"


def changed(model: Path) -> None:
    path = model / "saved_model.pb"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def added(model: Path) -> None:
    (model / "assets" / "more.txt").parent.mkdir(exist_ok=True)
    (model / "assets" / "more.txt").write_text("")


def removed(model: Path) -> None:
    (model / "variables" / "variables.index").unlink()


def without_manifest(model: Path) -> None:
    (model / manifest.NAME).unlink()


@pytest.mark.parametrize(
    ("tamper", "message"),
    [
        (changed, "saved_model.pb was changed"),
        (added, "more.txt is not part of"),
        (removed, "variables.index is missing"),
        (without_manifest, "cannot be read"),
    ],
)
def test_a_tampered_model_is_not_loaded(
    tmp_path: Path, pushed: Path, monkeypatch: pytest.MonkeyPatch, tamper: Any, message: str
) -> None:
    shutil.copytree(pushed / "brightness" / "1", tmp_path / "1")
    tamper(tmp_path / "1")
    monkeypatch.setattr(served, "load_tensorflow", lambda: pytest.fail("the model was about to be loaded"))
    with pytest.raises(BenisonError, match=message):
        predict("brightness", [picture(tmp_path / "a.png", 0)], tmp_path, None)


def test_a_model_of_other_columns_is_refused(tmp_path: Path, pushed: Path) -> None:
    with pytest.raises(BenisonError, match="takes text, times; the task's inputs are image"):
        predict("brightness", [picture(tmp_path / "a.png", 0)], pushed / "repeat", None)


def test_a_text_named_png_is_refused_by_name(tmp_path: Path, pushed: Path) -> None:
    fake = tmp_path / "fake.png"
    fake.write_text("no picture")
    with pytest.raises(DataRefused, match="fake.png: image: ") as caught:
        predict("brightness", [picture(tmp_path / "a.png", 0), fake], pushed / "brightness", None)
    assert caught.value.exit_code == 4


@pytest.mark.parametrize("name", ["nowhere.png", "."])
def test_a_file_that_is_not_there_is_wrong_use(tmp_path: Path, pushed: Path, name: str) -> None:
    with pytest.raises(WrongUse):
        predict("brightness", [tmp_path / name], pushed / "brightness", None)


def test_a_link_to_a_picture_elsewhere_is_followed(tmp_path: Path, pushed: Path) -> None:
    real, link = picture(tmp_path / "x" / "real.png", 255), tmp_path / "y" / "link.png"
    link.parent.mkdir()
    link.symlink_to(real)
    assert predict("brightness", [link], pushed / "brightness", None)[0]["label"] == "bright"


@pytest.mark.parametrize(
    ("name", "content", "error", "message"),
    [
        ("t.txt", "text,times\n", WrongUse, "no table"),
        ("t.csv", "text\na\n", DataRefused, "lacks the column times"),
        ("t.csv", "text,times\na,1\nb,many\n", DataRefused, "row 3: times: expected a whole number"),
        ("t.csv", "text,times\na,-1\n", DataRefused, "row 2: times: -1 is out of bounds"),
        ("t.csv", "text,times\n,1\n", DataRefused, "row 2: text: no value"),
        ("t.csv", "text,times\na,1,2\n", DataRefused, "row 2: 3 fields"),
        ("t.jsonl", '{"text": "a", "times": 1}\n{"text"\n', DataRefused, "row 2: not valid JSON"),
    ],
)
def test_bad_rows_are_refused_by_place(
    tmp_path: Path, pushed: Path, name: str, content: str, error: type[BenisonError], message: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(error, match=message):
        predict("repeat", [tmp_path / name], pushed / "repeat", None)


def test_the_last_window_of_each_series_is_predicted_from(pushed, tmp_path):
    rows = [f"{place},{60 * i},{10 * i + base}" for i in range(6) for place, base in (("a", 0), ("b", 1))]
    table = tmp_path / "rows.csv"
    table.write_text("place,time,height\n" + "\n".join(rows) + "\n")
    answers = predict("rise", [table], pushed / "rise", None)
    assert [(answer["row"], answer["forecast"]) for answer in answers] == [(12, 60.0), (13, 61.0)]


def test_a_series_that_is_too_short_is_refused(pushed, tmp_path):
    table = tmp_path / "rows.csv"
    table.write_text("place,time,height\na,0,1\na,60,2\na,300,3\n")
    with pytest.raises(DataRefused, match="no series ends in 3 rows without a gap"):
        predict("rise", [table], pushed / "rise", None)


def test_a_medium_that_is_empty_was_not_asked_for():
    values, media = without_media({"picture_bytes": b"", "score": np.float32(1)})
    assert (values, media) == ({"score": 1}, {})


def test_one_example_from_the_command_line_and_what_the_model_made_as_files(pushed, tmp_path):
    [answer] = predict("noise", [], pushed / "noise", tmp_path, {"seed": "7"})
    with Pillow.open(answer["image"]) as picture:
        assert picture.size == (4, 3)
        assert picture.getpixel((0, 0)) == 7
    assert Path(answer["image"]).read_bytes().startswith(b"\x89PNG")
    assert answer["picture"] == answer["again"] == answer["image"], "three names of one picture"
    assert "image_bytes" not in answer and answer["text"] == "GIF89a", "only a name that says so makes bytes of a text"
    assert [path for path in tmp_path.iterdir() if path.suffix == ".png"] == [Path(answer["image"])]
    [bare] = predict("noise", [], pushed / "noise", None, {"seed": "7"})
    assert "image" not in bare


def test_media_are_written_as_the_files_that_they_are(tmp_path: Path) -> None:
    gif, tune = b"GIF89a...", b"MThd..."
    values, media = without_media({"film_bytes": gif, "tune_bytes": tune, "tune": np.zeros(9), "tempo": 3})
    assert values == {"tempo": 3} and media == {"film": gif, "tune": tune}
    files = AnswerFiles(Repeat(None), tmp_path, [])  # type: ignore[arg-type]
    made = files.made(Example(Path("a.csv"), 2, {}), {"repeated": b"x"}, media)
    assert made["film"] == str(tmp_path / "a-2.film.gif") and Path(made["film"]).read_bytes() == gif
    assert made["tune"] == str(tmp_path / "a-2.tune.mid")
    assert files.made(Example(Path("b.csv"), 2, {}), {"repeated": b"x"}, {"midi": tune})["midi"] == str(
        tmp_path / "b-2.mid"
    )


@pytest.mark.parametrize(
    ("given", "words"),
    [({}, "no value for the input seed"), ({"sed": "7"}, "no input 'sed'")],
)
def test_missing_and_unknown_inputs_are_wrong_use(pushed, given, words):
    with pytest.raises(WrongUse, match=words):
        predict("noise", [], pushed / "noise", None, given)


def test_an_input_that_is_no_number_is_refused(pushed):
    with pytest.raises(DataRefused, match="seed: expected a whole number, got 'seven'"):
        predict("noise", [], pushed / "noise", None, {"seed": "seven"})


def test_a_table_names_files_and_rows_and_shows_a_picture_once(pushed, tmp_path):
    assert predict("noise", [], pushed / "noise", tmp_path, {"seed": "7"}, as_rows=True) == [
        {"text": "GIF89a", "image": str(tmp_path / "7.image.png")}
    ]
    table = tmp_path / "t.csv"
    table.write_text("times,text\n2,a\n")
    assert predict("repeat", [table], pushed / "repeat", None, as_rows=True) == [
        {"file": f"{table}, row 2", "repeated": "aa", "lengths": [1, 2]}
    ]
    [row] = predict("brightness", [picture(tmp_path / "a.png", 51)], pushed / "brightness", None, as_rows=True)
    assert row == {"file": str(tmp_path / "a.png"), "label": "dark", "probabilities": "dark 80.0%, bright 20.0%"}
