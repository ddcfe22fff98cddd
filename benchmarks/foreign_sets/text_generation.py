"""Texts unlike plays: manuals in Chinese, in another script of thousands of characters, and programs in Python."""

from __future__ import annotations

import gzip
import re
import sysconfig
from pathlib import Path
from tempfile import TemporaryDirectory

from data.sources.fetch import Source

MANUALS = Source(
    client="debian",
    package="manpages-zh",
    version="1.6.4.0-1",
    filename="manpages-zh_1.6.4.0-1_all.deb",
    sha256="81bae29495f6445db290e3f329f1203eb19b651c2a7ea165b74ebdc853a32ac1",
    size_bytes=4_937_812,
    holds="manual pages in Chinese",
)
LEAST = 2_000
"""Characters of a manual that is taken; most pages are a few lines."""

PACKAGES = ("asyncio", "email", "http", "json", "logging", "multiprocessing", "unittest", "xml")
"""Of Python's own library."""


def chinese_manuals(folder: Path) -> None:
    """Manual pages in simplified Chinese, of sections without links, without their markup, a file each."""
    from data.sources.archives import unpack
    from data.sources.fetch import fetch_to_cache

    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as scratch:
        archive = fetch_to_cache(MANUALS, Path(scratch), print)
        for page in unpack(archive, Path(scratch) / "pages", "usr/share/man/zh_CN/man[2467]/*.gz"):
            text = plain(gzip.decompress(page.read_bytes()).decode("utf-8", "ignore"))
            if len(text) >= LEAST:
                (folder / f"{page.name.removesuffix('.gz')}.txt").write_text(text, encoding="utf-8")


def plain(troff: str) -> str:
    """The lines of a manual that are no requests to its typesetter, without what changes the type."""
    lines = (re.sub(r"\\f.|\\[-&|^c,/]", "", line) for line in troff.splitlines() if line[:1] not in (".", "'"))
    return "\n".join(line for line in lines if line.strip()) + "\n"


def programs(folder: Path) -> None:
    """Modules of Python's own library, a file each, in folders as there."""
    library = Path(sysconfig.get_path("stdlib"))
    for package in PACKAGES:
        for module in sorted((library / package).rglob("*.py")):
            text = module.read_text(encoding="utf-8")
            if len(text) >= LEAST:
                target = folder / module.relative_to(library).with_suffix(".txt")
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text, encoding="utf-8")


SETS = {"chinese_manuals": chinese_manuals, "programs": programs}
