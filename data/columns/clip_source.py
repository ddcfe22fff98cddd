"""Which film a clip was cut from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from data.columns.identifier import Identifier

_UCF101 = r"(?i)(v_.+_g\d+)_c\d+"
"""`v_ApplyEyeMakeup_g08_c01`: the first clip of the eighth group of its class (Soomro et al. 2012)."""


@dataclass(frozen=True, kw_only=True)
class ClipSource(Identifier):
    """The film that a clip was cut from, so that all clips of one are on one side. Tables name it; in class folders the
    names of files do, as in UCF101, where clips of one group (`v_CLASS_g08_c01.avi`) are of one film."""

    noun: ClassVar[str] = "source of a clip"
    in_file_names: tuple[str, ...] = (_UCF101,)
