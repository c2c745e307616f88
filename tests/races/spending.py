"""Spending that tests do in processes of their own: many threads a process, as a web server has."""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar
from uuid import UUID

from django.db import connection

from accounts import budgets
from accounts.budgets import Attempt, Payer, SpendingRefused, Tokens
from contentopt.errors import DomainError
from contentopt.tenancy import enter_all
from generation.engine.writing import write
from generation.facts import Brief, extract_facts
from tests.races.watching import WATCH

T = TypeVar("T")


def attempt() -> Attempt:
    return Attempt(uuid.uuid4(), uuid.uuid4(), "anthropic", "claude-haiku-5-5", "economy", "test")


def at_once(work: Callable[[int], T], count: int) -> list[T]:
    """In one thread each, with a connection each."""

    def one(number: int) -> T:
        try:
            return work(number)
        finally:
            connection.close()

    # All connections at once: left to itself a pool grows by one at a time.
    connection.settings_dict["OPTIONS"]["pool"] |= {"min_size": count, "max_size": count + 5, "timeout": 30}
    with ThreadPoolExecutor(count, initializer=enter_all) as pool:
        return list(pool.map(one, range(count)))


def hold_many(payer: Payer, count: int, amount: int) -> list[UUID]:
    """The holds that were given, of so many asked for at once and not waited for."""

    def hold(_: int) -> UUID | None:
        made = attempt()
        try:
            budgets.reserve(payer, made, amount, wait_seconds=0)
        except SpendingRefused:
            return None
        budgets.dispatch(made.id)
        return made.id

    return [held for held in at_once(hold, count) if held]


def hold_in_rounds(payers: list[Payer], count: int, amount: int) -> list[list[UUID]]:
    """The same for one payer after the other."""
    return [hold_many(payer, count, amount) for payer in payers]


def settle_many(reservations: list[UUID], cost: int) -> int:
    """How many of them this process settled."""

    def settle(number: int) -> bool:
        return bool(budgets.settle(reservations[number], cost_nanos=cost, tokens=Tokens(1), is_answer=True))

    return sum(at_once(settle, len(reservations)))


def hold_one(payer: Payer, amount: int, *, sent: bool) -> UUID:
    made = attempt()
    budgets.reserve(payer, made, amount)
    if sent:
        budgets.dispatch(made.id)
    return made.id


def hold_and_hang(payer: Payer, amount: int, sent: bool) -> None:
    """A worker that never comes back."""
    hold_one(payer, amount, sent=sent)
    time.sleep(60)


def write_mugs(payer: Payer, first: int, count: int) -> list[tuple[str, int]]:
    """(source or refusal code, cost) of so many different mugs asked for at once."""

    def write_mug(number: int) -> tuple[str, int]:
        facts = extract_facts({"title": f"Mug {first + number:05d}", "attributes": {"Material": "stoneware"}})
        try:
            written = write(Brief(facts=facts), payer=payer)
        except DomainError as error:
            return error.code, 0
        return written.source, written.spent.cost_nanos

    return at_once(write_mug, count)


def check_then_act(budget_id: int, count: int, amount: int) -> int:
    """How it is usually done, on a table of the test's own: read, decide, add."""

    def spend(_: int) -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT spent + %s <= cap FROM control_budget WHERE id = %s", [amount, budget_id])
            fits: bool = cursor.fetchall()[0][0]
            if fits:
                time.sleep(0.1)  # the call
                cursor.execute("UPDATE control_budget SET spent = spent + %s WHERE id = %s", [amount, budget_id])
            return fits

    return sum(at_once(spend, count))


class Sampler:
    """Watches every budget while something happens, from a connection of its own."""

    def __init__(self) -> None:
        self.samples = 0
        self.most = 0
        self.violations: list[Any] = []
        self._stop = False
        self._pool = ThreadPoolExecutor(1, initializer=enter_all)

    def __enter__(self) -> Sampler:
        self._work = self._pool.submit(self._watch)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop = True
        self._work.result()
        self._pool.shutdown()

    def _watch(self) -> None:
        with contextlib.closing(connection), connection.cursor() as cursor:
            while not self._stop:
                cursor.execute(WATCH)
                for budget_id, committed, limit, reserved, holds in cursor.fetchall():
                    self.most = max(self.most, committed)
                    if (limit is not None and committed > limit) or reserved != holds:
                        self.violations.append((budget_id, committed, limit, reserved, holds))
                self.samples += 1
                time.sleep(0.002)  # leave the processor to what is watched
