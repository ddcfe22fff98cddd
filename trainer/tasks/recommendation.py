"""Recommendation (question 24): which items will a user take up next, and how will they be rated?

Method: two towers (Covington et al. 2016), one of users, who are also what they have rated, and one of items, rank all
items; a NeuMF head (He et al. 2017) tells ratings; see `trainer.networks.two_tower`. `user`, a name or number -> the
ten best `items` of all that the user has not rated in training, their `titles` and the `ratings` expected of this user.
A user unknown to training gets what people like who have not rated anything yet: what is popular.

Ratings may be of any scale. What counts as a hit is that a user took an item up, whatever the rating, as is usual since
He et al.: it asks nothing of the scale. Items that training never saw cannot be recommended and count as missed. What a
user took up several times counts once, and what the user took up in training already is not asked for (`left_out` is
its share); where nothing is left to ask for, lists have no score.
The model holds who rated what; treat it as you treat that table. Titles are each item's most frequent one.

Reference: biases and a singular value decomposition for ratings; the most popular items for lists.

Default data: 100,004 ratings of films by 671 people (`movielens`), the last fifth of each to evaluate. A table that is
not split is cut at one moment instead: the last fifth of all, many of them by people who are new.
Measured scores and seconds: `docs/results.md`. Command: `benison run recommendation`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from data.columns import Identifier, Number, Text, Timestamp
from trainer.assessment import Assessment
from trainer.backend import tf
from trainer.features.interactions import TOP, Interactions
from trainer.optimisers import optimizer
from trainer.preview import Preview, Words, as_text
from trainer.task import Arrays, DataSpec, Evaluation, Features, Gate, HParams, Metric, Task

QUARTERS = 4
POPULAR = "popularity"
"""The reference that gives everybody the same list, but for what each has rated."""


@dataclass(frozen=True)
class RecommendationHParams(HParams):
    epochs: int = field(default=12, metadata={"min": 1})
    min_steps: int = field(default=500, metadata={"min": 1})
    global_batch_size: int = field(default=1024, metadata={"min": 1})
    learning_rate: float = field(default=2e-3, metadata={"min": 0.0})
    tower_size: int = field(default=64, metadata={"min": 1})
    head_size: int = field(default=16, metadata={"min": 1})
    dropout: float = field(default=0.2, metadata={"min": 0.0, "max": 0.95})
    negatives: int = field(default=1024, metadata={"min": 1})
    """Items that each step tells from those that were taken up."""
    decay: float = field(default=40.0, metadata={"min": 0.0})
    """L2 penalty on the embeddings of which ratings are told."""


class Recommendation(Task):
    title = "Recommendation"
    questions = (24,)
    modality = "table"
    data = "movielens"
    columns = {
        "user": Identifier(description="who, by name or number"),
        "item": Identifier(description="what was taken up and rated"),
        "rating": Number(description="how, on any scale: higher is better"),
        "timestamp": Timestamp(optional=True, description="when"),
        "title": Text(optional=True, max_characters=1000, description="what people call the item"),
    }
    targets = ("item", "rating", "timestamp", "title")
    split_by = "timestamp"
    asked_once = ("user", "item")
    HParams = RecommendationHParams
    reference_examples = 10**9  # as many as the model: what a user has rated is left out of the user's list

    def preprocess(self, inputs: Features) -> Features:
        """
        Returns:
          `user` and `item` int64 `[batch]`, most frequent first, after the last for what training has not seen;
          `rating` float32 `[batch]`; `user_hash` int64 `[batch]`, which tells users apart that training has not seen;
          `activity` int64 `[batch]`: the quarter of the users, by how many ratings they gave, from 1 to, with most, 4,
          and 0 for the unknown.
        """
        import tensorflow_transform as tft

        user, item = (
            tft.compute_and_apply_vocabulary(inputs[name], vocab_filename=name, num_oov_buckets=1)
            for name in ("user", "item")
        )
        title = inputs["title"]
        titled = tf.gather(inputs["item"], title.indices[:, 0])
        one_line = tf.strings.regex_replace(title.values, r"\s+", " ")  # vocabularies have an entry per line
        tft.vocabulary(tf.strings.join([titled, one_line], "\t"), vocab_filename="title")
        num_users = tf.cast(tft.experimental.get_vocabulary_size_by_name("user"), tf.int64)
        return {
            "user": user,
            "item": item,
            "rating": inputs["rating"],
            "user_hash": tf.strings.to_hash_bucket_fast(inputs["user"], 2**62),
            "activity": QUARTERS - QUARTERS * user // num_users,
        }

    def build_model(self, spec: DataSpec) -> Any:
        from trainer.networks.two_tower import TwoTower

        hparams = self.hparams
        known = _interactions(spec.train(only=("user", "item", "rating")), spec)
        model = TwoTower(
            known, hparams.tower_size, hparams.head_size, hparams.dropout, hparams.negatives, hparams.decay
        )
        model.compile(optimizer(hparams, spec.steps), jit_compile=hparams.xla)
        return model

    def predict(self, model: Any, features: Features, spec: DataSpec) -> Features:
        user = features["user"]
        found = model({"user": user}, training=False)
        vectors, tastes, items = found["vectors"], found["tastes"], found["items"]
        pairs = tf.repeat(user, TOP), tf.reshape(items, [-1]), tf.repeat(vectors, TOP, 0), tf.repeat(tastes, TOP, 0)
        names = spec.vocabularies["item"]
        titles = _titles(spec.vocabularies["title"])
        answer = {
            "known": user < len(spec.vocabularies["user"]),
            "activity": features["activity"],
            "items": tf.gather(tf.constant([*names, ""]), items),  # the last one where there are no more
            "titles": tf.gather(tf.constant([*(titles.get(name, name) for name in names), ""]), items),
            "ratings": tf.where(items < len(names), tf.reshape(model.ratings(*pairs), [-1, TOP]), math.nan),
        }
        if "item" in features:  # in evaluation
            answer["rating"] = model.ratings(user, features["item"], vectors, tastes)
            answer["asked"] = ~model.have_rated(user, features["item"])
        return answer

    def metrics(self) -> Evaluation:
        module = "trainer.metrics.ranking"
        return Evaluation(
            prediction=("items", "asked"),
            label="rating",
            raw_label=True,
            targets_seen=True,
            metrics=(
                Metric("rmse", "RootMeanSquaredError", prediction="rating"),
                Metric("recall_at_10", "RecallOfLists", module),
                Metric("ndcg_at_10", "NdcgOfLists", module),
                Metric("left_out", "LeftOut", module),
            ),
            gates=(
                Gate("rmse", higher_is_better=False, baseline_margin=0.01),
                Gate("recall_at_10", baseline_margin=0.005, constant=POPULAR),
                Gate("ndcg_at_10", baseline_margin=0.005, constant=POPULAR),
            ),
            slices=("activity",),
        )

    def reference(self, train: Arrays, evaluation: Arrays, spec: DataSpec) -> dict[str, dict[str, float]]:
        from trainer.metrics import ranking

        known, users, items = _interactions(train, spec), evaluation["user"], evaluation["item"]
        errors = known.factor_ratings(users, items) - evaluation["rating"]
        ranks = known.popularity_ranks(users, items)
        # What training never saw is one index: each is an item of its own here.
        told_apart = np.where(items == known.num_items, -1 - np.arange(len(items)), items)
        return {
            "biases and SVD": {"rmse": float(np.sqrt(np.mean(errors.astype(np.float64) ** 2)))},
            POPULAR: ranking.scores(evaluation["user_hash"].tolist(), told_apart.tolist(), ranks.tolist()),
        }

    def assess(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Assessment:
        """Right means that the list holds what the user took up."""
        items = [as_text(item) for item in prediction["items"]]
        titles = [as_text(title) for title, item in zip(prediction["titles"], items, strict=True) if item]
        if "item" not in example:
            return Assessment("; ".join(titles))
        item = as_text(example["item"])
        place, name = items.index(item) if item in items else len(items), "places before it in the list"
        return Assessment(
            "; ".join(titles), as_text(example.get("title", item)), item in items, loss=place, loss_name=name
        )

    def preview(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Preview:
        """The list."""
        user, items = as_text(example["user"]), [as_text(item) for item in prediction["items"]]
        lines = [
            f"{place}. {as_text(title)} ({rating:.1f})"
            for place, (title, rating) in enumerate(zip(prediction["titles"], prediction["ratings"], strict=True), 1)
            if items[place - 1]
        ]
        whose = "likeliest first" if prediction["known"] else "a new user: most popular first"
        caption = f"{whose}; in brackets the rating expected"
        title, parts = f"for {user}", [Words("\n".join(lines) or "nothing is left", caption=caption)]
        if "item" not in example:
            return Preview(title, None, {}, parts)
        item = as_text(example["item"])
        place = f"place {items.index(item) + 1} of the list" if item in items else "not in the list"
        parts.append(
            Words(f"{as_text(example.get('title', item))} ({example['rating']:.1f})", caption=f"took up: {place}")
        )
        correct = self.assess(example, prediction).correct
        return Preview(title, correct, {"activity": str(prediction["activity"])}, parts)

    def answer_row(self, example: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
        listed = zip(answer["items"], answer["titles"], answer["ratings"], strict=True)
        titles = [f"{title} ({rating:.1f})" for item, title, rating in listed if item]
        return {
            "user": as_text(example["user"]),
            "known": answer["known"],
            "likeliest first (rating expected)": "; ".join(titles),
        }


def _interactions(train: Arrays, spec: DataSpec) -> Interactions:
    sizes = (len(spec.vocabularies[name]) for name in ("user", "item"))
    return Interactions(train["user"], train["item"], train["rating"], *sizes)


def _titles(entries: Any) -> dict[str, str]:
    """Item -> title, of entries "item<tab>title", most frequent first."""
    pairs = (entry.rpartition("\t") for entry in reversed(entries))
    return {item: title for item, tab, title in pairs if tab}
