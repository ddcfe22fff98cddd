"""Whether what is spoken is understood, by models that are made up."""

from __future__ import annotations

from pathlib import Path

import pytest

from data.errors import WrongUse
from trainer.backend import tf
from trainer.metrics.intelligibility import PHRASES, word_errors


def saved(folder: Path, function: object) -> str:
    tf.saved_model.save(tf.Module(), str(folder), signatures={"raw": function})
    return str(folder)


def speaker(folder: Path, remark: str = "") -> Path:
    """It "speaks" by giving the text itself as its sound."""
    texts, numbers = tf.TensorSpec([None], tf.string, "text"), tf.TensorSpec([None], tf.float32)

    @tf.function(input_signature=[texts, numbers, numbers])
    def raw(text, rate, pitch):  # type: ignore[no-untyped-def]
        return {"wav_bytes": text, "remark": tf.fill(tf.shape(text), remark)}

    return Path(saved(folder, raw))


def recogniser(folder: Path, wrong: str) -> str:
    """It understands everything but one word."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "sound")])
    def raw(sound):  # type: ignore[no-untyped-def]
        return {"transcript": tf.strings.regex_replace(sound, wrong, "what")}

    return saved(folder, raw)


def test_errors_are_those_of_the_words_that_are_heard(tmp_path: Path) -> None:
    spoken = speaker(tmp_path / "speaker")
    assert list(word_errors(spoken, recogniser(tmp_path / "good", "nothing"))) == [0.0] * PHRASES
    rates = list(word_errors(spoken, recogniser(tmp_path / "bad", "[a-z]+")))
    assert len(rates) == PHRASES and min(rates) == 1.0


def test_without_a_recogniser_or_the_letters_there_is_no_value(tmp_path: Path) -> None:
    assert not list(word_errors(tmp_path, ""))
    strange = speaker(tmp_path / "strange", remark="not spoken: a")
    assert not list(word_errors(strange, recogniser(tmp_path / "good", "nothing")))


def test_a_folder_that_holds_no_recogniser_is_named(tmp_path: Path) -> None:
    spoken = speaker(tmp_path / "speaker")
    for folder in (str(tmp_path / "nowhere"), str(spoken)):
        with pytest.raises(WrongUse, match="no recogniser of speech"):
            list(word_errors(spoken, folder))
