"""Those whom a pushed model is to know without having been trained on them: their names and embeddings, in a place of
their own.

`gallery/enrolled.npz` lies beside `serving/`, so that a pushed version's files, and their digests, stay as they are. It
holds no pictures, and can be read without running anything that it holds. Embeddings of one version mean nothing to
another: the file says whose they are, and another version refuses them.
"""

from __future__ import annotations

import hashlib
import io
import os
import secrets
import zipfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from components import manifest
from data.errors import BenisonError

FILE = "enrolled.npz"

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Gallery:
    """`names[i]` is whose `embeddings[i]` is, float32 `[n, size]`. `version` and `digest` are of the model that made
    them."""

    names: tuple[str, ...] = ()
    embeddings: Array = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    version: int = 0
    digest: str = ""

    @property
    def counts(self) -> Mapping[str, int]:
        """Pictures of each name."""
        return Counter(self.names)

    def without(self, name: str) -> Gallery:
        kept = [place for place, one in enumerate(self.names) if one != name]
        return Gallery(tuple(self.names[i] for i in kept), self.embeddings[kept], self.version, self.digest)

    def with_more(self, name: str, embeddings: Array, model: Path) -> Gallery:
        """With further pictures of `name`, of a pushed model; those of another model are refused.

        Raises:
          BenisonError: what is enrolled was made by another version.
        """
        if not self.names:
            return Gallery((name,) * len(embeddings), embeddings, int(model.name), model_digest(model))
        self.check(model)
        together = np.concatenate([self.embeddings, embeddings])
        return Gallery((*self.names, *(name,) * len(embeddings)), together, self.version, self.digest)

    def check(self, model: Path) -> None:
        """
        Raises:
          BenisonError: it was made by another version than `model`.
        """
        if self.names and self.digest != model_digest(model):
            who = ", ".join(f"{name} ({count})" for name, count in sorted(self.counts.items()))
            raise BenisonError(
                f"{who} were enrolled with version {self.version}, and version {model.name} is served: embeddings of "
                "one model mean nothing to another",
                "remove each with `benison enrol TASK --remove NAME`, then enrol them again from their pictures, which "
                "are not kept",
            )


def folder_beside(serving: Path) -> Path:
    """Where the gallery of the versions in `serving` lies."""
    return serving.with_name("gallery")


def model_digest(model: Path) -> str:
    """SHA-256 (hex) of a pushed version's manifest, which holds the digests of all of its files."""
    return hashlib.sha256((model / manifest.NAME).read_bytes()).hexdigest()


def read(folder: Path) -> Gallery:
    """What is enrolled; nobody where there is no file.

    Raises:
      BenisonError: the file is damaged.
    """
    path = folder / FILE
    try:
        with np.load(path, allow_pickle=False) as found:
            names = tuple(str(name) for name in found["names"])
            embeddings = np.asarray(found["embeddings"], np.float32)
            gallery = Gallery(names, embeddings, int(found["version"]), str(found["digest"]))
    except FileNotFoundError:
        return Gallery()
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise BenisonError(f"{path} is damaged: {error}", "remove this file, and enrol again") from error
    if embeddings.ndim != 2 or len(names) != len(embeddings) or not np.isfinite(embeddings).all():
        raise BenisonError(f"{path} is damaged: names and embeddings do not fit", "remove this file, and enrol again")
    return gallery


def write(folder: Path, gallery: Gallery) -> None:
    """Writes it whole or not at all, readable by its owner alone. Of nobody there is no file."""
    path = folder / FILE
    if not gallery.names:
        path.unlink(missing_ok=True)
        return
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    content = io.BytesIO()
    np.savez(
        content,
        names=np.array(gallery.names),
        embeddings=gallery.embeddings,
        version=np.array(gallery.version),
        digest=np.array(gallery.digest),
    )
    staged = path.with_name(f".{FILE}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content.getvalue())
            file.flush()
            os.fsync(file.fileno())
        os.replace(staged, path)
    finally:
        staged.unlink(missing_ok=True)
