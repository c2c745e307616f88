"""Processes that take products of one quota at once: the limit holds, one product counts once, the dead give back."""

from __future__ import annotations

import time
from collections import Counter
from uuid import UUID

import pytest

from accounts.models import CountedProduct, Notice, Plan, Workspace
from accounts.quotas import QuotaExceeded, confirm, give_back, sweep_pending, take, used_products
from accounts.services.workspaces import change_plan
from tests.races.conftest import StartWorker
from tests.races.product import eventually

pytestmark = pytest.mark.processes

LIMIT = 10


def take_all(workspace_id: UUID, keys: list[str]) -> dict[str, int]:
    """Writes what it may; every third that it may write fails."""
    outcomes: Counter[str] = Counter()
    for number, key in enumerate(keys):
        try:
            taken = take(workspace_id, key)
        except QuotaExceeded:
            outcomes["refused"] += 1
            continue
        if number % 3 == 2 and give_back(taken):
            outcomes["given back"] += 1
        else:
            confirm(taken)
            outcomes["written"] += 1
    return outcomes


def take_and_hang(workspace_id: UUID, key: str) -> None:
    take(workspace_id, key)
    time.sleep(60)


@pytest.fixture
def limited_shop(shop: Workspace) -> Workspace:
    plan, _ = Plan.objects.get_or_create(slug="of-ten", defaults={"name": "Ten", "products_per_month": LIMIT})
    change_plan(workspace=shop, plan=plan)
    return shop


def counted(shop: Workspace) -> int:
    """By the counter and by the rows, which must agree."""
    used = used_products(shop).used
    assert used == CountedProduct.objects.in_workspace(shop).count()
    return used


def test_different_products_are_admitted_up_to_the_limit_exactly(
    limited_shop: Workspace, start_worker: StartWorker
) -> None:
    rivals = [start_worker(take_all, limited_shop.pk, [f"{name}-{n}" for n in range(30)]) for name in "ABCD"]
    outcomes = sum((rival.result() for rival in rivals), Counter[str]())

    assert outcomes["written"] == counted(limited_shop) == LIMIT
    assert outcomes.total() == 4 * 30
    topics = Notice.objects.in_workspace(limited_shop).values_list("details__percent", flat=True)
    assert sorted(topics) == [50, 80, 100]


def test_same_products_taken_at_once_count_once(limited_shop: Workspace, start_worker: StartWorker) -> None:
    keys = [f"A-{n}" for n in range(LIMIT)] * 3
    rivals = [start_worker(take_all, limited_shop.pk, keys) for _ in range(4)]

    assert sum(rival.result()["refused"] for rival in rivals) == 0
    assert counted(limited_shop) == LIMIT


def test_place_of_a_killed_process_is_given_back(limited_shop: Workspace, start_worker: StartWorker) -> None:
    worker = start_worker(take_and_hang, limited_shop.pk, "A-1", QUOTA_PENDING_SECONDS=1)
    assert eventually(lambda: used_products(limited_shop).used)
    worker.end()
    assert sweep_pending() == 0

    assert eventually(sweep_pending, 5) == 1
    assert counted(limited_shop) == 0
