"""The kinds of several values, of files of their own, and those that no folder holds."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from PIL import Image as Pillow

from data.columns import (
    NO_PICTURE,
    BadColumn,
    Derived,
    Document,
    Given,
    Image,
    Integer,
    Label,
    Mask,
    Midi,
    Number,
    Prefix,
    Tags,
    Text,
    Texts,
    Vector,
    Video,
    bio,
    encode_row,
    samples,
)
from data.errors import BadFile, BadValue, DataRefused
from data.folders.folder import DataFolder


def png(picture):
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()


def numbers(content):
    with Pillow.open(io.BytesIO(content)) as picture:
        assert picture.mode == "L"
        return np.asarray(picture).tolist()


def bad(column, value, reason):
    with pytest.raises(BadValue, match=reason):
        column.encode("c", value)


def no_file(name, path):
    raise BadFile("there is no such file")


# --- masks ---

CLASSES = ("nothing", "cat", "dog")
PIXELS = np.array([[0, 1, 1], [2, 0, 255]], np.uint8)


def indexed():
    picture = Pillow.fromarray(PIXELS, "P")
    picture.putpalette([*(200, 10, 10), *(10, 200, 10), *(10, 10, 200)] + [0] * 759)
    return picture


@pytest.mark.parametrize("picture", [Pillow.fromarray(PIXELS), indexed(), Pillow.fromarray(PIXELS.astype(np.uint16))])
def test_a_mask_is_kept_as_the_numbers_of_its_classes(picture):
    features = Mask(classes=CLASSES).encode("mask", png(picture))
    assert numbers(features["mask"]) == PIXELS.tolist()
    assert (features["mask_width"], features["mask_height"]) == (3, 2)
    assert Mask().class_names("mask", features) == list(CLASSES)


def test_a_mask_of_two_colours_has_the_classes_0_and_1():
    features = Mask().encode("mask", png(Pillow.fromarray(PIXELS == 1)))
    assert numbers(features["mask"]) == [[0, 1, 1], [0, 0, 0]]
    assert features["mask_classes"] == [b"0", b"1"]


def test_tensorflow_reads_a_mask_s_numbers_whatever_palette_it_had():
    from trainer.backend import load_tensorflow

    content = Mask().encode("mask", png(indexed()))["mask"]
    assert load_tensorflow().io.decode_png(content, channels=1).numpy()[..., 0].tolist() == PIXELS.tolist()


def test_a_mask_that_is_none_says_why():
    bad(Mask(classes=CLASSES[:2]), png(Pillow.fromarray(PIXELS)), "a pixel of class 2; the last of 2 is 1")
    bad(Mask(void=None, classes=CLASSES), png(Pillow.fromarray(PIXELS)), "class 255")
    bad(
        Mask(),
        png(Pillow.new("RGB", (3, 2), (1, 2, 3))),
        r"x 0, y 0 has the colour .1, 2, 3., of no class: it is none of Pascal",
    )
    bad(Mask(), png(Pillow.fromarray(np.full((2, 2), 300, np.uint16))), "class 300")
    bad(Mask(), b"", "empty")
    bad(Mask(), b"\x89PNG", "not a PNG|cannot be decoded")
    stream = io.BytesIO()
    Pillow.fromarray(PIXELS).save(stream, "JPEG")
    bad(Mask(), stream.getvalue(), "not a PNG; what compresses with loss")
    bad(Mask(), png(Pillow.fromarray(np.zeros((40, 40), np.uint8)))[:-30], "cannot be decoded")


def test_a_mask_has_the_size_of_its_picture():
    columns = {"image": Image(), "mask": Mask()}
    files = {"a": png(Pillow.new("L", (3, 2))), "b": png(Pillow.new("L", (2, 3)))}
    good = encode_row(columns, {"image": "a", "mask": "a"}, lambda _, path: files[path])
    assert set(good) <= {key for name, column in columns.items() for key in column.features(name)}
    with pytest.raises(BadColumn, match="mask: a mask of 2x3 pixels for a picture of 3x2"):
        encode_row(columns, {"image": "a", "mask": "b"}, lambda _, path: files[path])


@pytest.mark.parametrize(("pictures", "masks"), [("images", "masks"), ("JPEGImages", "SegmentationClass")])
def test_pictures_and_masks_in_two_folders_belong_together_by_their_names(tmp_path, pictures, masks):
    for split in ("train", "eval"):
        for folder, names in ((pictures, "abc"), (masks, "abd")):
            (tmp_path / split / folder).mkdir(parents=True)
            for name in names:
                content = png(Pillow.fromarray(np.full((2, 3), ord(name) - ord("a"), np.uint8)))
                (tmp_path / split / folder / f"{name}.png").write_bytes(content)
    data = DataFolder(tmp_path, {"image": Image(), "mask": Mask()})
    assert data.layout == f"pictures in {pictures}/ and their masks in {masks}/"
    records = {record.file: record for n in range(3) for record in data.records("train", n, 3)}
    assert len(records) == 4
    assert records[f"train/{pictures}/b.png"].features["mask_classes"] == [b"1"]
    assert "no mask of this name" in records[f"train/{pictures}/c.png"].problem.reason
    assert "no picture of this name" in records[f"train/{masks}/d.png"].problem.reason


def test_a_folder_as_pascal_voc_has_it_is_split_by_its_lists(tmp_path):
    for folder in ("JPEGImages", "SegmentationClass", "Annotations", "ImageSets/Segmentation"):
        (tmp_path / folder).mkdir(parents=True)
    for number, name in enumerate("abcdef"):
        (tmp_path / "JPEGImages" / f"{name}.png").write_bytes(png(Pillow.new("L", (3, 2), number)))
        if name != "f":  # most pictures of VOC have no mask, and are in no list
            (tmp_path / "SegmentationClass" / f"{name}.png").write_bytes(png(Pillow.new("L", (3, 2), number)))
    for name, stems in (("train", "a\nb\nc\n"), ("val", "d\nx\n")):
        (tmp_path / "ImageSets" / "Segmentation" / f"{name}.txt").write_text(stems)
    (tmp_path / "classes.txt").write_text("\n".join(f"class {n}" for n in range(6)))
    data = DataFolder(tmp_path, {"image": Image(), "mask": Mask()})
    train, evaluated = ([*data.records(split)] for split in data.splits)
    assert sorted(record.features["mask_classes"][0] for record in train) == [b"class 0", b"class 1", b"class 2"]
    [bad] = [record for record in evaluated if record.problem]
    assert bad.file == "x" and "named in ImageSets/Segmentation/" in bad.problem.reason and len(evaluated) == 2
    (tmp_path / "ImageSets" / "Segmentation" / "val.txt").unlink()
    with pytest.raises(DataRefused, match="val.txt cannot be read"):
        DataFolder(tmp_path, {"image": Image(), "mask": Mask()})


# --- texts ---


def test_text_files_in_class_folders_are_read(tmp_path):
    for split in ("train", "eval"):
        for name in ("good", "bad"):
            (tmp_path / split / name).mkdir(parents=True)
            (tmp_path / split / name / "1.txt").write_bytes(f"\ufeff{name} one\r\nline".encode())
    data = DataFolder(tmp_path, {"text": Document(), "mood": Label()})
    assert data.layout == "class-named subfolders"
    found = {record.features["mood"]: record.features["text"] for record in data.records("train")}
    assert found == {b"good": b"good one\nline", b"bad": b"bad one\nline"}


def test_a_text_file_that_is_none_says_why():
    bad(Document(), "é".encode("latin-1"), "not valid UTF-8 .byte 1.")
    bad(Document(), b"a\0b", "zero byte")
    bad(Document(), b" \n", "nothing to be seen")
    bad(Document(max_characters=3), b"abcd", "4 characters")


@pytest.mark.parametrize("value", [["a", "b c"], '["a", "b c"]', "a\nb c"])
def test_several_texts_in_any_form(value):
    assert Texts().encode("t", value) == {"t": b'["a", "b c"]', "t_count": 2}


def test_several_texts_at_fault_are_told_by_number():
    bad(Texts(), ["a", " "], "text 2: nothing to be seen")
    bad(Texts(max_count=1), ["a", "b"], "2 texts; must be 1 to 1")
    bad(Texts(), "[1", "JSON array")
    bad(Texts(), 7, "expected a list of texts")


SPANS = [{"start": 9, "end": 15, "label": "place"}, {"start": 0, "end": 4, "label": "who"}]


def test_marked_passages_are_kept_in_the_order_of_the_text():
    columns = {"text": Text(), "names": Tags(classes=("who", "place"))}
    features = encode_row(columns, {"text": "Anna, in Berlin.", "names": json.dumps(SPANS)}, no_file)
    assert [span["start"] for span in json.loads(features["names"])] == [0, 9]
    assert columns["names"].class_names("names", features) == ["who", "place"]
    tagged = bio("Anna, in New Berlin.", [SPANS[1], {"start": 9, "end": 19, "label": "place"}])
    assert [tag for _, tag in tagged] == ["B-who", "O", "O", "B-place", "I-place", "O"]
    assert [token for token, _ in tagged][:3] == ["Anna", ",", "in"]


def test_marked_passages_at_fault():
    bad(Tags(), [SPANS[1], {"start": 3, "end": 6, "label": "x"}], "two passages overlap at character 3")
    bad(Tags(), [{"start": 4, "end": 4, "label": "x"}], "passage 1: expected a start and an end behind it")
    bad(Tags(classes=("a",)), [SPANS[0]], "unknown class 'place'")
    bad(Tags(), "no json", "expected a list of marked passages")
    with pytest.raises(BadColumn, match="a passage ends at character 15; text has 4"):
        encode_row({"text": Text(), "names": Tags()}, {"text": "Anna", "names": SPANS}, no_file)


# --- videos and tunes ---


def made(column, kind, hour=0):
    rng = np.random.default_rng(hour)
    return column.sample("c", samples.subject(hour, kind, rng), rng)


def class_folders(root, column):
    """A folder of two classes in each split, of two files each."""
    for number, split in enumerate(("train", "eval")):
        for kind, name in enumerate(("first", "second")):
            (root / split / name).mkdir(parents=True)
            for hour in (0, 1):
                media = made(column, kind, 10 * number + hour)
                (root / split / name / f"{hour}{media.suffix}").write_bytes(media.content)
    return DataFolder(root, {"c": column, "label": Label()})


def test_a_video_is_one_value_of_a_bounded_number_of_small_frames():
    column = Video(max_frames=4, max_side=16)
    features = column.encode("c", made(column, 0).content)
    assert set(features) == set(column.features("c"))
    assert isinstance(features["c"], bytes)
    assert [features[f"c_{what}"] for what in ("frames", "width", "height")] == [4, 16, 12]
    assert features["c_seconds"] == pytest.approx(0.8, abs=0.05)
    assert features["c_rate"] == pytest.approx(10, abs=0.5)
    assert features["c"].count(b"\xff\xd8\xff") == 4
    assert Video().encode("c", made(column, 0).content)["c_frames"] == 8


def test_a_video_that_is_none_says_why():
    bad(Video(), b"", "the file is empty")
    bad(Video(), b"no video", "the video cannot be decoded")
    bad(Video(max_seconds=0.5), made(Video(), 0).content, "0.80 seconds; must be 0 to 0.5")


def test_a_tune_is_one_text_of_its_notes():
    features = Midi().encode("c", made(Midi(), 2).content)
    assert set(features) == set(Midi().features("c"))
    assert features["c"].startswith(b"on_68 wait_20 off_68")
    assert features["c_tokens"] == len(features["c"].split())
    assert features["c_notes"] == features["c"].count(b"on_") >= 1


def test_a_tune_that_is_none_says_why():
    bad(Midi(), b"", "the file is empty")
    bad(Midi(), b"no tune", "the MIDI file cannot be read")
    bad(Midi(max_tokens=2), made(Midi(), 0).content, "more than 2 tokens")


@pytest.mark.parametrize("column", [Video(), Midi()])
def test_videos_and_tunes_in_class_folders_or_side_by_side_are_read(tmp_path, column):
    data = class_folders(tmp_path / "classes", column)
    assert data.layout == "class-named subfolders"
    records = list(data.records("train"))
    assert not [record.problem for record in records if record.problem]
    assert sorted(record.features["label"] for record in records) == [b"first", b"first", b"second", b"second"]
    assert len({record.features["c"] for record in records}) == 4

    plain = DataFolder(tmp_path / "classes" / "train" / "first", {"c": column})
    assert plain.layout.startswith(f"{column.noun}s without classes or table")
    assert all(record.features["c"] for record in plain.records("all"))


@pytest.mark.parametrize("column", [Video(), Midi()])
def test_a_form_asks_for_a_file_that_is_read(column):
    assert column.form().kind == "file"
    assert made(column, 0).suffix in column.form().suffixes


# --- numbers ---


@pytest.mark.parametrize("value", [[1, 2.5, -3], "[1, 2.5, -3]", "1, 2.5, -3", "1 2.5 -3"])
def test_several_numbers_in_any_form(value):
    assert Vector(size=3).encode("v", value) == {"v": [1, 2.5, -3]}
    assert Vector(size=3).features("v")["v"].length == 3


def test_several_numbers_at_fault():
    bad(Vector(size=3), [1, 2], "2 numbers; must be 3")
    bad(Vector(size=2), "1 nan", "finite numbers, got 'nan'")
    bad(Vector(size=1, maximum=1), [2], "out of bounds")


# --- what no folder holds ---


def test_a_given_value_has_a_default_that_a_form_shows():
    columns = {"text": Text(), "heat": Given(kind=Number(minimum=0, maximum=2), default=0.7)}
    assert encode_row(columns, {"text": "a"}, no_file)["heat"] == 0.7
    assert encode_row(columns, {"text": "a", "heat": "1.5"}, no_file)["heat"] == 1.5
    with pytest.raises(BadColumn, match="heat: 3.0 is out of bounds"):
        encode_row(columns, {"text": "a", "heat": "3"}, no_file)
    field = columns["heat"].form()
    assert (field.kind, field.default, field.maximum) == ("number", 0.7, 2)


def test_a_medium_may_be_given_as_a_file_and_has_a_content_by_default():
    columns = {"text": Text(), "towards": Given(kind=Image(), default=NO_PICTURE)}
    assert encode_row(columns, {"text": "a"}, no_file)["towards"] == NO_PICTURE
    given = encode_row(columns, {"text": "a", "towards": "b.png"}, lambda name, path: NO_PICTURE)
    assert given["towards_width"] == 1
    field = columns["towards"].form()
    assert (field.kind, field.default, ".png" in field.suffixes) == ("file", None, True)


def test_a_prefix_is_the_beginning_of_its_text_and_never_all_of_it():
    columns = {"text": Text(), "start": Prefix(of="text", max_words=4)}
    text = "one two three four five"
    starts = set()
    for n in range(30):
        start = encode_row(columns, {"text": f"{text} {n}"}, no_file)["start"].decode()
        assert text.startswith(start) and start
        starts.add(start)
    assert len(starts) == 4
    assert encode_row(columns, {"text": "one two"}, no_file)["start"] == b"one"
    assert encode_row({"start": columns["start"]}, {"start": "Once upon"}, no_file)["start"] == b"Once upon"


def test_a_derived_column_is_made_of_another_in_training_and_given_in_prediction():
    noisy = Derived(of="text", kind=Text(), how=lambda text, n: f"{text.decode()[::-1]}{n % 2}")
    columns = {"text": Text(), "noisy": noisy}
    one = encode_row(columns, {"text": "abc"}, no_file)
    assert one["noisy"][:3] == b"cba"
    assert one == encode_row(columns, {"text": "abc"}, no_file)
    assert encode_row({"noisy": columns["noisy"]}, {"noisy": "given"}, no_file)["noisy"] == b"given"


def test_of_several_ways_the_content_decides_and_the_record_says_which():
    ways = {"backwards": lambda text, n: text.decode()[::-1], "loud": lambda text, n: text.decode().upper()}
    columns = {"text": Text(), "changed": Derived(of="text", kind=Text(), how=ways)}
    rows = [encode_row(columns, {"text": f"abc {n}"}, no_file) for n in range(20)]
    assert {row["changed_by"] for row in rows} == {b"backwards", b"loud"}
    assert all((row["changed_by"] == b"loud") == row["changed"].startswith(b"ABC") for row in rows)
    assert encode_row(columns, {"text": "abc", "changed": "cab"}, no_file)["changed_by"] == Derived.GIVEN


def test_samples_of_one_subject_tell_of_it():
    rng = np.random.default_rng(0)
    subject = samples.subject(0, 1, rng)
    columns = {"image": Image(), "mask": Mask(), "text": Text(), "names": Tags(), "length": Vector(size=2)}
    found = {name: column.sample(name, subject, rng) for name, column in columns.items()}
    values = {name: name if isinstance(value, samples.Media) else value for name, value in found.items()}
    features = encode_row(columns, values, lambda name, _: found[name].content)
    assert "middle" in [span["label"] for span in json.loads(features["names"])]
    assert features["mask_classes"] and Integer().encode("n", 1)
