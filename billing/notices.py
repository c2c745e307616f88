"""Mails about payments, to a workspace's owners and admins or to staff: each told once."""

from __future__ import annotations

import json
import uuid
from typing import Any

import structlog
from django.urls import reverse

from accounts.dollars import cents_usd
from accounts.models import Notice, Workspace
from accounts.notices import one_line, tell_staff
from billing.models import BillingAccount, BillingEvent

log = structlog.get_logger()

FAILED, ACTION_REQUIRED, TRIAL_ENDS = "invoice.payment_failed", "invoice.payment_action_required", "trial_will_end"


def tell_of(event: BillingEvent, account: BillingAccount) -> None:
    """A thin event carries no invoice: the page says what is owed, and the next full one mails it."""
    obj = json.loads(event.body).get("data", {}).get("object", {})
    kind = event.type.removeprefix("v1.")
    if kind in (FAILED, ACTION_REQUIRED):
        _tell_of_failure(account, obj, needs_owner=kind == ACTION_REQUIRED)
    elif kind.endswith(TRIAL_ENDS):
        _tell_of_trial(account, obj)


def alarm_of(event: BillingEvent) -> None:
    """Stripe refuses usage later than it takes it."""
    if event.type.endswith("billing.meter.error_report_triggered"):
        alarm(f"meter/{event.event_id}", "Stripe could not count some reported usage. See the meter at Stripe for why.")


def _tell_of_failure(account: BillingAccount, invoice: dict[str, Any], *, needs_owner: bool) -> None:
    amount = cents_usd(invoice["amount_due"])
    words = (
        f"The bank asks you to confirm the payment of {amount}. Nothing was charged yet."
        if needs_owner
        else f"We could not collect {amount}. Nothing is lost: your plan goes on for a few days while you settle it."
    )
    tell(
        account.workspace_id,
        f"invoice/{invoice['id']}/{invoice['attempt_count']}",
        headline="a payment needs your confirmation" if needs_owner else "a payment did not go through",
        words=words,
        url=one_line(invoice.get("hosted_invoice_url") or ""),
    )


def _tell_of_trial(account: BillingAccount, subscription: dict[str, Any]) -> None:
    tell(
        account.workspace_id,
        f"trial/{subscription['id']}/{subscription['trial_end']}",
        headline="your trial ends in three days",
        words="After that the first payment is taken from your card. Cancel before then and nothing is.",
    )


def alarm(topic: str, words: str, workspace: Workspace | None = None) -> None:
    """Tell staff, once for a topic."""
    log.error("billing_alarm", topic=topic)
    of = f" of {one_line(workspace.name)}" if workspace else ""
    path = reverse("admin:billing_billingevent_changelist")
    tell_staff(topic=f"billing/{topic}"[:80], subject=f"billing{of} needs a look", text=words, path=path)


def tell(workspace_id: uuid.UUID, topic: str, *, headline: str, words: str, url: str = "") -> None:
    """A mail to a workspace's owners and admins, once for each topic."""
    details = {"headline": headline, "words": words, "url": url}
    notice = Notice(workspace_id=workspace_id, kind=Notice.Kind.BILLING, topic=topic[:80], details=details)
    Notice.objects.bulk_create([notice], ignore_conflicts=True)
