"""Work that tests do in processes of their own, on the test's database."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any
from uuid import UUID

import django
from django.apps import apps
from django.conf import settings
from django.db import DatabaseError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django_redis import get_redis_connection

if not apps.ready:  # in the fork server, which imports this module first
    django.setup()

from accounts.budgets import Payer
from accounts.management.commands.clock import Command as Clock
from accounts.models import Workspace
from accounts.throttling import take
from accounts.windows import Subject, Windows, take_in_redis
from billing import gateway
from billing.models import BillingEvent
from billing.receiving import process_event
from billing.reporting import report_usage
from contentopt import jobs
from contentopt.errors import DomainError
from contentopt.tenancy import enter_all, entering
from generation.batches.queue import advance
from generation.engine.items import write_item
from generation.engine.writing import write
from generation.facts import Brief, extract_facts
from generation.models import RunItem, Text
from generation.nights.items import write_ahead
from generation.services.reviewing import approve_text
from tests.accounts import books
from tests.billing.buying import begin

# A fork server has no threads and no connections, which must not cross a fork.
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload([__name__, "tests.races.warmed"])

RESULT_SECONDS = 90


class Worker:
    """One call of a function in another process."""

    def __init__(self, function: Callable[..., Any], *arguments: Any, **overrides: Any) -> None:
        self._answer, theirs = _context.Pipe(duplex=False)
        database = connection.settings_dict["NAME"]
        self.process = _context.Process(target=_run, args=(theirs, database, overrides, function, arguments))
        self.process.start()
        theirs.close()

    def result(self) -> Any:
        assert self._answer.poll(RESULT_SECONDS), "the process does not answer"
        return self._answer.recv()

    def send(self, number: signal.Signals) -> None:
        assert self.process.pid is not None
        os.kill(self.process.pid, number)

    def end(self) -> None:
        self.process.kill()
        self.process.join()


@contextmanager
def workers() -> Iterator[Callable[..., Worker]]:
    """Starts workers, and ends those that still run."""
    started: list[Worker] = []

    def start(function: Callable[..., Any], *arguments: Any, **overrides: Any) -> Worker:
        started.append(Worker(function, *arguments, **overrides))
        return started[-1]

    try:
        yield start
    finally:
        for worker in started:
            worker.end()


def _run(
    answer: Connection, database: str, overrides: dict[str, Any], function: Callable[..., Any], arguments: Any
) -> None:
    enter_all()  # as every test does; what begins as a request or a task begins outside all the same
    connection.settings_dict["NAME"] = database
    for name, value in overrides.items():
        setattr(settings, name, value)
    answer.send(function(*arguments))
    connection.close()


def leads_the_clock() -> bool:
    return Clock().leads()


def claim_all(item_ids: list[UUID]) -> list[UUID]:
    """Which of the items this process won."""
    return [item_id for item_id in item_ids if jobs.claim(RunItem, item_id)]


def write_one(item_id: UUID) -> str | None:
    return write_item(item_id, publish_next=False)


def approve(text_id: UUID, words: str) -> str:
    """The state it is left in, or the code of the refusal."""
    try:
        text = Text.objects.across_workspaces().select_related("product").get(pk=text_id)
        return approve_text(text, by=None, words=words).state
    except DomainError as error:
        return error.code


def post(key: str, path: str, body: dict[str, Any]) -> int:
    """The status of a request under an Idempotency-Key."""
    client = Client(headers={"Authorization": f"Bearer {key}", "Idempotency-Key": "once"})
    return client.post(path, body, content_type="application/json").status_code


def write_each(item_ids: Sequence[UUID]) -> list[str | None]:
    return [write_item(item_id, publish_next=False) for item_id in item_ids]


def advance_batch(batch_id: UUID) -> str | None:
    return advance(batch_id)


def write_one_ahead(item_id: UUID) -> str | None:
    return write_ahead(item_id, publish_next=False)


def write_mug(workspace_id: UUID, number: int, color: str = "blue") -> tuple[str, str]:
    """(source, text), or (code, message) of the refusal."""
    facts = extract_facts({"title": f"Mug {number:05d}", "attributes": {"Material": "stoneware", "Color": color}})
    try:
        with entering(workspace_id):
            written = write(Brief(facts=facts), payer=Payer(workspace_id, "api"))
    except DomainError as error:
        return error.code, error.message
    return written.source, written.entry.fields["description"]


def write_mugs(workspace_id: UUID, numbers: Sequence[int], endpoint: str) -> list[str]:
    """The source of each, or the code of its refusal, all asked for at once."""

    def write_at(number: int) -> str:
        facts = extract_facts({"title": f"Mug {number:05d}", "attributes": {"Material": "stoneware"}})
        try:
            with entering(workspace_id):
                return write(Brief(facts=facts), payer=Payer(workspace_id, endpoint)).source
        except DomainError as error:
            return error.code
        finally:
            connection.close()

    with ThreadPoolExecutor(len(numbers)) as threads:
        return list(threads.map(write_at, numbers))


def answer_events() -> None:
    """What workers do for billing, until killed: answer every event that is due. The database may go away meanwhile."""
    while True:
        try:
            for pk in list(BillingEvent.objects.filter(jobs.due()).order_by("?").values_list("pk", flat=True)[:5]):
                process_event(pk)
        except DatabaseError:
            connection.close()
        time.sleep(0.02)


def begin_checkouts(workspace_id: UUID, count: int) -> list[str]:
    """The addresses that so many people get who press the button at once, however slow the machine is."""
    gateway.WEB_SECONDS = RESULT_SECONDS

    def begin_one(_: int) -> str:
        try:
            with entering(workspace_id):
                return begin(Workspace.objects.get(pk=workspace_id))
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(begin_one, range(count)))


def report_usage_again() -> None:
    report_usage()


def keep_spending(payer: Payer, seconds: float) -> int:
    """How many reservations went through all their states."""
    until, rounds = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        with entering(payer.workspace_id):
            books.every_state(payer)
        rounds += 1
    return rounds


def ask_until_refused(key: str, body: dict[str, Any]) -> list[tuple[float, int, int]]:
    """(when it began, status, queries) of each request for a description, one after the other, the last few refused."""
    client, until = Client(headers={"Authorization": f"Bearer {key}"}), time.monotonic() + RESULT_SECONDS / 2
    asked: list[tuple[float, int, int]] = []
    while [status for _, status, _ in asked].count(401) < 5 and (began := time.monotonic()) < until:
        with CaptureQueriesContext(connection) as queries:
            reply = client.post("/api/v1/descriptions", body, content_type="application/json")
        asked.append((began, reply.status_code, len(queries)))
    return asked


def take_at_once(subjects: Sequence[Subject], count: int) -> list[bool]:
    """Which of so many requests, each on a thread of its own, were admitted."""
    tag = subjects[0].id
    with ThreadPoolExecutor(count) as threads:
        return [allowance.allowed for allowance in threads.map(lambda _: take(tag, subjects), range(count))]


def take_for_a_while(subject: Subject, windows: Windows, seconds: float) -> list[float]:
    """When requests were admitted, by Redis' clock, asking as fast as it goes."""
    redis, admitted, until = get_redis_connection("default"), [], time.monotonic() + seconds
    while time.monotonic() < until:
        taken = take_in_redis(redis, f"test:{{{subject.id}}}:", [subject], windows)
        if taken.is_admitted:
            admitted.append(taken.at)
    return admitted
