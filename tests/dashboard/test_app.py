"""The dashboard as a program: what it imports, where it listens, how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dashboard.app import create
from dashboard.security import Policy
from tests.dashboard.conftest import answering

HEAVY = (
    "tensorflow",
    "tfx",
    "apache_beam",
    "tensorflow_model_analysis",
    "tensorflow_data_validation",
    "pandas",
)


def benison(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pipelines", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, env=os.environ | environment)


def test_neither_tensorflow_nor_tfx_is_imported(tmp_path: Path) -> None:
    program = f"""
import sys
from pathlib import Path
from dashboard.app import create, page
from dashboard.security import Policy
from dashboard.store import Store
create(Path({str(tmp_path)!r}), Policy())
for place in ("/", "/models", "/compare", "/run/a/b"):
    page(Store(Path({str(tmp_path)!r})), place, "")
print([name for name in {HEAVY!r} if name in sys.modules])
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300)
    assert ended.stdout.strip() == "[]", ended.stderr


def test_it_listens_on_loopback_and_ends_when_told_to(tmp_path: Path) -> None:
    with answering(tmp_path) as address:
        assert address.startswith("http://127.0.0.1:")


def test_another_host_needs_a_token(tmp_path: Path) -> None:
    refused = benison("dashboard", "--host", "0.0.0.0", "--workspace", str(tmp_path))
    assert refused.returncode == 2 and "needs a token" in refused.stderr and "--token-file" in refused.stderr
    missing = benison("dashboard", "--token-file", str(tmp_path / "none"), "--workspace", str(tmp_path))
    assert missing.returncode == 2 and "none cannot be read" in missing.stderr
    short = benison("dashboard", "--workspace", str(tmp_path), BENISON_DASHBOARD_TOKEN="short")
    assert short.returncode == 2 and "shorter than 16" in short.stderr


def test_a_port_in_use_is_said_to_be(tmp_path: Path) -> None:
    with answering(tmp_path) as address:
        refused = benison("dashboard", "--port", address.rpartition(":")[2], "--workspace", str(tmp_path))
    assert refused.returncode == 1 and "cannot listen on 127.0.0.1 port" in refused.stderr


@pytest.mark.parametrize(
    ("referrer", "shown"),
    [
        ("http://localhost/models", "No model has been pushed"),
        ("http://localhost/run/a/b?show=wrong", "Not there"),
        ("", ""),
    ],
)
def test_the_layout_holds_the_page_that_was_opened(referrer: str, shown: str, tmp_path: Path) -> None:
    browser = create(tmp_path, Policy()).server.test_client()
    found = browser.get("/_dash-layout", headers={"Referer": referrer} if referrer else {})
    [page] = [child["props"] for child in found.json["props"]["children"] if child["type"] == "Main"]
    assert shown in json.dumps(page.get("children")) if shown else page.get("children") is None
