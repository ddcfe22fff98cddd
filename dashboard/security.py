"""Who may ask the dashboard what: the Host header, the token, the origin of requests that do something, the headers.

Loopback is open to whoever is on the machine and to no web page: the Host header must name loopback, so that a name
that an attacker points at 127.0.0.1 (DNS rebinding) gets nothing. Any other address asks for a token. Behind a proxy
that speaks TLS, browsers come by another name than the one that is listened on: the public address names it.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from flask import Flask, Response, abort, redirect, request

from data.errors import WrongUse

COOKIE = "benison_dashboard"
HEALTH = "/healthz"
POSTED = "/_dash-update-component"
"""The one address that takes more than GET: callbacks."""
MAX_REQUEST_BYTES = 16 * 1024 * 1024
MIN_TOKEN = 16
"""Characters."""
LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")
_HOST = re.compile(r"(\[[0-9a-fA-F:]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?")


@dataclass(frozen=True)
class Policy:
    """Where the dashboard listens, the token that it asks for, if any, and the address that a proxy gives it, if any.

    Raises:
      WrongUse: it would be open beyond loopback without a token, the token can be guessed, or the public address is not
        that of a whole host.
    """

    host: str = "127.0.0.1"
    token: str | None = None
    public_url: str | None = None

    def __post_init__(self) -> None:
        fix = "put a random one into a file and give it by --token-file, or set BENISON_DASHBOARD_TOKEN"
        if self.token is not None and len(self.token) < MIN_TOKEN:
            raise WrongUse(f"the token is shorter than {MIN_TOKEN} characters", fix)
        if not is_loopback(self.host) and self.token is None:
            raise WrongUse(f"--host {self.host} is open to others, which needs a token", fix)
        if self.public_url is not None:
            _check_public(self.public_url)
            if self.token is None:
                raise WrongUse(f"--public-url {self.public_url} is open to others, which needs a token", fix)

    @property
    def public_origin(self) -> str | None:
        """Of the pages that a proxy serves: scheme, name, and the port if it is not the scheme's own."""
        return None if self.public_url is None else _origin(self.public_url)

    @property
    def is_public_by_tls(self) -> bool:
        return self.public_origin is not None and self.public_origin.startswith("https:")

    def admits_origin(self, origin: str, host: str) -> bool:
        """Whether a page of this origin may make the dashboard do something, which was asked by this Host header.

        Browsers send the origin of the public address however a proxy rewrites the Host header.
        """
        if self.public_origin is not None:
            return _origin(origin) == self.public_origin
        return urlsplit(origin).netloc == host

    def admits_host(self, header: str) -> bool:
        """Whether a Host header may be answered.

        Of an address of all interfaces any name may be the right one: there the token stands guard.
        """
        match = _HOST.fullmatch(header)
        if not match:
            return False
        public = urlsplit(self.public_origin or "").hostname
        own = {self.host.lower().strip("[]")} | ({public} if public else set())
        name, names = match[1].lower(), own | {f"[{one}]" for one in own}
        if is_loopback(self.host):
            return name in names.union(LOOPBACK_NAMES)
        return _is_any(self.host) or name in names

    def admits(self, token: str) -> bool:
        return self.token is None or hmac.compare_digest(token.encode(), self.token.encode())

    def admits_cookie(self, value: str) -> bool:
        return self.token is None or hmac.compare_digest(value.encode(), self.cookie.encode())

    @property
    def cookie(self) -> str:
        """What the browser keeps: it follows from the token, and the token does not follow from it."""
        return hmac.new((self.token or "").encode(), COOKIE.encode(), hashlib.sha256).hexdigest()


def _origin(url: str) -> str:
    """As browsers write it, whoever wrote it; nothing for what is no address of the web."""
    parts = urlsplit(url)
    try:
        port = {("http", 80): None, ("https", 443): None}.get((parts.scheme, parts.port or 0), parts.port)
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return ""
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{name}{f':{port}' if port else ''}"


def _check_public(url: str) -> None:
    parts = urlsplit(url)
    if not _origin(url) or parts.path not in ("", "/") or parts.query or parts.fragment or parts.username is not None:
        raise WrongUse(
            f"--public-url {url} is not the address of a whole host",
            "give scheme and name, as https://dash.example.org; the dashboard cannot lie below a path",
        )


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _is_any(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_unspecified
    except ValueError:
        return False


def protect(server: Flask, policy: Policy, script_hashes: Sequence[str]) -> None:
    """Puts the checks before every request and the headers on every answer.

    `script_hashes` are those of the inline scripts that Dash writes into its page.
    """
    server.config["MAX_CONTENT_LENGTH"] = MAX_REQUEST_BYTES
    headers = _headers(script_hashes)

    @server.before_request
    def check() -> Response | None:
        if request.path == HEALTH:
            return None
        if not policy.admits_host(request.host):
            abort(421, "This name does not lead to this dashboard: open the address that it printed.")
        if request.method not in ("GET", "HEAD", "OPTIONS"):
            _check_origin(policy)
        return _check_token(policy)

    @server.after_request
    def harden(response: Response) -> Response:
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        return response


def _check_origin(policy: Policy) -> None:
    """Only this page may make the server do something, and only what is there to be done."""
    origin = request.headers.get("Origin")
    if request.path != POSTED or not request.is_json:
        abort(405, "There is nothing to be changed here.")
    if origin is not None and not policy.admits_origin(origin, request.host):
        abort(403, "Another page asked for this.")
    if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        abort(403, "Another page asked for this.")


def _check_token(policy: Policy) -> Response | None:
    """Lets in who has the cookie or the token; a token in the address is exchanged for the cookie and taken out."""
    given = request.args.get("token")
    if policy.token is None or policy.admits_cookie(request.cookies.get(COOKIE, "")):
        return None
    if given is not None and policy.admits(given):
        rest = [(name, value) for name, value in request.args.items(multi=True) if name != "token"]
        answer = redirect(request.path + (f"?{urlencode(rest)}" if rest else ""), code=303)
        answer.set_cookie(COOKIE, policy.cookie, httponly=True, samesite="Strict", secure=policy.is_public_by_tls)
        return answer  # type: ignore[return-value]
    scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and policy.admits(bearer):
        return None
    return abort(401, "This dashboard asks for a token: open its address with ?token=... behind it once.")


def _headers(script_hashes: Sequence[str]) -> dict[str, str]:
    """Plotly and AG Grid write style sheets as they draw: styles alone may be inline."""
    content = {
        "default-src": "'none'",
        "script-src": " ".join(["'self'", *script_hashes]),
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "media-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "connect-src": "'self'",
        "manifest-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        "object-src": "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in content.items()),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "microphone=(self), camera=(), geolocation=(), payment=(), usb=()",
        "Cache-Control": "no-store",
    }
