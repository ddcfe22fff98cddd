"""Super-resolution (question 13): a picture twice as wide and high, with the detail that a larger one would have had.

Method: EDSR (Lim et al. 2017), small: residual blocks of 3x3 convolutions without normalisation at the size of the
input, then a sub-pixel convolution (ESPCN, Shi et al. 2016). It predicts on luma what is to be added to the bicubic
enlargement, in all three colours alike, so that it sharpens and cannot tint; the loss is the mean absolute error of
luma. A picture `[height, width, 3]` of any size -> PNG `[2 height, 2 width, 3]`: the network is convolutional
throughout, and a large picture is answered in strips that overlap by all that a pixel depends on, without seams.

The small picture that a model learns from, and is judged on, is the folder's own halved by the antialiased bicubic
filter (a = -0.5) of Pillow and of MATLAB's `imresize`, on which the literature agrees. Of pictures larger than 512
pixels the middle is evaluated on; patches to train on are cut from everywhere. Where a table names the `photo` of each
picture, an unsplit folder is split by it, so that no part of a photograph is judged on whose other parts were learnt.

PSNR and SSIM are those of the literature: on the luma of BT.601 in studio range, without the outer two pixels; equal
pictures have 100 dB. References: bicubic and Lanczos interpolation. The guide's code has a classifier in place of this.

Default data: 287 tiles of 17 photographs (`photos`), five of which, with 88 tiles, are evaluated on.
Measured scores and seconds: `docs/results.md`. Command: `benison run super_resolution`.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from data.columns import Derived, Identifier, Image
from data.media import degraded
from trainer.assessment import Assessment
from trainer.backend import tf
from trainer.families import restoration
from trainer.features import images, patches, strips
from trainer.networks import outputs
from trainer.optimisers import optimizer
from trainer.preview import Preview
from trainer.references import resampling
from trainer.task import Arrays, DataSpec, Evaluation, Features, HParams, Task

SCALE = 2
LARGEST_INPUT = 4096
"""Pixels on each side: what is twice as large is a picture that Benison itself still takes."""
BORDER = 8
"""Pixels around a patch that decide how it looks halved."""


@dataclass(frozen=True)
class SuperResolutionHParams(HParams):
    epochs: int = field(default=5, metadata={"min": 1})
    min_steps: int = field(default=1500, metadata={"min": 1})
    global_batch_size: int = field(default=16, metadata={"min": 1})
    filters: int = field(default=24, metadata={"min": 1})
    blocks: int = field(default=4, metadata={"min": 0})
    """Residual blocks, of two convolutions each."""
    patch_size: int = field(default=64, metadata={"min": 8, "max": 512})
    """Side in pixels of the patches of the large pictures; at most the median of the pictures' shorter sides."""
    patches: int = field(default=16, metadata={"min": 1, "max": 256})
    """Cut from each picture."""


class SuperResolution(Task):
    title = "Super-resolution"
    questions = (13,)
    modality = "image"
    data = "photos"
    columns = {
        "image": Image(min_size=16),
        "small": Derived(of="image", kind=Image(max_size=LARGEST_INPUT), how=degraded.halved),
        "photo": Identifier(optional=True),
    }
    targets = ("image", "photo")
    split_by = "photo"
    HParams = SuperResolutionHParams
    reference_examples = 2000

    def preprocess(self, inputs: Features) -> Features:
        shorter = tf.minimum(inputs["image_width"], inputs["image_height"])
        side = images.typical_side(shorter, at_most=self.hparams.patch_size) // SCALE * SCALE
        cut = patches.cut(inputs["image"], self.hparams.patches, side, border=BORDER)
        stacked = tf.reshape(cut, [-1, side + 2 * BORDER, side + 2 * BORDER, 3])
        inner = slice(BORDER // SCALE, -BORDER // SCALE)
        low = images.halve(stacked)[:, inner, inner]
        return {
            "small": inputs["small"],
            "patches": cut[:, :, BORDER:-BORDER, BORDER:-BORDER],
            "small_patches": tf.reshape(low, [-1, self.hparams.patches, side // SCALE, side // SCALE, 3]),
            "truth": images.encode_middles(
                inputs["image"], SCALE * inputs["small_height"], SCALE * inputs["small_width"]
            ),
        }

    def batch(self, features: Features, seed: Any) -> Features:
        whole: Features = {name: features[name] for name in ("small", "truth") if name in features and seed is None}
        if "patches" not in features:
            return whole
        pixels = patches.drawn(features["small_patches"], seed)
        return whole | {"pixels": pixels, "image": patches.drawn(features["patches"], seed)}

    def build_model(self, spec: DataSpec) -> Any:
        from trainer.networks import pixels

        small, enlarged = pixels.edsr(self.hparams.filters, self.hparams.blocks)
        model = outputs.model_of({"pixels": small}, enlarged, target="image")
        model.compile(optimizer(self.hparams, spec.steps), pixels.luma_error, jit_compile=self.hparams.xla)
        return model

    def predict(self, model: Any, features: Features, spec: DataSpec) -> Features:
        from trainer.networks import pixels

        def answer(small: Any) -> Any:
            return model({"pixels": small}, training=False)

        reach = pixels.reach(self.hparams.blocks)
        return {"enlarged_bytes": strips.answer_whole(features["small"], lambda whole: answer, reach, SCALE)}

    def metrics(self) -> Evaluation:
        return restoration.evaluation("Enlarged", "enlarged_bytes", margin=0.3, bound=None, slices=("photo",))

    def reference(self, train: Arrays, evaluation: Arrays, spec: DataSpec) -> dict[str, dict[str, float]]:
        methods = {
            name: functools.partial(resampling.enlarged, scale=SCALE, method=name) for name in resampling.FILTERS
        }
        return restoration.scores("Enlarged", evaluation["truth"], evaluation["small"], methods)

    def assess(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Assessment:
        return restoration.assess("Enlarged", example.get("image"), prediction["enlarged_bytes"])

    def preview(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Preview:
        small = restoration.decoded(example["small"])
        before = "bicubic", resampling.enlarged(small, SCALE, "bicubic")
        after = "enlarged", restoration.decoded(prediction["enlarged_bytes"])
        height, width = np.shape(small)[:2]
        return restoration.preview(f"{width} × {height} →", before, after, example.get("image"), "Enlarged")
