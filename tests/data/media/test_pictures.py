"""Every picture is stored as a viewer shows it, in bytes that TensorFlow decodes; ordinary files are not touched."""

import io
import zlib

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageOps

from data.columns import Image
from data.errors import BadValue
from data.folders.check import check
from data.media.pictures import CONSTANT, FIRST_FRAME, ON_BLACK, ON_WHITE, TURNED, decodable, remarks, shrunk, to_8_bits


def encoded(picture, kind="PNG", **options):
    out = io.BytesIO()
    (picture if isinstance(picture, Pillow.Image) else Pillow.fromarray(picture)).save(out, kind, **options)
    return out.getvalue()


def stored(content):
    return decodable(content, 1, 8192)


def pixels(content, mode=None):
    with Pillow.open(io.BytesIO(content)) as picture:
        return np.asarray(picture.convert(mode) if mode else picture)


def smooth(height=40, width=56):
    y, x = np.mgrid[:height, :width]
    return np.stack([x * 4, y * 6, (x + y) * 2], axis=-1).astype(np.uint8)


def made_png(header, data):
    """A PNG of (width, height, depth, colour type, interlaced) with this image data."""

    def chunk(kind, body):
        return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")

    width, height, depth, colour, interlaced = header
    start = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([depth, colour, 0, 0, interlaced])
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", start) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    ("kind", "options"),
    [("JPEG", {"quality": 90}), ("PNG", {}), ("WEBP", {"lossless": True}), ("TIFF", {}), ("AVIF", {"quality": 90})],
)
def test_a_picture_is_turned_as_its_exif_orientation_says(kind, options, orientation):
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    content = encoded(smooth(), kind, exif=exif.tobytes(), **options)
    with Pillow.open(io.BytesIO(content)) as picture:
        shown = np.asarray(ImageOps.exif_transpose(picture))
    found = stored(content)
    assert (found.height, found.width) == shown.shape[:2] == ((56, 40) if orientation >= 5 else (40, 56))
    assert np.abs(pixels(found.content).astype(int) - shown).mean() < 1
    if kind in ("JPEG", "PNG"):
        assert (found.content == content) == (orientation == 1)
        assert remarks(found.content) == ([] if orientation == 1 else [TURNED])
        assert pixels(found.content).shape == shown.shape


def test_a_turned_jpeg_stays_a_jpeg_of_about_its_size():
    exif = Pillow.Exif()
    exif[0x0112] = 6
    content = encoded(smooth(480, 640), "JPEG", quality=92, exif=exif.tobytes())
    assert len(stored(content).content) < 1.1 * len(content)


def test_an_orientation_that_is_none_or_damaged_leaves_a_picture_as_it_lies():
    exif = Pillow.Exif()
    exif[0x0112] = 9
    for content in (
        encoded(smooth(), "JPEG", exif=exif.tobytes()),
        encoded(smooth(), "JPEG", exif=b"Exif\0\0" + b"MM\0*"),
    ):
        assert stored(content).content == content


@pytest.mark.parametrize(("factor", "bits"), [(1, 8), (4, 10), (20, 12), (80, 14), (300, 16)])
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bit_greys_are_scaled_from_the_depth_that_they_use(kind, factor, bits):
    values = np.arange(203, dtype=np.uint16).reshape(7, 29) * factor
    found = stored(encoded(values, kind))
    assert np.abs(pixels(found.content) - values * (255 / (2**bits - 1))).max() <= 0.5
    assert remarks(found.content) == [f"more than 8 bits a channel, {bits} in use; scaled to 8"]
    assert found.channels == 1


def test_16_bit_colours_keep_their_lower_bits():
    values = np.zeros((4, 5, 3), ">u2")
    values[1:3, 1:3] = 100, 150, 202
    png = made_png((5, 4, 16, 2, 0), b"".join(b"\0" + row.tobytes() for row in values))
    assert np.array_equal(pixels(stored(png).content), values)
    alpha = np.concatenate([values[..., :1] * 300, np.uint16(65535) * (values[..., :1] > 0)], axis=-1).astype(">u2")
    png = made_png((5, 4, 16, 4, 0), b"".join(b"\0" + row.tobytes() for row in alpha))
    grey = pixels(stored(png).content)
    assert grey[0, 0] == 255
    assert grey[1, 1] == round(30000 / 257)


@pytest.mark.parametrize("tag", [281, 341])
@pytest.mark.parametrize(("greatest", "bits"), [(4095, 12), (16383, 14), (300, 10), (65535, 10), (1023, 10)])
def test_a_tiff_that_says_its_greatest_value_is_scaled_from_it_though_it_is_dark(tag, greatest, bits):
    """Values up to 600: all ones are a range; other values are of this picture alone, or what everybody writes."""
    values = np.arange(0, 600, 6, dtype=np.uint16).reshape(10, 10)
    found = decodable(encoded(Pillow.fromarray(values), "TIFF", tiffinfo={tag: greatest}), 1, 100)
    assert remarks(found.content) == [f"more than 8 bits a channel, {bits} in use; scaled to 8"]
    assert np.abs(pixels(found.content) - values * (255 / (2**bits - 1))).max() <= 0.5


def test_a_declared_depth_is_used_for_dark_pictures_too():
    dark = np.full((2, 2), 255, np.uint16)
    assert to_8_bits(dark, declared=12)[0].max() == 16
    assert to_8_bits(dark, declared=4)[1] == 8
    assert pixels(stored(b"P5 2 1 1023\n" + np.array([0, 511], ">u2").tobytes()).content).max() == 127


@pytest.mark.parametrize("values", [[-1.0, 0.0], [np.nan, 1.0], [0.5, 300.0]])
def test_values_that_no_rule_scales_are_refused(values):
    with pytest.raises(BadValue, match="must be|scale them"):
        stored(encoded(np.array([values], np.float32), "TIFF"))


def icon(colour, mode="RGBA"):
    picture = np.zeros((12, 16, 4), np.uint8)
    picture[..., :3] = colour
    picture[3:7, 2:9, 3] = 255
    return Pillow.fromarray(picture).convert(mode)


@pytest.mark.parametrize(("kind", "mode"), [("PNG", "RGBA"), ("PNG", "LA"), ("WEBP", "RGBA"), ("TIFF", "RGBA")])
@pytest.mark.parametrize(("colour", "ground", "remark"), [(0, 255, ON_WHITE), (255, 0, ON_BLACK)])
def test_a_shape_that_is_in_alpha_alone_is_seen(kind, mode, colour, ground, remark):
    options = {"lossless": True} if kind == "WEBP" else {}
    found = stored(encoded(icon(colour, mode), kind, **options))
    picture = pixels(found.content, "L")
    assert (picture[5, 5], picture[0, 0]) == (colour, ground)
    assert remarks(found.content) == [remark]
    assert found.channels == (1 if mode == "LA" else 3)


def test_a_transparent_gif_is_laid_on_white():
    found = stored(encoded(icon((200, 0, 0)), "GIF"))
    assert remarks(found.content) == [ON_WHITE]
    assert pixels(found.content)[0, 0].tolist() == [255, 255, 255]


@pytest.mark.parametrize(
    ("kind", "options"),
    [("WEBP", {"lossless": True}), ("TIFF", {}), ("TIFF", {"compression": "tiff_lzw"}), ("BMP", {}), ("PPM", {})],
)
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_other_formats_become_png_without_loss(kind, options, mode):
    picture = Pillow.fromarray(smooth()).convert(mode)
    found = stored(encoded(picture, kind, **options))
    assert found.content.startswith(b"\x89PNG")
    assert np.array_equal(pixels(found.content, mode), np.asarray(picture))
    assert remarks(found.content) == []


@pytest.mark.parametrize("kind", ["GIF", "TIFF", "WEBP", "PNG"])
def test_of_several_frames_the_first_is_taken_and_that_is_said(kind):
    first, second = Pillow.new("RGB", (9, 7), "red"), Pillow.new("RGB", (9, 7), "blue")
    options = {"lossless": True} if kind == "WEBP" else {}
    found = stored(encoded(first, kind, save_all=True, append_images=[second], **options))
    assert pixels(found.content, "RGB")[3, 3].tolist() == [255, 0, 0]
    assert remarks(found.content) == [FIRST_FRAME, CONSTANT]


@pytest.mark.parametrize("interlaced", [False, True])
def test_a_png_whose_image_data_end_early_is_refused(interlaced):
    if interlaced:
        data = b"".join(
            bytes(1 + width) * rows for width, rows in ((1, 1), (1, 1), (2, 1), (2, 2), (4, 2), (4, 4), (8, 4))
        )
    else:
        data = bytes(9) * 8
    whole = made_png((8, 8, 8, 0, int(interlaced)), data)
    assert stored(whole).content == whole
    with pytest.raises(BadValue, match="data end early"):
        stored(made_png((8, 8, 8, 0, int(interlaced)), data[:-3]))
    with pytest.raises(BadValue, match="PNG filter"):
        stored(made_png((8, 8, 8, 0, int(interlaced)), b"\5" + data[1:]))


def test_formats_that_are_not_read_are_named():
    with pytest.raises(BadValue, match="a HEIC picture; convert it to JPEG or PNG"):
        stored(b"\0\0\0\x18ftypheic" + bytes(50))


def test_a_picture_of_one_colour_is_remarked():
    assert remarks(stored(encoded(np.full((8, 8, 3), 7, np.uint8), "JPEG")).content) == [CONSTANT]
    assert remarks(stored(encoded(smooth())).content) == []


def test_check_counts_what_it_warns_of_and_refuses_none_of_it(tmp_path):
    for number in range(20):
        picture = icon((0, 0, 5 * number)) if number % 2 else smooth()[:, number:]
        (tmp_path / f"{number}.png").write_bytes(encoded(picture))
    report = check(tmp_path, {"image": Image()})
    assert report.ok
    assert report.remarks == {"image": {ON_WHITE: 10}}
    assert f"Warning: image of 10 records: {ON_WHITE}" in report.text()


def test_what_is_accepted_of_cut_and_damaged_files_tensorflow_decodes_to_the_size_that_was_told():
    import tensorflow as tf

    rng = np.random.default_rng(0)
    noisy = np.clip(smooth().astype(float) + rng.normal(0, 20, (40, 56, 3)), 0, 255).astype(np.uint8)
    grey, colour = Pillow.fromarray(noisy[..., 0]), Pillow.fromarray(noisy)
    samples = [
        *(encoded(colour.convert(mode)) for mode in ("1", "L", "P", "RGB", "RGBA")),
        encoded(noisy[..., 0].astype(np.uint16) * 9),
        *(encoded(picture, "JPEG") for picture in (grey, colour, colour.convert("CMYK"))),
        encoded(colour, "JPEG", progressive=True),
        encoded(colour, "JPEG", restart_marker_blocks=2),
        *(encoded(colour, kind) for kind in ("GIF", "BMP", "WEBP", "TIFF")),
    ]
    accepted = 0
    for sample in samples:
        damaged = [sample, *(sample[:-cut] for cut in range(1, 9)), *(_damaged(sample, rng) for _ in range(25))]
        for content in damaged:
            try:
                found = stored(content)
            except BadValue:
                assert content != sample
                continue
            decoded = tf.io.decode_image(found.content, expand_animations=False)
            assert decoded.shape == (found.height, found.width, found.channels)
            accepted += 1
    assert accepted > 2 * len(samples)


def _damaged(content, rng):
    changed = bytearray(content)
    place = int(rng.integers(len(changed)))
    if rng.random() < 0.5:
        changed[place] = rng.integers(256)
    else:
        del changed[place : place + int(rng.integers(1, 40))]
    return bytes(changed)


def test_a_large_picture_is_shrunk_and_keeps_what_is_to_be_told_of_it():
    alpha = np.full((40, 56, 4), 128, np.uint8)
    alpha[:20, :, :3] = 0
    large = stored(encoded(Pillow.fromarray(alpha)))
    small = shrunk(large, 28)
    assert (small.width, small.height, small.channels) == (28, 20, 3) and pixels(small.content).shape == (20, 28, 3)
    assert remarks(small.content) == remarks(large.content) == [ON_WHITE]
    assert shrunk(large, 56) is large
    grey = shrunk(stored(encoded(Pillow.fromarray(alpha[..., 0]))), 28)
    assert grey.channels == 1
