"""Folders of sounds as people of the field have them: Speech Commands, RAVDESS, EmoDB."""

from __future__ import annotations

import io
import wave
from pathlib import Path

import numpy as np
import pytest

from data.columns import Audio, Backdrop, CodedNames, Identifier, Label
from data.errors import DataRefused
from data.folders.check import check
from data.folders.folder import DataFolder
from data.folders.layouts import example_tree

WORDS = {
    "sound": Audio(),
    "label": Label(),
    "voice": Identifier(optional=True, in_file_names=(r"(.+)_nohash_\d+",)),
    "backdrop": Backdrop(of="sound", seconds=0.1),
}
EMOTIONS = {
    "sound": Audio(),
    "label": Label(
        in_file_names=(
            CodedNames(r"\d\d-\d\d-(\d\d)-\d\d-(\d\d)", {"05": "angry", "03": "happy"}, "03-01-05-01-12"),
            CodedNames(r"\d\da\d\d([WF])[a-z]", {"W": "angry", "F": "happy"}, "03a01Fa"),
        )
    ),
    "voice": Identifier(optional=True, in_file_names=(r"\d\d-\d\d-\d\d-\d\d-(\d\d)", r"(\d\d)a\d\d[A-Z][a-z]")),
}
SPEAKERS = [f"{number:08x}" for number in range(10)]


def wav(pitch: float, seconds: float = 0.2) -> bytes:
    samples = 8000 * np.sin(pitch * np.arange(round(8000 * seconds)))
    stream = io.BytesIO()
    with wave.open(stream, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(samples.astype("<i2").tobytes())
    return stream.getvalue()


def speech_commands(root: Path, **lists: list[str]) -> Path:
    for place, word in enumerate(("yes", "no")):
        (root / word).mkdir(parents=True)
        for number, speaker in enumerate(SPEAKERS):
            (root / word / f"{speaker}_nohash_0.wav").write_bytes(wav(0.1 + place + number / 100))
    (root / "_background_noise_").mkdir()
    (root / "_background_noise_" / "tap.wav").write_bytes(wav(3.0, 2.0))
    (root / "_background_noise_" / "README.md").write_text("where they are from")
    (root / "README.md").write_text("words")
    for name, lines in lists.items():
        (root / f"{name}_list.txt").write_text("\n".join(lines) + "\n")
    return root


def test_speech_commands_speakers_are_on_one_side_and_its_noise_is_no_class(tmp_path: Path) -> None:
    folder = DataFolder(speech_commands(tmp_path), WORDS, split_by="voice")
    records = list(folder.records("all"))
    assert len(records) == 20 and all(record.problem is None for record in records)
    sides: dict[str, set[str]] = {}
    for record in records:
        assert record.features and record.features["label"] in (b"yes", b"no")
        sides.setdefault(record.features["voice"].decode(), set()).add(record.split)
    assert set(sides) == set(SPEAKERS) and all(len(side) == 1 for side in sides.values())
    assert set.union(*sides.values()) == {"train", "eval"}
    assert "_background_noise_/ holds no class" in folder.layout
    assert check(tmp_path, WORDS, split_by="voice").ok


def test_each_sound_gets_a_stretch_of_noise_of_its_own_always_the_same(tmp_path: Path) -> None:
    root = speech_commands(tmp_path)
    first, again = (
        [record.features["backdrop"] for record in DataFolder(root, WORDS).records("all") if record.features]
        for _ in range(2)
    )
    assert first == again and len(set(first)) > 10
    with wave.open(io.BytesIO(first[0])) as stretch:
        assert stretch.getnframes() == 800 and stretch.getframerate() == 8000


def test_without_noise_there_is_none(tmp_path: Path) -> None:
    for word in ("yes", "no"):
        (tmp_path / word).mkdir()
        (tmp_path / word / "1.wav").write_bytes(wav(0.3))
    records = list(DataFolder(tmp_path, WORDS).records("all"))
    assert all(record.features and "backdrop" not in record.features for record in records)
    assert all(record.features and "voice" not in record.features for record in records)


def test_noise_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    root = speech_commands(tmp_path)
    (root / "_background_noise_" / "broken.wav").write_bytes(b"no sound")
    with pytest.raises(DataRefused, match=r"broken\.wav"):
        DataFolder(root, WORDS)


@pytest.mark.parametrize(
    ("lists", "evaluated"),
    [
        ({"testing": ["yes/00000003_nohash_0.wav"]}, ["yes/00000003_nohash_0.wav"]),
        (
            {"validation": ["no/00000001_nohash_0.wav"], "testing": ["yes/00000003_nohash_0.wav"]},
            ["no/00000001_nohash_0.wav"],
        ),
    ],
)
def test_lists_say_what_is_for_evaluation(tmp_path: Path, lists: dict[str, list[str]], evaluated: list[str]) -> None:
    folder = DataFolder(speech_commands(tmp_path, **lists), WORDS)
    assert folder.splits == ("train", "eval")
    assert [record.file for record in folder.records("eval")] == evaluated
    train = {record.file for record in folder.records("train")}
    assert len(train) == 20 - sum(map(len, lists.values())) and not train & set(sum(lists.values(), []))
    assert "validation_list.txt says" in folder.layout if "validation" in lists else "testing_list.txt says"


def test_a_list_of_files_that_are_not_there_is_refused_by_its_line(tmp_path: Path) -> None:
    root = speech_commands(tmp_path, testing=["yes/00000003_nohash_0.wav", "yes/nobody_nohash_0.wav"])
    with pytest.raises(DataRefused, match=r"testing_list\.txt, line 2: there is no file yes/nobody"):
        DataFolder(root, WORDS)


@pytest.mark.parametrize(
    "names", [["Actor_12/03-01-05-01-12", "Actor_07/03-01-03-01-07"], ["wav/12a01Wa", "wav/07a02Fb"]]
)
def test_names_of_files_tell_class_and_voice(tmp_path: Path, names: list[str]) -> None:
    for number, name in enumerate(names):
        path = tmp_path / f"{name}.wav"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(wav(0.1 + number))
    records = sorted(DataFolder(tmp_path, EMOTIONS).records("all"), key=lambda record: record.file)
    told = [(r.features["label"], r.features["voice"]) for r in records if r.features]
    assert sorted(told) == [(b"angry", b"12"), (b"happy", b"07")]


def test_a_name_that_tells_no_class_is_a_bad_record_with_what_was_expected(tmp_path: Path) -> None:
    for name in ("12a01Wa.wav", "07a02Fb.wav", "song.wav", "notes.pdf"):
        (tmp_path / name).write_bytes(wav(0.1))
    problems = {r.file: r.problem.reason for r in DataFolder(tmp_path, EMOTIONS).records("all") if r.problem}
    assert problems["song.wav"] == "the name tells no label: expected as 03-01-05-01-12 or 03a01Fa"
    assert set(problems) == {"song.wav", "notes.pdf"}


def test_class_folders_stay_class_folders(tmp_path: Path) -> None:
    for name in ("angry", "happy"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.wav").write_bytes(wav(0.2))
    labels = {r.features["label"] for r in DataFolder(tmp_path, EMOTIONS).records("all") if r.features}
    assert labels == {b"angry", b"happy"}
    assert "03a01Fa.wav" in example_tree(EMOTIONS) and "one folder per label" in example_tree(EMOTIONS)
