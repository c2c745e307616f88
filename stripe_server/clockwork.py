"""What happens by itself when time passes, in the order in which it falls due."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from stripe_server.account import Account, Object
from stripe_server.resources import checkout, invoices, subscriptions

Due = tuple[int, Callable[..., Any], Object]


def _dues(account: Account, clock: str | None) -> Iterator[Due]:
    def is_on_clock(obj: Object) -> bool:
        if not obj["customer"]:
            return clock is None
        owner = account.objects.get("customer", {}).get(obj["customer"])
        return owner is not None and owner["test_clock"] == clock  # what a deleted customer had stands still

    for subscription in account.objects.get("subscription", {}).values():
        if is_on_clock(subscription) and (due := subscriptions.next_due(account, subscription)):
            yield due[0], due[1], subscription
    for invoice in account.objects.get("invoice", {}).values():
        moment = (
            invoice["automatically_finalizes_at"] if invoice["status"] == "draft" else invoice["next_payment_attempt"]
        )
        if moment and invoice["status"] in ("draft", "open") and is_on_clock(invoice):
            yield moment, invoices.collect, invoice
    for session in account.objects.get("checkout.session", {}).values():
        moment = checkout.next_due(session)
        if moment and is_on_clock(session):
            yield moment, checkout.expire, session


def _first(account: Account, clock: str | None, until: int) -> Due | None:
    ripe = [due for due in _dues(account, clock) if due[0] <= until]
    return min(ripe, key=lambda due: due[0], default=None)


def pass_time(account: Account) -> None:
    """Do what is due by now on the account's own clock."""
    while due := _first(account, None, account.now()):
        due[1](account, due[2])


def advance_account(account: Account, seconds: int) -> None:
    """Set the account's own clock ahead, stopping at everything that falls due on the way."""
    target = account.now() + seconds
    while due := _first(account, None, target):
        account.offset += max(due[0] - account.now(), 0)
        due[1](account, due[2])
    account.offset += max(target - account.now(), 0)
    account.is_dirty = True


def advance_clock(account: Account, clock: Object, target: int) -> None:
    while due := _first(account, clock["id"], target):
        clock["frozen_time"] = max(clock["frozen_time"], due[0])
        due[1](account, due[2])
    clock["frozen_time"] = target
    account.is_dirty = True
