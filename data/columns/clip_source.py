"""Which film a clip was cut from."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Any, ClassVar

from data.columns.identifier import Identifier

_UCF101 = re.compile(r"(v_.+_g\d+)_c\d+", re.IGNORECASE)
"""`v_ApplyEyeMakeup_g08_c01`: the first clip of the eighth group of its class (Soomro et al. 2012)."""


@dataclass(frozen=True, kw_only=True)
class ClipSource(Identifier):
    """The film that a clip was cut from, so that all clips of one are on one side. Tables name it; in class folders the
    names of files do, as in UCF101, where clips of one group (`v_CLASS_g08_c01.avi`) are of one film."""

    noun: ClassVar[str] = "source of a clip"

    def said_by_name(self, path: str) -> Any:
        found = _UCF101.fullmatch(os.path.splitext(os.path.basename(path))[0])
        return found[1] if found else None
