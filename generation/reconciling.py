"""The daily comparison of the books: accounts' own, and the model calls with the ledger."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from django.db import connection, transaction

from accounts.models import Reconciliation
from accounts.reconciling import Check, check_accounts, compare, default_since, is_due, keep
from contentopt.tenancy import across_workspaces

RECONCILE = "generation.tasks.reconcile"
CALLS = Check("model calls", Path(__file__).parent / "sql" / "check_calls.sql")
ADVISORY_LOCK = 0x626F6F6B73  # "books"


@across_workspaces()
def reconcile(since: datetime | None = None) -> Reconciliation:
    since = since or default_since()
    return keep([*check_accounts(since), compare(CALLS, since)])


def reconcile_once_a_day() -> None:
    """However often it is asked for, and by however many at a time."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [ADVISORY_LOCK])
        if cursor.fetchall()[0][0] and is_due():
            reconcile()
