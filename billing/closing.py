"""What becomes of a subscription when its workspace is to go.

While the deletion can be taken back, the subscription ends with the period that is paid for; when the workspace goes
for good, it ends at once. Stripe's customer stays at Stripe, with the invoices that have to be kept.
"""

from __future__ import annotations

import structlog

from accounts.models import Workspace
from billing import gateway
from billing.gateway import Missing, PaymentError
from billing.models import BillingAccount, BillingEvent, Subscription
from billing.sync import Busy, sync_account
from contentopt.jobs import UNFINISHED, LostLease
from contentopt.tenancy import entering

log = structlog.get_logger()

FOLLOW_CLOSINGS = "billing.tasks.follow_closings"


def follow_closings() -> int:
    """Idempotent, and asked often: workspaces that are being deleted and pay on. How many subscriptions end now."""
    if not gateway.is_on():
        return 0
    paying_on = Subscription.objects.across_workspaces().filter(
        is_live=True, cancel_at=None, workspace__closes_at__isnull=False
    )
    ended = 0
    for row in paying_on.select_related("workspace"):
        with entering(row.workspace_id):
            ended += _end_with_period(row)
    return ended


def _end_with_period(row: Subscription) -> bool:
    try:
        gateway.end_or_keep(row.subscription_id, ends=True, intent_id=f"closing:{row.workspace.closes_at:%Y%m%d%H%M%S}")
        sync_account(BillingAccount.objects.in_workspace(row.workspace_id).get().pk)
    except (Busy, LostLease):
        return True  # its event brings it
    except PaymentError as error:
        log.warning("closing_not_followed", subscription=row.subscription_id, error=error.code)
        return False
    return True


def end_for_good(workspace: Workspace) -> None:
    """Before its rows go, for nothing would tell afterwards what to end. Raises gateway.PaymentError, and then the
    workspace stays until Stripe answers."""
    for row in Subscription.objects.in_workspace(workspace).filter(is_live=True):
        try:
            gateway.cancel_now(row.subscription_id, intent_id="workspace-deleted", comment="The workspace was deleted.")
        except Missing:
            log.info("subscription_gone_already", subscription=row.subscription_id)
    customers = BillingAccount.objects.in_workspace(workspace).exclude(customer_id=None).values("customer_id")
    # Events hold what Stripe knows of the customer, and belong to no workspace.
    BillingEvent.objects.filter(customer_id__in=customers).exclude(state__in=UNFINISHED).delete()
