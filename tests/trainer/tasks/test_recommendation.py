"""The task's own parts: tables out of rows, the references, what people see."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.folders.check import check
from trainer.backend import tf
from trainer.features.interactions import TOP
from trainer.preview import Words
from trainer.task import DataSpec
from trainer.tasks.recommendation import Recommendation, RecommendationHParams

TRAIN = {
    "user": np.array([0, 0, 0, 0, 1, 1, 2, 2], np.int64),
    "item": np.array([0, 1, 2, 3, 0, 1, 0, 4], np.int64),
    "rating": np.array([5, 4, 3, 2, 5, 4, 5, 1], np.float32),
}
VOCABULARIES = {
    "user": ["ann", "bob", "ivo"],
    "item": ["x1", "x2", "x3", "x4", "x5"],
    "title": ["x1\tFirst", "x2\tMost frequent", "x2\tLess frequent", "a\tb\tc"],
}
SPEC = DataSpec({}, VOCABULARIES, num_train_examples=8, steps=10, train=lambda only: TRAIN)


@pytest.fixture
def task() -> Recommendation:
    return Recommendation(RecommendationHParams(tower_size=4, head_size=2))


def test_rows_become_indices_by_frequency_and_a_table_of_titles(task: Recommendation, tmp_path: Path) -> None:
    import tensorflow_transform as tft
    import tensorflow_transform.beam as tft_beam
    from tensorflow_transform.tf_metadata import dataset_metadata, schema_utils

    kinds = {"user": tf.string, "item": tf.string, "rating": tf.float32, "timestamp": tf.int64}
    columns = {name: tf.io.FixedLenFeature([], kind) for name, kind in kinds.items()}
    columns["title"] = tf.io.VarLenFeature(tf.string)
    counts = {"ann": 8, "bob": 4, "ivo": 2, "eve": 1}
    rows = [
        {"user": user, "item": f"i\t{item}", "rating": 2.5, "timestamp": 0, "title": [f"No.\n{item}"] if item else []}
        for user, count in counts.items()
        for item in range(count)
    ]
    metadata = dataset_metadata.DatasetMetadata(schema_utils.schema_from_feature_spec(columns))
    with tft_beam.Context(temp_dir=str(tmp_path / "temp")):
        function = (rows, metadata) | tft_beam.AnalyzeDataset(lambda inputs: task.preprocess(dict(inputs)))
        function | tft_beam.WriteTransformFn(str(tmp_path / "graph"))
    output = tft.TFTransformOutput(str(tmp_path / "graph"))
    asked = {"user": ["ann", "bob", "ivo", "eve", "new", "newer"]}
    features = output.transform_features_layer()({name: tf.constant(values) for name, values in asked.items()})
    assert features["user"].numpy().tolist() == [0, 1, 2, 3, 4, 4]
    assert features["activity"].numpy().tolist() == [4, 3, 2, 1, 0, 0]
    assert len(set(features["user_hash"].numpy())) == 6
    assert output.vocabulary_by_name("item")[:2] == [b"i\t0", b"i\t1"]
    assert output.vocabulary_by_name("title")[0] == b"i\t1\tNo. 1"


def predictions(task: Recommendation, **features: Any) -> dict[str, Any]:
    tensors = {name: tf.constant(values) for name, values in features.items()}
    found = task.predict(task.build_model(SPEC), tensors, SPEC)
    return {name: value.numpy() for name, value in found.items()}


USERS = {"user": np.array([0, 2, 3]), "activity": np.array([4, 1, 0])}


def test_lists_have_titles_and_ratings_and_end_where_nothing_is_left(task: Recommendation) -> None:
    found = predictions(task, **USERS)
    assert found["known"].tolist() == [True, True, False]
    assert found["items"].shape == found["titles"].shape == found["ratings"].shape == (3, TOP)
    assert found["items"][0].tolist() == [b"x5"] + [b""] * 9 and found["titles"][0, 0] == b"x5"
    assert set(found["items"][1][:3]) == {b"x2", b"x3", b"x4"}
    names = dict(zip(found["items"].ravel().tolist(), found["titles"].ravel().tolist(), strict=True))
    assert names == {b"x1": b"First", b"x2": b"Most frequent", b"x3": b"x3", b"x4": b"x4", b"x5": b"x5", b"": b""}
    given = ~np.isnan(found["ratings"])
    np.testing.assert_array_equal(given, found["items"] != b"", "what is no item has no rating")
    assert found["ratings"][given].min() >= 1 and found["ratings"][given].max() <= 5
    assert "rating" not in found


def test_where_the_truth_is_known_the_pair_is_rated(task: Recommendation) -> None:
    found = predictions(task, **USERS, item=np.array([4, 1, 5]), rating=np.zeros(3, np.float32))
    assert found["rating"].shape == (3,)
    assert found["asked"].tolist() == [True, True, True]
    again = predictions(task, **USERS, item=np.array([3, 4, 0]), rating=np.zeros(3, np.float32))
    assert again["asked"].tolist() == [False, False, True], "no list is asked for what was taken up in training"
    assert found["rating"][0] == pytest.approx(found["ratings"][0, 0])


def test_references_are_popularity_and_biases_with_factors(task: Recommendation) -> None:
    # Bob has not rated x3, x4 and x5; two people are new, and one of them took up the most popular item.
    evaluation = {
        "user": np.array([1, 3, 3]),
        "item": np.array([2, 0, 5]),
        "rating": np.array([3, 5, 3], np.float32),
        "user_hash": np.array([11, 12, 13]),
    }
    scores = task.reference(TRAIN, evaluation, SPEC)
    assert scores["popularity"] == pytest.approx({"recall_at_10": 2 / 3, "ndcg_at_10": 2 / 3})
    assert set(scores["biases and SVD"]) == {"rmse"}
    assert 0 < scores["biases and SVD"]["rmse"] < 1


def test_where_all_was_taken_up_in_training_lists_cannot_be_judged(task: Recommendation) -> None:
    evaluation = {"user": TRAIN["user"], "item": TRAIN["item"], "rating": TRAIN["rating"], "user_hash": TRAIN["user"]}
    scores = task.reference(TRAIN, evaluation, SPEC)
    assert np.isnan(list(scores["popularity"].values())).all()


PREDICTION = {
    "items": np.array([b"x3", b"x2"] + [b""] * 8),
    "titles": np.array([b"Third", b"Second"] + [b""] * 8),
    "ratings": np.array([4.25, 3.0] + [3.1] * 8, np.float32),
    "known": np.True_,
    "activity": np.int64(2),
}


@pytest.mark.parametrize(("item", "correct", "said"), [(b"x2", True, "place 2 of"), (b"x9", False, "not in")])
def test_a_list_is_right_if_it_holds_what_the_user_took_up(
    task: Recommendation, item: bytes, correct: bool, said: str
) -> None:
    preview = task.preview({"user": b"ann", "item": item, "rating": 4.0, "title": b"Taken"}, PREDICTION)
    listed, taken = preview.parts
    assert isinstance(listed, Words) and isinstance(taken, Words)
    assert listed.text == "1. Third (4.2)\n2. Second (3.0)"
    assert taken.text == "Taken (4.0)" and said in taken.caption
    assert preview.correct is correct and preview.slice == {"activity": "2"}


def test_who_asks_sees_the_list_and_the_new_are_told_so(task: Recommendation) -> None:
    preview = task.preview({"user": b"zoe"}, PREDICTION | {"known": np.False_})
    [listed] = preview.parts
    assert isinstance(listed, Words)
    assert preview.correct is None and preview.title == "for zoe" and "new user" in listed.caption


def test_a_table_is_split_by_time_and_bad_rows_are_told(tmp_path: Path) -> None:
    rows = [f"u{row % 7},{row},{row % 5},2026-01-{row % 30 + 1:02}T10:00:00" for row in range(60)]
    table = tmp_path / "good" / "ratings.csv"
    table.parent.mkdir()
    table.write_text("\n".join(["user,item,rating,timestamp", *rows, ""]))
    good = check(table.parent, Recommendation.columns, split_by=Recommendation.split_by)
    assert good.ok and (good.splits["train"].good, good.splits["eval"].good) == (48, 12)
    bad = tmp_path / "bad"
    bad.mkdir()
    worse = [*rows, "u1,,3,2026-02-01", "u1,2,great,2026-02-01", "u1,2,3,yesterday", "u2,3,4,yesterday"]
    (bad / "ratings.csv").write_text("\n".join(["user,item,rating,timestamp", *worse, ""]))
    report = check(bad, Recommendation.columns, split_by=Recommendation.split_by)
    assert not report.ok and {(group.column, group.count) for group in report.problems} == {
        ("item", 1),
        ("rating", 1),
        ("timestamp", 2),
    }


def test_the_check_warns_of_as_many_pairs_as_the_run_leaves_out(tmp_path: Path) -> None:
    from trainer.metrics import ranking

    train = [("ann", "x1"), ("ann", "x2"), ("bob", "x1"), ("bob", "x1")]
    evaluated = [("ann", "x1"), ("ann", "x3"), ("bob", "x1"), ("bob", "x1"), ("new", "x2")]
    for name, pairs in {"train": train, "eval": evaluated}.items():
        rows = [f"{user},{item},{n % 5},2026-01-{n + 1:02}" for n, (user, item) in enumerate(pairs)]
        (tmp_path / f"{name}.csv").write_text("\n".join(["user,item,rating,timestamp", *rows, ""]))
    once = Recommendation.asked_once
    report = check(tmp_path, Recommendation.columns, split_by=Recommendation.split_by, asked_once=once)
    assert "2 of 4 pairs of user and item in eval stand in train, too" in report.text()
    ranks = [ranking.NOT_ASKED if pair in train else ranking.MISSED for pair in evaluated]
    tally = ranking.tally(*zip(*evaluated, strict=True), ranks)
    assert ranking.left_out(tally) == report.asked_before / report.asked


def test_the_table_names_the_user_and_the_titles(task: Recommendation) -> None:
    answer = {
        "known": True,
        "activity": 3,
        "items": ["x1", "x2", ""],
        "titles": ["First", "Second, The", ""],
        "ratings": [4.56, 3.0, 2.0],
    }
    assert task.answer_row({"user": b"ann"}, answer) == {
        "user": "ann",
        "known": True,
        "likeliest first (rating expected)": "First (4.6); Second, The (3.0)",
    }
