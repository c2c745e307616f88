"""Whatever is bought, fails, is cancelled, paid back or disputed, and however Stripe's events come: in the end a
workspace has what Stripe's API says, while workers are killed and the database is away in between.

`HISTORIES=500` for as many of them (`make histories`), `HISTORY=17` for one again.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.conf import LazySettings
from django.db import connection, connections

from accounts.models import User, Workspace
from accounts.services.workspaces import create_workspace
from billing import gateway
from billing.catalog import offers
from billing.models import BillingEvent, Subscription
from billing.reconciling import reconcile
from billing.sync import end_of_grace
from contentopt.jobs import UNFINISHED
from tests.billing.histories import History, entitled
from tests.races.processes import Worker, answer_events
from tests.races.product import eventually
from tests.servers import STRIPE_KEY, Stripe, run_stripe

pytestmark = pytest.mark.processes

STEPS = 14
HISTORIES = [int(os.environ["HISTORY"])] if "HISTORY" in os.environ else range(int(os.environ.get("HISTORIES", "6")))
LEASES = {"JOB_LEASE_SECONDS": 1, "JOB_MAX_ATTEMPTS": 50}


@pytest.fixture(scope="module")
def stripe_process() -> Iterator[Stripe]:
    with run_stripe() as server:
        yield server


@pytest.fixture
def told(stripe_process: Stripe, settings: LazySettings) -> dict[str, Any]:
    """Settings of workers, and here."""
    values = {**LEASES, "STRIPE_API_KEY": STRIPE_KEY, "STRIPE_API_BASE": stripe_process.url}
    for name, value in values.items():
        setattr(settings, name, value)
    return values


@contextmanager
def database_away() -> Iterator[None]:
    """No connection is let in, and those that are there are cut. Here that is noticed at once."""
    name, parameters = connection.settings_dict["NAME"], connection.get_connection_params()
    application = {key: parameters[key] for key in ("host", "port", "user", "password")}
    owner = application | {key.lower(): connection.settings_dict["OWNER"][key] for key in ("USER", "PASSWORD")}
    pool = connection.settings_dict["OPTIONS"]["pool"]
    connections.close_all()
    connection.close_pool()  # type: ignore[attr-defined]
    with (
        psycopg.connect(**owner, dbname="postgres", autocommit=True) as maintenance,
        psycopg.connect(**application, dbname="postgres", autocommit=True) as peer,  # who may cut its own role's
    ):
        maintenance.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        try:
            peer.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND usename = current_user",
                [name],
            )
            connection.settings_dict["OPTIONS"]["pool"] = {**pool, "timeout": 0.2}
            yield
        finally:
            maintenance.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
            connections.close_all()
            connection.close_pool()  # type: ignore[attr-defined]  # it waits ever longer before it tries again
            connection.settings_dict["OPTIONS"]["pool"] = pool


def is_answered() -> bool:
    return not BillingEvent.objects.filter(state__in=UNFINISHED).exists()


@pytest.mark.parametrize("number", HISTORIES)
def test_the_plan_is_what_stripe_says(
    number: int,
    db: None,
    alice: User,
    stripe_process: Stripe,
    told: dict[str, Any],
    start_worker: Callable[..., Worker],
) -> None:
    chance = random.Random(number)
    stripe_process.reset(days_ago=150)
    gateway.set_up(offers())
    BillingEvent.objects.all().delete()
    workspace = create_workspace(owner=alice, name="Alder Goods", plan="free")
    history = History(stripe_process, workspace, chance)
    is_lossy = chance.random() < 0.5
    history.subscribe()
    worker = start_worker(answer_events, **told)

    while len(history.steps) < STEPS:
        history.step()
        history.listen()
        if is_lossy:
            history.lose(0.3)
        happens = chance.random()
        if happens < 0.4:
            history.deliver(chance.randint(1, 6))
        elif happens < 0.5:
            worker.end()
            history.deliver(3)
            worker = start_worker(answer_events, **told)
        elif happens < 0.55:
            with database_away():
                assert history.deliver(2) == 0
    history.listen()
    history.deliver(len(history.waiting))
    assert eventually(is_answered), list(BillingEvent.objects.exclude(state="done").values("type", "failure"))
    settle(history, is_lossy=is_lossy)

    workspace = Workspace.objects.get(pk=workspace.pk)
    expected = entitled(stripe_process, history.customer)
    cap = workspace.plan.trial_spend_cap_nanos if expected[2] else None
    assert (workspace.plan_id, workspace.standing, workspace.billing_cap_nanos) == (*expected[:2], cap), history.steps
    live = Subscription.objects.in_workspace(workspace).filter(is_live=True)
    assert [row.subscription_id for row in live] == [each.id for each in history.subscriptions()], history.steps


def settle(history: History, *, is_lossy: bool) -> None:
    """What the clock would do within the hour; the events that follow from it come in too."""
    end_of_grace()
    if is_lossy:
        reconcile()
    while len(live := history.subscriptions()) > 1:  # staff were told, and decide
        kept = Subscription.objects.in_workspace(history.workspace).get(is_live=True).subscription_id
        history.stripe.v1.subscriptions.cancel(next(each.id for each in live if each.id != kept))
    history.listen()
    history.deliver(len(history.waiting))
    assert eventually(is_answered)
