"""Hard budgets: hold the ceiling before a call, settle the exact cost after it.

PostgreSQL is the only authority. The rules live in `accounts/sql/budgets.sql`; each function here is one round trip.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import F
from django.db.models.functions import Greatest, Least, Now

from accounts.dollars import decimal_usd, most_usd, round_usd, usd
from accounts.models import Budget, Reservation, Standing
from contentopt import connections
from contentopt.errors import DomainError

log = structlog.get_logger()

# Waiting for other holds to settle: ask again this soon, then ever more slowly.
FIRST_POLL_SECONDS, LAST_POLL_SECONDS = 0.02, 0.5
IN_FLIGHT_RETRY_SECONDS = 2
STOPPED_RETRY_SECONDS = 600


class SpendingRefused(DomainError):
    """No money may be held for this payer. Another payer with the same request may be luckier."""


class BudgetExhausted(SpendingRefused):
    code = "budget_exhausted"
    status = 402


class PaymentOwed(SpendingRefused):
    """Nothing new is written until a payment is settled."""

    code = "payment_owed"
    status = 402


class Closing(SpendingRefused):
    """Nothing new is written: the workspace is being deleted."""

    code = "workspace_closing"
    status = 403


class BudgetInFlight(SpendingRefused):
    code = "budget_in_flight"
    status = 429


class PlatformStopped(SpendingRefused):
    """The platform's own limit, which is no customer's fault."""

    code = "provider_unavailable"
    status = 503


class ReservationLost(BudgetInFlight):
    """The hold was let go while its worker slept, before anything was sent."""


@dataclass(frozen=True, slots=True)
class Payer:
    """On whose account something is written. Every id given puts the request under that budget too, if it has a cap."""

    workspace_id: UUID
    endpoint: str  # api, page, run, terminal, visitor, night, trial
    user_id: UUID | None = None
    api_key_id: UUID | None = None
    run_id: UUID | None = None  # of the run or the night


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a provider says it used."""

    input_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Attempt:
    """One upstream attempt, before it is sent. `id` is also the reservation's and the model call's."""

    id: UUID
    text_id: UUID
    provider: str
    model_id: str
    tier: str
    price_version: str


def ledger_line(payer: Payer, attempt: Attempt) -> dict[str, Any]:
    """The columns of a usage entry that are known before a call. JSON."""
    return {
        "source": "model",
        "endpoint": payer.endpoint,
        "user_id": _text(payer.user_id),
        "api_key_id": _text(payer.api_key_id),
        "run_id": _text(payer.run_id),
        "text_id": str(attempt.text_id),
        "provider": attempt.provider,
        "model_id": attempt.model_id,
        "tier": attempt.tier,
        "price_version": attempt.price_version,
        "answers": 0,
        "saved_nanos": 0,
        **asdict(Tokens()),
    }


def _text(value: UUID | None) -> str | None:
    return str(value) if value else None


def reserve(
    payer: Payer,
    attempt: Attempt,
    amount_nanos: int,
    *,
    wait_seconds: float | None = None,
    wait: Callable[[float], None] = connections.sleep,
) -> None:
    """Hold the amount on every budget in scope, or raise and hold nothing.

    Raises BudgetExhausted (402), BudgetInFlight (429, after waiting for other holds to settle) or PlatformStopped
    (503). Not inside a transaction: the hold must be on the books before anything is sent. `wait` is how a caller
    spends so many seconds.
    """
    until = time.monotonic() + (settings.BUDGET_WAIT_SECONDS if wait_seconds is None else wait_seconds)
    pause = FIRST_POLL_SECONDS
    while True:
        outcome, budget_id = _reserve(payer, attempt, amount_nanos)
        if outcome == "held":
            return
        if outcome == "exhausted" or time.monotonic() + pause > until:
            raise _refusal(outcome, budget_id, amount_nanos)
        # Never all at the same moment.
        wait(pause * random.uniform(0.5, 1.0))  # noqa: S311
        pause = min(pause * 1.5, LAST_POLL_SECONDS)


def _reserve(payer: Payer, attempt: Attempt, amount_nanos: int) -> tuple[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT outcome, budget_id FROM accounts_reserve(%s, %s, %s, %s, %s, %s, %s, %s::jsonb)",
            [
                attempt.id,
                payer.workspace_id,
                payer.user_id,
                payer.api_key_id,
                payer.run_id,
                amount_nanos,
                settings.HOLD_SECONDS,
                json.dumps(ledger_line(payer, attempt)),
            ],
        )
        outcome, budget_id = _one(cursor)
        return outcome, budget_id


def _one(cursor: CursorWrapper) -> Any:
    """The row that a function always returns."""
    return cursor.fetchall()[0]


def _refusal(outcome: str, budget_id: int, amount_nanos: int) -> SpendingRefused:
    budget = Budget.objects.across_workspaces().select_related("workspace").get(pk=budget_id)
    if budget.scope == Budget.Scope.WORKSPACE and budget.workspace.closes_at:
        return Closing(CLOSING, details=refusal_details(budget, amount_nanos))
    if budget.scope == Budget.Scope.WORKSPACE and budget.workspace.standing in OWED:
        return PaymentOwed(OWED[budget.workspace.standing], details=refusal_details(budget, amount_nanos))
    if outcome == "exhausted":
        with connection.cursor() as cursor:
            cursor.execute("SELECT accounts_tell_exhausted(%s)", [budget_id])
    if budget.scope == Budget.Scope.PLATFORM:
        # Stopped by hand it has a limit of 0, and nobody knows until when.
        until = f"until {budget.period_end:%H:%M} UTC" if budget.limit_nanos and budget.period_end else "at the moment"
        return PlatformStopped(
            f"New texts are paused for everyone {until}. Nothing was charged; texts that are known "
            "already are still served.",
            retry_after=STOPPED_RETRY_SECONDS if outcome == "exhausted" else IN_FLIGHT_RETRY_SECONDS,
        )
    details = refusal_details(budget, amount_nanos)
    whose, is_run = WHOSE[budget.scope], budget.scope == Budget.Scope.RUN
    limit, spent = usd(budget.limit_nanos or 0), round_usd(budget.spent_nanos)
    if outcome == "exhausted":
        reset = f" It starts afresh on {budget.period_end:%-d %B}." if budget.period_end else ""
        return BudgetExhausted(
            f"The cap of {limit} for {whose} leaves no room: {spent} is spent, and this text could cost up to "
            f"{most_usd(amount_nanos)}. Nothing was charged; texts that are known already are still free.{reset} "
            + ("Write the rest with a higher cap." if is_run else "An owner can raise the cap on the usage page."),
            details=details,
        )
    return BudgetInFlight(
        f"Other texts being written hold the rest of the cap of {limit} for {whose}. Try again in a moment.",
        details=details,
        retry_after=IN_FLIGHT_RETRY_SECONDS,
    )


CLOSING = "No text is written here any more: this workspace is being deleted. An owner can restore it."
OWED: dict[str, str] = {
    Standing.FROZEN: "New texts are paused because a payment was disputed or paid back. Everything written is kept, "
    "and texts that are known already are still free. Settle it on the plan page, or write to us.",
    Standing.READ_ONLY: "New texts are paused because a payment is more than a week overdue. Everything written is "
    "kept, and texts that are known already are still free. An owner can pay on the plan page.",
}

WHOSE: dict[str, str] = {
    Budget.Scope.WORKSPACE: "this workspace this month",
    Budget.Scope.MEMBER: "this member this month",
    Budget.Scope.KEY: "this API key this month",
    Budget.Scope.RUN: "this run",
    Budget.Scope.NIGHT: "tonight",
}


def refusal_details(budget: Budget, amount_nanos: int) -> dict[str, Any]:
    return {
        "scope": budget.scope,
        "limit_usd": decimal_usd(budget.limit_nanos or 0),
        "spent_usd": decimal_usd(budget.spent_nanos),
        "held_usd": decimal_usd(budget.reserved_nanos),
        "needed_usd": decimal_usd(amount_nanos),
        "resets_at": budget.period_end.isoformat() if budget.period_end else None,
    }


def keep_held(reservation_id: UUID, seconds: int) -> None:
    """For so long from now, where it takes longer than a call to be sent. Raises ReservationLost."""
    held = Reservation.objects.across_workspaces().filter(pk=reservation_id, state=Reservation.State.HELD)
    if not held.update(expires_at=Now() + timedelta(seconds=seconds)):
        raise _lost()


def dispatch(reservation_id: UUID) -> None:
    """Say that the attempt is about to be sent: from here on silence counts at the ceiling."""
    with connection.cursor() as cursor:
        cursor.execute(_DISPATCH, [reservation_id])
        if not cursor.rowcount:
            raise _lost()


def dispatch_all(reservation_ids: Iterable[UUID], seconds: int) -> set[UUID]:
    """The same for attempts that are sent together and answered within so many seconds. Returns those whose hold was
    let go before."""
    wanted = set(reservation_ids)
    with connection.cursor() as cursor:
        cursor.execute(_DISPATCH_ALL, [seconds, list(wanted)])
        return wanted - {row[0] for row in cursor.fetchall()}


_DISPATCH = """
UPDATE accounts_reservation SET state = 'dispatched', dispatched_at = statement_timestamp()
 WHERE id = %s AND state = 'held'
"""
_DISPATCH_ALL = """
UPDATE accounts_reservation SET state = 'dispatched', dispatched_at = statement_timestamp(),
       expires_at = statement_timestamp() + make_interval(secs => %s)
 WHERE id = ANY(%s) AND state = 'held' RETURNING id
"""


def _lost() -> ReservationLost:
    return ReservationLost("This took too long to begin. Nothing was charged; try again.", retry_after=1)


def settle(reservation_id: UUID, *, cost_nanos: int, tokens: Tokens, is_answer: bool) -> str | None:
    """Free the hold and book the exact cost, once. Also late, after the hold was counted at its ceiling."""
    usage = {**asdict(tokens), "answers": int(is_answer)}
    return _close(reservation_id, Reservation.State.SETTLED, cost_nanos, usage)


def release(reservation_id: UUID) -> str | None:
    """Free the hold of an attempt that surely cost nothing."""
    return _close(reservation_id, Reservation.State.RELEASED)


def commit_ceiling(reservation_id: UUID, *, is_answer: bool = False) -> str | None:
    """Book an attempt whose cost is not known at the most it can be."""
    return _close(reservation_id, Reservation.State.COMMITTED, usage={"answers": int(is_answer)})


def _close(reservation_id: UUID, state: str, cost_nanos: int = 0, usage: dict[str, Any] | None = None) -> str | None:
    with connection.cursor() as cursor:
        values: list[Any] = [reservation_id, state, cost_nanos, json.dumps(usage or {})]
        cursor.execute("SELECT accounts_close(%s, %s, %s, %s::jsonb)", values)
        ended: str | None = _one(cursor)[0]
    if ended is None:
        log.info("hold_closed_before", reservation=str(reservation_id), asked=state)
    return ended


SWEEP_AT_ONCE = 500


def sweep() -> int:
    """End holds that nobody came back for: never sent ones cost nothing, sent ones their ceiling."""
    with transaction.atomic():
        expired = Reservation.objects.across_workspaces().filter(state__in=Reservation.OPEN, expires_at__lt=Now())
        locked = expired.select_for_update(skip_locked=True).order_by("expires_at")[:SWEEP_AT_ONCE]
        found = list(locked.values_list("pk", "state"))
    for reservation_id, state in found:
        (release if state == Reservation.State.HELD else commit_ceiling)(reservation_id)
    return len(found)


def apply_limits(workspace_id: UUID | None = None) -> int:
    """Give current budgets the limits now in force. Call it after a cap, a plan or the platform's switch changed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT accounts_apply_limits(%s)", [workspace_id])
        changed: int = _one(cursor)[0]
        return changed


def open_run_budget(*, workspace_id: UUID, run_id: UUID, limit_nanos: int) -> None:
    """A run's budget lasts as long as the run."""
    _open(workspace_id, Budget.Scope.RUN, run_id, limit_nanos)


def open_night_budget(*, workspace_id: UUID, night_id: UUID, limit_nanos: int) -> None:
    """A night's too. Its calls name the night as their run."""
    _open(workspace_id, Budget.Scope.NIGHT, night_id, limit_nanos)


def _open(workspace_id: UUID, scope: str, scope_id: UUID, limit_nanos: int) -> None:
    Budget.objects.in_workspace(workspace_id).get_or_create(
        workspace_id=workspace_id,
        scope=scope,
        scope_id=scope_id,
        defaults={"period_start": Now(), "limit_nanos": limit_nanos},
    )


def change_night_limit(*, workspace_id: UUID, night_id: UUID, limit_nanos: int) -> None:
    """Another limit from now on, but never below what is spent and held already."""
    budget = Budget.objects.in_workspace(workspace_id).filter(scope=Budget.Scope.NIGHT, scope_id=night_id)
    budget.update(limit_nanos=Greatest(limit_nanos, F("spent_nanos") + F("reserved_nanos")), overdraft_nanos=0)


def allow_run(*, workspace_id: UUID, run_id: UUID, room_nanos: int, cap_nanos: int | None = None) -> None:
    """Raise a run's limit to what it has spent and holds plus this much, never above its cap; never lower it, but to
    the cap."""
    used = F("spent_nanos") + F("reserved_nanos")
    limit: Any = Greatest(F("limit_nanos"), used + room_nanos)
    if cap_nanos is not None:
        limit = Greatest(Least(limit, cap_nanos), used)
    run = Budget.objects.in_workspace(workspace_id).filter(scope=Budget.Scope.RUN, scope_id=run_id)
    run.filter(limit_nanos__isnull=False).update(limit_nanos=limit, overdraft_nanos=0)


def room(payer: Payer) -> int | None:
    """What the tightest budget in scope leaves, in nano-dollars; None when nothing limits this payer."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT min(CASE WHEN b.id IS NULL THEN accounts_limit_of(s.owner_id, s.scope, s.scope_id)"
            " ELSE b.limit_nanos - b.spent_nanos - b.reserved_nanos END)"
            " FROM accounts_scopes_of(%s, %s, %s, %s) s"
            " LEFT JOIN accounts_budget b ON b.workspace_id = s.owner_id AND b.scope = s.scope"
            " AND b.scope_id = s.scope_id AND b.period_start = s.starts",
            [payer.workspace_id, payer.user_id, payer.api_key_id, payer.run_id],
        )
        left: int | None = _one(cursor)[0]
        return None if left is None else max(left, 0)
