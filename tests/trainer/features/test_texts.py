"""Texts to tokens and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from trainer.backend import tf
from trainer.features import texts

VERSES = [
    "In the beginning, God",
    "“Who's there?” – the   wind.",
    "¿Quién crió la tierra?",
    "はじめに神は天と地を創造した。",
]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("In the beginning, God", ["▁In", "▁the", "▁beginning", ",", "▁God"]),
        ("didn’t", ["▁didn", "’", "t"]),
        ("  a\u00a0b\n", ["▁a", "▁b"]),
        ("1,5 €", ["▁1", ",", "5", "▁€"]),
        ("神は、天", ["▁神は", "、", "天"]),
        ("non\u0303e", ["▁non\u0303e"]),
        (" ", []),
    ],
)
def test_a_text_is_cut_into_words_and_other_characters(text: str, words: list[str]) -> None:
    [found] = texts.split_words(tf.constant([text])).to_list()
    assert [word.decode() for word in found] == words
    assert "".join(words).replace("▁", " ").strip() == " ".join(text.split())


def test_a_rare_word_is_cut_into_the_longest_pieces_known() -> None:
    def ids(*known: str) -> Any:
        keys, values = tf.constant(known), tf.range(len(known), dtype=tf.int64)
        return tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(keys, values), -1).lookup

    def shifted(lookup: Any, first: int) -> Any:
        return lambda strings: tf.where(lookup(strings) < 0, tf.constant(-1, tf.int64), lookup(strings) + first)

    words = tf.ragged.constant([["▁king", "doms", "▁kingdoms"], [], ["▁kö"]])
    found = texts.segment(
        words,
        shifted(ids("▁king"), 100),
        shifted(ids("▁", *"kingdoms"), 200),
        shifted(ids("▁ki", "▁kin", "gd", "dom", "gdom"), 300),
    )
    assert found.to_list() == [[100, 303, 208, 301, 304, 208], [], [200, 201, texts.UNKNOWN]]


def test_no_texts_and_texts_of_no_words_have_no_tokens() -> None:
    def unknown(strings: Any) -> Any:
        return tf.fill(tf.shape(strings), tf.constant(-1, tf.int64))

    for given in ([], ["", "  "]):
        words = texts.split_words(tf.constant(given, tf.string))
        assert texts.segment(words, unknown, unknown, unknown).to_list() == [[] for _ in given]


def transform(tmp_path: Path, train: list[str], others: list[str], words: int, pieces: int) -> Any:
    """Token numbers of `others` and the tokens' texts, by vocabularies of `train`."""
    import tensorflow_transform as tft
    import tensorflow_transform.beam as tft_beam
    from tensorflow_transform.tf_metadata import dataset_metadata, schema_utils

    def preprocessing_fn(inputs: Any) -> Any:
        return {"ids": texts.index_tokens(inputs["text"], "text", words, pieces).to_tensor(shape=[None, 40])}

    schema = schema_utils.schema_from_feature_spec({"text": tf.io.FixedLenFeature([], tf.string)})
    with tft_beam.Context(temp_dir=str(tmp_path / "temp")):
        rows = [{"text": text} for text in train]
        transform_fn = (rows, dataset_metadata.DatasetMetadata(schema)) | tft_beam.AnalyzeDataset(preprocessing_fn)
        _ = transform_fn | tft_beam.WriteTransformFn(str(tmp_path / "graph"))
    output = tft.TFTransformOutput(str(tmp_path / "graph"))
    names = [f"text_{part}" for part in ("words", "characters", "pieces")]
    vocabularies = {name: [word.decode() for word in output.vocabulary_by_name(name)] for name in names}
    found = output.transform_raw_features({"text": tf.constant(others)})["ids"]
    return found, texts.token_texts(vocabularies, "text")


def test_known_or_not_a_text_comes_back_as_it_was_but_for_spaces(tmp_path: Path) -> None:
    new = "the creation didn't begin with words: the end."
    letters = "abcdefghijklmnopqrstuvwxyz' : it"
    ids, tokens = transform(tmp_path, [*VERSES, letters], [*VERSES, new, "the ☃"], words=3, pieces=20)
    back = [text.decode() for text in texts.join_tokens(ids, tokens).numpy()]
    assert back == [*(" ".join(text.split()) for text in VERSES), new, "the"]
    assert texts.UNKNOWN in ids.numpy()[-1] and texts.UNKNOWN not in ids.numpy()[:-1]
    spelt = [tokens[i] for i in ids.numpy()[1] if i]
    assert "▁the" in spelt and "▁wind" not in spelt


def test_no_pieces_are_needed_where_all_words_are_known(tmp_path: Path) -> None:
    ids, tokens = transform(tmp_path, ["one two", "two"], ["two one"], words=10, pieces=10)
    assert [tokens[i] for i in ids.numpy()[0] if i] == ["▁two", "▁one"]
