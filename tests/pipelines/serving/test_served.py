"""A pushed model: the latest version, checked, loaded once, asked in batches, and piece by piece."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest

from components import manifest
from data.columns import Column, Integer, Text
from data.errors import BenisonError, WrongUse
from pipelines.serving.inputs import Example
from pipelines.serving.served import Served
from trainer.backend import tf
from trainer.streaming import BEGIN, ENDED, FINISH, GO_ON, PIECE


class Repeats:
    """Stands for a task that says a text several times."""

    columns: ClassVar[Mapping[str, Column]] = {"text": Text(), "times": Integer(minimum=0)}
    targets = ()
    predict_batch_size = 2
    enrols = None


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """It answers with the text, and with how many were asked about together; one letter is a piece."""
    texts, numbers = tf.TensorSpec([None], tf.string, "text"), tf.TensorSpec([None], tf.int64, "times")

    @tf.function(input_signature=[], autograph=False)
    def nothing() -> Any:
        return tf.constant(0)

    @tf.function(autograph=False)
    def raw(text: Any, times: Any) -> Any:
        together = tf.fill(tf.shape(text), tf.shape(text)[0])
        return {"said": tf.strings.join([text, tf.strings.as_string(times)]), "together": together}

    @tf.function(autograph=False)
    def begin(text: Any, times: Any) -> Any:
        return {"left": text, "more": times, "whole": text}

    @tf.function(autograph=False)
    def go_on(left: Any, more: Any, whole: Any) -> Any:
        behind = tf.strings.length(left) - 1
        rest = tf.strings.substr(left, tf.ones_like(behind), behind)
        return {PIECE: tf.strings.substr(left, 0, 1), ENDED: behind == 0, "left": rest, "more": more, "whole": whole}

    @tf.function(autograph=False)
    def finish(left: Any, more: Any, whole: Any) -> Any:
        return {"said": tf.strings.join([whole, left, tf.strings.as_string(more)])}

    folder, module = tmp_path_factory.mktemp("served") / "model", tf.Module()
    module.nothing = nothing
    state = {"more": tf.TensorSpec([None], tf.int64, "more")}
    state |= {name: tf.TensorSpec([None], tf.string, name) for name in ("left", "whole")}
    plain = {"text": texts, "times": numbers}
    signatures = {
        "raw": raw.get_concrete_function(**plain),
        BEGIN: begin.get_concrete_function(**plain),
        GO_ON: go_on.get_concrete_function(**state),
        FINISH: finish.get_concrete_function(**state),
    }
    tf.saved_model.save(module, str(folder), signatures)
    return folder


@pytest.fixture
def served(model: Path) -> Served:
    return Served("repeats", Repeats(), model, {})  # type: ignore[arg-type]


def examples(*texts: str) -> list[Example]:
    return [Example(Path(), None, {"text": text, "times": n}) for n, text in enumerate(texts)]


def test_answers_come_in_order_and_in_batches_of_the_task(served: Served) -> None:
    asked = examples("a", "b", "c")
    found = list(served.answers(asked))
    assert [example for example, _ in found] == asked
    assert [answer["said"] for _, answer in found] == [b"a0", b"b1", b"c2"]
    assert [answer["together"] for _, answer in found] == [2, 2, 1]


def test_it_is_loaded_when_it_is_asked_and_never_again(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded, load = [], tf.saved_model.load
    monkeypatch.setattr(tf.saved_model, "load", lambda path: loaded.append(path) or load(path))
    answers = served.answers(examples("a", "b"))
    assert not loaded
    assert len(list(answers)) == 2 and len(list(served.answers(examples("a")))) == 1
    assert loaded == [str(served.model)]


def test_pieces_are_what_go_on_gives_until_it_has_ended_and_the_answer_is_of_what_is_left(served: Served) -> None:
    pieces: list[str] = []
    assert served.streamed(examples("word")[0], pieces.append) == {"said": b"word0"}
    assert pieces == list("word")
    assert not served.shown  # the task is none that streams, whatever the model can


def test_a_model_of_other_columns_is_named(served: Served) -> None:
    served.columns = {"text": Text()}
    for ask in (lambda: list(served.answers(examples("a"))), lambda: served.streamed(examples("a")[0], print)):
        with pytest.raises(BenisonError, match="takes text, times; the task's inputs are text") as caught:
            ask()
        assert caught.value.fix == "benison run repeats"


def pushed(serving: Path, model: Path, version: int, about: dict[str, Any]) -> Path:
    folder = serving / str(version)
    shutil.copytree(model, folder)
    manifest.write(folder, about)
    return folder


def test_the_latest_version_is_opened_as_it_was_trained(model: Path, tmp_path: Path) -> None:
    for version, filters in ((9, 8), (10, 32)):
        hparams = {"filters": filters, "long_gone": 1}
        pushed(tmp_path, model, version, {"hparams": hparams, "names": {"image": ["picture"]}})
    opened = Served.open(tmp_path, "image_classification")
    assert opened.model.name == "10" and opened.task.hparams.filters == 32
    assert opened.names == {"image": ["picture"]} and set(opened.columns) == {"image"}
    assert Served.open(tmp_path, "image_classification", version=9).task.hparams.filters == 8
    with pytest.raises(BenisonError, match="has no pushed model"):
        Served.open(tmp_path, "image_classification", version=8)


def test_no_version_no_such_task_and_a_changed_file_are_refused(model: Path, tmp_path: Path) -> None:
    with pytest.raises(BenisonError, match="image_classification has no pushed model in"):
        Served.open(tmp_path / "nothing", "image_classification")
    with pytest.raises(WrongUse, match="no task is called"):
        Served.open(tmp_path, "image_clasification")
    folder = pushed(tmp_path, model, 1, {})
    (folder / "saved_model.pb").write_bytes(b"another")
    with pytest.raises(BenisonError, match="was changed after the model was pushed"):
        Served.open(tmp_path, "image_classification")
