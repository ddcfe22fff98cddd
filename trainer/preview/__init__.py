"""What a person is shown of one example: parts, their drawing, their form on disk, their place on a page."""

from trainer.preview.part import Part, Preview
from trainer.preview.parts.animation import Animation
from trainer.preview.parts.bars import Bars
from trainer.preview.parts.before_after import BeforeAfter
from trainer.preview.parts.curve import Curve
from trainer.preview.parts.exchange import Exchange, Said
from trainer.preview.parts.masks import Masks
from trainer.preview.parts.picture import Box, Picture
from trainer.preview.parts.sound import Sound
from trainer.preview.parts.words import Words
from trainer.preview.wording import as_text

__all__ = [
    "Animation",
    "Bars",
    "BeforeAfter",
    "Box",
    "Curve",
    "Exchange",
    "Masks",
    "Part",
    "Picture",
    "Preview",
    "Said",
    "Sound",
    "Words",
    "as_text",
]
