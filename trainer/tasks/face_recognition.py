"""Face recognition (question 19): who is on a picture, if it is somebody known?

Method: a convolutional network with a spatial transformer that aligns each picture (Jaderberg et al. 2015), trained by
a large margin cosine loss (CosFace, Wang et al. 2018); the nearest of the people's centres is the answer where the
cosine reaches a threshold, else "unknown". See `trainer.networks.recogniser`. A picture `[height, width, channels]`
uint8 -> `label`, the nearest `names` with their `scores`, (cosine + 1) / 2, and the `embedding`, by which
`benison enrol` adds people to a pushed model without training.

Strangers are part of the evaluation: a tenth of the people of an unsplit folder are in evaluation alone, beside a fifth
of the pictures of all others; in a split folder whoever is in `eval/` alone is one. `rank_1` is of the known, whatever
the threshold; `strangers_refused` the share of strangers below the score that 5 % of the known fall short of;
`accuracy` counts an answer right that names the known and no stranger. The model's own threshold refuses 5 % of the
pictures of training, moved as they were. The model holds the names and a centre of each person: see `docs/faces.md`.

Reference: the nearest picture by the cosine of eigenfaces (Turk & Pentland 1991), with the threshold that refuses 5 %
of the train split's pictures, each beside all others.

Default data: 400 pictures of 40 people (`orl_faces`), 4 of whom are strangers.
Measured scores and seconds: `docs/results.md`. Command: `benison run face_recognition`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from data.columns import Image, Label
from trainer import assessment
from trainer.assessment import Assessment
from trainer.backend import tf
from trainer.families import classification, faces
from trainer.families.identification import UNKNOWN, Identifies
from trainer.optimisers import optimizer
from trainer.preview import Bars, Picture, Preview, as_text
from trainer.task import Arrays, DataSpec, Evaluation, Features, Gate, Metric, Task

REFUSED = 0.05
"""Share of the train split's pictures that the threshold refuses."""
TOP = 5
"""Nearest people that an answer names."""


@dataclass(frozen=True)
class FaceRecognitionHParams(faces.FaceHParams):
    global_batch_size: int = field(default=64, metadata={"min": 1})


class FaceRecognition(Task, Identifies):
    title = "Face recognition"
    questions = (19,)
    modality = "image"
    data = "orl_faces"
    columns = {
        "image": Image(description="a picture of a face"),
        "person": Label(open=True, strangers=0.1, description="who it is"),
    }
    targets = ("person",)
    small = {**Task.small, **faces.SMALL}
    split_by = "person"
    enrols = "embedding"
    truth, names, known_by = "person", "names", "person"
    HParams = FaceRecognitionHParams

    def preprocess(self, inputs: Features) -> Features:
        """
        Returns:
          `image` uint8 `[batch, height, width, channels]`; `person` int64 `[batch]`, -1 for strangers.
        """
        person = classification.index_labels(inputs["person"], "person")
        return faces.pictures(inputs, ("image",), self.hparams) | {"person": person}

    def batch(self, features: Features, seed: Any) -> Features:
        return features if seed is None else faces.moved(features, ("image",), self.hparams, seed)

    def build_model(self, spec: DataSpec) -> Any:
        from trainer.networks.recogniser import Recogniser

        hparams = self.hparams
        embedding = faces.embedder(spec.features["image"].shape, hparams)
        model = Recogniser(embedding, len(spec.vocabularies["person"]), hparams.margin, REFUSED, target="person")
        model.compile(optimizer(hparams, spec.steps), jit_compile=hparams.xla)
        return model

    def predict(self, model: Any, features: Features, spec: DataSpec) -> Features:
        from trainer.networks.embedding import name_cosines

        people = spec.vocabularies["person"]
        embedding = model.embedding(features["image"], training=False)
        best = tf.math.top_k(name_cosines(embedding, model.centres), min(TOP, len(people)))
        names, scores, threshold = tf.gather(people, best.indices), (best.values + 1) / 2, (model.threshold + 1) / 2
        known = scores[:, 0] >= threshold
        return {
            "label": tf.where(known, names[:, 0], UNKNOWN),
            "names": names,
            "scores": scores,
            "score": scores[:, 0],
            "threshold": tf.fill(tf.shape(known), threshold),
            "nearest": best.indices[:, 0],
            "answer": tf.where(known, best.indices[:, 0], -1),
            "embedding": embedding,
        }

    def metrics(self) -> Evaluation:
        def metric(name: str, kind: str, prediction: str) -> Metric:
            return Metric(name, kind, module="trainer.metrics.identification", prediction=prediction)

        return Evaluation(
            prediction="score",
            label="person",
            metrics=(
                metric("rank_1", "Rank1", "nearest"),
                metric("accuracy", "Decisions", "answer"),
                metric("strangers_refused", "StrangersRefused", "score"),
                metric("false_refusals", "FalseRefusals", "answer"),
            ),
            gates=(Gate("rank_1", bound=0.95, baseline_margin=0.01), Gate("accuracy", baseline_margin=0.01)),
            slices=("person",),
        )

    def reference(self, train: Arrays, evaluation: Arrays, spec: DataSpec) -> dict[str, dict[str, float]]:
        from trainer.metrics import identification
        from trainer.references import eigenfaces

        learnt = eigenfaces.learn(train["image"], self.hparams.seed)
        gallery, asked = (eigenfaces.coordinates(one["image"], learnt) for one in (train, evaluation))
        place, cosine = eigenfaces.nearest(asked, gallery)
        own = eigenfaces.own_cosines(gallery, train["person"])
        threshold = float(np.quantile(own, REFUSED)) if len(own) else -1.0
        scores = identification.scores_of(
            evaluation["person"], train["person"][place], (cosine + 1) / 2, (threshold + 1) / 2
        )
        return {"eigenfaces, nearest": scores}

    def assess(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Assessment:
        truth = as_text(example["person"]) if example.get("person") is not None else None
        return assessment.of_nearest(truth, as_text(prediction["label"]), _nearest(prediction), UNKNOWN)

    def preview(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Preview:
        """The picture beside the nearest known people and the threshold that they have to reach."""
        score, threshold = float(prediction["scores"][0]), float(prediction["threshold"])
        guess, person = as_text(prediction["label"]), example.get("person")
        nearest = _nearest(prediction)
        truth = None if person is None else as_text(person)
        title = f"{guess}: {score:.3f}, threshold {threshold:.3f}"
        return Preview(
            title=title if truth is None else f"{truth} → {title}",
            correct=self.assess(example, prediction).correct,
            slice={} if truth is None else {"person": truth},
            parts=(
                Picture(example["image"]),
                Bars(nearest | {"threshold": threshold}, caption="nearest known people"),
            ),
        )

    def answer_row(self, example: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
        nearest = zip(answer["names"], answer["scores"], strict=True)
        row = {"answer": answer["label"], "score": answer["scores"][0], "threshold": answer["threshold"]}
        return row | {"nearest": ", ".join(f"{name} {score:.3f}" for name, score in nearest)}

    def recognise(
        self, prediction: Mapping[str, Any], names: Sequence[str], embeddings: np.ndarray
    ) -> Mapping[str, Any]:
        """The nearest of all, where those who are enrolled have a centre of their embeddings. Places of names, which
        they have none of, are left out."""
        nearest = _nearest(prediction)
        for name in dict.fromkeys(names):
            centre = embeddings[[one == name for one in names]].mean(axis=0)
            cosine = float(centre @ prediction["embedding"] / max(float(np.linalg.norm(centre)), 1e-9))
            nearest[name] = max((cosine + 1) / 2, nearest.get(name, 0.0))
        best = sorted(nearest, key=nearest.__getitem__, reverse=True)[:TOP]
        known = nearest[best[0]] >= float(prediction["threshold"])
        kept = {name: value for name, value in prediction.items() if name not in ("nearest", "answer")}
        scores = np.array([nearest[name] for name in best], np.float32)
        found = {"label": (best[0] if known else UNKNOWN).encode(), "names": np.array([n.encode() for n in best])}
        return kept | found | {"scores": scores, "score": scores[0]}


def _nearest(prediction: Mapping[str, Any]) -> dict[str, float]:
    return {as_text(n): float(s) for n, s in zip(prediction["names"], prediction["scores"], strict=True)}
