"""The daily comparison of what is written down twice: budgets and ledger, reservations and ledger, rollups and ledger.

`generation.reconciling` adds its model calls and runs it. Each check is one statement, so it sees one moment of the
books, and live traffic is no difference.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import structlog
from django.core.mail import send_mail
from django.db import connection
from django.db.models.functions import Now, TruncDate

from accounts.models import Reconciliation, User
from contentopt.jobs import publish_on_commit

log = structlog.get_logger()

TELL_STAFF = "accounts.tasks.tell_staff"
# A month's budget is compared every day of the month, and a few days more.
DAYS = 35
SHOWN_OF_EACH = 100
# A check selects what was compared, what was found, and what was expected, as texts.
_COMPARE = """
WITH compared AS MATERIALIZED ({check})
SELECT (SELECT count(*) FROM compared), (SELECT count(*) FROM compared WHERE found <> expected),
       ARRAY(SELECT ARRAY[what, found, expected] FROM compared WHERE found <> expected LIMIT {shown})
"""
SQL = Path(__file__).parent / "sql"


class Check(NamedTuple):
    name: str
    sql: Path


class Findings(NamedTuple):
    """What one check found. Differences are in words, ready to be shown."""

    name: str
    checked: int
    differences: list[dict[str, str]]


CHECKS = (
    Check("budgets", SQL / "check_budgets.sql"),
    Check("reservations", SQL / "check_reservations.sql"),
    Check("rollups", SQL / "check_rollups.sql"),
)


def check_accounts(since: datetime) -> list[Findings]:
    return [compare(check, since) for check in CHECKS]


def compare(check: Check, since: datetime) -> Findings:
    query = _COMPARE.format(check=check.sql.read_text(), shown=SHOWN_OF_EACH)
    with connection.cursor() as cursor:
        cursor.execute(query, {"since": since})
        checked, different, rows = cursor.fetchall()[0]
    shown = [{"what": what, "found": found, "expected": expected} for what, found, expected in rows]
    if different > len(shown):
        shown.append({"what": f"{check.name}: {different - len(shown)} more", "found": "", "expected": ""})
    return Findings(check.name, checked, shown)


def default_since() -> datetime:
    return datetime.now(UTC) - timedelta(days=DAYS)


def is_due() -> bool:
    """Once a calendar day (UTC, by the database's clock), however often the clock was started again."""
    return not Reconciliation.objects.filter(created_at__date=TruncDate(Now())).exists()


def keep(findings: Iterable[Findings]) -> Reconciliation:
    """Write down what was found, and raise the alarm if anything was."""
    found = list(findings)
    row = Reconciliation.objects.create(
        checked={part.name: part.checked for part in found},
        differences=[difference for part in found for difference in part.differences],
    )
    if not row.is_balanced:
        log.error("books_do_not_balance", differences=len(row.differences), first=row.differences[0])
        publish_on_commit(TELL_STAFF, str(row.pk))
    return row


def tell_staff(reconciliation_id: int) -> None:
    row = Reconciliation.objects.get(pk=reconciliation_id)
    staff = User.objects.filter(is_staff=True, is_active=True).order_by("email")
    lines = [f"{d['what']}: {d['found']}; expected {d['expected']}" for d in row.differences]
    send_mail(
        f"The books do not balance: {len(lines)} differences",
        "\n".join(
            [
                "The daily comparison of budgets, ledger, rollups and model calls found differences.",
                "Amounts are nano-dollars. All of them are in the staff admin, under Reconciliations.",
                "",
                *lines[:20],
            ]
        ),
        None,
        list(staff.values_list("email", flat=True)),
    )
