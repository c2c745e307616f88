"""Other people's servers, on loopback, well and badly behaved."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from svix.webhooks import Webhook


@dataclass
class Receiver:
    """Answers what `status` says, and keeps what came."""

    url: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    reply: bytes = b"thanks"
    manner: str = "prompt"  # or drips_headers, drips_body, floods, hangs
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    sent_bytes: int = 0
    is_over: threading.Event = field(default_factory=threading.Event)

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.requests]

    def verified(self, secret: str) -> list[dict[str, Any]]:
        """All that came, checked by Svix's own library."""
        for headers, body in self.requests:
            Webhook(secret).verify(body, headers)
        return [json.loads(body) for _, body in self.requests]


@contextmanager
def run_receiver() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.requests.append(({name.lower(): value for name, value in self.headers.items()}, body))
            with suppress(BrokenPipeError, ConnectionResetError):  # the sender has had enough
                MANNERS[receiver.manner](self, receiver)

        def log_message(self, *_args: Any) -> None:
            """Silence."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver.url = f"http://127.0.0.1:{server.server_port}/hook"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield receiver
    finally:
        receiver.is_over.set()
        server.shutdown()
        thread.join()
        server.server_close()


def _prompt(handler: BaseHTTPRequestHandler, receiver: Receiver) -> None:
    handler.send_response(receiver.status)
    for name, value in receiver.headers.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(receiver.reply)))
    handler.end_headers()
    handler.wfile.write(receiver.reply)


def _drip(handler: BaseHTTPRequestHandler, receiver: Receiver, first: bytes, piece: bytes) -> None:
    handler.wfile.write(first)
    until = time.monotonic() + 60
    while time.monotonic() < until and not receiver.is_over.wait(0.1):
        handler.wfile.write(piece)
        receiver.sent_bytes += len(piece)


def _drips_headers(handler: BaseHTTPRequestHandler, receiver: Receiver) -> None:
    _drip(handler, receiver, b"HTTP/1.1 200 OK\r\nX-Slow: ", b"a")


def _drips_body(handler: BaseHTTPRequestHandler, receiver: Receiver) -> None:
    _drip(handler, receiver, b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n", b"b")


def _floods(handler: BaseHTTPRequestHandler, receiver: Receiver) -> None:
    size, block = 200 * 1024 * 1024, b"c" * 65_536
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
    while receiver.sent_bytes < size and not receiver.is_over.is_set():
        handler.wfile.write(block)
        receiver.sent_bytes += len(block)


def _hangs(_handler: BaseHTTPRequestHandler, receiver: Receiver) -> None:
    receiver.is_over.wait(60)


MANNERS = {
    "prompt": _prompt,
    "drips_headers": _drips_headers,
    "drips_body": _drips_body,
    "floods": _floods,
    "hangs": _hangs,
}
