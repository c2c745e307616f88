"""Work that tests do in processes of their own, on the test's database."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any
from uuid import UUID

import django
from django.apps import apps
from django.conf import settings
from django.db import connection

if not apps.ready:  # in the fork server, which imports this module first
    django.setup()

from accounts.management.commands.clock import Command as Clock
from contentopt import jobs
from contentopt.errors import DomainError
from generation.engine.items import write_item
from generation.engine.writing import write
from generation.facts import Brief, extract_facts
from generation.models import RunItem

# A fork server has no threads and no connections, which must not cross a fork.
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload([__name__])

RESULT_SECONDS = 40


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


def write_mug(workspace_id: UUID, number: int) -> tuple[str, str]:
    """(source, text), or (code, message) of the refusal."""
    facts = extract_facts({"title": f"Mug {number:05d}", "attributes": {"Material": "stoneware", "Color": "blue"}})
    try:
        written = write(Brief(facts=facts), workspace_id=workspace_id)
    except DomainError as error:
        return error.code, error.message
    return written.source, written.entry.fields["description"]
