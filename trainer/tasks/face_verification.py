"""Face verification (question 20): do two pictures show the same person?

Method: a siamese network (Bromley et al. 1993) with a spatial transformer that aligns each picture (Jaderberg et al.
2015). It learns to tell the people of the train split by a large margin cosine loss (CosFace, Wang et al. 2018); two
pictures show the same person where the cosine of their embeddings reaches a threshold, which is part of the model and
was set on people of the train split whose faces the embedding does not learn. See `trainer.networks.siamese`. Two
pictures `[height, width, channels]` uint8 -> `score`, (cosine + 1) / 2, and whether that reaches `threshold`.

People of a pair in evaluation are never seen in training: that is what is asked, and what is measured. Read a folder a
person, of which pairs are drawn; `pairs.txt` of Labelled Faces in the Wild; or a table that names two pictures and says
whether they are the same. Names are known to training by a hash alone, and are not in the model.

Reference: the cosine of eigenfaces (Turk & Pentland 1991), and the correlation of pixels.

Default data: 400 pictures of 40 people (`orl_faces`), of whom 8 are held out: 1,920 pairs to train, 640 to evaluate.
Eight people are few: other eight would give another score. Faces are cut out and seen from the front.
Measured scores and seconds: `docs/results.md`. Command: `benison run face_verification`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from data.columns import Image, Label, Partner, Same
from trainer import assessment
from trainer.assessment import Assessment
from trainer.backend import tf
from trainer.decisions import Decided, Decides, Decision, reaches
from trainer.families import faces
from trainer.optimisers import optimizer
from trainer.preview import Bars, Picture, Preview, as_text, plots
from trainer.preview.plots import Plot
from trainer.task import Arrays, DataSpec, Evaluation, Features, Gate, Metric, Task

PICTURES = ("image", "partner")
HASHES = 2**40
"""Numbers of names; two names of a thousand share one with a probability of one in a million."""


@dataclass(frozen=True)
class FaceVerificationHParams(faces.FaceHParams):
    global_batch_size: int = field(default=32, metadata={"min": 1})
    """Pairs."""


class FaceVerification(Task, Decides):
    title = "Face verification"
    questions = (20,)
    modality = "image"
    data = "orl_faces"
    columns = {
        "image": Image(description="a picture of a face"),
        "partner": Partner(of="image", kind=Image(), description="another picture, to compare with"),
        "person": Label(open=True, optional=True, description="who it is"),
        "partner_person": Partner(
            of="person", kind=Label(open=True, optional=True), optional=True, description="who is on the other picture"
        ),
        "same": Same(by="person", description="whether both pictures show one person"),
    }
    targets = ("same", "person", "partner_person")
    small = {**Task.small, **faces.SMALL}
    split_by = "person"
    below = "said to be of different people"
    counted = "pairs"
    HParams = FaceVerificationHParams

    def preprocess(self, inputs: Features) -> Features:
        """
        Returns:
          `image` and `partner` uint8 `[batch, height, width, channels]`; `person` and `partner_person` int64 `[batch]`,
          hashes of the names, -1 where there is none; `same` int64 `[batch]`.
        """
        return faces.pictures(inputs, PICTURES, self.hparams) | {
            "person": _hashed(inputs["person"]),
            "partner_person": _hashed(inputs["partner_person"]),
            "same": inputs["same"],
        }

    def batch(self, features: Features, seed: Any) -> Features:
        return features if seed is None else faces.moved(features, PICTURES, self.hparams, seed)

    def build_model(self, spec: DataSpec) -> Any:
        from trainer.networks import siamese

        hparams = self.hparams
        train = spec.train(only=("person", "partner_person"))
        learnt, calibrating = siamese.shared_out(np.concatenate([train["person"], train["partner_person"]]))
        embedding = faces.embedder(spec.features["image"].shape, hparams)
        model = siamese.Siamese(embedding, learnt, calibrating, hparams.margin)
        model.compile(optimizer(hparams, spec.steps), jit_compile=hparams.xla)
        return model

    def predict(self, model: Any, features: Features, spec: DataSpec) -> Features:
        cosine = model(features, training=False)
        same = cosine >= model.threshold
        return {
            "label": tf.where(same, "same", "different"),
            "score": (cosine + 1) / 2,
            "threshold": tf.fill(tf.shape(cosine), (model.threshold + 1) / 2),
            "probability": model.probability(cosine),
            "same": tf.cast(same, tf.int64),
        }

    def metrics(self) -> Evaluation:
        def metric(name: str, kind: str, prediction: str = "score") -> Metric:
            return Metric(name, kind, module="trainer.metrics.verification", prediction=prediction)

        return Evaluation(
            prediction="score",
            label="same",
            metrics=(
                metric("eer", "EqualErrorRate"),
                metric("auc", "AreaUnderCurve"),
                metric("tar_at_far_1", "TrueAcceptRate"),
                metric("accuracy", "DecisionAccuracy", "same"),
            ),
            gates=(Gate("eer", higher_is_better=False, baseline_margin=0.01), Gate("auc", baseline_margin=0.01)),
        )

    def reference(self, train: Arrays, evaluation: Arrays, spec: DataSpec) -> dict[str, dict[str, float]]:
        from trainer.metrics import verification
        from trainer.references import eigenfaces

        learnt = eigenfaces.learn(train["image"], self.hparams.seed)
        pairs = evaluation["image"], evaluation["partner"]
        pixels = [eigenfaces.flattened(pictures) for pictures in pairs]
        methods = {
            "eigenfaces' cosine": [eigenfaces.coordinates(pictures, learnt) for pictures in pairs],
            "pixel correlation": [one - one.mean(axis=1, keepdims=True) for one in pixels],
        }
        return {
            name: verification.scores_of(evaluation["same"], (eigenfaces.cosines(*both) + 1) / 2)
            for name, both in methods.items()
        }

    def decisions(
        self, example: Mapping[str, Any], prediction: Mapping[str, Any], known: Collection[str]
    ) -> Decided | None:
        """One of each pair: is it the same person?"""
        is_same = bool(example["same"])
        return Decided([Decision("same person", float(prediction["score"]), is_same)], ["same person"] * is_same)

    def at_threshold(self, prediction: Mapping[str, Any], threshold: float) -> Mapping[str, Any]:
        same = reaches(prediction["score"], threshold)
        label = b"same" if same else b"different"
        return {**prediction, "label": label, "same": int(same), "threshold": threshold}

    def assess(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Assessment:
        truth, probability = example.get("same"), float(prediction["probability"])
        answer, sure = as_text(prediction["label"]), max(probability, 1 - probability)
        if truth is None:
            return Assessment(answer, confidence=sure)
        given = probability if truth else 1 - probability
        is_right = bool(truth) == bool(prediction["same"])
        return assessment.of_decision(answer, sure, Same.CLASSES[int(truth)], is_right, given)

    def preview(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Preview:
        """Both pictures beside the score and the threshold that it has to reach."""
        score, threshold = float(prediction["score"]), float(prediction["threshold"])
        guess = bool(prediction["same"])
        said = ("different people", "the same person")[guess]
        return Preview(
            title=f"{said}: {score:.3f}, threshold {threshold:.3f}",
            correct=self.assess(example, prediction).correct,
            slice={},
            parts=(
                Picture(example["image"], caption=_name(example, "person")),
                Picture(example["partner"], caption=_name(example, "partner_person")),
                Bars({"score": score, "threshold": threshold}, caption="the same from the threshold on"),
            ),
        )

    def answer_row(self, example: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
        return {"answer": answer["label"]} | {name: answer[name] for name in ("score", "threshold", "probability")}

    def plots(self, examples: Sequence[Mapping[str, Any]], predictions: Sequence[Mapping[str, Any]]) -> Sequence[Plot]:
        """The ROC and the rest of one decision: is it the same?"""
        truth = np.array([example["same"] for example in examples], int)
        probability = np.array([prediction["probability"] for prediction in predictions])
        if not len(truth):
            return ()
        return list(plots.of_classifier(truth, np.stack([1 - probability, probability], axis=1), Same.CLASSES))


def _hashed(names: Any) -> Any:
    """Optional names, tf.SparseTensor `[batch, None]`, to their numbers, int64 `[batch]`, -1 where there is none."""
    one = tf.RaggedTensor.from_sparse(names).to_tensor("", shape=[None, 1])[:, 0]
    return tf.where(tf.equal(one, ""), tf.constant(-1, tf.int64), tf.strings.to_hash_bucket_fast(one, HASHES))


def _name(example: Mapping[str, Any], column: str) -> str:
    name = example.get(column)
    return name.decode() if isinstance(name, bytes) else ""
