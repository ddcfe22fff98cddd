"""Machine translation (question 7): what does a text mean in another language?

Method: an encoder and a decoder of GRU layers with attention (Bahdanau et al. 2015; Luong et al. 2015), see
`trainer.networks.seq2seq`. Words that are not frequent are spelt in pieces, so that any can be read and written
(`trainer.features.texts`). Trained by teacher forcing with label smoothing; translates by beam search
(`trainer.networks.decoding`). A text -> its translation, a text.

Pairs of texts of any two languages will do. Vocabularies come from the train split; texts are cut after `max_tokens`.

Default data: 8,000 Bible verses of at most 16 words, English to Spanish (`verses`), nine chapters in ten to train.
Measured scores and seconds: `docs/performance.md`. Command: `benison run machine_translation`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from data.columns import Text
from trainer import assessment
from trainer.assessment import Assessment
from trainer.backend import tf
from trainer.features import texts
from trainer.features.words import rounded_up
from trainer.optimisers import optimizer
from trainer.preview import Preview, Words, as_text, plots
from trainer.preview.plots import Plot
from trainer.task import Arrays, DataSpec, Evaluation, Features, Gate, HParams, Metric, Task


@dataclass(frozen=True)
class MachineTranslationHParams(HParams):
    epochs: int = field(default=12, metadata={"min": 1})
    min_steps: int = field(default=2000, metadata={"min": 1})
    global_batch_size: int = field(default=32, metadata={"min": 1})
    learning_rate: float = field(default=3e-3, metadata={"min": 0.0})
    units: int = field(default=128, metadata={"min": 2})
    dropout: float = field(default=0.2, metadata={"min": 0.0, "max": 0.95})
    label_smoothing: float = field(default=0.1, metadata={"min": 0.0, "max": 0.95})
    words: int = field(default=1500, metadata={"min": 1})
    """Words of each language that are a token of their own. More data can teach more."""
    pieces: int = field(default=1000, metadata={"min": 1})
    """Sequences of characters, on each side, in which all other words are spelt."""
    max_tokens: int = field(default=64, metadata={"min": 1})
    """Longer texts are cut, on both sides; a translation may be twice as long."""
    beam_width: int = field(default=4, metadata={"min": 1})
    length_penalty: float = field(default=0.6, metadata={"min": 0.0})
    """Larger values favour longer translations; 0 takes the most probable one."""


class MachineTranslation(Task):
    title = "Machine translation"
    questions = (7,)
    modality = "text"
    data = "verses"
    columns = {
        "source": Text(max_characters=2_000, description="the text to translate"),
        "target": Text(max_characters=2_000, description="its translation"),
    }
    targets = ("target",)
    HParams = MachineTranslationHParams
    small = {**Task.small, "units": 64, "learning_rate": 0.01, "dropout": 0.0, "max_tokens": 8, "beam_width": 2}
    answered_examples = 256  # the beam search of each takes long
    sequences = {"target": "target_length", "source": "source_length"}  # most of the work is the decoder's

    def preprocess(self, inputs: Features) -> Features:
        features = {"source_words_up_to": rounded_up(texts.split_words(inputs["source"]).row_lengths())}
        for name in ("source", "target"):
            tokens = texts.index_tokens(inputs[name], name, self.hparams.words, self.hparams.pieces)
            tokens = tokens[:, : self.hparams.max_tokens]
            features[name] = tokens.to_tensor(texts.PAD, shape=[None, self.hparams.max_tokens])
            features[f"{name}_length"] = tokens.row_lengths()
        return features

    def build_model(self, spec: DataSpec) -> Any:
        from trainer.networks.seq2seq import Seq2Seq

        hparams = self.hparams
        num_source, num_target = (len(texts.token_texts(spec.vocabularies, name)) for name in ("source", "target"))
        model = Seq2Seq(num_source, num_target, hparams.units, hparams.dropout, hparams.label_smoothing)
        model.compile(optimizer(hparams, spec.steps, warmup=200, clip=1.0), jit_compile=hparams.xla)
        return model

    def predict(self, model: Any, features: Features, spec: DataSpec) -> Features:
        longest = tf.maximum(tf.reduce_max(features["source_length"]), 1)
        tokens, log_probability = model.search(
            model.encode(features["source"][:, :longest]),
            self.hparams.beam_width,
            max_steps=tf.cast(2 * longest + 10, tf.int32),
            length_penalty=self.hparams.length_penalty,
        )
        translation = texts.join_tokens(tokens, texts.token_texts(spec.vocabularies, "target"))
        return {"translation": translation, "log_probability": log_probability}

    def metrics(self) -> Evaluation:
        return Evaluation(
            prediction="translation",
            label="target",
            raw_label=True,
            metrics=(
                Metric("chrf", "ChrF", module="trainer.metrics.text"),
                Metric("bleu", "CorpusBleu", module="trainer.metrics.text"),
            ),
            gates=(Gate("chrf", baseline_margin=0.5),),
            slices=("source_words_up_to",),
        )

    def reference(self, train: Arrays, evaluation: Arrays, spec: DataSpec) -> dict[str, dict[str, float]]:
        """A translation memory: the translation of the nearest train text, by cosine of TF-IDF of character n-grams."""
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.neighbors import NearestNeighbors

        from trainer.metrics.text import corpus_scores

        def plain(arrays: Arrays, name: str) -> list[str]:
            joined = texts.join_tokens(arrays[name], texts.token_texts(spec.vocabularies, name))
            return [text.decode() for text in joined.numpy()]

        vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True)
        memory = NearestNeighbors(n_neighbors=1, metric="cosine").fit(vectorizer.fit_transform(plain(train, "source")))
        nearest = memory.kneighbors(vectorizer.transform(plain(evaluation, "source")), return_distance=False)[:, 0]
        translations = plain(train, "target")
        scores = corpus_scores([translations[i] for i in nearest], plain(evaluation, "target"))
        return {"translation memory": scores}

    def assess(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Assessment:
        truths = [as_text(example["target"])] if "target" in example else []
        probability = math.exp(float(prediction["log_probability"]))
        return assessment.of_texts(truths, as_text(prediction["translation"]), probability)

    def preview(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Preview:
        source, translation = as_text(example["source"]), as_text(prediction["translation"])
        parts = [Words(source, caption="source"), Words(translation, caption="translation", compared=True)]
        if "target" in example:
            parts.append(Words(as_text(example["target"]), caption="by a person", compared=True))
        return Preview(title=translation, correct=None, slice={}, parts=parts)

    def plots(self, examples: Sequence[Mapping[str, Any]], predictions: Sequence[Mapping[str, Any]]) -> Sequence[Plot]:
        return plots.texts(examples, predictions, truth="target", answer="translation")
