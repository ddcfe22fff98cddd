"""Who gets an answer: hosts, tokens, origins, methods, headers; through the real Flask app without a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dashboard.app import create
from dashboard.security import COOKIE, MAX_REQUEST_BYTES, Policy
from data.errors import WrongUse
from tests.dashboard import stores

TOKEN = "a token that nobody guesses"
UPDATE = "/_dash-update-component"


def client(workspace: Path, policy: Policy | None = None) -> Any:
    return create(workspace, policy or Policy()).server.test_client()


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("workspace")
    stores.finished(root, "image_classification", 1, 0.9)
    return root


def test_beyond_loopback_a_token_is_needed() -> None:
    for host in ("0.0.0.0", "::", "192.0.2.7", "dash.example.org"):
        with pytest.raises(WrongUse, match="needs a token"):
            Policy(host)
        Policy(host, TOKEN)
    for host in ("127.0.0.1", "localhost", "::1", "127.8.9.1"):
        Policy(host)


def test_a_token_that_can_be_guessed_is_refused() -> None:
    with pytest.raises(WrongUse, match="shorter than 16"):
        Policy("0.0.0.0", "secret")


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8050", "", "a b"])
def test_loopback_answers_to_no_other_name(host: str, workspace: Path) -> None:
    assert client(workspace).get("/", headers={"Host": host}).status_code in (400, 421)


@pytest.mark.parametrize("host", ["127.0.0.1:8050", "localhost", "[::1]:8050"])
def test_loopback_answers_to_its_names(host: str, workspace: Path) -> None:
    assert client(workspace).get("/", headers={"Host": host}).status_code == 200


def test_an_address_answers_to_itself_and_all_interfaces_to_any_name(workspace: Path) -> None:
    assert Policy("192.0.2.7", TOKEN).admits_host("192.0.2.7:80")
    assert not Policy("192.0.2.7", TOKEN).admits_host("dash.example.org")
    assert Policy("0.0.0.0", TOKEN).admits_host("dash.example.org")
    assert not Policy("0.0.0.0", TOKEN).admits_host("dash.example.org/@evil")


def test_a_token_is_exchanged_for_a_cookie_that_does_not_hold_it(workspace: Path) -> None:
    browser = client(workspace, Policy("127.0.0.1", TOKEN))
    for place in ("/", "/models", "/style.css", "/assets/app.js", "/_dash-layout", "/media/a/b/c.png"):
        assert browser.get(place, headers={"Host": "localhost"}).status_code == 401
    assert browser.get("/", query_string={"token": TOKEN + "x"}).status_code == 401
    answer = browser.get("/run/a/b", query_string={"token": TOKEN, "show": "wrong"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/run/a/b?show=wrong")
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and TOKEN not in cookie
    assert browser.get("/").status_code == 200
    browser.set_cookie(COOKIE, "x" * 64)
    assert browser.get("/").status_code == 401
    assert browser.get("/", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200


def test_a_public_address_needs_a_token_and_a_whole_host() -> None:
    with pytest.raises(WrongUse, match="needs a token"):
        Policy(public_url="https://dash.example.org")
    for url in (
        "dash.example.org",
        "https://",
        "ftp://a",
        "https://a/below",
        "https://a?x=1",
        "https://a:x",
        "https://u@a",
    ):
        with pytest.raises(WrongUse, match="not the address of a whole host"):
            Policy(token=TOKEN, public_url=url)


@pytest.mark.parametrize(
    ("url", "host"),
    [("https://dash.example.org:8443", "Dash.example.org:8443"), ("https://[2001:DB8::1]:8443", "[2001:db8::1]:8443")],
)
def test_a_public_address_is_answered_to_by_its_name_and_no_other(url: str, host: str) -> None:
    policy = Policy(token=TOKEN, public_url=url)
    assert policy.admits_host(host) and policy.admits_host("127.0.0.1:8050")
    assert not policy.admits_host("evil.example") and not policy.admits_host("[2001:db8::2]")


def test_a_public_address_is_the_only_origin_whatever_the_proxy_makes_of_the_host(workspace: Path) -> None:
    browser = client(workspace, Policy(token=TOKEN, public_url="https://Dash.example.org:443/"))
    known = {"Authorization": f"Bearer {TOKEN}", "Origin": "https://dash.example.org"}
    for host in ("127.0.0.1:8050", "dash.example.org"):
        assert browser.get("/", headers=known | {"Host": host}).status_code == 200
        asked = {"json": {"output": "", "changedPropIds": [], "inputs": []}}
        assert browser.post(UPDATE, headers=known | {"Host": host}, **asked).status_code not in (403, 421)
        other = known | {"Host": host, "Origin": f"http://{host}"}
        assert browser.post(UPDATE, headers=other, **asked).status_code == 403
    assert browser.get("/", headers=known | {"Host": "evil.example"}).status_code == 421
    answer = browser.get("/", query_string={"token": TOKEN}, headers={"Host": "dash.example.org"})
    assert "Secure" in answer.headers["Set-Cookie"]


def test_every_address_of_loopback_answers_to_itself(workspace: Path) -> None:
    assert client(workspace, Policy("127.0.0.2")).get("/", headers={"Host": "127.0.0.2:8050"}).status_code == 200
    assert client(workspace).get("/", headers={"Host": "127.0.0.2:8050"}).status_code == 421


def test_what_no_text_may_hold_is_an_answer_and_no_error(workspace: Path) -> None:
    browser = client(workspace)
    for place in ("/run/a/b%00", "/media/a/b/%00.png", "/report/a%00/b", "/%ff", "/?q=%00"):
        assert browser.get(place).status_code in (200, 404)
    outputs = {"id": "page", "property": "children"}
    for path in ("/run/a/\0", "/models/\ud800"):
        inputs = [{"id": "address", "property": "pathname", "value": path}, {"id": "address", "property": "search"}]
        asked = {
            "output": "page.children",
            "outputs": outputs,
            "inputs": inputs,
            "changedPropIds": ["address.pathname"],
        }
        answer = browser.post(UPDATE, json=asked)
        assert answer.status_code == 200 and "Not there" in answer.text


def test_health_needs_neither_token_nor_name(workspace: Path) -> None:
    answer = client(workspace, Policy("0.0.0.0", TOKEN)).get("/healthz", headers={"Host": "10.1.2.3:8050"})
    assert (answer.status_code, answer.data) == (200, b"ok\n")


def test_another_page_can_do_nothing(workspace: Path) -> None:
    browser = client(workspace)
    ask = {"json": {"output": "page.children", "changedPropIds": [], "inputs": []}}
    assert browser.post(UPDATE, headers={"Origin": "http://evil.example"}, **ask).status_code == 403
    assert browser.post(UPDATE, headers={"Origin": "null"}, **ask).status_code == 403
    assert browser.post(UPDATE, headers={"Sec-Fetch-Site": "cross-site"}, **ask).status_code == 403
    assert browser.post(UPDATE, headers={"Sec-Fetch-Site": "same-site"}, **ask).status_code == 403
    assert browser.post(UPDATE, data="{}", content_type="text/plain").status_code == 405


def test_nothing_else_is_taken(workspace: Path) -> None:
    browser = client(workspace)
    for place in ("/", "/healthz", "/media/image_classification/x/y.png", "/assets/app.js"):
        assert browser.post(place, json={}).status_code == 405
        assert browser.put(place, json={}).status_code == 405
        assert browser.delete(place).status_code == 405


def test_too_much_is_not_read(workspace: Path) -> None:
    body = b'{"x": "' + b"a" * MAX_REQUEST_BYTES + b'"}'
    assert client(workspace).post(UPDATE, data=body, content_type="application/json").status_code == 413


def test_every_answer_carries_a_strict_policy(workspace: Path) -> None:
    browser = client(workspace)
    for place in ("/", "/healthz", "/style.css", "/media/none/none/none.png"):
        headers = browser.get(place).headers
        policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
        assert policy["default-src"] == "'none'" and policy["connect-src"] == "'self'"
        assert "unsafe" not in policy["script-src"] and "http" not in headers["Content-Security-Policy"]
        assert policy["frame-ancestors"] == policy["form-action"] == policy["base-uri"] == "'none'"
        assert headers["X-Content-Type-Options"] == "nosniff" and headers["Referrer-Policy"] == "same-origin"


def test_a_report_is_given_as_a_file_and_never_opened_here(workspace: Path) -> None:
    browser, run_id = client(workspace), stores.run_id(1)
    page = workspace / "image_classification" / "runs" / run_id / "report" / "index.html"
    assert browser.get(f"/report/image_classification/{run_id}").status_code == 404
    page.write_text("<p>", encoding="utf-8")
    answer = browser.get(f"/report/image_classification/{run_id}")
    assert answer.data == b"<p>"
    assert answer.headers["Content-Disposition"] == f"attachment; filename=image_classification-{run_id}.html"
    page.unlink()
    page.symlink_to("/etc/hostname")
    assert browser.get(f"/report/image_classification/{run_id}").status_code == 404
    assert browser.get("/report/image_classification/%2e%2e").status_code == 404
    page.unlink()


def test_media_lie_in_reports_only(workspace: Path) -> None:
    browser, run = client(workspace), f"/media/image_classification/{stores.run_id(1)}"
    sound = browser.get(f"{run}/previews/003-0.wav", headers={"Range": "bytes=0-3"})
    assert (sound.status_code, sound.data, sound.mimetype) == (206, b"RIFF", "audio/wav")
    for name in ("report.json", "../state.json", "..%2fstate.json", "%2e%2e/%2e%2e/state.json", "previews/none.png"):
        assert browser.get(f"{run}/{name}").status_code == 404
