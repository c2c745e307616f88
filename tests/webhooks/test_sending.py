"""A request to a customer's address reaches nothing of ours, and nobody can hold it."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.webhooks.receivers import Receiver
from webhooks.sending import KEPT_BYTES, DeadlinePassed, Outcome, deadline, send

PUBLIC = "93.184.215.14"
NAME = "hooks.alder-goods.com"
Answers = list[list[str]]
# `make slow-receivers` goes by the product's own limits; the suite has no time for them.
LIMITS = None if os.environ.get("REAL_LIMITS") else {"WEBHOOK_DEADLINE_SECONDS": 1.0, "WEBHOOK_TIMEOUTS": (0.5, 0.6)}
HELD_AT_MOST = 20.0 if LIMITS is None else 2.0


class Network:
    """A resolver that says what the test wants, one answer a look-up, and a record of who was dialled."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.answers: Answers = []
        self.dialled: list[str] = []
        real = socket.getaddrinfo

        def resolve(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
            if host != NAME:
                return real(host, port, *args, **kwargs)
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            return [entry for address in answer for entry in real(address, port, type=socket.SOCK_STREAM)]

        def dial(_socket: socket.socket, address: Any) -> None:
            self.dialled.append(address[0])
            raise ConnectionRefusedError

        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        monkeypatch.setattr(socket.socket, "connect", dial)


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Network:
    return Network(monkeypatch)


def send_to(url: str) -> Outcome:
    return send(url, b"{}", {"webhook-id": "1"})


INNER = {
    "link-local, where clouds keep secrets": ["169.254.169.254"],
    "loopback": ["127.0.0.1"],
    "loopback, version 6": ["::1"],
    "loopback mapped into version 6": ["::ffff:127.0.0.1"],
    "loopback through NAT64": ["64:ff9b::7f00:1"],
    "loopback through 6to4": ["2002:7f00:1::"],
    "carrier-grade NAT": ["100.64.1.1"],
    "private, 10": ["10.0.0.5"],
    "private, 172.16": ["172.16.0.1"],
    "private, 192.168": ["192.168.1.1"],
    "unique local": ["fd00::1"],
    "link-local, version 6": ["fe80::1"],
    "this host": ["0.0.0.0"],
    "unspecified": ["::"],
    "multicast": ["224.0.0.1"],
    "broadcast": ["255.255.255.255"],
    "loopback first, then public": ["127.0.0.1", PUBLIC],
}


@pytest.mark.parametrize("answer", INNER.values(), ids=INNER)
def test_a_name_that_leads_inside_is_never_dialled(network: Network, answer: list[str]) -> None:
    network.answers = [answer]
    outcome = send_to(f"https://{NAME}/")
    assert network.dialled == []
    assert outcome.status is None
    assert "not on the Internet" in outcome.error


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "https://localhost/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://[::1]/",
        "https://0.0.0.0/",
        "https://127.0.0.1./",
        "https://[::ffff:7f00:1]/",
        "http://169.254.169.254/latest/meta-data/",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
    ],
)
def test_what_was_an_address_once_is_checked_before_every_attempt(network: Network, url: str) -> None:
    outcome = send_to(url)
    assert network.dialled == []
    assert outcome.error


@pytest.mark.parametrize(
    "answers", [[[PUBLIC], ["127.0.0.1"]], [[PUBLIC, "127.0.0.1"]]], ids=["changes its mind", "says both"]
)
def test_the_address_that_was_looked_at_is_the_one_that_is_dialled(network: Network, answers: Answers) -> None:
    network.answers = answers
    outcome = send_to(f"https://{NAME}/")
    assert network.dialled == [PUBLIC]
    assert outcome.error == "The connection was refused, or broke off."


def test_a_proxy_in_the_environment_is_not_used(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:3128")
    network.answers = [[PUBLIC]]
    send_to(f"https://{NAME}/")
    assert network.dialled == [PUBLIC]


def test_errors_name_no_address(network: Network) -> None:
    for answer in (["10.1.2.3"], [PUBLIC]):
        network.answers = [answer]
        assert answer[0] not in send_to(f"https://{NAME}/").error


def test_a_name_that_is_not_known_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(*_args: Any, **_kwargs: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    assert send_to(f"https://{NAME}/").error == "The host's name is not known."


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_a_failure_and_not_followed(receiver: Receiver, status: int) -> None:
    receiver.status, receiver.headers = status, {"Location": receiver.url}
    outcome = send_to(receiver.url)
    assert (outcome.status, outcome.is_received, len(receiver.requests)) == (status, False, 1)
    assert receiver.url not in outcome.error


@pytest.fixture
def limits(settings: Any) -> None:
    for name, value in (LIMITS or {}).items():
        setattr(settings, name, value)


@pytest.mark.usefixtures("limits")
@pytest.mark.parametrize("manner", ["drips_headers", "hangs"])
def test_whoever_does_not_answer_holds_nobody_for_long(receiver: Receiver, manner: str) -> None:
    receiver.manner = manner
    began = time.monotonic()
    outcome = send_to(receiver.url)
    assert time.monotonic() - began < HELD_AT_MOST
    assert outcome.status is None
    assert "answer" in outcome.error


@pytest.mark.usefixtures("limits")
def test_whoever_drips_the_body_has_received_it_and_holds_nobody(receiver: Receiver) -> None:
    receiver.manner = "drips_body"
    began = time.monotonic()
    outcome = send_to(receiver.url)
    assert time.monotonic() - began < HELD_AT_MOST
    assert outcome.is_received
    assert set(outcome.response) == {"b"}


def test_of_a_huge_answer_only_the_beginning_is_read(receiver: Receiver) -> None:
    receiver.manner = "floods"
    outcome = send_to(receiver.url)
    assert outcome.is_received
    assert len(outcome.response) == KEPT_BYTES
    assert receiver.sent_bytes < 20 * 1024 * 1024  # what sockets hold


def test_what_is_kept_of_an_answer_fits_into_the_database(receiver: Receiver) -> None:
    receiver.reply = b"\xff\x00ok"
    assert send_to(receiver.url).response == "\ufffd\ufffdok"


@contextmanager
def outer_timer(seconds: float) -> Iterator[list[int]]:
    """Somebody else's around ours, and its rings."""
    rings: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda *_: rings.append(1))
    timer = signal.setitimer(signal.ITIMER_REAL, seconds)
    yield rings
    signal.setitimer(signal.ITIMER_REAL, *timer)
    signal.signal(signal.SIGALRM, before)


def test_a_deadline_ends_what_waits_and_leaves_an_outer_timer_as_it_was() -> None:
    with outer_timer(0.3) as rings:
        with pytest.raises(DeadlinePassed), deadline(0.1):
            time.sleep(5)
        time.sleep(0.4)
    assert rings == [1]


def test_a_block_that_ends_in_time_rings_no_more() -> None:
    with outer_timer(60) as rings:
        with deadline(0.05):
            pass
        time.sleep(0.1)
    assert rings == []
