"""Text generation: how a text goes on, and what its characters cost."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from trainer.backend import tf
from trainer.features import characters
from trainer.preview import Words
from trainer.task import DataSpec
from trainer.tasks.text_generation import CHARACTERS, CONTEXT, TextGeneration, opening

LETTERS = "abcdefgh e\u0301"
POINTS = sorted(set(map(ord, LETTERS)))


def excerpts(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(2, len(POINTS) + 2, (count, CONTEXT + CHARACTERS))


@pytest.fixture(scope="module")
def spec() -> DataSpec:
    names = {characters.VOCABULARY: [str(point) for point in POINTS]}
    return DataSpec({}, names, 4, steps=10, train=lambda limit=None: {"text": excerpts(4)})


@pytest.fixture(scope="module")
def task() -> TextGeneration:
    return TextGeneration(TextGeneration.HParams(units=8, embedding_size=4))


@pytest.fixture(scope="module")
def model(task: TextGeneration, spec: DataSpec) -> Any:
    return task.build_model(spec)


def asked(*prompts: str, temperature: float = 1.0, length: int = 40, seed: int = 3) -> dict[str, Any]:
    count = len(prompts)
    numbers = {"length": length, "top_k": 0, "seed": seed}
    return {
        "prompt": tf.constant(list(prompts)),
        "temperature": tf.fill([count], temperature),
        "top_p": tf.ones([count]),
    } | {name: tf.fill([count], tf.constant(value, tf.int64)) for name, value in numbers.items()}


def written(task: TextGeneration, model: Any, spec: DataSpec, **given: Any) -> list[str]:
    return [text.decode() for text in task.predict(model, asked(*given.pop("prompts"), **given), spec)["text"].numpy()]


def test_the_same_seed_writes_the_same_text_in_any_batch(task: TextGeneration, model: Any, spec: DataSpec) -> None:
    both = written(task, model, spec, prompts=["abc", ""])
    assert [len(text) for text in both] == [40, 40]
    assert written(task, model, spec, prompts=["abc"]) == both[:1]
    assert written(task, model, spec, prompts=[""]) == both[1:]
    assert written(task, model, spec, prompts=["abc"], seed=4) != both[:1]
    greedy = {"prompts": ["abc"], "temperature": 0.0}
    assert written(task, model, spec, **greedy, seed=1) == written(task, model, spec, **greedy, seed=2)


def test_pieces_are_the_text_also_of_texts_of_other_lengths(task: TextGeneration, model: Any, spec: DataSpec) -> None:
    features = asked("abc", "h", length=40) | {"length": tf.constant([40, 5], tf.int64)}
    state, made, last = task.begin(model, features, spec), ["", ""], [False, False]
    while not all(last):
        pieces, ended, state = task.go_on(model, state, spec)
        last = ended.numpy().tolist()
        made = [text + piece.decode() for text, piece in zip(made, pieces.numpy(), strict=True)]
    whole = {name: value.numpy().tolist() for name, value in task.predict(model, features, spec).items()}
    assert made == [text.decode() for text in whole["text"]]
    assert [len(text) for text in made] == [40, 5]
    assert {name: value.numpy().tolist() for name, value in task.finish(model, state, spec).items()} == whole


@pytest.mark.parametrize("ngrams", [True, False])
def test_steps_foresee_what_the_whole_text_costs(ngrams: bool, spec: DataSpec) -> None:
    model = TextGeneration(TextGeneration.HParams(units=8, embedding_size=4, ngrams=ngrams)).build_model(spec)
    assert any("histories" in weight.name for weight in model.weights) == ngrams
    text = tf.constant(excerpts(2)[:, :30])
    costs = model.nats(text).numpy()
    state = model.read(text[:, :10])
    for i in range(10, 29):
        logits, state = model.step(text[:, i], state)
        chosen = tf.gather(logits, text[:, i + 1], batch_dims=1).numpy()
        np.testing.assert_allclose(-chosen, costs[:, i], rtol=1e-3)


def test_an_unknown_character_is_told_and_costs_its_name(task: TextGeneration, model: Any, spec: DataSpec) -> None:
    found = task.predict(model, asked("ab\u65e5"), spec)
    assert found["prompt_unknown"].numpy().tolist() == [1]
    assert found["prompt_characters"].numpy().tolist() == [3]
    assert found["prompt_bits"].numpy()[0] > characters.SPELLING_BITS


def test_a_prompt_is_not_cut_within_a_character_as_people_see_it() -> None:
    assert opening(("a" * 63 + "e\u0323\u0301bc").encode(), 0).endswith("e\u0323\u0301")
    assert opening(b"short", 0) == "short"


def test_the_preview_shows_prompt_continuation_and_the_text_itself(task: TextGeneration) -> None:
    prediction = {"text": b" and so on", "longest_copy": 7}
    shown = task.preview({"prompt": b"It was", "text": b"It was late"}, prediction)
    prompt, text, own = shown.parts
    assert isinstance(text, Words) and "7 characters" in text.caption
    assert [part.text for part in (prompt, text, own) if isinstance(part, Words)] == ["It was", " and so on", " late"]
