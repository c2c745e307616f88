"""A night whose workers are killed: another goes on, each text is renewed once, and the budget holds."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.budgets import Payer
from accounts.models import Budget, Workspace
from contentopt.jobs import JobState
from generation.engine.writing import write
from generation.facts import Brief, extract_facts
from generation.models import CachedText, LlmCall, LlmModel, NightItem
from generation.nights.items import plan_night
from generation.services.nights import change_night_cap, start_night
from tests.races.conftest import StartWorker
from tests.races.processes import write_one_ahead
from tests.races.product import eventually
from tests.servers import KEY, Provider

pytestmark = pytest.mark.processes

LEASE_SECONDS = 2


@pytest.fixture
def told(provider: Provider, settings: Any) -> dict[str, Any]:
    """Short leases and where the model is, here and in the workers."""
    told = {"JOB_LEASE_SECONDS": LEASE_SECONDS, "ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": provider.url}
    for name, value in told.items():
        setattr(settings, name, value)
    return told


@pytest.fixture
def at_once(db: None) -> Iterator[None]:
    """A provider without batches: its texts are written one by one."""
    batched = list(LlmModel.objects.filter(has_batch=True).values_list("pk", flat=True))
    LlmModel.objects.update(has_batch=False)
    yield
    LlmModel.objects.filter(pk__in=batched).update(has_batch=True)


def planned_renewal(shop: Workspace) -> NightItem:
    write(Brief(extract_facts({"title": "Enamel Mug"})), payer=Payer(shop.pk, "api"))
    soon = timezone.now() + timedelta(days=1)
    CachedText.objects.in_workspace(shop).update(hits=1, expires_at=soon)
    change_night_cap(workspace=shop, cap_nanos=1_000_000_000)
    night = start_night(shop)
    assert plan_night(night.pk)
    return night.items.get()


def test_a_killed_worker_of_a_night_is_replaced_and_its_call_is_on_the_books(
    at_once: None, shop: Workspace, start_worker: StartWorker, provider: Provider, told: dict[str, Any]
) -> None:
    item = planned_renewal(shop)
    provider.behave({"delay_ms": 300})
    worker = start_worker(write_one_ahead, item.pk, **told)
    assert eventually(lambda: provider.meter()["requests"] == 2, pause=0.02)
    worker.end()
    assert start_worker(write_one_ahead, item.pk, **told).result() is None  # the lease of the dead still runs

    time.sleep(LEASE_SECONDS + 0.1)
    rivals = [start_worker(write_one_ahead, item.pk, **told) for _ in range(2)]

    assert sorted(str(rival.result()) for rival in rivals) == sorted([JobState.DONE, "None"])
    assert CachedText.objects.in_workspace(shop).get().origin == CachedText.Origin.PRECOMPUTED
    outcomes = LlmCall.objects.in_workspace(shop).values_list("outcome", flat=True)
    assert sorted(outcomes) == ["accepted", "accepted", "dispatched"]
    budget = Budget.objects.in_workspace(shop).get(scope="night")
    assert 0 < budget.spent_nanos + budget.reserved_nanos <= (budget.limit_nanos or 0)
