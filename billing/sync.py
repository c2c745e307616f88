"""Make our rows and the workspace's plan what Stripe says, whoever asks for it: an event, the page one returns to after
paying, the hourly reconciliation, staff.

Reading Stripe and writing what it said belong together, so one at a time does it for an account: the holder of the
account's lease. A lease that ran out is taken over, and the write of the one who lost it is refused.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import structlog
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from accounts.models import Plan, Workspace
from accounts.services.workspaces import change_plan
from billing import gateway
from billing.catalog import Sale, sale_of
from billing.entitlement import Contract, Entitlement, Undecidable, choose, entitle
from billing.gateway import RemoteCustomer, RemoteSubscription
from billing.models import BillingAccount, CheckoutIntent, Subscription
from billing.notices import alarm
from contentopt.connections import sleep
from contentopt.jobs import LostLease
from contentopt.leases import Lease, beating, lease_end
from contentopt.tenancy import entering

log = structlog.get_logger()

PATIENCE_SECONDS = 3.0  # somebody else's reading takes a few tenths


class Busy(Exception):
    """Somebody else is reading this account at this moment."""


def sync_account(account_id: uuid.UUID | str, *, asked_at: datetime | None = None) -> bool:
    """Read the account from Stripe and write down what it says. Raises Busy, LostLease, gateway.PaymentError.

    `asked_at` is when it was found necessary: a complete reading that began later has seen it already, and False is
    returned without asking Stripe again.
    """
    with _leased(account_id) as account, entering(account.workspace_id):
        if account.customer_id is None or (asked_at and account.synced_at and account.synced_at > asked_at):
            return False
        began = _database_now()
        remote = gateway.read_customer(account.customer_id)
        surplus = _write(account, remote, began)
        for subscription in surplus:
            _end_surplus(account, subscription, remote)
    return True


def sync_patiently(account_id: uuid.UUID | str) -> None:
    """As above, for somebody who has just changed something and waits for the page that shows it: whoever else is
    reading at this moment may have begun before the change, so it is read once more after them."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            sync_account(account_id)
            return
        except Busy:
            if time.monotonic() > deadline:
                raise
        sleep(0.05)


def _database_now() -> datetime:
    """By the clock that stamps events too, whichever machine they come to."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        moment: datetime = cursor.fetchall()[0][0]
        return moment


@contextmanager
def _leased(account_id: uuid.UUID | str) -> Iterator[BillingAccount]:
    token = uuid.uuid4()
    rows = BillingAccount.objects.across_workspaces().filter(pk=account_id)
    free = Q(lease_until=None) | Q(lease_until__lt=Now())
    if not rows.filter(free).update(lease_token=token, lease_until=lease_end()):
        raise Busy(str(account_id))
    mine = rows.filter(lease_token=token)
    try:
        with beating(Lease(BillingAccount, account_id, "lease_token", token)):
            yield rows.select_related("workspace__plan").get()
    finally:
        mine.update(lease_token=None, lease_until=None)


# --- Writing it down --------------------------------------------------------------------------------------------------


@transaction.atomic
def _write(account: BillingAccount, remote: RemoteCustomer, began: datetime) -> list[RemoteSubscription]:
    """All of it or none. Returns live subscriptions that must not be there beside the one that is kept."""
    locked = BillingAccount.objects.in_workspace(account.workspace_id).select_for_update().filter(pk=account.pk)
    if not locked.filter(lease_token=account.lease_token).exists():
        raise LostLease(str(account.pk))
    workspace = Workspace.objects.select_for_update(of=("self",)).select_related("plan").get(pk=account.workspace_id)
    known = {row.subscription_id: row for row in Subscription.objects.in_workspace(workspace)}
    kept_id = next((row.subscription_id for row in known.values() if row.is_live), None)
    sold = {each.id: sale_of(tuple(item.lookup_key for item in each.items)) for each in remote.subscriptions}
    contracts = [_contract(each, sold[each.id]) for each in remote.subscriptions]
    chosen = choose(contracts, kept_id)
    # First what ends, so that at no moment two are live.
    _end_unknown(known, {each.id for each in remote.subscriptions}, workspace, began)
    for each in sorted(remote.subscriptions, key=lambda each: bool(chosen and each.id == chosen.id)):
        is_live = chosen is not None and each.id == chosen.id
        _write_subscription(workspace, each, sold[each.id], is_live, began)
    locked.update(is_disputed=remote.is_disputed, is_refunded=remote.is_refunded, synced_at=began)
    _end_overage(locked, workspace, chosen)
    _close_checkouts(workspace, remote)
    _grant(workspace, contracts, kept_id, remote, began)
    return [each for each in remote.subscriptions if chosen and each.id != chosen.id and _is_live(contracts, each.id)]


def _contract(each: RemoteSubscription, sale: Sale | None) -> Contract:
    return Contract(
        id=each.id,
        status=each.status,
        created_at=each.created_at,
        plan=sale.plan.slug if sale else None,
        grace_until=gateway.grace_end(each.owed_since),
        is_collection_paused=each.is_collection_paused,
    )


def _is_live(contracts: list[Contract], subscription_id: str) -> bool:
    return any(each.is_live for each in contracts if each.id == subscription_id)


def _end_unknown(known: dict[str, Subscription], present: set[str], workspace: Workspace, began: datetime) -> None:
    """Subscriptions that Stripe lists no more went with their customer."""
    gone = [row.pk for row in known.values() if row.subscription_id not in present and row.is_live]
    rows = Subscription.objects.in_workspace(workspace).filter(pk__in=gone)
    rows.update(status="canceled", is_live=False, ended_at=began, synced_at=began)


def _write_subscription(
    workspace: Workspace, each: RemoteSubscription, sale: Sale | None, is_live: bool, began: datetime
) -> None:
    following, pending = sale_of(each.next_keys), sale_of(each.pending_keys)
    seats = next((item.quantity for item in each.items if sale and item.lookup_key == sale.seat_key), 0)
    overage = sale.overage_key if sale else ""
    Subscription.objects.in_workspace(workspace).update_or_create(
        subscription_id=each.id,
        defaults={
            "workspace": workspace,
            "status": each.status,
            "is_live": is_live,
            "plan": sale.plan if sale else None,
            "interval": sale.interval if sale else "",
            "seats": seats,
            "has_overage": bool(overage) and any(item.lookup_key == overage for item in each.items),
            "begun_at": each.created_at,
            "period_start": each.period_start,
            "period_end": each.period_end,
            "trial_end": each.trial_end,
            "cancel_at": each.cancel_at,
            "ended_at": each.ended_at,
            "grace_until": gateway.grace_end(each.owed_since) if each.status == "past_due" else None,
            "is_collection_paused": each.is_collection_paused,
            "next_plan": following.plan if following else None,
            "next_interval": following.interval if following else "",
            "pending_plan": pending.plan if pending else None,
            "invoice_url": each.invoice_url,
            "synced_at": began,
        },
    )


def _end_overage(accounts: QuerySet[BillingAccount], workspace: Workspace, chosen: Contract | None) -> None:
    """Paying product by product was agreed to for one plan: with another one, or none, it ends."""
    if not workspace.overage_products and not accounts.exclude(overage_since=None).exists():
        return
    rows = Subscription.objects.in_workspace(workspace).filter(is_live=True, has_overage=True)
    if chosen is None or chosen.plan != workspace.plan_id or not rows.exists():
        accounts.update(overage_since=None, overage_base=0)
        Workspace.objects.filter(pk=workspace.pk).update(overage_products=0)


def _close_checkouts(workspace: Workspace, remote: RemoteCustomer) -> None:
    paid = {each.metadata.get("checkout_intent") for each in remote.subscriptions}
    intents = CheckoutIntent.objects.in_workspace(workspace).filter(state=CheckoutIntent.State.OPEN)
    done = [pk for pk in intents.values_list("pk", flat=True) if str(pk) in paid]
    intents.filter(pk__in=done).update(state=CheckoutIntent.State.DONE)


def _grant(
    workspace: Workspace, contracts: list[Contract], kept_id: str | None, remote: RemoteCustomer, now: datetime
) -> None:
    is_money_back = remote.is_disputed or remote.is_refunded
    try:
        entitlement = entitle(contracts, kept_id=kept_id, is_money_back=is_money_back, now=now)
    except Undecidable as error:
        alarm(f"undecidable/{workspace.pk.hex[:8]}/{error}", f"{error}. The plan was left as it is.", workspace)
        return
    if entitlement:
        grant(workspace, entitlement)


def grant(workspace: Workspace, entitlement: Entitlement) -> None:
    """Inside a transaction that holds the workspace."""
    plan = Plan.objects.get(slug=entitlement.plan)
    cap = plan.trial_spend_cap_nanos if entitlement.is_trial else None
    present = (workspace.plan_id, workspace.standing, workspace.billing_cap_nanos)
    if present != (plan.pk, entitlement.standing, cap):
        change_plan(workspace=workspace, plan=plan, standing=entitlement.standing, billing_cap_nanos=cap)
        log.info("plan_changed", workspace=str(workspace.pk), plan=plan.pk, standing=entitlement.standing)


# --- Two subscriptions ------------------------------------------------------------------------------------------------


def _end_surplus(account: BillingAccount, surplus: RemoteSubscription, remote: RemoteCustomer) -> None:
    """A second live subscription pays for nothing. It is ended when it surely came of one of our own checkouts and the
    one that is kept is as surely in force; otherwise a person decides. Staff are told either way."""
    kept = Subscription.objects.in_workspace(account.workspace_id).filter(is_live=True).first()
    workspace_id = str(account.workspace_id)
    is_ours = surplus.metadata.get("workspace_id") == workspace_id and "checkout_intent" in surplus.metadata
    is_kept_in_force = kept is not None and kept.status in ("active", "trialing")
    topic = f"second/{surplus.id}"
    if not (is_ours and is_kept_in_force and kept):
        words = f"{surplus.id} runs beside {kept and kept.subscription_id}; it was left alone. Decide at Stripe."
        alarm(topic, words, account.workspace)
        return
    evidence = f"checkout {surplus.metadata['checkout_intent']}; kept {kept.subscription_id}, which is {kept.status}"
    try:
        gateway.cancel_now(surplus.id, intent_id=kept.subscription_id, comment=f"Second subscription. {evidence}")
    except gateway.Missing:  # somebody else ended it since
        return
    words = f"{surplus.id} was a second subscription and is ended ({evidence}). If it was paid, pay it back in Stripe."
    alarm(topic, words, account.workspace)


# --- Looking up and after ---------------------------------------------------------------------------------------------


def account_of_customer(customer_id: str) -> BillingAccount | None:
    return BillingAccount.objects.across_workspaces().filter(customer_id=customer_id).first()


def end_of_grace() -> int:
    """Hold workspaces to the end of grace, also when Stripe sends nothing. How many it were."""
    late = Subscription.objects.across_workspaces().filter(is_live=True, status="past_due", grace_until__lte=Now())
    late = late.exclude(workspace__standing="read_only")
    changed = 0
    for row in late.select_related("plan")[:100]:
        with entering(row.workspace_id), transaction.atomic():
            workspace = (
                Workspace.objects.select_for_update(of=("self",)).select_related("plan").get(pk=row.workspace_id)
            )
            if row.plan and workspace.standing != "read_only":
                grant(workspace, Entitlement(row.plan.pk, "read_only"))
                changed += 1
    return changed
