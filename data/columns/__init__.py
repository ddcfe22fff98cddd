"""The kinds of column that a task's raw data may have, one module a kind."""

from data.columns.audio import Audio
from data.columns.backdrop import Backdrop
from data.columns.base import Column, Content, DType, Feature, FormField, Scalar, Value, raw_features
from data.columns.boxes import Boxes
from data.columns.clip_source import ClipSource
from data.columns.crossed import Crossed, crossed
from data.columns.document import Document
from data.columns.excerpt import Excerpt, excerpt_column
from data.columns.given import Derived, Given, Prefix, Recorded
from data.columns.identifier import Identifier
from data.columns.image import NO_PICTURE, Image
from data.columns.label import CodedNames, Label
from data.columns.mask import Mask
from data.columns.midi import Midi
from data.columns.number import Integer, Number
from data.columns.opening import Opening
from data.columns.partner import Partner, Same, partner_of, sameness
from data.columns.passage import Passage
from data.columns.ranges import UNKNOWN, Ranges
from data.columns.reply import Reply
from data.columns.rows import BadColumn, content_digest, derive, encode_row
from data.columns.seed import Seed
from data.columns.tags import Tags, bio
from data.columns.text import Text
from data.columns.texts import Texts
from data.columns.timestamp import Timestamp
from data.columns.tune import Tune
from data.columns.turns import Turns
from data.columns.vector import Vector
from data.columns.video import Video
from data.columns.window import Ahead, Companions, SeriesName, Window

__all__ = [
    "Ahead",
    "Audio",
    "Backdrop",
    "BadColumn",
    "Boxes",
    "ClipSource",
    "CodedNames",
    "Column",
    "Companions",
    "Content",
    "Crossed",
    "DType",
    "Derived",
    "Document",
    "Excerpt",
    "Feature",
    "FormField",
    "Given",
    "Identifier",
    "Image",
    "Integer",
    "Label",
    "Mask",
    "Midi",
    "NO_PICTURE",
    "Number",
    "Opening",
    "Partner",
    "Passage",
    "Prefix",
    "Ranges",
    "Recorded",
    "Reply",
    "Same",
    "Scalar",
    "Seed",
    "SeriesName",
    "Tags",
    "Text",
    "Texts",
    "Timestamp",
    "Tune",
    "Turns",
    "UNKNOWN",
    "Value",
    "Vector",
    "Video",
    "Window",
    "bio",
    "content_digest",
    "crossed",
    "derive",
    "encode_row",
    "excerpt_column",
    "partner_of",
    "raw_features",
    "sameness",
]
