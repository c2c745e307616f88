"""One request to an address of a customer's, which must reach nothing of ours, and hold nobody for long.

`requests-hardened` looks a name up once, refuses what is not on the Internet, and dials the very address it has looked
at. What it leaves open is done here: one deadline for all of it (a time limit for reading starts afresh with every
byte), no more of a body than is kept, no proxies or passwords from the environment.
"""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import FrameType

import requests
from django.conf import settings
from requests_hardened import Config, Manager
from requests_hardened.ip_filter import InvalidIPAddress
from urllib3.exceptions import HTTPError

from webhooks.addresses import AddressRefused, check_address
from webhooks.schedule import read_retry_after

KEPT_BYTES = 1024
USER_AGENT = "ContentOpt-Webhooks/1"


class DeadlinePassed(BaseException):
    """Not an Exception: libraries on the way catch those."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an attempt. `error` is for the endpoint's owner: it names no address and no header."""

    seconds: float
    status: int | None = None
    error: str = ""
    response: str = ""
    retry_after: float | None = None

    @property
    def is_received(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_gone(self) -> bool:
        return self.status == 410


def send(url: str, body: bytes, headers: Mapping[str, str]) -> Outcome:
    """Never raises for anything a receiver does. In a process's main thread only: the deadline is a signal."""
    began = time.monotonic()
    try:
        check_address(url, allow_loopback=settings.WEBHOOK_ALLOW_LOOPBACK)
    except AddressRefused as refused:
        return Outcome(0, error=str(refused))
    answer, error = _Answer(), ""
    try:
        with deadline(settings.WEBHOOK_DEADLINE_SECONDS):
            _exchange(url, body, headers, answer)
    except DeadlinePassed:
        error = f"There was no answer within {settings.WEBHOOK_DEADLINE_SECONDS:g} seconds."
    except (requests.RequestException, HTTPError, OSError, ValueError) as raised:
        error = words_for(raised)
    # The status line is the answer. Whoever drips its body afterwards has received the event all the same.
    return Outcome(
        seconds=time.monotonic() - began,
        status=answer.status,
        error=words_for_status(answer.status) if answer.status else error,
        response=answer.text,
        retry_after=answer.retry_after,
    )


class _Answer:
    """Filled as it comes, so that what has come by the deadline is kept."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.retry_after: float | None = None
        self.body = b""

    @property
    def text(self) -> str:
        return self.body[:KEPT_BYTES].decode(errors="replace").replace("\x00", "\N{REPLACEMENT CHARACTER}")


def _exchange(url: str, body: bytes, headers: Mapping[str, str], answer: _Answer) -> None:
    config = Config(
        ip_filter_enable=True,
        ip_filter_allow_loopback_ips=settings.WEBHOOK_ALLOW_LOOPBACK,
        never_redirect=True,
        default_timeout=settings.WEBHOOK_TIMEOUTS,
        user_agent_override=USER_AGENT,
    )
    with Manager(config).get_session() as session:
        session.trust_env = False
        response = session.request(
            "POST",
            url,
            data=body,
            headers={**headers, "Content-Type": "application/json", "Accept-Encoding": "identity"},
            stream=True,
            timeout=settings.WEBHOOK_TIMEOUTS,
        )
        with contextlib.closing(response):
            answer.status = response.status_code
            answer.retry_after = None if response.ok else read_retry_after(response.headers.get("Retry-After"))
            # read1 gives what there is; read would wait until the block is full.
            while len(answer.body) < KEPT_BYTES and (piece := response.raw.read1(KEPT_BYTES)):
                answer.body += piece


@contextlib.contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """End what is in the block after so many seconds, whatever it waits for."""

    def ring(_signal: int, _frame: FrameType | None) -> None:
        raise DeadlinePassed

    handler = signal.signal(signal.SIGALRM, ring)
    # Again each second: one that rang inside a destructor was lost.
    remaining, interval = signal.setitimer(signal.ITIMER_REAL, seconds, 1)
    began = time.monotonic()
    try:
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)  # it may have rung in the line above
        signal.signal(signal.SIGALRM, handler)
        if remaining:  # somebody else's, around this
            signal.setitimer(signal.ITIMER_REAL, max(remaining - (time.monotonic() - began), 0.01), interval)


def words_for_status(status: int) -> str:
    if 200 <= status < 300:
        return ""
    if 300 <= status < 400:
        return f"It answered with a redirect ({status}). Redirects are not followed: give the address it leads to."
    if status == 410:
        return "It answered 410 Gone: it wants no more events."
    return f"It answered {status}."


def words_for(error: Exception) -> str:
    """Says what failed, never with what address: the error's own text might hold one."""
    if isinstance(error, InvalidIPAddress):
        return "The name leads to an address inside a network, not on the Internet, so nothing was sent."
    if isinstance(error, requests.exceptions.SSLError):
        return "A secure connection could not be made: its certificate is not valid for this name, or expired."
    if isinstance(error, requests.ConnectTimeout):
        return "No connection was made in time."
    if isinstance(error, requests.Timeout):
        return "It took the event and did not answer in time."
    if isinstance(error, requests.ConnectionError) and "resolve" in str(error):
        return "The host's name is not known."
    if isinstance(error, requests.ConnectionError):
        return "The connection was refused, or broke off."
    return "It did not answer as a web server does."
