"""Events on their way from the inbox to a reading of their customer."""

from __future__ import annotations

import structlog

from billing import gateway, notices
from billing.inbox import PROCESS_EVENT
from billing.models import BillingAccount, BillingEvent
from billing.sync import Busy, account_of_customer, sync_account
from contentopt import jobs
from contentopt.jobs import JobState
from contentopt.tenancy import entering

log = structlog.get_logger()


DIED = "Processing this stopped the worker several times, so it was set aside."
BUSY_SECONDS, UNREACHABLE_SECONDS, REFUSED_SECONDS = 1, 15, 60


def process_event(event_id: int | str) -> JobState | None:
    """Claim one event and act on it. None when there was nothing to claim or the lease was lost."""
    event = jobs.claim(BillingEvent, event_id)
    if event is None:
        return None
    try:
        with jobs.heartbeat(event):
            return _process(event)
    except jobs.LostLease:
        log.info("lease_lost", event_id=event.event_id)
        return None


def _process(event: BillingEvent) -> JobState:
    try:
        account = _account_of(event)
        if account:
            with entering(account.workspace_id):
                sync_account(account.pk, asked_at=event.received_at)
                notices.tell_of(event, account)
        else:
            notices.alarm_of(event)
    except Busy:  # whoever is reading may have begun before this happened
        return jobs.give_back(event, seconds=BUSY_SECONDS, failure="", counts=False)
    except gateway.Unreachable as error:
        return jobs.give_back(event, seconds=UNREACHABLE_SECONDS, failure=error.message, counts=False)
    except gateway.PaymentError as error:
        return jobs.give_back(event, seconds=REFUSED_SECONDS, failure=error.message)
    jobs.finish(event, JobState.DONE)
    return JobState.DONE


def _account_of(event: BillingEvent) -> BillingAccount | None:
    """None for customers that are not ours, and for what concerns none, such as prices."""
    if not event.customer_id and event.object_url:
        try:
            event.customer_id = gateway.owner_of(event.object_url)
        except gateway.Missing:  # deleted since
            return None
        jobs.with_lease(event).update(customer_id=event.customer_id)
    return account_of_customer(event.customer_id) if event.customer_id else None


def sweep_events() -> None:
    jobs.fail_exhausted(BillingEvent, DIED)
    jobs.publish_due(BillingEvent, PROCESS_EVENT)
