"""Image enhancement (question 26): a noisy, blurred, dark or badly compressed picture as it should have been.

Method: a residual network. What is to be added to the picture is predicted (DnCNN, Zhang et al. 2017), by residual
blocks of 3x3 convolutions at half size (FFDNet, Zhang et al. 2018), which halves the work twice and doubles how far
they see. The network says of each pixel how much of each band of an à trous wavelet transform (Starck & Murtagh 1994)
is added, so that it begins with the blurring and sharpening that others have to learn. How bright and how grainy a
picture is as a whole, which no patch of it tells, decides the levels by which it is lit first. The loss is the root
mean squared error of red, green and blue. A picture `[height, width, 3]` of any size -> PNG of that size: the network
is convolutional throughout, and a large picture is answered in strips that overlap by all that a pixel depends on,
without seams. Nobody says what is wrong with a picture: the network sees it. A good one is left almost as it is; one
that is meant to be dark may be lit, since nothing in it tells.

A folder of good pictures is enough: what is wrong is made. In training noise, blur, low light and JPEG are drawn anew
in each step; in evaluation a picture's content decides one of them and how bad it is, the same in each run. Where a
folder holds pairs, `input/` and `target/`, those are what is learnt and judged. Of pictures larger than 512 pixels the
middle is evaluated on; of pairs all.

PSNR and SSIM are of red, green and blue, without a border, as in the literature of denoising; equal pictures have 100
dB. References: the picture unchanged, non-local means, and these with the histogram stretched.

Default data: 287 tiles of 17 photographs (`photos`), five of which, with 88 tiles, are evaluated on.
Measured scores and seconds: `docs/results.md`. Command: `benison run image_enhancement`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from data.columns import Derived, Identifier, Image, Value
from data.media import degraded
from trainer.assessment import Assessment
from trainer.backend import tf
from trainer.families import restoration
from trainer.features import degradations, images, impressions, patches, strips
from trainer.networks import outputs
from trainer.optimisers import optimizer
from trainer.preview import Preview, as_text
from trainer.task import Arrays, DataSpec, Evaluation, Features, HParams, Task


@dataclass(frozen=True)
class ImageEnhancementHParams(HParams):
    epochs: int = field(default=5, metadata={"min": 1})
    min_steps: int = field(default=1200, metadata={"min": 1})
    global_batch_size: int = field(default=16, metadata={"min": 1})
    learning_rate: float = field(default=4e-3, metadata={"min": 0.0})
    filters: int = field(default=32, metadata={"min": 1})
    blocks: int = field(default=4, metadata={"min": 0})
    """Residual blocks, of two convolutions each."""
    patch_size: int = field(default=64, metadata={"min": 8, "max": 512})
    """Side in pixels of what is learnt from; at most the median of the pictures' shorter sides."""
    patches: int = field(default=16, metadata={"min": 1, "max": 256})
    """Cut from each picture."""


class ImageEnhancement(Task):
    title = "Image enhancement"
    questions = (26,)
    modality = "image"
    data = "photos"
    columns = {
        "image": Image(min_size=16),
        "degraded": Derived(
            of="image",
            kind=Image(),
            how={
                "noise": degraded.noisy,
                "blur": degraded.blurred,
                "low light": degraded.darkened,
                "JPEG": degraded.compressed,
            },
            pairs=True,
        ),
        "photo": Identifier(optional=True),
    }
    targets = ("image", "photo")
    split_by = "photo"
    HParams = ImageEnhancementHParams
    reference_examples = 200  # non-local means take a second for each

    @classmethod
    def refuse(cls, features: Mapping[str, Value]) -> str:
        sizes = {name: (features[f"{name}_width"], features[f"{name}_height"]) for name in ("image", "degraded")}
        if features["degraded_by"] != Derived.GIVEN or sizes["image"] == sizes["degraded"]:
            return ""
        wrong, right = ("{}x{}".format(*sizes[name]) for name in ("degraded", "image"))
        return f"a pair of two sizes: the input has {wrong} pixels, its target {right}"

    def preprocess(self, inputs: Features) -> Features:
        shorter = tf.minimum(inputs["image_width"], inputs["image_height"])
        side = images.typical_side(shorter, at_most=self.hparams.patch_size)
        return {
            "degraded": inputs["degraded"],
            "patches": patches.cut(inputs["image"], self.hparams.patches, side),
            "degraded_patches": patches.cut(inputs["degraded"], self.hparams.patches, side),
            "is_given": tf.cast(tf.equal(inputs["degraded_by"], Derived.GIVEN), tf.int64),
            "is_grey": tf.cast(tf.equal(inputs["image_channels"], 1), tf.int64),
            "sample": impressions.samples(inputs["image"]),
            "degraded_sample": impressions.samples(inputs["degraded"]),
            "truth": images.encode_middles(inputs["image"], inputs["degraded_height"], inputs["degraded_width"]),
        }

    def batch(self, features: Features, seed: Any) -> Features:
        whole: Features = {name: features[name] for name in ("degraded", "truth") if name in features and seed is None}
        if "patches" not in features:
            return whole
        clean, given = (patches.drawn(features[name], seed) for name in ("patches", "degraded_patches"))
        fixed = tf.constant([0, 0], tf.int64) if seed is None else seed
        all_of_it, given_of_it = (impressions.part(features[name], seed) for name in ("sample", "degraded_sample"))
        made, made_of_it = degradations.degrade(clean, all_of_it, features["is_grey"] == 1, fixed)
        is_given = features["is_given"][:, None, None, None] == 1
        pixels, sampled = tf.where(is_given, given, made), tf.where(is_given, given_of_it, made_of_it)
        return whole | {"pixels": pixels, "impression": impressions.impressions(sampled, pixels), "image": clean}

    def build_model(self, spec: DataSpec) -> Any:
        from trainer.networks import pixels

        picture, impression, mended = pixels.restorer(self.hparams.filters, self.hparams.blocks, impressions.COUNT)
        model = outputs.model_of({"pixels": picture, "impression": impression}, mended, target="image")
        loss = pixels.root_mean_squared_error
        model.compile(optimizer(self.hparams, spec.steps), loss, jit_compile=self.hparams.xla)
        return model

    def predict(self, model: Any, features: Features, spec: DataSpec) -> Features:
        from trainer.networks import pixels

        def answer_for(whole: Any) -> strips.Answer:
            impression = impressions.impressions(impressions.sample(whole)[None], whole[None])
            return lambda strip: model({"pixels": strip, "impression": impression}, training=False)

        reach = pixels.restorer_reach(self.hparams.blocks)
        return {"mended_bytes": strips.answer_whole(features["degraded"], answer_for, reach, step=pixels.FOLD)}

    def metrics(self) -> Evaluation:
        return restoration.evaluation(
            "Restored", "mended_bytes", margin=0.5, bound=None, slices=("degraded_by", "photo")
        )

    def reference(self, train: Arrays, evaluation: Arrays, spec: DataSpec) -> dict[str, dict[str, float]]:
        from trainer.references import denoising

        methods = {
            "unchanged": denoising.unchanged,
            "non-local means": denoising.non_local_means,
            "non-local means, histogram stretched": denoising.non_local_means_stretched,
        }
        return restoration.scores("Restored", evaluation["truth"], evaluation["degraded"], methods)

    def assess(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Assessment:
        return restoration.assess("Restored", example.get("image"), prediction["mended_bytes"])

    def preview(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Preview:
        given = restoration.decoded(example["degraded"])
        after = "after", restoration.decoded(prediction["mended_bytes"])
        way = as_text(example["degraded_by"]) if "image" in example else ""
        title = f"{way}:" if way else "mended:"
        return restoration.preview(title, ("before", given), after, example.get("image"), "Restored")
