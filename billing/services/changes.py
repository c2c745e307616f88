"""What an owner does with a running subscription: another plan, an end, going on after all."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import structlog
from django.db import transaction
from django.db.models.functions import Now

from accounts.models import Workspace
from accounts.quotas import used_products, written_products
from accounts.services.members import seat_limit
from billing import gateway
from billing.catalog import Sale, items_for
from billing.gateway import Preview
from billing.models import BillingAccount, Subscription
from billing.seats import extra_seats
from billing.sync import Busy, sync_patiently
from contentopt.errors import Conflict, DomainError
from contentopt.jobs import LostLease

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Change:
    """What a change to another plan or rhythm would mean. Without a preview it happens at the end of the period."""

    sale: Sale
    subscription: Subscription
    preview: Preview | None
    seats: int  # people beyond the plan's own

    @property
    def cents_a_period(self) -> int:
        return self.sale.amount_cents + self.seats * self.sale.seat_cents


def live_subscription(workspace: Workspace) -> Subscription:
    rows = Subscription.objects.in_workspace(workspace).select_related("plan", "next_plan", "pending_plan")
    found = rows.filter(is_live=True).first()
    if found is None:
        raise Conflict("This workspace has no subscription. Reload the page.", code="not_subscribed")
    return found


def is_upgrade(subscription: Subscription, sale: Sale) -> bool:
    """More now is paid now; less, or a shorter promise, begins when what is paid for is over."""
    if subscription.plan is None:
        return True
    present = Sale(subscription.plan, subscription.interval)
    if sale.plan.pk == present.plan.pk:
        return sale.amount_cents > present.amount_cents
    return sale.cents_a_month >= present.cents_a_month and sale.amount_cents >= present.amount_cents


def over_the_limit(workspace: Workspace) -> list[str]:
    """What a smaller plan has less room for than there is. Nothing of it is taken away."""
    said = []
    people, seats = workspace.memberships.count(), seat_limit(workspace)
    if seats is not None and people > seats:
        said.append(f"{people} people, of {seats} in the plan: all keep their access, no one can be added")
    use = used_products(workspace)
    if use.limit is not None and use.used > use.limit:
        said.append(f"{use.used:,} products this month, of {use.limit:,} in the plan: more can be written next month")
    return said


def preview_change(*, workspace: Workspace, sale: Sale) -> Change:
    subscription = live_subscription(workspace)
    _refuse_same(subscription, sale)
    wanted = _wanted(subscription, sale)
    if not is_upgrade(subscription, sale):
        return Change(sale, subscription, None, wanted.seats)
    with gateway.within(gateway.WEB_SECONDS):
        preview = gateway.preview_change(subscription.subscription_id, wanted)
    return Change(sale, subscription, preview, wanted.seats)


def _refuse_same(subscription: Subscription, sale: Sale) -> None:
    is_same = subscription.plan_id == sale.plan.pk and subscription.interval == sale.interval
    if is_same and subscription.next_plan_id is None:
        raise Conflict("This is the plan you have.", code="same_plan")


def _wanted(subscription: Subscription, sale: Sale) -> gateway.Items:
    return items_for(sale, seats=extra_seats(subscription.workspace, sale), has_overage=subscription.has_overage)


def change_plan(*, workspace: Workspace, sale: Sale, at: int | None, intent_id: str) -> Subscription:
    """Now for more, with what the preview of moment `at` said; at the end of the period for less. The plan itself is
    granted by what Stripe says afterwards: after payment."""
    subscription = live_subscription(workspace)
    _refuse_same(subscription, sale)
    with gateway.within(gateway.WEB_SECONDS):
        wanted = _wanted(subscription, sale)
        if is_upgrade(subscription, sale):
            gateway.change_now(subscription.subscription_id, wanted, intent_id=intent_id, at=at)
        else:
            gateway.change_at_period_end(subscription.subscription_id, wanted, intent_id=intent_id)
        _sync(workspace)
    return live_subscription(workspace)


def end_or_keep(*, workspace: Workspace, ends: bool) -> Subscription:
    """End with the period that is paid for, or go on; either also takes back a change that was to come then."""
    subscription = live_subscription(workspace)
    with gateway.within(gateway.WEB_SECONDS):
        gateway.end_or_keep(subscription.subscription_id, ends=ends, intent_id=new_intent_id())
        _sync(workspace)
    return live_subscription(workspace)


def allow_overage(*, workspace: Workspace, products: int) -> None:
    """How many products a month beyond the plan's its owner agrees to pay for one by one; 0 ends it. What the month has
    by now is not billed."""
    subscription = live_subscription(workspace)
    if subscription.plan is None or not Sale(subscription.plan, subscription.interval).overage_key:
        raise DomainError("This plan has no products beyond the month's to sell.", code="no_overage")
    sale = Sale(subscription.plan, subscription.interval)
    if products and not subscription.has_overage:
        wanted = items_for(sale, seats=subscription.seats, has_overage=True)
        with gateway.within(gateway.WEB_SECONDS):
            gateway.set_items(subscription.subscription_id, wanted, intent_id=new_intent_id())
            _sync(workspace)
        if not live_subscription(workspace).has_overage:
            raise Conflict("Stripe has not confirmed this yet. Try again in a moment.", code="not_confirmed")
    _agree(workspace, products)


@transaction.atomic
def _agree(workspace: Workspace, products: int) -> None:
    accounts = BillingAccount.objects.in_workspace(workspace).select_for_update()
    account = accounts.get()
    if products and account.overage_since is None:
        _, written = written_products(workspace.pk)
        accounts.filter(pk=account.pk).update(overage_since=Now(), overage_base=written)
    Workspace.objects.filter(pk=workspace.pk).update(overage_products=products)


def _sync(workspace: Workspace) -> None:
    """So that the page that follows shows it. When somebody else reads all the while, or Stripe has gone away since,
    its event brings it."""
    account = BillingAccount.objects.in_workspace(workspace).get()
    try:
        sync_patiently(account.pk)
    except (Busy, LostLease, gateway.Unreachable):
        log.info("sync_later", account=str(account.pk))


def new_intent_id() -> str:
    """Of one press of a button: in the form, so that pressing it twice is one wish."""
    return uuid.uuid4().hex
