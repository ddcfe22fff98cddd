"""What tasks of faces share: their settings, how pictures are brought to one size, and how training moves them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from trainer.features import images
from trainer.task import Features, HParams

LARGEST = 64
"""Pixels to which a picture's sides are brought at most where no size is set."""
TURN, RESIZE, SHIFT = 0.12, 0.08, 0.06
"""What training pictures are turned (radians), scaled and moved by, at most."""


@dataclass(frozen=True)
class FaceHParams(HParams):
    epochs: int = field(default=10, metadata={"min": 1})
    min_steps: int = field(default=600, metadata={"min": 1})
    learning_rate: float = field(default=2e-3, metadata={"min": 0.0})
    image_size: int = field(default=0, metadata={"min": 0, "max": 512})
    """Side in pixels to which pictures are brought; 0 takes the train split's median width and height, at most 64."""
    filters: int = field(default=16, metadata={"min": 1})
    embedding_size: int = field(default=128, metadata={"min": 2})
    dropout: float = field(default=0.3, metadata={"min": 0.0, "max": 0.95})
    margin: float = field(default=0.3, metadata={"min": 0.0, "max": 1.0})
    """By how much the cosine with one's own name must be ahead of that with others, in training."""
    mirror: bool = True
    """Half of the training pictures are mirrored."""


SMALL = {"filters": 8, "embedding_size": 32, "dropout": 0.0, "mirror": False}
"""What tests train with: in a made-up sample left is not right."""


def pictures(inputs: Features, names: Sequence[str], hparams: FaceHParams) -> Features:
    """The columns `names`, encoded pictures, as uint8 `[batch, height, width, channels]`, all of the size and channels
    that the first of them asks for. For use in `preprocess`."""
    first, size = names[0], hparams.image_size
    height = size or images.typical_side(inputs[f"{first}_height"], at_most=LARGEST)
    width = size or images.typical_side(inputs[f"{first}_width"], at_most=LARGEST)
    channels = images.needed_channels(inputs[f"{first}_channels"])
    return {name: images.decode(inputs[name], height, width, channels) for name in names}


def moved(features: Features, names: Sequence[str], hparams: FaceHParams, seed: Any) -> Features:
    """The features, each picture of `names` turned, scaled, moved and mirrored in a way of its own."""
    changed = {
        name: images.random_affine(features[name], TURN, RESIZE, SHIFT, hparams.mirror, seed + [0, place << 32])
        for place, name in enumerate(names)
    }
    return features | changed


def embedder(shape: Any, hparams: FaceHParams) -> Any:
    """As `trainer.networks.embedding.embedder`."""
    from trainer.networks import embedding

    return embedding.embedder(shape, hparams.filters, hparams.embedding_size, hparams.dropout)
