"""Composed scenes: clothes, shoes and bags of Fashion-MNIST on photographs, with boxes and masks. Nobody took them.

A scene is a random part of a photograph, `WIDTH` x `HEIGHT` pixels, on which one to six things lie, each in one colour
of its own, 20 to 64 pixels on its longer side, turned a little, some mirrored, little of any hidden by a later one. A
box is the rectangle around what is at least half opaque before anything covers it; a mask has in each pixel the class
of what is at least half opaque there and uppermost, from 1 on as `classes.txt` names them, and 0 for the photograph.

Of what `train/` shows nothing returns in `eval/`: things are from Fashion-MNIST's training and test set, and every
fourth photograph is for evaluation alone. Six of the ten classes are used, those that 28x28 pixels tell apart.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from data.media.palettes import voc_palette
from data.sets import fashion_mnist
from data.sources.catalogue import DataSet, Source

PHOTOGRAPHS = Source(
    client="debian",
    package="lomiri-wallpapers-16.04",
    version="20.04.0-2",
    filename="lomiri-wallpapers-16.04_20.04.0-2_all.deb",
    sha256="a99ff6a3bfe451e4cc0682ecb3cc82e71740626d59e4845ae34a0a0e45421eab",
    size_bytes=15_783_184,
    holds="13 photographs",
)

DATA_SET = DataSet(
    name="scenes",
    title="Composed scenes: clothes pasted on photographs, 144x112, 6 classes, 1 to 6 objects with boxes and masks",
    licence="MIT (Expat) (the clothes); CC BY 4.0, CC BY-SA 4.0 and CC0 (the photographs)",
    credit=(
        "Fashion-MNIST by H. Xiao, K. Rasul, R. Vollgraf, Zalando SE; photographs by A. Berasategi, Bolly, "
        "C. Engelhardt, Freespace, S. Klootwijk, J. Mede, P. Nerlich, packaged by the Debian UBports team"
    ),
    sources=(
        (
            dataclasses.replace(fashion_mnist.DATA_SET.sources[0][0], holds="42,000 pictures of six classes"),
            PHOTOGRAPHS,
        ),
    ),
)

CLASSES = ("t-shirt", "trouser", "dress", "sneaker", "bag", "ankle boot")
SCENES = {"train": 1_500, "eval": 300}
WIDTH, HEIGHT = 144, 112
SIZES = (20.0, 64.0)
"""Pixels on the longer side of a thing, drawn evenly on a logarithmic scale."""
MAX_OBJECTS = 6
MAX_HIDDEN = 0.2
"""Of the smaller of two boxes, so much may lie in the other."""
MAX_TURN = 12.0
"""Degrees to either side."""
DARKEST = 12
"""Fainter pixels of Fashion-MNIST are mostly specks beside the thing."""
LARGEST_HOLE = 12
"""Pixels of 28x28. Larger ones, as under a handle, show what is behind."""
NO_PHOTOGRAPHS = ("analogpattern_by_Peter_Nerlich", "umang_by_Abhishek_Mudgal")

Array = Any
"""numpy.ndarray"""
Box = tuple[int, int, int, int]
"""x, y, width, height, pixels."""
Scene = tuple[Any, Any, list[dict[str, Any]]]
"""The picture, its mask, and the row's `objects`."""


def prepare(archives: Sequence[Path], target: Path, sources: Sequence[Source]) -> None:
    """Writes `target/{train,eval}/metadata.jsonl`, each row with `file_name`, `objects` and `mask_file_name`, beside it
    the scenes as JPEG and their masks as indexed PNG, and `target/classes.txt`."""
    del sources
    from data.sources.archives import unpack

    clothes, photographs = archives
    with TemporaryDirectory(dir=target.parent) as unpacked:
        files = {file.name: file for file in unpack(clothes, Path(unpacked), "*/fashion-mnist/*-ubyte.gz")}
        photos = [
            _photograph(path)
            for path in unpack(photographs, Path(unpacked), "usr/share/backgrounds/*.jpg")
            if path.stem not in NO_PHOTOGRAPHS
        ]
        for number, (split, (prefix, _)) in enumerate(fashion_mnist.SPLITS.items()):
            things = _by_class(files[f"{prefix}-images-idx3-ubyte.gz"], files[f"{prefix}-labels-idx1-ubyte.gz"])
            mine = [photo for i, photo in enumerate(photos) if (i % 4 == 0) == (split == "eval")]
            _write(target / split, _scenes(SCENES[split], number, things, mine))
    (target / "classes.txt").write_text("\n".join(("background", *CLASSES)) + "\n", encoding="utf-8")


def _write(folder: Path, scenes: Iterator[Scene]) -> None:
    folder.mkdir(parents=True)
    with (folder / "metadata.jsonl").open("w", encoding="utf-8") as metadata:
        for number, (scene, mask, objects) in enumerate(scenes):
            name, mask_name = f"{number:04}.jpg", f"{number:04}.mask.png"
            scene.save(folder / name, quality=92)
            mask.putpalette(voc_palette().tobytes())
            mask.save(folder / mask_name)
            print(json.dumps({"file_name": name, "objects": objects, "mask_file_name": mask_name}), file=metadata)


def _scenes(count: int, seed: int, things: Mapping[str, Array], photos: Sequence[Any]) -> Iterator[Scene]:
    """Scenes and what is in them, each from random numbers of its own."""
    import numpy as np
    from PIL import Image

    for number in range(count):
        generator = np.random.default_rng([seed, number])
        scene = _part(photos[generator.integers(len(photos))], generator)
        mask = Image.new("P", scene.size)
        objects: list[dict[str, Any]] = []
        for _ in range(generator.integers(1, MAX_OBJECTS + 1)):
            label = CLASSES[generator.integers(len(CLASSES))]
            thing = things[label][generator.integers(len(things[label]))]
            cut_out = _cut_out(thing, generator)
            box = _free_place(cut_out.size, [one["bbox"] for one in objects], generator)
            if box:
                scene.paste(cut_out, box[:2], cut_out)
                solid = cut_out.getchannel("A").point(lambda a: 255 * (a >= 128))
                mask.paste(1 + CLASSES.index(label), box[:2], solid)
                objects.append({"bbox": box, "label": label})
        yield scene, mask, objects


def _part(photo: Any, generator: Any) -> Any:
    """A random part of a photograph, shrunk to a scene."""
    largest = min(photo.width / WIDTH, photo.height / HEIGHT)
    scale = generator.uniform(1.0, largest)
    width, height = scale * WIDTH, scale * HEIGHT
    left, top = generator.uniform(0, photo.width - width), generator.uniform(0, photo.height - height)
    return photo.resize((WIDTH, HEIGHT), box=(left, top, left + width, top + height), reducing_gap=2.0)


def _cut_out(pixels: Array, generator: Any) -> Any:
    """A thing in one colour, RGBA, as large as its box. `pixels`: uint8 `[28, 28]`, bright on black."""
    import numpy as np
    from PIL import Image

    alpha = np.where(_opaque(pixels), 255, 0).astype(np.uint8)
    colour = generator.uniform(0.35, 1.0, 3)
    coloured = np.dstack([pixels[..., None] * (colour / colour.max()), alpha]).astype(np.uint8)
    cut_out = Image.fromarray(coloured)
    if generator.random() < 0.5:
        cut_out = cut_out.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    left, top, right, bottom = cut_out.getchannel("A").getbbox() or (0, 0, *cut_out.size)
    size = np.exp(generator.uniform(*np.log(SIZES)))
    scale = size / max(right - left, bottom - top)
    side = round(scale * pixels.shape[0])
    turn = generator.uniform(-MAX_TURN, MAX_TURN)
    enlarged = cut_out.resize((side, side), Image.Resampling.BILINEAR)
    turned = enlarged.rotate(turn, Image.Resampling.BILINEAR, expand=True)
    return turned.crop(turned.getchannel("A").point(lambda a: 255 * (a >= 128)).getbbox())


def _opaque(pixels: Array) -> Array:
    """Where the thing itself is: the largest bright region, without specks, with all holes as small as a pattern's."""
    import numpy as np
    from scipy import ndimage

    regions, _ = ndimage.label(pixels > DARKEST)
    thing = regions == 1 + np.bincount(regions.flat)[1:].argmax()
    outside, _ = ndimage.label(~thing)
    return thing | (np.bincount(outside.flat)[outside] <= LARGEST_HOLE)


def _free_place(size: tuple[int, int], taken: Sequence[Box], generator: Any) -> Box | None:
    """A place that hides little of the boxes that are taken, if one is found."""
    width, height = size
    for _ in range(20):
        x, y = (int(generator.integers(0, room + 1)) for room in (WIDTH - width, HEIGHT - height))
        if all(_hidden((x, y, width, height), other) <= MAX_HIDDEN for other in taken):
            return x, y, width, height
    return None


def _hidden(one: Box, other: Box) -> float:
    """How much of the smaller box lies in the other."""
    sides = [
        min(one[axis] + one[axis + 2], other[axis] + other[axis + 2]) - max(one[axis], other[axis]) for axis in (0, 1)
    ]
    return max(0, sides[0]) * max(0, sides[1]) / min(one[2] * one[3], other[2] * other[3])


def _photograph(path: Path) -> Any:
    """An RGB picture, its longer side at most 640 pixels."""
    from PIL import Image

    with Image.open(path) as photo:
        photo.thumbnail((640, 640))
        return photo.convert("RGB")


def _by_class(images: Path, labels: Path) -> dict[str, Array]:
    """Class name -> uint8 `[n, 28, 28]`."""
    pixels, numbers = fashion_mnist.read_idx(images), fashion_mnist.read_idx(labels)
    return {name: pixels[numbers == fashion_mnist.CLASSES.index(name)] for name in CLASSES}
