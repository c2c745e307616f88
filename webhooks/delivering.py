"""The queue of deliveries: hand out, claim, send, record.

At most PER_ENDPOINT requests are with one endpoint at a time, and PER_WORKSPACE with all of a workspace's; only as many
messages of a workspace wait with the broker, so that a hundred thousand deliveries, or an endpoint that answers after
fifteen seconds, hold up nobody else's. What is sent is on the books before it is sent. A worker that dies in between
leaves a lease that runs out, and the same event is sent again under the same id: at least once, never at most once.
"""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone

from accounts.models import Notice
from accounts.notices import one_line
from contentopt import jobs
from contentopt.jobs import JobState
from contentopt.leases import lease_end
from contentopt.tenancy import entering
from webhooks.announcing import public_address
from webhooks.models import (
    DISABLE_AFTER,
    FAILURES_THAT_COUNT,
    WARN_AFTER,
    Attempt,
    Delivery,
    Endpoint,
    EndpointQuerySet,
    Event,
    counted_failures,
)
from webhooks.schedule import MOST_ATTEMPTS, throttle_after, wait_after
from webhooks.sending import Outcome, send
from webhooks.signing import SecretUnreadable, decrypt, signed_headers

log = structlog.get_logger()

DELIVER = "webhooks.tasks.deliver"
PER_ENDPOINT = 2
PER_WORKSPACE = 4
ENDPOINTS_A_SWEEP = 200
DROP_AT_ONCE = 1_000

DIED = "Sending this stopped the worker each time, so it was set aside. Send it again, or write to support."
SWITCHED_OFF = "The endpoint was switched off before this was received. Switch it on and send it again."
GONE = "It answered 410 Gone: it wants no more events."
FAILED_FOR_DAYS = "It took no event for five days."
UNREADABLE = "Our key for its secret has changed. Give the endpoint a new secret, then send this again."


# --- Handing out ------------------------------------------------------------------------------------------------------


def hand_out(endpoint_id: UUID, workspace_id: UUID) -> int:
    """Publish the next deliveries of an endpoint, as far as there is room. How many it were."""
    with transaction.atomic():
        deliveries = Delivery.objects.in_workspace(workspace_id)
        out = list(deliveries.filter(jobs.is_out()).values_list("endpoint_id", flat=True)[:PER_WORKSPACE])
        room = min(PER_WORKSPACE - len(out), PER_ENDPOINT - out.count(endpoint_id))
        if room <= 0:
            return 0
        waiting = deliveries.filter(_may_go_out(), endpoint=endpoint_id).order_by("next_run_at")
        ids = list(waiting.select_for_update(skip_locked=True).values_list("pk", flat=True)[:room])
        deliveries.filter(pk__in=ids).update(published_at=Now())
    unsent = [pk for pk in ids if not jobs.publish(DELIVER, str(pk))]
    if unsent:
        deliveries.filter(pk__in=unsent, state=JobState.QUEUED).update(published_at=None)
    return len(ids) - len(unsent)


def hand_out_of(workspace_id: UUID) -> None:
    for endpoint_id in _with_something_due(Endpoint.objects.in_workspace(workspace_id)).values_list("pk", flat=True):
        hand_out(endpoint_id, workspace_id)


def sweep_deliveries() -> None:
    """Hand out what is new, due again or was lost; end what keeps killing its worker."""
    exhausted = Delivery._base_manager.filter(jobs.due(), attempt__gte=MOST_ATTEMPTS)
    exhausted.update(state=JobState.FAILED, failure=DIED, finished_at=Now(), lease_until=None)
    waiting = _with_something_due(Endpoint.objects.across_workspaces())
    for endpoint_id, workspace_id in waiting.values_list("pk", "workspace_id")[:ENDPOINTS_A_SWEEP]:
        hand_out(endpoint_id, workspace_id)


def _may_go_out() -> Q:
    """Due, and no worker was told of it lately."""
    resend = timedelta(seconds=settings.JOB_RESEND_SECONDS)
    return jobs.due() & (Q(published_at=None) | Q(published_at__lt=Now() - resend))


def _with_something_due(endpoints: EndpointQuerySet) -> EndpointQuerySet:
    """In no order, so that nobody is always the first or the last."""
    due = Delivery._base_manager.filter(_may_go_out(), endpoint=OuterRef("pk"))
    free = Q(throttled_until=None) | Q(throttled_until__lte=Now())
    # The first of each by the index; EXISTS is planned as a join, which reads all that wait.
    first = Subquery(due.order_by("next_run_at").values("next_run_at")[:1])
    return endpoints.enabled().filter(free).annotate(first_due=first).exclude(first_due=None).order_by("?")


# --- One attempt ------------------------------------------------------------------------------------------------------


def deliver(delivery_id: UUID | str) -> JobState | None:
    """Claim one delivery and try it once. None when there was nothing to claim or the lease was lost."""
    delivery = claim(delivery_id)
    if delivery is None:
        return None
    with entering(delivery.workspace_id):
        return _deliver(delivery)


def _deliver(delivery: Delivery) -> JobState | None:
    try:
        with jobs.heartbeat(delivery):
            outcome = _attempt(delivery)
        state = record(delivery, outcome)
    except jobs.LostLease:
        log.info("lease_lost", delivery=str(delivery.pk))
        return None
    hand_out_of(delivery.workspace_id)
    return state


def claim(delivery_id: UUID | str) -> Delivery | None:
    """The delivery, leased to the caller, with an attempt on the books. None when it is not due, somebody else's, or
    its endpoint or workspace has as many requests out as it may."""
    row = Delivery.objects.across_workspaces().filter(pk=delivery_id)
    found = row.values_list("workspace_id", "endpoint_id").first()
    if found is None:
        return None
    with entering(found[0]):
        return _claim(delivery_id, *found)


@transaction.atomic
def _claim(delivery_id: UUID | str, workspace_id: UUID, endpoint_id: UUID) -> Delivery | None:
    # In one order, and all of the workspace: its claims come one after the other, so that counting is exact.
    endpoints = Endpoint.objects.in_workspace(workspace_id).select_for_update(no_key=True).order_by("pk")
    endpoint = next((each for each in endpoints if each.pk == endpoint_id), None)
    deliveries = Delivery.objects.in_workspace(workspace_id)
    if endpoint is None or not _has_room(endpoint):
        deliveries.filter(pk=delivery_id, state=JobState.QUEUED).update(published_at=None)
        return None
    token = uuid.uuid4()
    claimed = deliveries.filter(jobs.due(), pk=delivery_id, attempt__lt=MOST_ATTEMPTS).update(
        state=JobState.RUNNING, attempt=F("attempt") + 1, lease_token=token, lease_until=lease_end()
    )
    if not claimed:
        return None
    Attempt.objects.create(workspace_id=workspace_id, delivery_id=delivery_id, lease_token=token)
    return deliveries.select_related("endpoint", "event").get(pk=delivery_id)


def _has_room(endpoint: Endpoint) -> bool:
    if not endpoint.is_enabled or (endpoint.throttled_until and endpoint.throttled_until > timezone.now()):
        return False
    running = Delivery.objects.in_workspace(endpoint.workspace_id).filter(
        state=JobState.RUNNING, lease_until__gte=Now()
    )
    endpoints = list(running.values_list("endpoint_id", flat=True)[:PER_WORKSPACE])
    return len(endpoints) < PER_WORKSPACE and endpoints.count(endpoint.pk) < PER_ENDPOINT


def body_of(delivery: Delivery) -> bytes:
    """The same bytes on every attempt."""
    event = delivery.event
    body = {"type": event.type, "timestamp": event.created_at.isoformat(), "data": event.data}
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()


def _attempt(delivery: Delivery) -> Outcome:
    body, endpoint = body_of(delivery), delivery.endpoint
    kept = [endpoint.secret, endpoint.old_secret] if endpoint.has_old_secret else [endpoint.secret]
    try:
        headers = signed_headers(delivery.event_id, body, [decrypt(token) for token in kept])
    except SecretUnreadable:
        log.error("webhook_secret_unreadable", endpoint=str(endpoint.pk))
        return Outcome(0, error=UNREADABLE)
    return send(endpoint.url, body, headers)


# --- What came of it --------------------------------------------------------------------------------------------------


def record(delivery: Delivery, outcome: Outcome) -> JobState:
    """Once, by whoever holds the lease. Raises LostLease, with the attempt noted all the same."""
    token: Any = delivery.lease_token
    Attempt.objects.in_workspace(delivery.workspace_id).filter(lease_token=token).update(
        status=outcome.status, error=outcome.error, response=outcome.response, seconds=outcome.seconds
    )
    with transaction.atomic():
        _endpoint_of(delivery).select_for_update(no_key=True).first()  # before its delivery, as everywhere
        jobs.hold_lease(delivery)
        if outcome.is_received:
            jobs.finish(delivery, JobState.DONE)
            _note_success(delivery)
            return JobState.DONE
        wait = wait_after(delivery.attempt, outcome.retry_after)
        if outcome.is_gone or wait is None:
            jobs.finish(delivery, JobState.FAILED, failure=outcome.error)
        else:
            _try_later(delivery, outcome, wait)
        _note_failure(delivery, outcome)
        return JobState.FAILED if outcome.is_gone or wait is None else JobState.QUEUED


def _try_later(delivery: Delivery, outcome: Outcome, wait: float) -> None:
    jobs.with_lease(delivery).update(
        state=JobState.QUEUED,
        lease_until=None,
        published_at=None,
        failure=outcome.error,
        next_run_at=Now() + timedelta(seconds=wait),
    )


def _endpoint_of(delivery: Delivery) -> EndpointQuerySet:
    return Endpoint.objects.in_workspace(delivery.workspace_id).filter(pk=delivery.endpoint_id)


def _note_success(delivery: Delivery) -> None:
    troubled = _endpoint_of(delivery).filter(Q(failures__gt=0) | Q(throttled_until__isnull=False))
    troubled.update(failures=0, first_failed_at=None, failing_since=None, warned_at=None, throttled_until=None)


def _note_failure(delivery: Delivery, outcome: Outcome) -> None:
    endpoint = _endpoint_of(delivery)
    count = counted_failures()
    endpoint.update(failures=count)
    endpoint.filter(failures=1).update(first_failed_at=Now())
    endpoint.filter(failures__gte=FAILURES_THAT_COUNT, failing_since=None).update(failing_since=Now())
    throttle = throttle_after(outcome.status, outcome.retry_after)
    if throttle:
        endpoint.update(throttled_until=Now() + timedelta(seconds=throttle))
    if outcome.is_gone:
        _disable(delivery, GONE)
    elif endpoint.filter(failing_since__lte=Now() - DISABLE_AFTER).exists():
        _disable(delivery, FAILED_FOR_DAYS)
    elif endpoint.filter(failing_since__lte=Now() - WARN_AFTER, warned_at=None).update(warned_at=Now()):
        _mail(
            delivery,
            "warned",
            headline="a webhook endpoint takes no events",
            words=f"For a day nothing we sent to {_host(delivery)} was received. The last answer: "
            f"{outcome.error} We go on trying; after five days the endpoint is switched off. Nothing is lost: what "
            "was not received can be sent again from its page.",
        )


def _disable(delivery: Delivery, reason: str) -> None:
    if not switch_off(delivery.endpoint, reason):
        return
    _mail(
        delivery,
        "disabled",
        headline="a webhook endpoint was switched off",
        words=f"Nothing is sent to {_host(delivery)} any more. {reason} When it works again, switch it on on its page "
        "and send again what it missed.",
    )


def switch_off(endpoint: Endpoint, reason: str) -> bool:
    """What waits for it ends, and can be sent again later. False when it was off already."""
    row = Endpoint.objects.in_workspace(endpoint.workspace_id).filter(pk=endpoint.pk)
    if not row.enabled().update(state=Endpoint.State.DISABLED, disabled_reason=reason, throttled_until=None):
        return False
    waiting = Delivery.objects.in_workspace(endpoint.workspace_id).filter(endpoint=endpoint, state=JobState.QUEUED)
    waiting.update(state=JobState.FAILED, failure=SWITCHED_OFF, finished_at=Now())
    return True


def _host(delivery: Delivery) -> str:
    return one_line(delivery.endpoint.url)


def _mail(delivery: Delivery, what: str, *, headline: str, words: str) -> None:
    """Once for each time that it fails for a day, or is switched off."""
    slug = delivery.endpoint.workspace.slug
    url = public_address(reverse("webhook_endpoint", args=[slug, delivery.endpoint_id]))
    notice = Notice(
        workspace_id=delivery.workspace_id,
        kind=Notice.Kind.WEBHOOK,
        topic=f"webhook/{what}/{uuid.uuid4().hex}",
        details={"headline": headline, "words": words, "url": url},
    )
    Notice.objects.bulk_create([notice])


# --- What is kept -----------------------------------------------------------------------------------------------------


def drop_old() -> None:
    """Deliveries that ended, with their attempts, and events that nothing is left of."""
    old = Now() - timedelta(days=settings.WEBHOOK_KEEP_DAYS)
    _drop(Attempt._base_manager.filter(created_at__lt=old))
    _drop(Delivery._base_manager.filter(created_at__lt=old, state__in=(JobState.DONE, JobState.FAILED)))
    left = Delivery._base_manager.filter(event=OuterRef("pk"))
    _drop(Event._base_manager.filter(~Exists(left), created_at__lt=old))


def _drop(rows: QuerySet[Any]) -> None:
    """A few at a time, so that nobody waits for it."""
    while ids := list(rows.values_list("pk", flat=True)[:DROP_AT_ONCE]):
        rows.model._base_manager.filter(pk__in=ids).delete()
