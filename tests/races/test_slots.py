"""Places at a provider, taken by real processes: never more than there are, and nobody waits behind a large run."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from django.core.cache import cache
from django_redis import get_redis_connection

from accounts.models import Reservation, Workspace
from generation.models import Provider as ProviderRow
from tests.races.conftest import StartWorker
from tests.races.processes import write_mugs
from tests.races.product import eventually
from tests.servers import KEY, Provider

pytestmark = pytest.mark.processes

PLACES = 3


@pytest.fixture(autouse=True)
def _places(db: None) -> Iterator[None]:
    set_places(PLACES)
    yield
    set_places(10)


def set_places(count: int) -> None:
    ProviderRow.objects.filter(pk="anthropic").update(concurrency=count)


@pytest.fixture
def told(provider: Provider) -> dict[str, Any]:
    """What workers are told: where the model is, and to share no call."""
    return {
        "ANTHROPIC_API_KEY": KEY,
        "ANTHROPIC_BASE_URL": provider.url,
        "MICRO_BATCH_SECONDS": 0,
        "PROVIDER_PLACE_SECONDS": 2,
    }


def waiting() -> int:
    return int(get_redis_connection("default").zcard(cache.make_key("{slots:anthropic}:waiting")))


def queued(count: int) -> Callable[[], bool]:
    return lambda: waiting() == count


def turns() -> list[UUID]:
    """The workspaces in the order in which they held money, which comes right after the place."""
    return list(Reservation.objects.across_workspaces().order_by("created_at").values_list("workspace_id", flat=True))


def test_no_more_calls_are_in_flight_than_a_provider_takes(
    shop: Workspace, start_worker: StartWorker, provider: Provider, told: dict[str, Any]
) -> None:
    provider.behave({"delay_ms": 60})

    rivals = [start_worker(write_mugs, shop.pk, range(n, n + 8), "run", **told) for n in (10, 20, 30, 40)]

    assert [rival.result() for rival in rivals] == [["model"] * 8] * 4
    assert 1 < provider.meter()["most_in_flight"] <= PLACES
    assert waiting() == 0


def test_one_text_of_another_shop_is_next_after_a_large_run(
    shop: Workspace, other_shop: Workspace, start_worker: StartWorker, provider: Provider, told: dict[str, Any]
) -> None:
    provider.behave(*[{"barrier": True}] * PLACES, {"delay_ms": 200})
    runs = [start_worker(write_mugs, shop.pk, range(n, n + 8), "run", **told) for n in (10, 20, 30)]
    assert eventually(queued(24 - PLACES))

    one = start_worker(write_mugs, other_shop.pk, [1], "run", **told)
    assert eventually(queued(24 - PLACES + 1))
    provider.release()

    assert one.result() == ["model"]
    assert [run.result() for run in runs] == [["model"] * 8] * 3
    assert turns().index(other_shop.pk) < 2 * PLACES


def test_what_somebody_waits_for_goes_before_the_shops_own_run(
    shop: Workspace, start_worker: StartWorker, provider: Provider, told: dict[str, Any]
) -> None:
    provider.behave(*[{"barrier": True}] * PLACES, {"delay_ms": 200})
    run = start_worker(write_mugs, shop.pk, range(10, 22), "run", **told)
    assert eventually(queued(12 - PLACES))

    page = start_worker(write_mugs, shop.pk, [1], "page", **told)
    assert eventually(queued(12 - PLACES + 1))
    provider.release()

    assert page.result() == ["model"]
    assert run.result() == ["model"] * 12
    endpoints = Reservation.objects.in_workspace(shop).order_by("created_at").values_list("entry__endpoint", flat=True)
    assert list(endpoints).index("page") < 2 * PLACES


def test_two_large_runs_share_the_places(
    shop: Workspace, other_shop: Workspace, start_worker: StartWorker, provider: Provider, told: dict[str, Any]
) -> None:
    provider.behave(*[{"barrier": True}] * PLACES, {"delay_ms": 100})
    first = start_worker(write_mugs, shop.pk, range(10, 26), "run", **told)
    assert eventually(queued(16 - PLACES))
    second = start_worker(write_mugs, other_shop.pk, range(10, 22), "run", **told)
    assert eventually(queued(16 - PLACES + 12))
    provider.release()

    assert first.result() == ["model"] * 16
    assert second.result() == ["model"] * 12
    while_both = turns()[PLACES : PLACES + 20]
    assert 7 <= while_both.count(other_shop.pk) <= 13


def test_places_of_a_killed_process_are_free_again(
    shop: Workspace, start_worker: StartWorker, provider: Provider, told: dict[str, Any]
) -> None:
    provider.behave(*[{"barrier": True}] * PLACES, {})
    holder = start_worker(write_mugs, shop.pk, range(10, 10 + PLACES), "run", **told)
    assert eventually(lambda: provider.meter()["requests"] == PLACES)
    heir = start_worker(write_mugs, shop.pk, [1], "run", **told)
    assert eventually(queued(1))

    holder.send(signal.SIGKILL)

    assert heir.result() == ["model"]


def test_place_of_a_call_that_takes_longer_than_its_lease_is_kept(
    shop: Workspace, start_worker: StartWorker, provider: Provider, told: dict[str, Any]
) -> None:
    provider.behave({"delay_ms": 2500})
    set_places(1)
    told |= {"PROVIDER_PLACE_SECONDS": 0.8}

    rivals = [start_worker(write_mugs, shop.pk, [n], "run", **told) for n in (1, 2)]

    assert [rival.result() for rival in rivals] == [["model"]] * 2
    assert provider.meter()["most_in_flight"] == 1


def test_without_valkey_each_process_has_its_share(
    shop: Workspace, start_worker: StartWorker, provider: Provider, told: dict[str, Any], settings: Any
) -> None:
    provider.behave({"delay_ms": 60})
    nowhere = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:9/0"}}

    alone = start_worker(write_mugs, shop.pk, range(10, 20), "run", **told, CACHES=nowhere, WEB_WORKERS=2)

    assert alone.result() == ["model"] * 10
    assert provider.meter()["most_in_flight"] == 2


def test_who_waits_in_vain_is_told_when_to_try_again(
    shop: Workspace, start_worker: StartWorker, provider: Provider, told: dict[str, Any]
) -> None:
    provider.behave({"barrier": True})
    set_places(1)
    first = start_worker(write_mugs, shop.pk, [1], "run", **told)
    assert eventually(lambda: provider.meter()["requests"] == 1)

    late = start_worker(write_mugs, shop.pk, [2], "run", **told, TEXT_DEADLINE_SECONDS=6)

    assert late.result() == ["provider_unavailable"]
    assert provider.meter()["requests"] == 1
    assert waiting() == 0
    provider.release()
    assert first.result() == ["model"]
