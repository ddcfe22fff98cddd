"""What the image is built from: locks that agree with the project's own, and a context of what setup.py packs."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ("requirements.lock", "requirements-cuda.lock", "requirements-build.lock")


def pinned(lock: Path) -> dict[str, str]:
    """Name -> version, with extras and markers left out."""
    lines = re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;]+)", lock.read_text(), re.MULTILINE)
    return dict(lines)


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_a_hash(lock: str) -> None:
    text = (ROOT / "kubeflow" / lock).read_text()
    entries = re.split(r"\n(?=[a-z])", text.strip())
    assert len(entries) == len(pinned(ROOT / "kubeflow" / lock)) > 0
    assert all("--hash=sha256:" in entry for entry in entries)


def test_the_image_has_the_versions_that_were_tested() -> None:
    ours, image = pinned(ROOT / "requirements.lock"), pinned(ROOT / "kubeflow/requirements.lock")
    assert image.items() <= ours.items(), "run `make lock`"
    assert {"tfx", "tensorflow", "kubernetes", "dash"} <= image.keys()
    assert not {"pytest", "ruff", "mypy", "playwright"} & image.keys()


def test_cuda_is_that_of_this_tensorflow() -> None:
    requirements = map(Requirement, metadata.requires("tensorflow") or [])
    wanted = {r.name: str(r.specifier) for r in requirements if r.marker and r.marker.evaluate({"extra": "and-cuda"})}
    cuda = {name: f"=={version}" for name, version in pinned(ROOT / "kubeflow/requirements-cuda.lock").items()}
    assert cuda == {name: version for name, version in wanted.items() if name.startswith("nvidia-")}, "run `make lock`"


def test_the_context_holds_what_is_packed_and_no_more() -> None:
    (packed,) = re.findall(r"find_namespace_packages\(include=\[(.*?)\]\)", (ROOT / "setup.py").read_text())
    packages = re.findall(r'"(\w+)\*"', packed)
    rules = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert rules[0] == "*"
    admitted = {rule.removeprefix("!") for rule in rules if rule.startswith("!")}
    assert set(packages) <= admitted
    assert admitted <= {*packages, "LICENSE", "README.md", "pyproject.toml", "setup.py", "kubeflow/*.lock"}
