"""The dashboard behind a real nginx that speaks TLS, set up as nginx's own examples do."""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.dashboard import stores
from tests.dashboard.conftest import answering

TOKEN = "a token that nobody guesses"
TASK = "image_classification"
CONFIGURATION = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {folder}/certificate.pem; ssl_certificate_key {folder}/key.pem;
    location / {{ proxy_pass {behind}; }}
  }}
}}
"""


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of an nginx in front of a dashboard, which was told its address."""
    path = f"{os.environ['PATH']}:/usr/sbin"
    nginx, openssl = (shutil.which(name, path=path) for name in ("nginx", "openssl"))
    if nginx is None or openssl is None:
        pytest.skip("needs nginx and openssl: apt-get install --no-install-recommends nginx openssl")
    folder, port = tmp_path_factory.mktemp("nginx"), free_port()
    made = [
        openssl,
        "req",
        "-x509",
        "-nodes",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-days",
        "2",
    ]
    made += ["-subj", "/CN=localhost", "-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")]
    subprocess.run(made, check=True, capture_output=True)
    workspace = tmp_path_factory.mktemp("workspace")
    stores.finished(workspace, TASK, 1, 0.9)
    (folder / "token").write_text(TOKEN)
    told = ("--public-url", f"https://localhost:{port}", "--token-file", str(folder / "token"))
    with answering(workspace, *told) as behind:
        (folder / "nginx.conf").write_text(CONFIGURATION.format(folder=folder, port=port, behind=behind))
        with subprocess.Popen(
            [nginx, "-p", str(folder), "-c", "nginx.conf", "-e", str(folder / "error.log")]
        ) as process:
            try:
                until_it_listens(port)
                yield port
            finally:
                process.terminate()


def until_it_listens(port: int) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.02)


def ask(port: int, method: str, place: str, **headers: str) -> http.client.HTTPResponse:
    client = http.client.HTTPSConnection("localhost", port, timeout=30, context=ssl._create_unverified_context())
    body = b"{}" if method == "POST" else None
    client.request(method, place, body, {name.replace("_", "-"): value for name, value in headers.items()})
    return client.getresponse()


def test_the_token_is_exchanged_for_a_cookie_that_crosses_tls_only(proxy: int) -> None:
    assert ask(proxy, "GET", "/").status == 401
    answer = ask(proxy, "GET", f"/models?token={TOKEN.replace(' ', '+')}")
    assert (answer.status, answer.getheader("Location")) == (303, "/models")
    assert "Secure" in (kept := answer.getheader("Set-Cookie") or "") and "HttpOnly" in kept
    cookie = kept.partition(";")[0]
    assert ask(proxy, "GET", "/models", Cookie=cookie).status == 200
    page = ask(proxy, "GET", "/_dash-layout", Cookie=cookie, Referer=f"https://localhost:{proxy}/")
    assert page.status == 200 and stores.run_id(1).encode() in page.read()
    assert ask(proxy, "GET", "/healthz").status == 200


def test_its_own_pages_may_ask_and_no_others(proxy: int) -> None:
    place, known = "/_dash-update-component", {"Authorization": f"Bearer {TOKEN}", "Content_Type": "application/json"}
    own = ask(proxy, "POST", place, Origin=f"https://localhost:{proxy}", Sec_Fetch_Site="same-origin", **known)
    assert own.status not in (403, 405, 421)  # the body is that of no callback
    for origin in ("https://localhost", f"http://localhost:{proxy}", "https://evil.example", "null"):
        assert ask(proxy, "POST", place, Origin=origin, **known).status == 403
