"""People whom a pushed model knows without training: enrolled, told, refused by another version, and forgotten."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from PIL import Image as Pillow

from components import manifest
from data.columns import Column, Image, Label
from data.errors import BenisonError, DataRefused, WrongUse
from pipelines.serving import gallery, served
from pipelines.serving.enrolment import enrol, remove
from pipelines.serving.predict import predict
from trainer.backend import load_tensorflow
from trainer.task import HParams
from trainer.tasks.face_recognition import FaceRecognition

RED, BLUE, GREEN = (250, 5, 5), (5, 5, 250), (5, 250, 5)


class Colours(FaceRecognition):
    """Stands for a task that enrols: a picture's embedding is its mean colour. It was trained on Rose, who is red."""

    columns: ClassVar[Mapping[str, Column]] = {"image": Image(), "person": Label(open=True)}
    HParams = HParams  # type: ignore[assignment]


class Dumb(Colours):
    enrols = None


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pushed model of `Colours`."""
    tf = load_tensorflow()

    def colours(image: Any) -> Any:
        def one(data: Any) -> Any:
            picture = tf.cast(tf.io.decode_image(data, channels=3, expand_animations=False), tf.float32)
            return tf.math.l2_normalize(tf.reduce_mean(picture, axis=[0, 1]))

        embedding = tf.map_fn(one, image, fn_output_signature=tf.TensorSpec([3], tf.float32))
        score = (embedding[:, :1] + 1) / 2
        names = tf.fill(tf.shape(score), "Rose")
        threshold = tf.fill(tf.shape(score)[:1], 0.95)
        nearest = tf.zeros_like(score[:, 0], tf.int32)
        label = tf.where(score[:, 0] >= threshold, names[:, 0], "unknown")
        found = {"label": label, "names": names, "scores": score, "score": score[:, 0], "threshold": threshold}
        return found | {"nearest": nearest, "answer": nearest, "embedding": embedding}

    root = tmp_path_factory.mktemp("made")
    raw = tf.function(colours).get_concrete_function(image=tf.TensorSpec([None], tf.string))
    tf.saved_model.save(tf.Module(), str(root / "1"), signatures={"raw": raw})
    manifest.write(root / "1", {"task": "colours", "hparams": {}})
    return root


@pytest.fixture
def serving(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(served, "load", lambda name: {"colours": Colours, "dumb": Dumb}[name])
    return Path(shutil.copytree(made, tmp_path / "colours" / "serving"))


def picture(path: Path, colour: tuple[int, int, int]) -> Path:
    content = io.BytesIO()
    Pillow.new("RGB", (3, 2), colour).save(content, "PNG")
    path.write_bytes(content.getvalue())
    return path


def label(serving: Path, file: Path) -> str:
    [answer] = predict("colours", [file], serving, None)
    json.dumps(answer)
    return answer["label"]


def test_who_is_enrolled_is_known_beside_those_of_training_and_forgotten_when_removed(
    serving: Path, tmp_path: Path
) -> None:
    red, blue, green = (picture(tmp_path / f"{n}.png", c) for n, c in enumerate((RED, BLUE, GREEN)))
    before = {path: hashlib.sha256(path.read_bytes()).digest() for path in serving.rglob("*") if path.is_file()}
    assert [label(serving, file) for file in (red, blue)] == ["Rose", "unknown"]
    assert enrol("colours", serving, " Blake ", [blue, blue]) == 2
    assert [label(serving, file) for file in (red, blue, green)] == ["Rose", "Blake", "unknown"]
    [row] = predict("colours", [blue], serving, None, as_rows=True)
    assert row["answer"] == "Blake" and row["nearest"].startswith("Blake 1.000, Rose 0.5")
    [answer] = predict("colours", [blue], serving, None)
    assert "nearest" not in answer, "a place among the names of training says nothing of Blake"
    assert before == {path: hashlib.sha256(path.read_bytes()).digest() for path in before}
    manifest.verify(serving / "1")
    assert remove(serving, "Blake") == 2
    assert label(serving, blue) == "unknown"
    assert not (serving.parent / "gallery" / gallery.FILE).exists(), "of nobody nothing is kept"


def test_what_is_kept_are_numbers_for_its_owner_alone(serving: Path, tmp_path: Path) -> None:
    enrol("colours", serving, "Blake", [picture(tmp_path / "a.png", BLUE)])
    path = serving.parent / "gallery" / gallery.FILE
    assert path.stat().st_mode & 0o077 == 0 and path.parent.stat().st_mode & 0o077 == 0
    with np.load(path, allow_pickle=False) as found:
        assert {name: found[name].dtype.kind for name in found} == {
            "names": "U",
            "embeddings": "f",
            "version": "i",
            "digest": "U",
        }
    assert [file.name for file in path.parent.iterdir()] == [gallery.FILE]


def test_another_version_refuses_them_in_words(serving: Path, tmp_path: Path) -> None:
    blue = picture(tmp_path / "a.png", BLUE)
    enrol("colours", serving, "Blake", [blue])
    shutil.copytree(serving / "1", serving / "2")
    manifest.write(serving / "2", {"task": "colours", "hparams": {}, "made": "later"})
    for ask in (lambda: label(serving, blue), lambda: enrol("colours", serving, "Green", [blue])):
        with pytest.raises(BenisonError, match=r"Blake \(1\) were enrolled with version 1, and version 2 is served"):
            ask()
    remove(serving, "Blake")
    assert enrol("colours", serving, "Blake", [blue]) == 1 and label(serving, blue) == "Blake"


def test_a_bad_file_enrols_nobody(serving: Path, tmp_path: Path) -> None:
    good, bad = picture(tmp_path / "a.png", BLUE), tmp_path / "b.png"
    bad.write_bytes(b"no picture")
    with pytest.raises(DataRefused, match=r"b\.png"):
        enrol("colours", serving, "Blake", [good, bad])
    with pytest.raises(WrongUse, match="not there"):
        enrol("colours", serving, "Blake", [good, tmp_path / "c.png"])
    assert gallery.read(serving.parent / "gallery").names == ()


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 300])
def test_what_is_no_name_is_refused(serving: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(WrongUse, match="is no name"):
        enrol("colours", serving, name, [picture(tmp_path / "a.png", BLUE)])


def test_a_task_without_embeddings_enrols_nobody(serving: Path, tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match="dumb enrols nobody"):
        enrol("dumb", serving, "Blake", [picture(tmp_path / "a.png", BLUE)])
    with pytest.raises(WrongUse, match="'Blake' is not enrolled"):
        remove(serving, "Blake")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no archive", b"plain"])
def test_a_damaged_gallery_is_named(serving: Path, tmp_path: Path, content: bytes) -> None:
    folder = serving.parent / "gallery"
    folder.mkdir()
    (folder / gallery.FILE).write_bytes(content)
    with pytest.raises(BenisonError, match=r"enrolled\.npz is damaged"):
        label(serving, picture(tmp_path / "a.png", BLUE))


def test_a_gallery_that_would_run_code_is_not_run(serving: Path, tmp_path: Path) -> None:
    folder = serving.parent / "gallery"
    folder.mkdir()
    with (folder / gallery.FILE).open("wb") as file:
        np.savez(file, names=np.array([print], object), embeddings=np.zeros((1, 3)), version=1, digest="")
    with pytest.raises(BenisonError, match="damaged"):
        gallery.read(folder)
