"""Image captioning (question 8): what would a person write below a picture?

Method: a convolutional encoder, EfficientNet-Lite0 (Tan & Le 2019) with ImageNet's weights, the asset
`efficientnet_lite0`, and a Transformer's decoder that attends to its last feature maps (Vaswani et al. 2017; Xu et al.
2015), see `trainer.networks.captioner`. The encoder is frozen, the decoder learns from nothing, by teacher forcing with
label smoothing. Words that are not frequent are spelt in pieces, so that a caption may be in any language and script
(`trainer.features.texts`). Captions are written by beam search (`trainer.networks.decoding`). `--set backbone=none`
trains encoder and decoder together from scratch, `--set backbone=FILE` takes a file of one's own of the same tensors.

Pictures `[image_size, image_size, 3]` uint8 -> `caption`, a text, and its `log_probability` float32.

A picture may have several captions. Training takes one of the first `CAPTIONS` by chance, each time anew; all are its
references in the evaluation. A record with a caption of more than `MAX_CHARACTERS` characters is a bad one, none is
cut. CIDEr-D (Vedantam et al. 2015) is what a blessing goes by: it asks for the words by which pictures are told apart,
where BLEU and ROUGE-L, which stand beside it, are raised by saying what is said of most pictures. References: the
caption of the train picture that looks most alike, and one caption for all.

Default data: 1,876 emoji with their English names (`emoji`), a fifth to evaluate, none of which looks like one of the
others but for skin, hair and gender.
Measured scores and seconds: `docs/results.md`. Command: `benison run image_captioning`.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from data.columns import Image, Label, Texts
from trainer import assessment
from trainer.assessment import Assessment
from trainer.backend import tf
from trainer.features import images, texts
from trainer.optimisers import optimizer
from trainer.preview import Picture, Preview, Words, as_text, plots
from trainer.preview.plots import Plot
from trainer.task import Arrays, DataSpec, Evaluation, Features, Gate, HParams, Metric, Task

CAPTIONS = 5
"""Captions of a picture that training draws from: as many as most sets have."""

MAX_CHARACTERS = 300
"""Of a caption. A token is at least one of them, or the mark of where a word begins."""

TOKENS = MAX_CHARACTERS + 1


@dataclass(frozen=True)
class ImageCaptioningHParams(HParams):
    backbone: str = ""
    """File of the encoder's weights, .npz; empty for the asset, `none` to train from scratch."""
    epochs: int = field(default=6, metadata={"min": 1})
    min_steps: int = field(default=500, metadata={"min": 1})
    global_batch_size: int = field(default=32, metadata={"min": 1})
    learning_rate: float = field(default=2e-3, metadata={"min": 0.0})
    image_size: int = field(default=128, metadata={"min": 32, "max": 1024})
    """Side in pixels to which pictures are brought. ImageNet's weights were trained at 224."""
    units: int = field(default=128, metadata={"min": 2})
    layers: int = field(default=2, metadata={"min": 1})
    heads: int = field(default=4, metadata={"min": 1})
    dropout: float = field(default=0.2, metadata={"min": 0.0, "max": 0.95})
    label_smoothing: float = field(default=0.1, metadata={"min": 0.0, "max": 0.95})
    shift: float = field(default=0.06, metadata={"min": 0.0, "max": 0.5})
    """Training pictures are moved by up to this share of their width and height. None is mirrored: captions may tell
    left from right."""
    words: int = field(default=4000, metadata={"min": 1})
    """Words that are a token of their own."""
    pieces: int = field(default=500, metadata={"min": 1})
    """Sequences of characters in which all other words are spelt."""
    beam_width: int = field(default=4, metadata={"min": 1})
    length_penalty: float = field(default=0.6, metadata={"min": 0.0})
    """Larger values favour longer captions; 0 takes the most probable one."""


class ImageCaptioning(Task):
    title = "Image captioning"
    questions = (8,)
    modality = "image"
    data = "emoji"
    columns = {
        "image": Image(),
        "captions": Texts(max_characters=MAX_CHARACTERS, description="what people wrote of the picture"),
        "group": Label(optional=True, open=True, description="what kind of picture it is: scored apart"),
    }
    targets = ("captions", "group")
    HParams = ImageCaptioningHParams
    small = {
        **Task.small,
        "backbone": "none",
        "image_size": 32,
        "units": 64,
        "layers": 1,
        "dropout": 0.0,
        "shift": 0.0,
        "learning_rate": 0.005,
        "min_steps": 400,
        "beam_width": 2,
    }
    assets = {"backbone": "efficientnet_lite0"}
    predict_batch_size = 32
    answered_examples = 256  # the beam search of each takes long

    def preprocess(self, inputs: Features) -> Features:
        """
        Returns:
          `image`; `tokens` int64 `[batch, CAPTIONS, TOKENS]`, padded with PAD, and `count` int64 `[batch]`, how many
          of these captions there are; `longest` int64 `[batch]`, how many tokens the longest caption of the train split
          may have; and `references` string `[batch]`, the captions as they came.
        """
        import tensorflow_transform as tft

        size, hparams = self.hparams.image_size, self.hparams
        image = images.decode(inputs["image"], size, size)
        captions = texts.listed(inputs["captions"])
        tokens = texts.index_tokens(captions.flat_values, "captions", hparams.words, hparams.pieces)
        # Not of tokens: an analyser that waits for the vocabularies would need a second pass.
        longest = 1 + tft.max(tf.strings.length(captions.flat_values, "UTF8_CHAR"))
        of_picture = tf.RaggedTensor.from_row_splits(tokens, captions.row_splits)
        return {
            "image": image,
            "tokens": of_picture[:, :CAPTIONS].to_tensor(texts.PAD, shape=[None, CAPTIONS, TOKENS]),
            "count": tf.minimum(captions.row_lengths(), CAPTIONS),
            "longest": tf.fill(tf.shape(image)[:1], tf.cast(longest, tf.int64)),
            "references": inputs["captions"],
        }

    def batch(self, features: Features, seed: Any) -> Features:
        if seed is None:
            kept = {name: value for name, value in features.items() if name not in ("tokens", "count")}
            return kept | ({"captions": _cut(features["tokens"][:, 0])} if "tokens" in features else {})
        of_shift, of_caption = tf.unstack(tf.random.experimental.stateless_split(seed, 2))
        count = features["count"]
        chance = tf.random.stateless_uniform(tf.shape(count), of_caption)
        chosen = tf.cast(tf.floor(chance * tf.cast(count, tf.float32)), tf.int64)
        return {
            "image": images.random_shift(features["image"], self.hparams.shift, of_shift),
            "captions": _cut(tf.gather(features["tokens"], chosen, batch_dims=1)),
        }

    def build_model(self, spec: DataSpec) -> Any:
        from trainer.networks import efficientnet
        from trainer.networks.captioner import Captioner

        hparams, weights = self.hparams, spec.assets["backbone"]
        network = efficientnet.efficientnet_lite0(weights)
        network.trainable = weights is None
        model = Captioner(
            network,
            hparams.image_size,
            len(texts.token_texts(spec.vocabularies, "captions")),
            hparams.units,
            hparams.layers,
            hparams.heads,
            hparams.dropout,
            hparams.label_smoothing,
        )
        model.compile(optimizer(hparams, spec.steps, warmup=100, clip=1.0), jit_compile=hparams.xla)
        return model

    def predict(self, model: Any, features: Features, spec: DataSpec) -> Features:
        steps = tf.cast(tf.reduce_max(features["longest"]), tf.int32) + 1  # END counts
        tokens, log_probability = model.search(
            model.encode(features["image"], steps), self.hparams.beam_width, steps, self.hparams.length_penalty
        )
        caption = texts.join_tokens(tokens, texts.token_texts(spec.vocabularies, "captions"))
        return {"caption": caption, "log_probability": log_probability}

    def metrics(self) -> Evaluation:
        return Evaluation(
            prediction="caption",
            label="captions",
            raw_label=True,
            metrics=tuple(
                Metric(name, kind, module="trainer.metrics.captions")
                for name, kind in (("cider_d", "CiderD"), ("bleu", "CaptionBleu"), ("rouge_l", "RougeL"))
            ),
            gates=(Gate("cider_d", baseline_margin=0.1),),
            slices=("group",),
        )

    def reference(self, train: Arrays, evaluation: Arrays, spec: DataSpec) -> dict[str, dict[str, float]]:
        from trainer.metrics.captions import corpus_scores
        from trainer.references.nearest_picture import nearest

        known, truths = (
            [json.loads(as_text(captions)) for captions in split["references"]] for split in (train, evaluation)
        )
        alike = [known[place][0] for place in nearest(train["image"], evaluation["image"])]
        [(commonest, _)] = Counter(caption for captions in known for caption in captions).most_common(1)
        return {
            "caption of the most similar picture": corpus_scores(alike, truths),
            "one caption for all": corpus_scores([commonest] * len(truths), truths),
        }

    def assess(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Assessment:
        truths = _listed(example) if example.get("captions") else []
        probability = math.exp(float(prediction["log_probability"]))
        return assessment.of_texts(truths, as_text(prediction["caption"]), probability)

    def preview(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Preview:
        caption = as_text(prediction["caption"])
        parts = [Picture(example["image"]), Words(caption, caption="caption", compared=True, any_case=True)]
        if "captions" in example:
            parts.append(Words("\n".join(_listed(example)), caption="by people", compared=True, any_case=True))
        group = {"group": as_text(example["group"])} if example.get("group") else {}
        return Preview(title=caption, correct=None, slice=group, parts=parts)

    def plots(self, examples: Sequence[Mapping[str, Any]], predictions: Sequence[Mapping[str, Any]]) -> Sequence[Plot]:
        first = [{**one, "captions": _listed(one)[0]} if one.get("captions") else one for one in examples]
        return plots.texts(first, predictions, truth="captions", answer="caption")


def _listed(example: Mapping[str, Any]) -> list[str]:
    return [str(caption) for caption in json.loads(as_text(example["captions"]))]


def _cut(tokens: Any) -> Any:
    """Tokens `[batch, TOKENS]` to the longest of the batch, which has at least one."""
    lengths = tf.reduce_sum(tf.cast(tokens != texts.PAD, tf.int32), axis=1)
    return tokens[:, : tf.maximum(tf.reduce_max(lengths), 1)]
