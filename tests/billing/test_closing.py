"""What becomes of a subscription when its workspace is deleted."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.utils import timezone

from accounts.erasing import erase_workspace
from accounts.models import Deletion, Membership, Workspace
from accounts.services.deletion import request_deletion, restore
from billing.closing import follow_closings
from billing.models import BillingAccount, BillingEvent, Subscription
from contentopt.jobs import JobState
from tests.billing.buying import account_of, buy, live
from tests.servers import Stripe

pytestmark = pytest.mark.django_db

LONG_AGO = timezone.now() - timedelta(days=15)


def close(workspace: Workspace) -> Deletion:
    return request_deletion(workspace=workspace, membership=Membership.objects.in_workspace(workspace).get())


def close_and_let_grace_pass(workspace: Workspace) -> Deletion:
    deletion = close(workspace)
    Deletion.objects.in_workspace(workspace).update(erases_at=LONG_AGO, next_run_at=LONG_AGO)
    return deletion


def test_while_it_can_be_restored_the_subscription_ends_with_its_period(stripe: Stripe, free_shop: Workspace) -> None:
    subscription = buy(stripe, free_shop)
    close(free_shop)

    assert follow_closings() == 1
    assert follow_closings() == 0

    remote = stripe.v1.subscriptions.retrieve(subscription.subscription_id)
    assert (remote.status, remote.cancel_at_period_end) == ("trialing", True)
    assert live(free_shop).cancel_at is not None
    restore(workspace=free_shop, membership=Membership.objects.in_workspace(free_shop).get())
    assert live(free_shop).status == "trialing"


def test_when_it_goes_for_good_the_subscription_ends_and_the_customer_stays(
    stripe: Stripe, free_shop: Workspace
) -> None:
    subscription = buy(stripe, free_shop)
    customer = str(account_of(free_shop).customer_id)
    BillingEvent.objects.create(
        endpoint="e", event_id="evt_1", type="customer.updated", customer_id=customer, body="{}", state="done"
    )
    deletion = close_and_let_grace_pass(free_shop)

    assert erase_workspace(deletion.pk) == JobState.DONE

    assert stripe.v1.subscriptions.retrieve(subscription.subscription_id).status == "canceled"
    assert not getattr(stripe.v1.customers.retrieve(customer), "deleted", False)
    assert not Subscription.objects.across_workspaces().exists()
    assert not BillingAccount.objects.across_workspaces().exists()
    assert not BillingEvent.objects.filter(customer_id=customer).exists()


def test_while_stripe_is_away_the_workspace_stays_and_nobody_pays_for_what_is_gone(
    stripe: Stripe, free_shop: Workspace, settings: LazySettings
) -> None:
    subscription = buy(stripe, free_shop)
    deletion = close_and_let_grace_pass(free_shop)
    settings.STRIPE_API_KEY = ""

    assert erase_workspace(deletion.pk) == JobState.QUEUED

    assert live(free_shop) == subscription
    assert Workspace.objects.filter(pk=free_shop.pk).exists()
