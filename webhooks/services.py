"""What a workspace's people and programs do with its endpoints and deliveries."""

from __future__ import annotations

import functools
from collections.abc import Collection
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now

from accounts.models import User, Workspace
from contentopt import jobs
from contentopt.errors import Conflict, DomainError
from contentopt.jobs import JobState
from webhooks.addresses import AddressRefused, check_address
from webhooks.delivering import DELIVER, switch_off
from webhooks.events import EVENT_TYPES, TEST, TEST_EVENT
from webhooks.models import Delivery, Endpoint, EndpointQuerySet, Event
from webhooks.signing import encrypt, new_secret

MOST_ENDPOINTS = 10
OLD_SECRET_HOURS = 24
BY_HAND = "Somebody switched it off."


class UnusableAddress(DomainError):
    code = "address_refused"


def usable_address(url: str) -> str:
    """Without what surrounds it. Raises UnusableAddress (422)."""
    url = url.strip()
    try:
        check_address(url, allow_loopback=settings.WEBHOOK_ALLOW_LOOPBACK)
    except AddressRefused as error:
        raise UnusableAddress(f"{error} Nothing was changed.", details={"url": [str(error)]}) from error
    return url


def known_types(event_types: Collection[str]) -> list[str]:
    """In the order of the catalogue, each once. Raises DomainError (422)."""
    unknown = sorted(set(event_types) - set(EVENT_TYPES))
    if unknown or not event_types:
        words = f"There is no event “{unknown[0]}”." if unknown else "Choose at least one event."
        raise DomainError(f"{words} There are: {', '.join(EVENT_TYPES)}.", details={"event_types": [words]})
    return [name for name in EVENT_TYPES if name in event_types]


@transaction.atomic
def create_endpoint(
    *,
    workspace: Workspace,
    url: str,
    event_types: Collection[str],
    description: str = "",
    created_by: User | None = None,
) -> tuple[Endpoint, str]:
    """The row, and its secret: shown once, kept encrypted."""
    url, chosen = usable_address(url), known_types(event_types)
    Workspace.objects.select_for_update(no_key=True, of=("self",)).get(pk=workspace.pk)  # one at a time counts
    if Endpoint.objects.in_workspace(workspace).count() >= MOST_ENDPOINTS:
        raise Conflict(f"A workspace has at most {MOST_ENDPOINTS} endpoints. Remove one that is not needed any more.")
    secret = new_secret()
    endpoint = Endpoint.objects.create(
        workspace=workspace,
        url=url,
        event_types=chosen,
        description=description,
        secret=encrypt(secret),
        created_by=created_by,
    )
    endpoint.refresh_from_db()
    return endpoint, secret


def change_endpoint(
    endpoint: Endpoint,
    *,
    url: str | None = None,
    event_types: Collection[str] | None = None,
    description: str | None = None,
) -> None:
    """What is not given stays. What waits already goes to the new address."""
    changed: dict[str, object] = {}
    if url is not None:
        changed["url"] = usable_address(url)
    if event_types is not None:
        changed["event_types"] = known_types(event_types)
    if description is not None:
        changed["description"] = description
    _row(endpoint).update(**changed, updated_at=Now())
    endpoint.refresh_from_db()


def rotate_secret(endpoint: Endpoint) -> str:
    """A new secret, shown once. The old one signs beside it for a day; one that was old already ends now."""
    secret = new_secret()
    _row(endpoint).update(
        old_secret=F("secret"),
        old_secret_until=Now() + timedelta(hours=OLD_SECRET_HOURS),
        secret=encrypt(secret),
        updated_at=Now(),
    )
    endpoint.refresh_from_db()
    return secret


def switch_endpoint_on(endpoint: Endpoint) -> None:
    """With a clean slate. What it missed is not sent by itself: see `replay_failed`."""
    _row(endpoint).update(
        state=Endpoint.State.ENABLED,
        disabled_reason="",
        failures=0,
        first_failed_at=None,
        failing_since=None,
        warned_at=None,
        throttled_until=None,
        updated_at=Now(),
    )
    endpoint.refresh_from_db()


@transaction.atomic
def switch_endpoint_off(endpoint: Endpoint) -> None:
    switch_off(endpoint, BY_HAND)
    endpoint.refresh_from_db()


@transaction.atomic
def delete_endpoint(endpoint: Endpoint) -> None:
    """With its deliveries. A request that is on its way at this moment still arrives."""
    # Locked first: what is announced meanwhile is in time to go too, or finds no endpoint.
    _row(endpoint).select_for_update().first()
    _row(endpoint).delete()


@transaction.atomic
def send_test(endpoint: Endpoint) -> Delivery:
    """An event of its own to this endpoint alone, whatever it listens to."""
    _lock_enabled(endpoint)
    data = TEST_EVENT.example["data"]
    event = Event.objects.create(workspace_id=endpoint.workspace_id, type=TEST, data=data)
    delivery = Delivery.objects.create(workspace_id=endpoint.workspace_id, endpoint=endpoint, event=event)
    _send_now(delivery)
    delivery.refresh_from_db()
    return delivery


@transaction.atomic
def replay(delivery: Delivery) -> Delivery:
    """The same event under the same id, with all attempts afresh."""
    _lock_enabled(delivery.endpoint)
    if not jobs.queue_again(_ended(delivery.endpoint).filter(pk=delivery.pk)):
        raise Conflict("This delivery is on its way already; it is tried again by itself until it is received.")
    _send_now(delivery)
    delivery.refresh_from_db()
    return delivery


@transaction.atomic
def replay_failed(endpoint: Endpoint) -> int:
    """All that it did not receive, of the time for which deliveries are kept. How many it are."""
    _lock_enabled(endpoint)
    return jobs.queue_again(_ended(endpoint).filter(state=JobState.FAILED))


def _row(endpoint: Endpoint) -> EndpointQuerySet:
    return Endpoint.objects.in_workspace(endpoint.workspace_id).filter(pk=endpoint.pk)


def _ended(endpoint: Endpoint) -> QuerySet[Delivery]:
    ended = (JobState.DONE, JobState.FAILED)
    return Delivery.objects.in_workspace(endpoint.workspace_id).filter(endpoint=endpoint, state__in=ended)


def _lock_enabled(endpoint: Endpoint) -> None:
    """It is on, and stays so until the transaction ends."""
    if not _row(endpoint).enabled().select_for_update(no_key=True).exists():
        raise Conflict("This endpoint is off, so nothing is sent to it. Switch it on first.")


def _send_now(delivery: Delivery) -> None:
    """Somebody waits for it; the clock would take a moment."""
    transaction.on_commit(functools.partial(jobs.publish, DELIVER, str(delivery.pk)), robust=True)
