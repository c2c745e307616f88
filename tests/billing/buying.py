"""How a shop buys, in tests."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from accounts.models import Workspace
from billing.catalog import find_sale
from billing.models import BillingAccount, Subscription
from billing.services import checkout
from billing.sync import sync_account
from tests.servers import Stripe


def begin(workspace: Workspace, plan: str = "pro", interval: str = "month") -> str:
    """The address of the page to pay on."""
    sale = find_sale(plan, interval)
    assert sale
    return checkout.start_checkout(workspace=workspace, sale=sale)


def buy(stripe: Stripe, workspace: Workspace, plan: str = "pro", card: str = "4242424242424242") -> Subscription:
    """A subscription in its trial, known to us."""
    paid = stripe.pay(begin(workspace, plan), card)
    assert paid.status_code == 303, paid.text
    session = parse_qs(urlsplit(paid.headers["location"]).query)["session"][0]
    assert checkout.finish_checkout(workspace=workspace, session_id=session)
    workspace.refresh_from_db()
    return live(workspace)


def live(workspace: Workspace) -> Subscription:
    return Subscription.objects.in_workspace(workspace).get(is_live=True)


def account_of(workspace: Workspace) -> BillingAccount:
    return BillingAccount.objects.in_workspace(workspace).get()


def sync(workspace: Workspace) -> Workspace:
    """Read Stripe, and give back the workspace as it is then."""
    sync_account(account_of(workspace).pk)
    return Workspace.objects.select_related("plan").get(pk=workspace.pk)


def end_trial(stripe: Stripe, subscription: Subscription) -> None:
    """The week is over: the first payment is tried."""
    stripe.v1.subscriptions.update(subscription.subscription_id, {"trial_end": "now"})
