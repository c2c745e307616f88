"""Deliveries and the processes that want them: one request each, and the same id again after a worker's death."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from accounts.models import Workspace
from contentopt.jobs import JobState
from tests.races.conftest import StartWorker
from tests.races.product import eventually
from tests.races.webhook_workers import announce_many, claim_each, deliver_each
from tests.webhooks.receivers import Receiver, run_receiver
from webhooks.announcing import announce
from webhooks.delivering import PER_ENDPOINT
from webhooks.models import Delivery, Endpoint, Event
from webhooks.services import create_endpoint, delete_endpoint

pytestmark = pytest.mark.processes

LEASE_SECONDS = 2
TOLD = {"WEBHOOK_ALLOW_LOOPBACK": True, "JOB_LEASE_SECONDS": LEASE_SECONDS}


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.WEBHOOK_ALLOW_LOOPBACK = True
    with run_receiver() as running:
        yield running


def happen(shop: Workspace, receiver: Receiver, count: int) -> list[UUID]:
    """The deliveries of so many events to one endpoint."""
    create_endpoint(workspace=shop, url=receiver.url, event_types=["run.finished"])
    for number in range(count):
        announce(shop.pk, "run.finished", lambda number=number: {"id": str(number)})  # type: ignore[misc]
    return list(Delivery.objects.in_workspace(shop).order_by("created_at").values_list("pk", flat=True))


def test_rivals_send_each_event_once(shop: Workspace, start_worker: StartWorker, receiver: Receiver) -> None:
    ids = happen(shop, receiver, 12)
    rivals = [start_worker(deliver_each, ids, **TOLD) for _ in range(4)]
    for rival in rivals:
        rival.result()
    start_worker(deliver_each, ids, **TOLD).result()  # what found no place while the others sent

    events = {str(pk) for pk in Delivery.objects.in_workspace(shop).values_list("event", flat=True)}
    assert sorted(receiver.ids) == sorted(events)


def test_an_endpoint_that_is_removed_while_it_is_told_of_something_harms_neither(
    shop: Workspace, start_worker: StartWorker, receiver: Receiver
) -> None:
    for _ in range(3):
        create_endpoint(workspace=shop, url=receiver.url, event_types=["run.finished"])
        teller = start_worker(announce_many, shop.pk, 60)
        assert eventually(lambda: Event.objects.in_workspace(shop).exists(), pause=0.01)
        delete_endpoint(Endpoint.objects.in_workspace(shop).get())
        assert teller.result() == 60
        assert not Delivery.objects.in_workspace(shop).exists()
        Event.objects.in_workspace(shop).delete()


def test_rivals_never_have_more_of_an_endpoint_than_it_may_get(
    shop: Workspace, start_worker: StartWorker, receiver: Receiver
) -> None:
    ids = happen(shop, receiver, 8)
    rivals = [start_worker(claim_each, ids, **TOLD) for _ in range(4)]
    won = [delivery_id for rival in rivals for delivery_id in rival.result()]
    assert len(won) == len(set(won)) == PER_ENDPOINT


def test_a_worker_killed_between_sending_and_writing_down_has_the_same_id_sent_again(
    shop: Workspace, start_worker: StartWorker, receiver: Receiver
) -> None:
    [delivery_id] = happen(shop, receiver, 1)
    receiver.manner = "hangs"
    worker = start_worker(deliver_each, [delivery_id], **TOLD)
    assert eventually(lambda: receiver.requests, pause=0.02)
    worker.end()
    receiver.manner = "prompt"
    time.sleep(LEASE_SECONDS + 0.1)

    assert start_worker(deliver_each, [delivery_id], **TOLD).result() == [JobState.DONE]

    delivery = Delivery.objects.in_workspace(shop).get()
    assert receiver.ids == [str(delivery.event_id)] * 2
    assert (delivery.state, delivery.attempt, delivery.attempts.count()) == (JobState.DONE, 2, 2)
