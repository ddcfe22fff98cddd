"""The server that answers: waitress, held to bounds that nobody can make it forget.

waitress by itself closes connections on which nothing happens; one that sends a byte of its header now and then it
would keep for ever, and a hundred of these would shut everyone else out (Slowloris).
"""

from __future__ import annotations

import time
from typing import Any, ClassVar

from flask import Flask
from waitress import create_server
from waitress.channel import HTTPChannel
from waitress.server import BaseWSGIServer

from dashboard.security import MAX_REQUEST_BYTES

THREADS = 8
CONNECTIONS = 200
MAX_HEADER_BYTES = 32 * 1024
IDLE_SECONDS = 60
"""A connection is closed on which so long nothing was asked."""


class Channel(HTTPChannel):
    """A connection whose requests must be whole in time, however busily they are sent."""

    HEADER_SECONDS: ClassVar[float] = 10.0
    PRESSED_SECONDS: ClassVar[float] = 1.0
    """While more than half of the places are taken: whoever is slow makes room, and probes go on being answered."""
    REQUEST_SECONDS: ClassVar[float] = 120.0
    """With its body: an upload over a slow line."""

    _begun: float | None = None

    def readable(self) -> bool:
        """Asked by the server's loop at least once a second."""
        if self.request is None or self.requests:
            self._begun = None
        elif self._begun is None:
            self._begun = time.monotonic()
        if self._begun is not None and time.monotonic() - self._begun > self._limit():
            self.will_close = True
        if not self.requests and self.request is None and time.time() - self.last_activity > self._header_limit():
            self.will_close |= self.last_activity == self.creation_time  # it has never said anything
        return bool(super().readable())

    def _limit(self) -> float:
        return self.REQUEST_SECONDS if self.request.headers_finished else self._header_limit()

    def _header_limit(self) -> float:
        is_full = len(self.server.active_channels) > CONNECTIONS / 2
        return min(self.PRESSED_SECONDS, self.HEADER_SECONDS) if is_full else self.HEADER_SECONDS


def listen(app: Flask, host: str, port: int) -> Any:
    """A server that listens already; its `run` answers. Port 0 takes a free one. Raises OSError."""
    sockets: dict[int, Any] = {}
    server = create_server(
        app,
        sockets,
        host=host,
        port=port,
        ident="benison",
        threads=THREADS,
        connection_limit=CONNECTIONS,
        channel_timeout=IDLE_SECONDS,
        cleanup_interval=10,
        max_request_header_size=MAX_HEADER_BYTES,
        max_request_body_size=MAX_REQUEST_BYTES,
    )
    for listening in sockets.values():  # one for each address that the host's name stands for
        if isinstance(listening, BaseWSGIServer):
            listening.channel_class = Channel
    return server
