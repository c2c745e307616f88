"""The web process's front, under the real server."""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx2
import pytest

from contentopt.engines.engine import free_port

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def site() -> Iterator[httpx2.Client]:
    port = free_port()
    granian = [str(Path(sys.executable).parent / "granian"), "--interface", "rsgi", "--no-ws", "--workers", "1"]
    command = [*granian, "--log-level", "warning", "--port", str(port), "tests.rsgi_app:application"]
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    server = subprocess.Popen(command, cwd=ROOT, env=environment)
    with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
        while True:
            try:
                client.get("/streams")
                break
            except httpx2.TransportError:
                assert server.poll() is None, "the server does not start"
                time.sleep(0.1)
        yield client
    server.terminate()
    server.wait()


def test_django_sees_the_request_as_it_was_sent(site: httpx2.Client) -> None:
    headers = [("Cookie", "a=1"), ("Cookie", "b=2"), ("X-List", "1"), ("X-List", "2"), ("X_Forwarded_For", "10.0.0.1")]
    response = site.post("/told/caf%C3%A9/a%20b?q=%C3%BC&r=a+b", headers=headers, content=b"a body")
    told = response.json()

    assert (told["method"], told["path"]) == ("POST", "/told/café/a b")
    assert told["query"] == {"q": "ü", "r": "a b"}
    assert told["cookies"] == {"a": "1", "b": "2"}
    assert told["headers"]["X-List"] == "1,2"
    assert "X-Forwarded-For" not in told["headers"]
    assert told["address"] == "127.0.0.1"
    assert told["body"] == hashlib.sha256(b"a body").hexdigest()
    assert [value.split(";")[0] for value in response.headers.get_list("Set-Cookie")] == ["first=1", "second=2"]


@pytest.mark.parametrize("size", [0, 1, 65_536, 65_537, 5_000_000])
def test_body_of_any_size_arrives_whole(site: httpx2.Client, size: int) -> None:
    body = os.urandom(size)

    assert site.put("/told/", content=body).json()["body"] == hashlib.sha256(body).hexdigest()


def test_large_body_is_refused_before_it_was_sent(site: httpx2.Client) -> None:
    with socket.create_connection((site.base_url.host, site.base_url.port or 80), timeout=10) as connection:
        connection.sendall(b"POST /refuse HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\nonly the beginning")

        assert connection.recv(1000).startswith(b"HTTP/1.1 413")


def test_body_without_a_length_is_an_empty_one(site: httpx2.Client) -> None:
    response = site.post("/told/", content=iter([b"in ", b"chunks"]))

    assert response.json()["body"] == hashlib.sha256(b"").hexdigest()


def test_head_has_headers_alone(site: httpx2.Client) -> None:
    response = site.head("/told/")

    assert response.status_code == 200
    assert response.content == b""


def test_reply_in_parts_arrives_whole_and_in_order(site: httpx2.Client) -> None:
    assert site.get("/parts").text.split() == [str(number) for number in range(1000)]


def test_view_that_breaks_answers_500_and_the_next_request_is_served(site: httpx2.Client) -> None:
    assert site.get("/broken").status_code == 500
    assert site.get("/told/").status_code == 200


def test_open_streams_take_no_threads(site: httpx2.Client) -> None:
    with ExitStack() as stack:
        streams = [
            stack.enter_context(site.stream("GET", "/events", params={"count": 1000, "every": 0.05})).iter_text()
            for _ in range(50)
        ]
        assert all(next(stream).startswith("id: 0") for stream in streams)

        assert site.get("/streams").json() == 50
        assert site.get("/told/").status_code == 200


def test_stream_ends_when_its_reader_leaves(site: httpx2.Client) -> None:
    with site.stream("GET", "/events", params={"count": 2, "every": 60}) as stream:
        events = stream.iter_text()
        next(events)
        assert site.get("/streams").json() >= 1

    until = time.monotonic() + 20
    while site.get("/streams").json():
        assert time.monotonic() < until, "the stream is still open"
        time.sleep(0.05)


def test_stream_is_whole_and_says_that_it_must_not_be_kept(site: httpx2.Client) -> None:
    response = site.get("/events", params={"count": 20, "every": 0})

    assert response.text == "".join(f"id: {number}\n\n" for number in range(20))
    assert response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert response.headers["Cache-Control"] == "no-store"


def test_client_that_leaves_in_the_middle_of_parts_leaves_its_thread_free(site: httpx2.Client) -> None:
    for _ in range(4):
        with site.stream("GET", "/endless") as stream:
            next(iter(stream.iter_raw()))

    assert site.get("/told/").status_code == 200


def test_as_many_requests_are_served_at_once_as_there_are_threads(site: httpx2.Client) -> None:
    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(lambda _: site.get("/meet").text, range(2))) == ["met", "met"]
