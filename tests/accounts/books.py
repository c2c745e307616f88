"""Lines on the books, for tests of what is summed up and compared."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from accounts import budgets
from accounts.budgets import Attempt, Payer, Tokens
from accounts.models import Reservation, UsageEntry, Workspace

NOON = datetime(2026, 3, 14, 12, 30, tzinfo=UTC)


def enter(workspace: Workspace, **columns: Any) -> UsageEntry:
    """A free answer, unless told otherwise."""
    defaults = {
        "basis": "free",
        "source": "exact",
        "endpoint": "api",
        "answers": 1,
        "calls": 0,
        "cost_nanos": 0,
        "saved_nanos": 700,
        "occurred_at": NOON,
    }
    return UsageEntry.objects.create(workspace=workspace, **{**defaults, **columns})


def hold(payer: Payer, amount_nanos: int = 1000, *, is_sent: bool = True) -> uuid.UUID:
    attempt = Attempt(uuid.uuid4(), uuid.uuid4(), "anthropic", "claude-haiku-5-5", "economy", "2026-11")
    budgets.reserve(payer, attempt, amount_nanos)
    if is_sent:
        budgets.dispatch(attempt.id)
    return attempt.id


def pay(payer: Payer, cost_nanos: int, amount_nanos: int = 1000) -> uuid.UUID:
    reservation = hold(payer, amount_nanos)
    settle(reservation, cost_nanos)
    return reservation


def settle(reservation: uuid.UUID, cost_nanos: int) -> None:
    tokens = Tokens(input_tokens=90, cached_tokens=10, output_tokens=25)
    budgets.settle(reservation, cost_nanos=cost_nanos, tokens=tokens, is_answer=True)


def every_state(payer: Payer) -> dict[str, uuid.UUID]:
    """A reservation in each state it can be in, two of them with the line of a sent attempt or without."""
    known = {name: hold(payer) for name in ("dispatched", "settled", "released", "committed", "corrected")}
    known |= {name: hold(payer, is_sent=False) for name in ("held", "released unsent")}
    settle(known["settled"], 400)
    for name in ("released", "released unsent"):
        budgets.release(known[name])
    for name in ("committed", "corrected"):
        budgets.commit_ceiling(known[name])
    settle(known["corrected"], 300)
    states = Reservation.objects.across_workspaces().filter(pk__in=known.values()).values_list("state", flat=True)
    assert set(states) == set(Reservation.State.values)
    return known
