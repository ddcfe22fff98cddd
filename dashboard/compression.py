"""Answers go compressed, and what never changes under its name is kept by browsers."""

from __future__ import annotations

import functools
import gzip

from flask import Flask, Response, request

LEAST_BYTES = 1024
"""Shorter answers gain nothing."""
SUITES = "/_dash-component-suites/"
"""Scripts of installed packages: the same as long as this process lives."""
KEPT_SCRIPTS = 64
_KINDS = ("text/", "application/json", "application/javascript")


def compress(server: Flask) -> None:
    """Compresses what browsers say they take compressed. Pictures and sounds are so already, and go in ranges."""

    @server.after_request
    def shrink(response: Response) -> Response:
        is_script = request.path.startswith(SUITES)
        if is_script and response.status_code in (200, 304):
            _let_keep(response)
        if response.status_code != 200 or not (response.mimetype or "").startswith(_KINDS):
            return response
        response.vary.add("Accept-Encoding")
        if not request.accept_encodings["gzip"] or "Content-Encoding" in response.headers:
            return response
        response.direct_passthrough = False
        content = response.get_data()
        if len(content) >= LEAST_BYTES:
            shrunk = _script(content) if is_script else gzip.compress(content, 5, mtime=0)
            response.set_data(shrunk)
            response.headers["Content-Encoding"] = "gzip"
        return response


def _let_keep(response: Response) -> None:
    """Names with a fingerprint for ever, of which Dash says how long; others until they are asked for again."""
    response.cache_control.private = True
    if response.cache_control.max_age:
        response.cache_control.immutable = True
    else:
        response.cache_control.no_cache = True


@functools.lru_cache(KEPT_SCRIPTS)
def _script(content: bytes) -> bytes:
    return gzip.compress(content, 6, mtime=0)
