"""What brings our rows back to what Stripe says when no event did, and finds out why none came."""

from __future__ import annotations

import json
from datetime import timedelta
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from billing import gateway
from billing.entitlement import ENDED
from billing.inbox import THE_ENDPOINT, store
from billing.models import BillingAccount, BillingEvent, CheckoutIntent, Subscription
from billing.notices import alarm
from billing.sync import Busy, sync_account
from contentopt.jobs import UNFINISHED, LostLease

log = structlog.get_logger()

RECONCILE = "billing.tasks.reconcile"
RESENT = timedelta(days=3)  # how long Stripe goes on sending an event
SILENCE = timedelta(hours=36)


def reconcile() -> None:
    """Hourly. Stripe being away ends it; the next hour tries again."""
    if not gateway.is_on():
        return
    try:
        caught_up = catch_up()
        check_endpoint()
    except gateway.PaymentError as error:
        log.warning("reconciliation_stopped", error=error.code)
        return
    close_old_checkouts()
    read = sync_all(accounts_in_play())
    drop_old_events()
    log.info("reconciled", accounts=read, events=caught_up)


def sync_all(accounts: list[BillingAccount]) -> int:
    """How many were read. Stops at the first that shows Stripe is away: the rest would wait as long."""
    read = 0
    for account in accounts:
        try:
            read += sync_account(account.pk)
        except (Busy, LostLease):
            continue  # somebody reads it now
        except gateway.Unreachable:
            log.warning("reconciliation_stopped", read=read, of=len(accounts))
            break
        except gateway.PaymentError as error:
            log.error("account_not_read", account=str(account.pk), error=error.code)
    return read


def accounts_in_play() -> list[BillingAccount]:
    """Customers with a subscription that has not ended, or with none known: the first one's events may be lost."""
    accounts = BillingAccount.objects.across_workspaces().exclude(customer_id=None)
    rows = Subscription.objects.across_workspaces()
    ended, going_on = rows.filter(status__in=ENDED), rows.exclude(status__in=ENDED)
    in_play = Q(workspace__in=going_on.values("workspace")) | ~Q(workspace__in=ended.values("workspace"))
    return list(accounts.filter(in_play).order_by("synced_at"))


def catch_up() -> int:
    """Take in what Stripe could not deliver. How many events were new."""
    since = timezone.now() - RESENT
    return sum(store(event, json.dumps(event), THE_ENDPOINT) for event in gateway.undelivered_events(since))


def check_endpoint() -> None:
    """Tell staff of an endpoint that is switched off or speaks another version, and of silence."""
    ours = urlsplit(settings.PUBLIC_URL).netloc
    today = f"{timezone.now():%Y-%m-%d}"
    for endpoint in gateway.list_endpoints():
        if urlsplit(endpoint.url).netloc != ours:
            continue
        if not endpoint.is_enabled:
            alarm(f"endpoint/{today}", f"Stripe has disabled the webhook endpoint {endpoint.url}. Enable it.")
        elif endpoint.api_version not in ("", gateway.API_VERSION):
            words = (
                f"{endpoint.url} speaks {endpoint.api_version}, the product {gateway.API_VERSION}. Make them the same."
            )
            alarm(f"version/{today}", words)
    is_expecting = Subscription.objects.across_workspaces().filter(is_live=True, begun_at__lt=Now() - SILENCE).exists()
    if is_expecting and not BillingEvent.objects.filter(received_at__gt=Now() - SILENCE).exists():
        alarm(f"silence/{today}", f"No event came from Stripe for {SILENCE.total_seconds() / 3600:.0f} hours.")


def close_old_checkouts() -> int:
    """Stripe ends a session after a day; a paid one was closed by the reading of its subscription."""
    old = CheckoutIntent.objects.across_workspaces().filter(
        state=CheckoutIntent.State.OPEN, created_at__lt=Now() - timedelta(hours=25)
    )
    return old.update(state=CheckoutIntent.State.GONE)


def drop_old_events() -> int:
    done_with = BillingEvent.objects.exclude(state__in=UNFINISHED)
    dropped, _ = done_with.filter(received_at__lt=Now() - timedelta(days=settings.EVENT_KEEP_DAYS)).delete()
    return dropped
