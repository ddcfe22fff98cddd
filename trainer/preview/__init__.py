"""What a person is shown of one example: parts, their drawing, their form on disk."""

from trainer.preview.parts import Bars, Box, Curve, Part, Picture, Preview, Sound, Words, as_text

__all__ = ["Bars", "Box", "Curve", "Part", "Picture", "Preview", "Sound", "Words", "as_text"]
