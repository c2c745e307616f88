"""The web process: Django's WSGI application on threads, event streams on the loop, one port for both.

Under WSGI an open stream costs a thread; under ASGI Django makes two threads a request and gives half as many texts a
second. RSGI is granian's own protocol, which leaves both to us.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import sys
from collections.abc import AsyncIterator, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, BinaryIO, NamedTuple

from granian.rsgi import HTTPProtocol, ProtocolClosed, Scope  # type: ignore[attr-defined]  # no __all__ there

from contentopt.events import EventStream

SMALL_BODY = 64 * 1024

Headers = list[tuple[str, str]]


class Reply(NamedTuple):
    status: int
    headers: Headers
    body: bytes | EventStream | None  # None: sent already


class Body(io.RawIOBase):
    """A large body, read by the thread as it arrives: a view that refuses it does not wait for it."""

    def __init__(self, chunks: AsyncIterator[bytes], loop: asyncio.AbstractEventLoop) -> None:
        self._chunks = chunks
        self._loop = loop
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            self._rest = asyncio.run_coroutine_threadsafe(self._next(), self._loop).result()
        count = min(len(buffer), len(self._rest))
        buffer[:count], self._rest = self._rest[:count], self._rest[count:]
        return count

    async def _next(self) -> bytes:
        return await anext(self._chunks, b"")


class Front:
    """RSGI's application: an event loop and a pool of threads in each worker."""

    def __init__(self, wsgi: Any, threads: int) -> None:
        self._wsgi = wsgi
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="request")

    async def __rsgi__(self, scope: Scope, proto: HTTPProtocol) -> None:
        loop = asyncio.get_running_loop()
        environ = environ_of(scope, await body_of(scope, proto, loop))
        reply = await loop.run_in_executor(self._threads, self._respond, environ, proto, loop)
        if isinstance(reply.body, bytes):
            proto.response_bytes(reply.status, reply.headers, reply.body)
        elif reply.body is not None:
            await send_events(reply, reply.body, proto)

    def _respond(self, environ: dict[str, Any], proto: HTTPProtocol, loop: asyncio.AbstractEventLoop) -> Reply:
        """On one thread from Django's first line to `close`: its connection to PostgreSQL is the thread's own."""
        status, headers = 500, []

        def start_response(line: str, fields: Headers, exc_info: Any = None) -> None:
            nonlocal status, headers
            status, headers = int(line.partition(" ")[0]), fields

        response = self._wsgi(environ, start_response)
        try:
            if isinstance(response, EventStream):
                # Middleware has counted the body that it saw.
                open_ended = [(name, value) for name, value in headers if name.lower() != "content-length"]
                return Reply(status, open_ended, response)
            if not response.streaming:
                return Reply(status, headers, b"".join(response))
            _send_parts(response, proto, status, headers, loop)
            return Reply(status, headers, None)
        finally:
            response.close()


async def body_of(scope: Scope, proto: HTTPProtocol, loop: asyncio.AbstractEventLoop) -> BinaryIO:
    length = scope.headers.get("content-length", "")
    if not length.isdecimal():  # Django takes a body without a length for an empty one
        return io.BytesIO()
    if int(length) <= SMALL_BODY:
        return io.BytesIO(await proto())
    return io.BufferedReader(Body(aiter(proto), loop), SMALL_BODY)


def environ_of(scope: Scope, body: BinaryIO) -> dict[str, Any]:
    """What PEP 3333 says of a request."""
    host, _, port = scope.server.rpartition(":")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": scope.path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "SERVER_NAME": host,
        "SERVER_PORT": port,
        "REMOTE_ADDR": scope.client.rpartition(":")[0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": body,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    if scope.authority:  # HTTP/2 has it in place of a Host header
        environ["HTTP_HOST"] = scope.authority
    for name, value in scope.headers.items():
        if "_" in name:  # it would pass for the header with dashes, which a proxy may have vouched for
            continue
        key = name.upper().replace("-", "_")
        if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            key = f"HTTP_{key}"
        if key in environ:
            value = environ[key] + ("; " if key == "HTTP_COOKIE" else ",") + value
        environ[key] = value
    return environ


def _send_parts(
    parts: Iterable[bytes], proto: HTTPProtocol, status: int, headers: Headers, loop: asyncio.AbstractEventLoop
) -> None:
    async def begin() -> Any:
        return proto.response_stream(status, headers)

    async def send(part: bytes) -> None:
        await transport.send_bytes(part)

    transport = asyncio.run_coroutine_threadsafe(begin(), loop).result()
    with contextlib.suppress(ProtocolClosed):  # the client has gone
        for part in parts:
            asyncio.run_coroutine_threadsafe(send(part), loop).result()


async def send_events(reply: Reply, stream: EventStream, proto: HTTPProtocol) -> None:
    """Until the events or the client end."""

    async def send() -> None:
        transport = proto.response_stream(reply.status, reply.headers)
        with contextlib.suppress(ProtocolClosed):
            async with contextlib.aclosing(stream.events()) as events:
                async for event in events:
                    await transport.send_bytes(event)

    async def leave() -> None:
        await proto.client_disconnect()

    tasks = [asyncio.create_task(send()), asyncio.create_task(leave())]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(outcome, Exception):
            raise outcome
