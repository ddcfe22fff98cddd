"""Machine translation: what is made of a text before and after the network."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from trainer.backend import tf
from trainer.features import texts
from trainer.preview import Words
from trainer.task import DataSpec
from trainer.tasks.machine_translation import MachineTranslation

VOCABULARIES = {
    f"{side}_{part}": words
    for side, vocabulary in {"source": ["▁one", "▁two", "▁six"], "target": ["▁eins", "▁zwei", "▁sechs"]}.items()
    for part, words in {"words": vocabulary, "characters": [" "], "pieces": ["▁z"]}.items()
}


@pytest.fixture
def task() -> MachineTranslation:
    return MachineTranslation(MachineTranslation.HParams(units=8, beam_width=3))


@pytest.fixture
def spec() -> DataSpec:
    return DataSpec({}, VOCABULARIES, num_train_examples=2, steps=10, train=dict)


def arrays(*rows: tuple[int, int]) -> dict[str, Any]:
    """Texts of the same number of words on both sides, by vocabulary index."""
    padded = np.array(rows) + texts.NUM_SPECIAL
    return {"source": padded, "target": padded}


def test_the_reference_is_the_nearest_train_translation(task: MachineTranslation, spec: DataSpec) -> None:
    scores = task.reference(arrays((0, 1), (2, 2)), arrays((0, 1), (2, 2)), spec)
    assert scores["translation memory"]["chrf"] == pytest.approx(100)
    worse = task.reference(arrays((0, 1), (2, 2)), arrays((1, 1)), spec)  # two two: eins zwei
    assert 20 < worse["translation memory"]["chrf"] < 80


def test_translations_are_texts_whatever_the_batch(task: MachineTranslation, spec: DataSpec) -> None:
    model = task.build_model(spec)
    source = tf.constant([[4, 5, 6, 0], [4, 0, 0, 0]], tf.int64)
    both = task.predict(model, {"source": source, "source_length": tf.constant([3, 1], tf.int64)}, spec)
    assert both["translation"].dtype == tf.string and both["translation"].shape == [2]
    alone = task.predict(model, {"source": source[:1], "source_length": tf.constant([3], tf.int64)}, spec)
    assert alone["translation"][0] == both["translation"][0]
    assert (both["log_probability"].numpy() < 0).all()


def test_preview_shows_source_translation_and_truth_if_known(task: MachineTranslation) -> None:
    prediction = {"translation": b"zwei", "log_probability": -0.1}
    shown = task.preview({"source": b"two", "target": b"zwei!"}, prediction)
    source, truth = Words("two", "source"), Words("zwei!", "by a person", compared=True)
    translation = Words("zwei", "translation", compared=True)
    assert list(shown.parts) == [source, translation, truth]
    assert list(task.preview({"source": b"two"}, prediction).parts) == [source, translation]


def test_the_report_draws_how_like_the_translations_are(task: MachineTranslation) -> None:
    [plot] = task.plots([{"source": b"ja", "target": b"yes"}], [{"translation": b"yes", "log_probability": -1.0}])
    assert plot["title"] == "Likeness of texts" and plot["series"]["texts"][-1] == 1
