"""Buying and metering by many processes at once, some of which die."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from django.conf import LazySettings

from accounts.models import CountedProduct, Plan, User, Workspace
from accounts.services.workspaces import create_workspace
from billing import gateway
from billing.catalog import offers
from billing.models import CheckoutIntent, UsageReport
from billing.reporting import report_usage
from billing.services.changes import allow_overage
from tests.billing.buying import account_of, buy, end_trial, sync
from tests.races.processes import Worker, begin_checkouts, report_usage_again
from tests.races.product import eventually
from tests.servers import STRIPE_KEY, Stripe, run_stripe

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def stripe_process() -> Iterator[Stripe]:
    with run_stripe() as server:
        yield server


@pytest.fixture
def told(stripe_process: Stripe, settings: LazySettings, db: None) -> dict[str, Any]:
    values = {"STRIPE_API_KEY": STRIPE_KEY, "STRIPE_API_BASE": stripe_process.url, "JOB_LEASE_SECONDS": 1}
    for name, value in values.items():
        setattr(settings, name, value)
    stripe_process.reset()
    gateway.set_up(offers())
    return values


@pytest.fixture
def free_shop(alice: User) -> Workspace:
    return create_workspace(owner=alice, name="Alder Goods", plan="free")


def test_twenty_at_once_begin_one_checkout(
    free_shop: Workspace, stripe_process: Stripe, told: dict[str, Any], start_worker: Callable[..., Worker]
) -> None:
    crowd = [start_worker(begin_checkouts, free_shop.pk, 5, **told) for _ in range(4)]

    urls = [url for worker in crowd for url in worker.result()]

    assert len(urls) == 20
    assert len(set(urls)) == 1
    assert len(stripe_process.v1.checkout.sessions.list({}).data) == 1
    assert len(stripe_process.v1.customers.list({}).data) == 1
    assert CheckoutIntent.objects.in_workspace(free_shop).count() == 1


def use_products(workspace: Workspace, count: int) -> None:
    month = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    CountedProduct.objects.bulk_create(
        CountedProduct(workspace=workspace, period_start=month, product_key=f"P-{uuid.uuid4()}") for _ in range(count)
    )


def has_more_events(stripe: Stripe, than: int) -> bool:
    return len(stripe.tell("meter_events")) > than


@pytest.fixture
def small_plan(db: None) -> Iterator[int]:
    """How many products a month Pro has for now."""
    pro = Plan.objects.get(pk="pro")
    Plan.objects.filter(pk="pro").update(products_per_month=10)
    yield 10
    pro.save()


def test_each_product_beyond_the_plan_is_counted_once(
    free_shop: Workspace,
    small_plan: int,
    stripe_process: Stripe,
    told: dict[str, Any],
    start_worker: Callable[..., Worker],
) -> None:
    """Reporters die after Stripe has taken a row and before they know, replies get lost, two report at once."""
    end_trial(stripe_process, buy(stripe_process, free_shop))
    sync(free_shop)
    allow_overage(workspace=free_shop, products=500)
    use_products(free_shop, small_plan)
    report_usage()
    assert not UsageReport.objects.in_workspace(free_shop).exists()

    for products in (7, 11, 13):
        use_products(free_shop, products)
        lost = {"path": "/v1/billing/meter_events", "after": True, "seconds": 30, "times": 1}
        stripe_process.tell("faults", api=[lost])
        killed = start_worker(report_usage_again, **told)
        before = len(stripe_process.tell("meter_events"))
        assert eventually(partial(has_more_events, stripe_process, before))
        killed.end()
        both = [start_worker(report_usage_again, **told) for _ in range(2)]
        for worker in both:
            worker.result()

    counted = [int(event["payload"]["value"]) for event in stripe_process.tell("meter_events")]
    assert sum(counted) == 31
    assert {row.state for row in UsageReport.objects.in_workspace(free_shop)} == {"sent"}
    assert account_of(free_shop).overage_since
