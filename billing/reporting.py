"""Products beyond the plan's, from our own count to Stripe's meter: each counted once, whatever dies on the way.

The count is our quota's. What a month has beyond the plan and was not reported yet becomes a row; the row is sent under
its own id, which Stripe takes once. A row that may have arrived is sent again only while Stripe still remembers ids.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Sum
from django.db.models.functions import Now
from django.utils import timezone

from accounts.quotas import written_products
from billing import gateway
from billing.models import BillingAccount, Subscription, UsageReport
from billing.notices import alarm
from contentopt.tenancy import entering

log = structlog.get_logger()

REPORT_USAGE = "billing.tasks.report_usage"
REMEMBERED = timedelta(hours=23)  # Stripe knows an id for a day at least
AT_ONCE = 200

State = UsageReport.State


def report_usage() -> None:
    if gateway.is_on():
        accounts = BillingAccount.objects.across_workspaces().exclude(overage_since=None)
        for account_id, workspace_id in accounts.values_list("pk", "workspace_id"):
            with entering(workspace_id):
                write_down(account_id)
        send_waiting()


@transaction.atomic
def write_down(account_id: UUID) -> int:
    """A row for what this month has beyond the plan and no row has yet. How many products it counts."""
    account = BillingAccount.objects.across_workspaces().select_for_update(of=("self",)).get(pk=account_id)
    rows = Subscription.objects.in_workspace(account.workspace_id)
    live = rows.filter(is_live=True, has_overage=True).select_related("plan").first()
    if live is None or live.plan is None or live.plan.products_per_month is None or account.overage_since is None:
        return 0
    month, written = written_products(account.workspace_id)
    reports = UsageReport.objects.in_workspace(account.workspace_id)
    known = reports.filter(period_start=month).aggregate(products=Sum("products"))["products"] or 0
    base = account.overage_base if account.overage_since >= month else 0
    beyond = written - max(live.plan.products_per_month, base) - known
    if beyond <= 0:
        return 0
    UsageReport.objects.create(workspace_id=account.workspace_id, period_start=month, products=beyond)
    return beyond


def send_waiting() -> int:
    """How many were taken. What Stripe does not answer stays for the next time."""
    rows = UsageReport.objects.across_workspaces()
    set_aside(timezone.now() - REMEMBERED)
    sent = 0
    for row in rows.filter(state=State.WAITING).order_by("occurred_at")[:AT_ONCE]:
        try:
            with entering(row.workspace_id):
                sent += _send(row)
        except gateway.Unreachable:
            break
        except gateway.PaymentError as error:
            rows.filter(pk=row.pk).update(failure=error.message[:300])
    return sent


def _send(row: UsageReport) -> bool:
    account = BillingAccount.objects.in_workspace(row.workspace_id).get()
    rows = UsageReport.objects.in_workspace(row.workspace_id).filter(pk=row.pk, state=State.WAITING)
    rows.filter(first_tried_at=None).update(first_tried_at=Now())  # before: it may arrive and we never hear of it
    gateway.report_usage(
        identifier=str(row.pk), customer_id=account.customer_id or "", products=row.products, at=row.occurred_at
    )
    return bool(rows.update(state=State.SENT, sent_at=Now(), failure=""))


def set_aside(tried_before: datetime) -> int:
    """Rows whose first try is so long ago that another could count twice: staff look at the meter first."""
    rows = UsageReport.objects.across_workspaces().filter(state=State.WAITING, first_tried_at__lt=tried_before)
    stale = list(rows.values_list("pk", flat=True))
    for pk in stale:
        if rows.filter(pk=pk).update(state=State.STALE):
            alarm(f"usage/{pk}", f"Usage report {pk} was tried for a day. See the meter, then send it again or not.")
    return len(stale)
