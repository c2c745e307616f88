"""Deliveries on their way: at least once, under one id, one at a time, and nobody is held up by another."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from django.core import mail
from django.utils import timezone

from accounts.emails import send_notice
from accounts.models import Notice, Workspace
from contentopt.jobs import JobState, LostLease
from tests.webhooks.clockwork import pass_time, work_off
from tests.webhooks.receivers import Receiver
from webhooks.announcing import announce
from webhooks.delivering import PER_ENDPOINT, PER_WORKSPACE, claim, deliver, hand_out, record, sweep_deliveries
from webhooks.events import EVENT_TYPES
from webhooks.models import Attempt, Delivery, Endpoint, Event
from webhooks.schedule import MOST_ATTEMPTS, WAITS, read_retry_after, throttle_after, wait_after
from webhooks.sending import Outcome
from webhooks.services import create_endpoint, rotate_secret
from webhooks.signing import new_secret
from webhooks.tasks import drop_old

pytestmark = pytest.mark.django_db

REFUSAL = Outcome(0.1, status=500, error="It answered 500.")


def happen(shop: Workspace, count: int = 1) -> None:
    for number in range(count):
        announce(shop.pk, "run.finished", lambda number=number: {"id": str(number)})  # type: ignore[misc]


def deliveries(shop: Workspace) -> list[Delivery]:
    return list(Delivery.objects.in_workspace(shop).select_related("event").order_by("created_at", "pk"))


def only(shop: Workspace) -> Delivery:
    return Delivery.objects.in_workspace(shop).select_related("event", "endpoint").get()


@pytest.mark.usefixtures("endpoint")
def test_an_event_arrives_signed_once_and_is_done(shop: Workspace, receiver: Receiver, secret: str) -> None:
    happen(shop)
    assert work_off() == 1
    assert work_off() == 0

    [said] = receiver.verified(secret)
    delivery = only(shop)
    assert (said["type"], said["data"]) == ("run.finished", {"id": "0"})
    assert datetime.fromisoformat(said["timestamp"]) == delivery.event.created_at
    assert receiver.ids == [str(delivery.event_id)]
    attempt = delivery.attempts.get()
    assert (delivery.state, attempt.status, attempt.response) == (JobState.DONE, 200, "thanks")


@pytest.mark.usefixtures("endpoint")
def test_while_a_secret_is_rotated_old_and_new_are_good_and_a_day_later_only_the_new(
    shop: Workspace, endpoint: Endpoint, receiver: Receiver, secret: str
) -> None:
    new = rotate_secret(endpoint)
    happen(shop)
    work_off()
    assert receiver.verified(secret) == receiver.verified(new)

    pass_time(hours=25)
    receiver.requests.clear()
    happen(shop)
    work_off()
    receiver.verified(new)
    with pytest.raises(Exception, match="No matching signature"):
        receiver.verified(secret)


@pytest.mark.usefixtures("endpoint")
def test_a_receiver_that_is_down_for_a_day_gets_every_event_under_one_id(
    shop: Workspace, receiver: Receiver, secret: str
) -> None:
    receiver.status = 503
    for _ in range(12):
        happen(shop)
        work_off()
        pass_time(hours=2)
    happened = {str(pk) for pk in Event.objects.in_workspace(shop).values_list("pk", flat=True)}
    tried = set(receiver.ids)
    receiver.requests.clear()

    receiver.status = 200
    for _ in range(10):
        work_off()
        pass_time(hours=2)

    assert len(happened) == 12
    assert tried <= happened
    assert len(tried) > 6
    assert set(receiver.ids) == happened
    assert len(receiver.ids) == 12
    assert {delivery.state for delivery in deliveries(shop)} == {JobState.DONE}
    assert len(receiver.verified(secret)) == 12


@pytest.mark.usefixtures("endpoint")
def test_attempts_come_after_growing_waits_and_end(shop: Workspace, receiver: Receiver) -> None:
    receiver.status = 500
    happen(shop)
    waits = []
    for _ in range(MOST_ATTEMPTS):
        assert work_off() == 1
        delivery = only(shop)
        waits.append((delivery.next_run_at - timezone.now()).total_seconds())
        assert work_off() == 0
        pass_time(seconds=max(waits[-1], 0) + 1)

    for waited, usual in zip(waits, WAITS, strict=False):
        assert 0.75 * usual <= waited + 3 <= 1.25 * usual + 3
    delivery = only(shop)
    assert (delivery.state, delivery.failure) == (JobState.FAILED, "It answered 500.")
    assert delivery.attempts.count() == len(receiver.requests) == MOST_ATTEMPTS
    assert len(set(receiver.ids)) == 1


@pytest.mark.usefixtures("endpoint")
def test_a_worker_that_dies_after_sending_has_the_same_event_sent_again(shop: Workspace, receiver: Receiver) -> None:
    happen(shop)
    sweep_deliveries()
    dead = claim(only(shop).pk)  # it sends, and dies before it has written anything down
    assert dead
    assert work_off() == 0, "its lease still runs"

    pass_time(seconds=60)
    assert work_off() == 0, "what died is not waiting, it is running without a worker"
    assert deliver(dead.pk) == JobState.DONE
    assert receiver.ids == [str(dead.event_id)]
    first, second = Attempt.objects.in_workspace(shop).order_by("created_at")
    assert (first.status, first.error, second.status) == (None, "", 200)


@pytest.mark.usefixtures("endpoint")
def test_a_ghost_changes_nothing(shop: Workspace) -> None:
    happen(shop)
    ghost = claim(only(shop).pk)
    assert ghost
    pass_time(seconds=60)
    assert deliver(ghost.pk) == JobState.DONE

    with pytest.raises(LostLease):
        record(ghost, REFUSAL)
    assert only(shop).state == JobState.DONE
    assert Endpoint.objects.in_workspace(shop).get().failures == 0


@pytest.mark.usefixtures("endpoint")
def test_one_delivery_is_never_with_two_workers(shop: Workspace) -> None:
    happen(shop)
    assert claim(only(shop).pk)
    assert claim(only(shop).pk) is None


def test_at_most_two_requests_are_with_an_endpoint_and_four_with_a_workspace(
    shop: Workspace, endpoint: Endpoint, receiver: Receiver
) -> None:
    for _ in range(2):
        create_endpoint(workspace=shop, url=receiver.url, event_types=list(EVENT_TYPES))
    happen(shop, 4)
    claimed = [delivery for each in deliveries(shop) if (delivery := claim(each.pk))]
    of = [delivery.endpoint_id for delivery in claimed]
    assert len(of) == PER_WORKSPACE
    assert max(of.count(pk) for pk in of) == PER_ENDPOINT


@pytest.mark.usefixtures("endpoint")
def test_a_long_queue_of_one_shop_holds_up_no_other(shop: Workspace, other_shop: Workspace, receiver: Receiver) -> None:
    create_endpoint(workspace=other_shop, url=receiver.url, event_types=["run.finished"])
    happen(shop, 30)
    happen(other_shop)
    sweep_deliveries()

    out = Delivery.objects.across_workspaces().filter(published_at__isnull=False)
    assert out.filter(workspace=shop).count() == PER_ENDPOINT
    assert out.filter(workspace=other_shop).count() == 1


def test_what_is_out_already_is_not_handed_out_again(shop: Workspace, endpoint: Endpoint) -> None:
    happen(shop, 5)
    assert hand_out(endpoint.pk, shop.pk) == PER_ENDPOINT
    assert hand_out(endpoint.pk, shop.pk) == 0


def test_one_that_throttles_is_left_alone_for_as_long_as_it_asks(
    shop: Workspace, endpoint: Endpoint, receiver: Receiver
) -> None:
    receiver.status, receiver.headers = 429, {"Retry-After": "600"}
    happen(shop, 2)
    assert work_off() == 1, "the second one waits as well"
    pass_time(minutes=9)
    assert work_off() == 0

    receiver.status = 200
    pass_time(minutes=2)
    work_off()
    work_off()
    assert {delivery.state for delivery in deliveries(shop)} == {JobState.DONE}


def test_410_switches_off_at_once_and_says_so_by_mail(shop: Workspace, endpoint: Endpoint, receiver: Receiver) -> None:
    receiver.status = 410
    happen(shop, 3)
    work_off()

    endpoint.refresh_from_db()
    assert (endpoint.state, endpoint.disabled_reason) == ("disabled", "It answered 410 Gone: it wants no more events.")
    assert len(receiver.requests) == 1
    assert {delivery.state for delivery in deliveries(shop)} == {JobState.FAILED}
    assert mails(shop) == ["Alder Goods: a webhook endpoint was switched off"]
    happen(shop)
    assert len(deliveries(shop)) == 3, "nothing is kept for it while it is off"


def mails(shop: Workspace) -> list[str]:
    for notice in Notice.objects.in_workspace(shop).order_by("created_at"):
        send_notice(notice.pk)
    return [str(message.subject) for message in mail.outbox]


def test_five_days_of_failures_switch_off_after_a_mail_on_the_first(
    shop: Workspace, endpoint: Endpoint, receiver: Receiver
) -> None:
    receiver.status = 500
    hours = 0
    while endpoint.is_enabled and hours < 6 * 24:
        happen(shop)
        work_off()
        pass_time(hours=6)
        hours += 6
        endpoint.refresh_from_db()

    assert 5 * 24 < hours < 6 * 24
    assert endpoint.disabled_reason == "It took no event for five days."
    assert mails(shop) == [
        "Alder Goods: a webhook endpoint takes no events",
        "Alder Goods: a webhook endpoint was switched off",
    ]


def test_one_that_fails_now_and_then_is_not_a_failing_one(
    shop: Workspace, endpoint: Endpoint, receiver: Receiver
) -> None:
    for status in (500, 500, 200, 500, 500):
        receiver.status = status
        happen(shop)
        claimed = claim(deliveries(shop)[-1].pk)
        assert claimed
        record(claimed, REFUSAL if status == 500 else Outcome(0.1, status=200))
    endpoint.refresh_from_db()
    assert (endpoint.failures, endpoint.failing_since) == (2, None)

    pass_time(hours=25)
    happen(shop)
    claimed = claim(deliveries(shop)[-1].pk)
    assert claimed
    record(claimed, REFUSAL)
    endpoint.refresh_from_db()
    assert (endpoint.failures, endpoint.failing_since) == (1, None)


def test_an_address_that_is_no_longer_allowed_is_not_sent_to(
    shop: Workspace, endpoint: Endpoint, receiver: Receiver, settings: Any
) -> None:
    settings.WEBHOOK_ALLOW_LOOPBACK = False
    happen(shop)
    work_off()
    assert receiver.requests == []
    assert only(shop).failure.startswith("The address has to begin with https")


@pytest.mark.usefixtures("endpoint")
def test_a_secret_under_a_lost_key_is_a_failure_with_a_reason(
    shop: Workspace, receiver: Receiver, settings: Any
) -> None:
    settings.SECRET_KEY = new_secret()
    happen(shop)
    work_off()
    assert receiver.requests == []
    assert "Give the endpoint a new secret" in only(shop).failure


@pytest.mark.usefixtures("endpoint")
def test_one_that_kills_its_worker_each_time_is_set_aside(shop: Workspace) -> None:
    happen(shop)
    for _ in range(MOST_ATTEMPTS):
        assert claim(only(shop).pk)
        pass_time(seconds=60)
    sweep_deliveries()
    assert only(shop).state == JobState.FAILED
    assert claim(only(shop).pk) is None


@pytest.mark.usefixtures("endpoint")
def test_after_thirty_days_what_ended_is_dropped_and_what_waits_is_not(shop: Workspace, receiver: Receiver) -> None:
    happen(shop)
    work_off()
    pass_time(days=29)
    drop_old()
    assert len(deliveries(shop)) == 1

    pass_time(days=2)
    happen(shop)
    drop_old()
    assert [delivery.state for delivery in deliveries(shop)] == [JobState.QUEUED]
    assert Event.objects.in_workspace(shop).count() == 1
    assert not Attempt.objects.in_workspace(shop).exists()


def test_waits_are_the_schedules_with_a_fifth_of_jitter_and_never_shorter_than_asked() -> None:
    for attempt, usual in enumerate(WAITS, start=1):
        waits = [wait_after(attempt, None) for _ in range(50)]
        assert all(wait and 0.8 * usual <= wait <= 1.2 * usual for wait in waits)
        assert len(set(waits)) > 1
    assert wait_after(1, 600) == 600
    assert wait_after(MOST_ATTEMPTS, None) is None


@pytest.mark.parametrize(
    ("status", "retry_after", "seconds"),
    [
        (429, None, 30),
        (502, None, 30),
        (504, 5, 30),
        (429, 600, 600),
        (429, 36_000, 3_600),
        (503, 60, 60),
        (503, None, None),
        (500, 600, None),
        (None, None, None),
    ],
)
def test_who_says_that_it_is_too_much_is_left_alone_for_an_hour_at_most(
    status: int | None, retry_after: float | None, seconds: float | None
) -> None:
    assert throttle_after(status, retry_after) == seconds


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("120", 120),
        ("soon", None),
        ("-5", None),
        ("999999999999", 36_000),
        ("Fri, 27 Nov 2026 10:00:00 GMT", 600),
        ("Fri, 27 Nov 2026 09:00:00 GMT", 0),
        ("Fri, 27 Nov 2026 10:00:00", 600),
    ],
)
def test_retry_after_is_read_in_both_its_forms(header: str | None, seconds: float | None) -> None:
    assert read_retry_after(header, datetime(2026, 11, 27, 9, 50, tzinfo=UTC)) == seconds


def test_an_unknown_delivery_is_nobodys() -> None:
    assert claim(UUID(int=0)) is None
