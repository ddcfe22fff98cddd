"""Style transfer (question 12): a photograph, painted as a painting that training never saw.

Method: AdaIN (Huang & Belongie 2017; `trainer.networks.style_transfer`). A frozen EfficientNet-Lite0 with ImageNet's
weights gives features of both pictures, the content's are given mean and deviation of the style's, channel by channel,
and a decoder that learns to draw makes a picture of them. One network for all styles; content and style RGB of any
sizes -> PNG of the content's own size. `alpha` says how far to go: 1 is the style, 0 the content as the decoder draws
it. A large picture is answered in strips that overlap by all that a pixel depends on, with the moments of the whole,
so that there are no seams. Pictures of a folder are shrunk to 384 pixels on the longer side, and so is the style of a
prediction; training sees patches, each content's beside those of another style in every step.

Judged by both losses, of content and of style, on photographs and on paintings (those of six painters) that training
never saw, by a network that stays the same whatever is trained: EfficientNet-Lite0 with ImageNet's weights (`judge`),
also where `backbone=none` trains on random features or a file of one's own takes the place of the weights. With the
default backbone that is the network, and these are the layers, by which the decoder learns, as usual in the
literature: it is no independent eye. `trade_off`, the gate's number, is the sum of both losses, each as a share of
what there was to overcome, so that the content unchanged and the painting itself both score 1:
`trainer.metrics.stylisation` says why.

References, which it must beat: the content unchanged; means and deviations of colours taken over (Reinhard et al.
2001); both pictures blended half and half. The guide's code is a classifier.

At the default `style_weight` an answer takes over colours and tones, and of brush strokes little; more weight paints
more visibly, keeps less of the content, and may lose to the colour statistics by the measure above.

Default data: 96 + 32 photographs, 20 + 8 paintings (`paintings`). Few paintings: what it does to a style unlike them is
the less certain. Measured scores and seconds: `docs/results.md`. Command: `benison run style_transfer`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from data.columns import Crossed, Given, Image, Number
from trainer.assessment import Assessment
from trainer.backend import tf
from trainer.features import images, patches, strips
from trainer.optimisers import optimizer
from trainer.preview import BeforeAfter, Picture, Preview, as_text
from trainer.task import Arrays, DataSpec, Evaluation, Features, Gate, HParams, Metric, Task

LONGEST_LEARNT = 384
"""Pixels on the longer side of what is learnt from and judged, and of a style."""

WHOLE = 1024
"""Pixels on the longer side above which the moments of a content are those of the picture shrunk to so many."""

LARGEST = 4096


@dataclass(frozen=True)
class StyleTransferHParams(HParams):
    backbone: str = ""
    """File of the network's weights, .npz; empty for the asset, `none` for random features."""
    judge: str = ""
    """File of the weights by which answers are judged; empty for the asset, `none` for random features."""
    epochs: int = field(default=1, metadata={"min": 1})
    min_steps: int = field(default=600, metadata={"min": 1})
    global_batch_size: int = field(default=4, metadata={"min": 1})
    learning_rate: float = field(default=2e-3, metadata={"min": 0.0})
    patience: int = field(default=1000, metadata={"min": 1})
    filters: int = field(default=32, metadata={"min": 1})
    """Of the decoder at half of the picture's size; twice and four times as many below."""
    style_weight: float = field(default=1.5, metadata={"min": 0.0})
    """Of the share of the style's loss that is left beside that of content: higher is more of the painting."""
    smoothness: float = field(default=0.1, metadata={"min": 0.0})
    """Of the total variation beside these."""
    patch_size: int = field(default=128, metadata={"min": 16, "max": 512})
    """Side in pixels of the patches; at most the median of the pictures' shorter sides."""
    patches: int = field(default=8, metadata={"min": 1, "max": 256})
    """Cut from each picture."""


class StyleTransfer(Task):
    title = "Style transfer"
    questions = (12,)
    modality = "image"
    data = "paintings"
    columns = {
        "content": Image(max_size=LARGEST, longest_learnt=LONGEST_LEARNT, description="what is to be painted"),
        "style": Crossed(
            kind=Image(max_size=LARGEST, longest_learnt=LONGEST_LEARNT), description="how it is to be painted"
        ),
        "alpha": Given(kind=Number(minimum=0, maximum=1), default=1.0, description="how far to go to the style"),
    }
    answered_examples = 256  # painting takes long
    HParams = StyleTransferHParams
    small = {
        **Task.small,
        "epochs": 1,
        "min_steps": 60,
        "learning_rate": 5e-3,
        "patch_size": 24,
        "patches": 2,
        "filters": 8,
    }
    assets = {"backbone": "efficientnet_lite0", "judge": "efficientnet_lite0"}
    reference_examples = 1_000
    predict_batch_size = 8

    def preprocess(self, inputs: Features) -> Features:
        from trainer.networks.style_transfer import STRIDE

        sides = [inputs[f"{name}_{side}"] for name in ("content", "style") for side in ("width", "height")]
        shortest = images.typical_side(tf.reduce_min(tf.stack(sides), axis=0), at_most=self.hparams.patch_size)
        side = tf.maximum(shortest // STRIDE, 2) * STRIDE
        cut = {
            f"{name}_patches": patches.cut(inputs[name], self.hparams.patches, side) for name in ("content", "style")
        }
        return {name: inputs[name] for name in ("content", "style", "alpha")} | cut

    def batch(self, features: Features, seed: Any) -> Features:
        """In training a patch of each content beside one of the style of another record, both drawn anew."""
        whole: Features = {name: features[name] for name in ("content", "style", "alpha")} if seed is None else {}
        seeds = [None, None] if seed is None else tf.unstack(tf.random.experimental.stateless_split(seed, 2))
        content, style = (
            patches.drawn(features[f"{name}_patches"], one)
            for name, one in zip(("content", "style"), seeds, strict=True)
        )
        if seed is not None:
            style = tf.random.experimental.stateless_shuffle(style, seed)
        return whole | {"content_pixels": content, "style_pixels": style}

    def build_model(self, spec: DataSpec) -> Any:
        from trainer.networks.style_transfer import StyleTransfer as Network

        hparams = self.hparams
        model = Network(spec.assets["backbone"], hparams.filters, hparams.style_weight, hparams.smoothness)
        model.compile(optimizer(hparams, spec.steps), jit_compile=hparams.xla)
        return model

    def predict(self, model: Any, features: Features, spec: DataSpec) -> Features:
        from trainer.networks.style_transfer import MARGIN, REACH, STRIDE

        def one(example: tuple[Any, Any, Any]) -> Any:
            content, style = (images.decode_whole(encoded) for encoded in example[:2])
            height, width = tf.shape(content)[0], tf.shape(content)[1]
            of_content, of_style = (
                model.moments_of(images.filled_up(images.within(picture, longest), STRIDE, MARGIN)[None])
                for picture, longest in ((content, WHOLE), (style, LONGEST_LEARNT))
            )

            def answer(strip: Any) -> Any:
                return model.stylise(strip, of_content, of_style, example[2])

            drawn = strips.in_strips(images.filled_up(content, STRIDE, MARGIN), answer, REACH, step=STRIDE)
            return tf.io.encode_png(drawn[MARGIN : MARGIN + height, MARGIN : MARGIN + width])

        examples = (features["content"], features["style"], tf.reshape(features["alpha"], [-1]))
        return {"stylised_bytes": tf.map_fn(one, examples, fn_output_signature=tf.string, parallel_iterations=1)}

    def metrics(self) -> Evaluation:
        module = "trainer.metrics.stylisation"
        return Evaluation(
            prediction="stylised_bytes",
            label=None,
            metrics=(
                Metric("trade_off", "TradeOff", module, judged=True),
                Metric("content_loss", "ContentLoss", module, judged=True),
                Metric("style_loss", "StyleLoss", module, judged=True),
            ),
            gates=(Gate("trade_off", higher_is_better=False, baseline_margin=0.01),),
            slices=("style_name",),
        )

    def judge(self, train: Arrays, spec: DataSpec) -> Any:
        from trainer.networks.style_transfer import style_judge

        tf.keras.utils.set_random_seed(self.hparams.seed)  # of random features
        return style_judge(spec.assets["judge"])

    def reference(self, train: Arrays, evaluation: Arrays, spec: DataSpec) -> dict[str, dict[str, float]]:
        from trainer.metrics import stylisation
        from trainer.references import colour_transfer

        judge = tf.function(spec.judge, input_signature=[tf.TensorSpec([None, None, None, 3], tf.uint8)])
        methods = {
            "content unchanged": lambda content, style: content,
            "colour statistics (Reinhard)": colour_transfer.reinhard,
            "blended half and half": colour_transfer.blend,
        }
        sums = {name: np.zeros(5) for name in methods}
        for encoded in zip(evaluation["content"], evaluation["style"], strict=True):
            content, style = (images.decode_whole(tf.constant(one)).numpy() for one in encoded)
            pair = stylisation.Pair(judge, content, style)
            for name, method in methods.items():
                sums[name] += pair.losses(method(content, style))
        return {name: stylisation.scores(one) for name, one in sums.items()}

    def assess(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Assessment:
        name = example.get("style_name")
        return Assessment(f"in the style of {as_text(name)}" if name else "stylised")

    def preview(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Preview:
        name = example.get("style_name")
        style = as_text(name) if name else "style"
        parts = (
            BeforeAfter(example["content"], prediction["stylised_bytes"], ("content", "stylised")),
            Picture(example["style"], style),
        )
        return Preview(self.assess(example, prediction).answer, None, {}, parts)
