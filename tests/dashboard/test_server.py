"""The server's bounds: nobody keeps a connection by sending slowly, or takes up memory by sending much."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from flask import Flask, request

from dashboard.security import MAX_REQUEST_BYTES
from dashboard.server import CONNECTIONS, MAX_HEADER_BYTES, Channel, listen

ASKED = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setattr(Channel, "HEADER_SECONDS", 0.4)
    monkeypatch.setattr(Channel, "REQUEST_SECONDS", 0.8)
    app = Flask("small")
    app.add_url_rule("/", view_func=lambda: str(len(request.get_data())), methods=["GET", "POST"])
    server = listen(app, "127.0.0.1", 0)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield server.effective_port
    server.close()
    thread.join(5)


def connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def dripped(client: socket.socket, seconds: float = 8.0) -> bool:
    """Whether the server hung up on a client that sends a byte every now and then for so long."""
    client.settimeout(0.05)
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        try:
            client.sendall(b"x")
            if client.recv(1000) == b"":
                return True
        except TimeoutError:
            continue
        except OSError:
            return True
    return False


def answer(port: int, asked: bytes = ASKED) -> bytes:
    with connected(port) as client:
        client.sendall(asked)
        return b"".join(iter(lambda: client.recv(10_000), b""))


def refused(port: int, asked: bytes, code: bytes) -> bool:
    try:
        return code in answer(port, asked)[:20]
    except ConnectionError:  # hung up on before the answer was read
        return True


def test_a_header_that_drips_in_is_not_waited_for(port: int) -> None:
    with connected(port) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\nX-Slow: ")
        assert dripped(slow)
    assert b"200 OK" in answer(port)


def test_a_body_that_drips_in_is_not_waited_for(port: int) -> None:
    with connected(port) as slow:
        slow.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n")
        assert dripped(slow)


def test_who_connects_and_says_nothing_is_sent_away(port: int) -> None:
    with connected(port) as silent:
        assert silent.recv(10) == b""


def test_many_slow_clients_shut_nobody_out(port: int) -> None:
    """As many as there are places: whoever comes next waits until theirs are taken away, and is answered."""
    slow = [connected(port) for _ in range(CONNECTIONS + 10)]
    for client in slow:
        client.sendall(b"GET / HT")
    assert b"200 OK" in answer(port)
    for client in slow:
        client.close()


def test_probes_are_answered_soon_while_all_places_are_taken(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Channel, "HEADER_SECONDS", 60.0)
    monkeypatch.setattr(Channel, "PRESSED_SECONDS", 0.2)
    slow = [connected(port) for _ in range(CONNECTIONS + 10)]
    for client in slow[::2]:
        client.sendall(b"GET / HT")
    begun = time.monotonic()
    assert b"200 OK" in answer(port)
    assert time.monotonic() - begun < 8
    for client in slow:
        client.close()


def test_a_whole_request_is_answered_however_often_on_one_connection(port: int) -> None:
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    for _ in range(3):
        client.request("GET", "/")
        assert (found := client.getresponse()).status == 200 and found.read() == b"0"
    client.close()


def test_too_much_is_refused(port: int) -> None:
    big = b"X-Big: " + b"x" * (MAX_HEADER_BYTES + 100) + b"\r\n"
    assert refused(port, ASKED.replace(b"Host", big + b"Host"), b"431")
    size = f"Content-Length: {MAX_REQUEST_BYTES + 1}\r\n".encode()
    assert refused(port, ASKED.replace(b"GET", b"POST").replace(b"Host", size + b"Host"), b"413")
