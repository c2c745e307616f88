from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import LazySettings

from accounts.models import User, Workspace
from accounts.services.workspaces import create_workspace
from billing import gateway
from billing.catalog import offers
from tests.servers import STRIPE_KEY, Stripe, run_stripe


@pytest.fixture(scope="session")
def stripe_process() -> Iterator[Stripe]:
    with run_stripe() as server:
        yield server


@pytest.fixture
def stripe(stripe_process: Stripe, settings: LazySettings, db: None) -> Stripe:
    """Stripe's stand-in with nothing in it but our prices, and the product pointed at it."""
    stripe_process.reset()
    settings.STRIPE_API_KEY, settings.STRIPE_API_BASE = STRIPE_KEY, stripe_process.url
    gateway._fuse.mend()  # another test may have had it away
    gateway.set_up(offers())
    return stripe_process


@pytest.fixture
def free_shop(alice: User) -> Workspace:
    return create_workspace(owner=alice, name="Alder Goods", plan="free")
