"""Files that are there whole or not at all, for readers in other processes and on other machines."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def write_atomic(path: Path, text: str) -> None:
    """Writes the whole text or nothing: readers see the old file or the new one. Makes the folder if it is not there.

    Of several writers at once one comes last, and its text stays. What is staged has a name of its own in each call:
    the processes of two pods that share a volume may have the same id and the same host name.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with staged.open("x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(staged, path)
    finally:
        staged.unlink(missing_ok=True)
