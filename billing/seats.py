"""People beyond the plan's own: the number that is billed follows the number of members."""

from __future__ import annotations

import structlog

from accounts.models import Workspace
from billing import gateway
from billing.catalog import Sale, items_for
from billing.models import BillingAccount, Subscription
from billing.sync import Busy, sync_account
from contentopt.jobs import LostLease
from contentopt.tenancy import entering

log = structlog.get_logger()

FOLLOW_SEATS = "billing.tasks.follow_seats"


def extra_seats(workspace: Workspace, sale: Sale) -> int:
    """Counted from those who are members, at every change anew."""
    if sale.plan.seats is None or not sale.seat_key:
        return 0
    return max(workspace.memberships.count() - sale.plan.seats, 0)


def follow_seats() -> int:
    """Bill as many as there are. Idempotent, and asked often: several changes within a minute are one. Subscriptions
    that change their plan soon are left to that change."""
    if not gateway.is_on():
        return 0
    rows = Subscription.objects.across_workspaces().filter(
        is_live=True, status__in=("trialing", "active"), next_plan=None, pending_plan=None, plan__seats__isnull=False
    )
    changed = 0
    for row in rows.exclude(plan__stripe_seat_lookup_key="").select_related("plan", "workspace"):
        with entering(row.workspace_id):
            wanted = extra_seats(row.workspace, Sale(row.plan, row.interval)) if row.plan else row.seats
            if wanted != row.seats:
                changed += _set_seats(row, wanted)
    return changed


def _set_seats(row: Subscription, seats: int) -> bool:
    if row.plan is None:
        return False
    wanted = items_for(Sale(row.plan, row.interval), seats=seats, has_overage=row.has_overage)
    account = BillingAccount.objects.in_workspace(row.workspace_id).get()
    try:
        # The same step from the same reading is the same wish; the next reading makes it another.
        gateway.set_items(row.subscription_id, wanted, intent_id=f"{row.pk}:{seats}:{row.synced_at.timestamp()}")
        sync_account(account.pk)
    except (Busy, LostLease):
        return True  # its event brings it
    except gateway.PaymentError as error:
        log.warning("seats_not_set", subscription=row.subscription_id, error=error.code)
        return False
    return True
