"""Masks inside the graph: which class each pixel shows, from files and back to them."""

from __future__ import annotations

import zlib
from typing import Any

from data.media.palettes import VOID, voc_palette
from trainer.backend import tf

UNSEEN = 254
"""The class of pixels whose class the train split lacks."""

_SIGNATURE_AND_LENGTH = 12
_HEADER_END = 33
"""Bytes: a PNG's signature, then its header: length (4), kind (4), content (13), checksum (4)."""


def index_classes(numbers: Any, names: Any, vocabulary: str) -> Any:
    """What class each number of each example's mask is, by a vocabulary of the train split.

    A full pass, for use in `preprocess`. An entry of the vocabulary is a name and a number (`entry_parts`), so that
    masks that a model makes have the numbers that people gave.

    Args:
      numbers, names: of the classes that occur, tf.SparseTensors `[batch, None]`, int64 and string.
      vocabulary: its name.

    Returns:
      uint8 `[batch, 256]`: of each number the index of its class, UNSEEN where the train split lacks it, VOID where it
      does not occur.
    """
    import tensorflow_transform as tft

    entries = tf.strings.join([names.values, " (", tf.strings.as_string(numbers.values), ")"])
    index = tft.compute_and_apply_vocabulary(
        tf.SparseTensor(numbers.indices, entries, numbers.dense_shape),
        default_value=UNSEEN,
        vocab_filename=vocabulary,
        num_oov_buckets=0,
    )
    nowhere = tf.fill([numbers.dense_shape[0], tf.constant(256, tf.int64)], tf.constant(VOID, tf.uint8))
    places = tf.stack([numbers.indices[:, 0], numbers.values], axis=1)
    return tf.tensor_scatter_nd_update(nowhere, places, tf.cast(index.values, tf.uint8))


def entry_parts(entry: str) -> tuple[str, int]:
    """Name and number of a class: of "cat (12)"."""
    name, _, number = entry.removesuffix(")").rpartition(" (")
    return name, int(number)


def decode_fitted(encoded: Any, classes: Any, height: Any, width: Any) -> Any:
    """Masks on the canvas on which `images.decode_fitted` lays their pictures; beside them is VOID.

    A pixel is that of the file which is nearest: classes have no means.

    Args:
      encoded: grey PNGs of numbers, string `[batch]`.
      classes: uint8 `[batch, 256]`, as `index_classes` gives it.

    Returns:
      uint8 `[batch, height, width]`.
    """
    from trainer.features.images import fitted_size

    canvas = tf.stack([tf.cast(height, tf.int32), tf.cast(width, tf.int32)])

    def one(data: tuple[Any, Any]) -> Any:
        content, table = data
        numbers = tf.io.decode_png(content, channels=1)
        size = fitted_size(tf.shape(numbers)[:2], canvas)
        shrunk = tf.image.resize(numbers, size, method="nearest")[..., 0]
        beside = canvas - size
        mask = tf.gather(table, tf.cast(shrunk, tf.int32))
        return tf.pad(mask, [[0, beside[0]], [0, beside[1]]], constant_values=VOID)

    return tf.map_fn(one, (encoded, classes), fn_output_signature=tf.TensorSpec([None, None], tf.uint8))


def random_window(pictures: Any, masks: Any, size: tuple[int, int], seed: Any) -> tuple[Any, Any]:
    """A random part of each picture and the same of its mask, half of them mirrored: for `Task.batch`.

    Args:
      pictures: uint8 `[batch, height, width, channels]`.
      masks: uint8 `[batch, height, width]`.
      size: height and width of the part, at most those of the pictures.
      seed: int64 `[2]`.
    """
    count = tf.shape(masks)[0]
    room = tf.cast(tf.shape(masks)[1:] - size + 1, tf.float32)
    chance = tf.random.stateless_uniform([count, 3], seed)
    start = tf.cast(tf.floor(chance[:, :2] * room), tf.int32)
    rows, columns = start[:, :1] + tf.range(size[0]), start[:, 1:] + tf.range(size[1])
    columns = tf.where(chance[:, 2:] < 0.5, columns[:, ::-1], columns)

    def part(values: Any) -> Any:
        return tf.gather(tf.gather(values, rows, axis=1, batch_dims=1), columns, axis=2, batch_dims=1)

    return part(pictures), part(masks)


def cross_entropy(truth: Any, logits: Any) -> Any:
    """The mean over those pixels of each picture that have a class, float32 `[batch]`; in nats.

    Args:
      truth: classes `[batch, height, width]`, VOID or UNSEEN where there is none.
      logits: float32 `[batch, height, width, classes]`.
    """
    truth = tf.cast(truth, tf.int32)
    counted = truth < UNSEEN
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.where(counted, truth, 0), logits)
    weights = tf.cast(counted, losses.dtype)
    return tf.reduce_sum(losses * weights, axis=[1, 2]) / tf.maximum(tf.reduce_sum(weights, axis=[1, 2]), 1.0)


def dice_loss(truth: Any, logits: Any) -> Any:
    """One minus the mean soft Dice of those classes that the batch shows (Milletari et al. 2016), a scalar.

    Each class counts alike, however few its pixels. Arguments as of `cross_entropy`.
    """
    truth = tf.cast(truth, tf.int32)
    counted = tf.cast(truth < UNSEEN, tf.float32)[..., None]
    true = tf.one_hot(truth, logits.shape[-1]) * counted
    guessed = tf.nn.softmax(logits) * counted
    both, sums = (tf.reduce_sum(values, axis=[0, 1, 2]) for values in (true * guessed, true + guessed))
    shown = tf.cast(tf.reduce_sum(true, axis=[0, 1, 2]) > 0, tf.float32)
    dice = (2 * both + 1) / (sums + 1)
    return 1 - tf.reduce_sum(dice * shown) / tf.maximum(tf.reduce_sum(shown), 1.0)


def cross_entropy_and_dice(truth: Any, logits: Any) -> Any:
    """Their sum, float32 `[batch]` (Isensee et al. 2021): the one for each pixel, the other for each class."""
    return cross_entropy(truth, logits) + dice_loss(truth, logits)


def indexed_png(numbers: Any) -> Any:
    """One mask, uint8 `[height, width]`, as an indexed PNG in Pascal VOC's colours: string scalar.

    TensorFlow writes grey ones. An indexed one has the same pixels, another kind of colour in its header, and a palette
    behind it.
    """
    grey = tf.io.encode_png(numbers[..., None], compression=6)
    header = tf.strings.join([tf.strings.substr(grey, _SIGNATURE_AND_LENGTH, 13), b"\x03\x00\x00\x00"])
    checksum = _crc32(tf.io.decode_raw(header, tf.uint8))
    palette = b"PLTE" + voc_palette().tobytes()
    chunk = b"\x00\x00\x03\x00" + palette + zlib.crc32(palette).to_bytes(4, "big")
    begin, rest = tf.strings.substr(grey, 0, _SIGNATURE_AND_LENGTH), tf.strings.substr(grey, _HEADER_END, -1)
    return tf.strings.join([begin, header, checksum, chunk, rest])


def _crc32(content: Any) -> Any:
    """The checksum of a PNG's chunk, as four bytes. `content`: uint8 `[n]`, n known while the graph is made."""
    table = tf.constant([_crc_of_byte(byte) for byte in range(256)], tf.uint32)
    crc = tf.constant(0xFFFFFFFF, tf.uint32)
    for byte in tf.unstack(tf.cast(content, tf.uint32), num=17):
        place = tf.bitwise.bitwise_and(tf.bitwise.bitwise_xor(crc, byte), tf.constant(0xFF, tf.uint32))
        shifted = tf.bitwise.right_shift(crc, tf.constant(8, tf.uint32))
        crc = tf.bitwise.bitwise_xor(shifted, tf.gather(table, tf.cast(place, tf.int32)))
    crc = tf.bitwise.invert(crc)
    high_first = [tf.bitwise.right_shift(crc, tf.constant(shift, tf.uint32)) for shift in (24, 16, 8, 0)]
    places = tf.bitwise.bitwise_and(tf.stack(high_first), tf.constant(0xFF, tf.uint32))
    letters = tf.constant([bytes([byte]) for byte in range(256)])
    return tf.strings.reduce_join(tf.gather(letters, tf.cast(places, tf.int32)))


def _crc_of_byte(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (0xEDB88320 if byte & 1 else 0)
    return byte
