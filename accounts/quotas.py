"""How many products of a month a workspace may have written. Counts only; money is in `budgets`.

A product is *taken* before its first text of the month is written and *confirmed* with that text. In between it holds
its place: what fails is given back, what dies is swept. The rules of both live in `accounts/sql/quotas.sql`.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models.functions import Now

from accounts.models import CountedProduct, Workspace
from contentopt.errors import DomainError

SWEEP_AT_ONCE = 500

# The database's clock decides the month: no machine's clock can open a fresh one.
_MONTH = """
month AS (
    SELECT date_trunc('month', statement_timestamp(), 'UTC') AS starts,
           (date_trunc('month', statement_timestamp() AT TIME ZONE 'UTC') + interval '1 month') AT TIME ZONE 'UTC'
               AS ends
)
"""

_GIVE_BACK = """
WITH gone AS (
    DELETE FROM accounts_countedproduct WHERE id = %s AND pending_until = %s RETURNING workspace_id, period_start
)
UPDATE accounts_usageperiod period SET products_used = products_used - 1
  FROM gone WHERE period.workspace_id = gone.workspace_id AND period.period_start = gone.period_start
"""

_GIVE_BACK_ALL = """
WITH gone AS (
    DELETE FROM accounts_countedproduct
     WHERE workspace_id = %(workspace)s AND product_key = ANY(%(keys)s) AND pending_until IS NOT NULL
    RETURNING period_start
), counted AS (SELECT period_start, count(*) AS products FROM gone GROUP BY period_start)
UPDATE accounts_usageperiod period SET products_used = products_used - counted.products
  FROM counted WHERE period.workspace_id = %(workspace)s AND period.period_start = counted.period_start
"""

_USE = f"""
WITH {_MONTH}
SELECT plan.products_per_month + workspace.overage_products, COALESCE(period.products_used, 0), month.ends, plan.name
  FROM month CROSS JOIN accounts_workspace workspace
  JOIN accounts_plan plan ON plan.slug = workspace.plan_id
  LEFT JOIN accounts_usageperiod period ON period.workspace_id = workspace.id AND period.period_start = month.starts
 WHERE workspace.id = %s
"""  # noqa: S608


_WRITTEN = f"""
WITH {_MONTH}
SELECT month.starts, count(counted.id)
  FROM month
  LEFT JOIN accounts_countedproduct counted
         ON counted.workspace_id = %s AND counted.period_start = month.starts AND counted.pending_until IS NULL
 GROUP BY month.starts
"""  # noqa: S608

_COUNTED = f"""
WITH {_MONTH}
SELECT counted.product_key
  FROM month
  JOIN accounts_countedproduct counted ON counted.workspace_id = %s AND counted.period_start = month.starts
 WHERE counted.product_key = ANY(%s)
"""  # noqa: S608


class QuotaExceeded(DomainError):
    code = "quota_exceeded"
    status = 402


@dataclass(frozen=True, slots=True)
class Taken:
    """A product's place in a month. `row_id` is empty when somebody else had counted it, or was about to."""

    workspace_id: UUID
    product_key: str
    period_start: datetime
    row_id: UUID | None
    pending_until: datetime | None


@dataclass(frozen=True, slots=True)
class QuotaUse:
    """This month's products, those that are being written included. A limit of None means no limit."""

    limit: int | None
    used: int
    resets_at: datetime

    @property
    def left(self) -> int | None:
        return None if self.limit is None else max(self.limit - self.used, 0)


def take(workspace_id: UUID, product_key: str, *, seconds: int | None = None) -> Taken:
    """Hold a place for the product in the present month, or raise QuotaExceeded and hold nothing.

    Free for a product that counts already. End it with `confirm` or `give_back`; a place that nobody ends is swept
    after so many seconds, by default as many as a text can take.
    """
    row_id = uuid.uuid4()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT * FROM accounts_take_product(%s, %s, %s, %s)",
            [row_id, workspace_id, product_key, seconds or settings.QUOTA_PENDING_SECONDS],
        )
        starts, pending_until, is_new, fits = _one(cursor)
    taken = Taken(workspace_id, product_key, starts, row_id if is_new else None, pending_until)
    if not fits:
        raise _refusal(taken)
    return taken


def confirm(taken: Taken) -> None:
    """The product is written, so it counts, whatever became of its place meanwhile. Part of the caller's transaction
    when there is one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT accounts_confirm_product(%s, %s, %s, %s)",
            [uuid.uuid4(), taken.workspace_id, taken.period_start, taken.product_key],
        )


def count_used(workspace_id: UUID, product_key: str) -> None:
    """Count a product whose text was written before anybody asked for it. Free, it is given in any case, so beyond the
    plan's products it is just not counted. Not inside a transaction that counts others: they would wait for each other.
    """
    with suppress(QuotaExceeded):
        confirm(take(workspace_id, product_key))


def give_back(taken: Taken) -> bool:
    """Nothing was written: the product does not count. False when it was not this take's to give back: it counted
    before, counts by now, or somebody else is writing it too."""
    return taken.row_id is not None and _give_back(taken.row_id, taken.pending_until)


def _give_back(row_id: UUID, pending_until: datetime | None) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_GIVE_BACK, [row_id, pending_until])
        return bool(cursor.rowcount)


def give_back_all(workspace_id: UUID, product_keys: Sequence[str]) -> None:
    """For products that were waited for and will not be written, by whoever took their places. One that
    somebody else is writing at this moment counts all the same once it is written (`confirm`)."""
    _run(_GIVE_BACK_ALL, workspace=workspace_id, keys=list(product_keys))


def sweep_pending() -> int:
    """Give back the places of workers that died. How many it were."""
    expired = CountedProduct.objects.across_workspaces().filter(pending_until__lt=Now()).order_by("pending_until")
    found = expired.values_list("pk", "pending_until")[:SWEEP_AT_ONCE]
    return sum(_give_back(row_id, pending_until) for row_id, pending_until in found)


def written_products(workspace_id: UUID) -> tuple[datetime, int]:
    """(beginning of the present month, products that count in it), without those whose first text is being written."""
    with connection.cursor() as cursor:
        cursor.execute(_WRITTEN, [workspace_id])
        starts, written = _one(cursor)
    return starts, written


def used_products(workspace: Workspace) -> QuotaUse:
    return use_of(workspace.pk)


def use_of(workspace_id: UUID) -> QuotaUse:
    return _use(workspace_id)[0]


def uncounted(workspace_id: UUID, product_keys: Iterable[str]) -> set[str]:
    """Those that would take a place of the present month."""
    asked = set(product_keys)
    with connection.cursor() as cursor:
        cursor.execute(_COUNTED, [workspace_id, list(asked)])
        return asked - {key for (key,) in cursor.fetchall()}


def _use(workspace_id: UUID) -> tuple[QuotaUse, str]:
    with connection.cursor() as cursor:
        cursor.execute(_USE, [workspace_id])
        limit, used, resets_at, plan = _one(cursor)
    return QuotaUse(limit, used, resets_at), plan


def _refusal(taken: Taken) -> QuotaExceeded:
    with connection.cursor() as cursor:  # after a change to a smaller plan nothing else would
        cursor.execute("SELECT accounts_tell_products(%s, %s)", [taken.workspace_id, taken.period_start])
    use, plan = _use(taken.workspace_id)
    limit = use.used if use.limit is None else use.limit  # the plan may have changed this very moment
    reset = f"{use.resets_at:%-d %B}"
    used = "all of them are used" if use.used <= limit else f"{use.used} were used before that became the limit"
    return QuotaExceeded(
        f"The {plan} plan has {limit} products a month, and {used}. The count starts afresh on {reset}. Products "
        "already counted this month can be written again, and texts that are known already are still free. "
        "An owner can choose a larger plan.",
        details={"limit": limit, "used": use.used, "resets_at": use.resets_at.isoformat()},
    )


def _run(statement: str, **values: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return int(cursor.rowcount)


def _one(cursor: Any) -> tuple[Any, ...]:
    row: tuple[Any, ...] = cursor.fetchone()
    return row
