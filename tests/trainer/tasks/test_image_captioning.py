"""Image captioning: what is made of captions before and after the network."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from trainer.backend import tf
from trainer.features import texts
from trainer.preview import Words
from trainer.task import DataSpec
from trainer.tasks.image_captioning import CAPTIONS, TOKENS, ImageCaptioning

VOCABULARIES = {"captions_words": ["▁a", "▁cat", "▁bus"], "captions_characters": ["x"], "captions_pieces": ["▁b"]}


@pytest.fixture
def task() -> ImageCaptioning:
    return ImageCaptioning(ImageCaptioning.HParams(image_size=32, units=8, layers=1, heads=2, beam_width=2, shift=0.0))


def features() -> dict[str, Any]:
    tokens = np.zeros((2, CAPTIONS, TOKENS), np.int64)
    tokens[0, 0, :2], tokens[0, 1, :3], tokens[1, 0, :1] = (4, 5), (4, 5, 6), (6,)
    return {
        "image": tf.zeros([2, 32, 32, 3], tf.uint8),
        "tokens": tf.constant(tokens),
        "count": tf.constant([2, 1], tf.int64),
        "longest": tf.constant([5, 5], tf.int64),
        "references": tf.constant(['["a cat", "a cat bus"]', '["bus"]']),
    }


def test_training_draws_from_the_captions_of_each_picture(task: ImageCaptioning) -> None:
    drawn = [task.batch(features(), tf.constant([1, step], tf.int64))["captions"].numpy() for step in range(20)]
    firsts = {tuple(token for token in captions[0].tolist() if token) for captions in drawn}
    assert firsts == {(4, 5), (4, 5, 6)}
    assert {tuple(token for token in captions[1].tolist() if token) for captions in drawn} == {(6,)}
    assert {captions.shape[1] for captions in drawn} == {2, 3}  # as long as the longest of the batch


def test_outside_training_nothing_is_random_and_captions_may_be_missing(task: ImageCaptioning) -> None:
    known = task.batch(features(), None)
    assert known["captions"].numpy().tolist() == [[4, 5], [6, 0]] and "tokens" not in known
    asked = {name: features()[name] for name in ("image", "longest")}
    assert task.batch(asked, None).keys() == asked.keys()


def test_captions_are_texts_no_longer_than_those_of_training(task: ImageCaptioning) -> None:
    spec = DataSpec({}, VOCABULARIES, num_train_examples=2, steps=10, train=dict, assets={"backbone": None})
    model = task.build_model(spec)
    said = task.predict(model, features(), spec)
    assert said["caption"].dtype == tf.string and said["caption"].shape == [2]
    assert all(len(caption.decode().split()) <= 6 for caption in said["caption"].numpy())
    assert (said["log_probability"].numpy() < 0).all()


def test_the_references_are_the_nearest_picture_and_the_commonest_caption(task: ImageCaptioning) -> None:
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (3, 4, 4, 3)).astype(np.uint8).repeat(8, 1).repeat(8, 2)
    captions = [["a red bus in town"], ["two black cats asleep"], ["two black cats asleep"]]
    train = {"image": pictures, "references": np.array([json.dumps(those).encode() for those in captions])}
    spec = DataSpec({}, VOCABULARIES, num_train_examples=3, steps=10, train=dict)
    scores = task.reference(train, {name: value[:2] for name, value in train.items()}, spec)
    assert scores["caption of the most similar picture"]["cider_d"] == pytest.approx(10)
    assert scores["caption of the most similar picture"]["bleu"] == pytest.approx(100)
    assert scores["one caption for all"]["rouge_l"] == pytest.approx(50)


def test_preview_shows_the_picture_its_caption_and_what_people_wrote(task: ImageCaptioning) -> None:
    prediction = {"caption": b"a cat", "log_probability": -0.1}
    example = {"image": b"png", "captions": b'["a cat", "cats"]', "group": b"pets"}
    shown = task.preview(example, prediction)
    assert shown.title == "a cat" and shown.slice == {"group": "pets"}
    assert shown.parts[1:] == [
        Words("a cat", "caption", compared=True, any_case=True),
        Words("a cat\ncats", "by people", compared=True, any_case=True),
    ]
    assert len(task.preview({"image": b"png"}, prediction).parts) == 2


def test_a_json_array_is_taken_apart_in_the_graph() -> None:
    arrays = [["a cat", 'b " , ", " x\\', "é 猫"], ["x"], ["\\", '"', '\\", "\\'], ['["', '"]'], ["two\nlines"]]
    found = texts.listed(tf.constant([json.dumps(one, ensure_ascii=False) for one in arrays])).to_list()
    assert [[text.decode() for text in one] for one in found] == [*arrays[:4], ["two lines"]]
