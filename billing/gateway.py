"""Stripe, in the few questions and wishes this product has. The one module that imports its SDK.

Never inside a database transaction: a slow answer would hold locks. A web request waits at most `WEB_SECONDS` for all
of its calls together, a worker longer; both get `Unreachable` after that.
"""

from __future__ import annotations

import functools
import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import stripe
import structlog
from django.conf import settings
from django.db import connection

from contentopt.errors import DomainError
from contentopt.fuse import Fuse

log = structlog.get_logger()

CONNECT_SECONDS = 3.05
WEB_SECONDS, WORKER_SECONDS = 9.0, 30.0
READ_SECONDS = 10.0
FUSE_SECONDS = 3.0
SIGNATURE_SECONDS = 300
METER = "products_beyond_the_plan"
PAGE = 100


class PaymentError(DomainError):
    """Stripe refused, in words for the person who asked. Nothing changed here."""

    code = "payment_refused"
    status = 402


class Unreachable(PaymentError):
    """Whether the wish arrived is not known: ask again under the same idempotency key."""

    code = "payment_unavailable"
    status = 503


class Missing(PaymentError):
    """Stripe has no such thing, or has it no more."""


class BadSignature(Exception):
    pass


# --- The client -------------------------------------------------------------------------------------------------------

_deadline = threading.local()
_fuse = Fuse(FUSE_SECONDS)


class _WithinDeadline(stripe.RequestsClient):
    def request(self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None) -> Any:  # type: ignore[override]
        left = getattr(_deadline, "at", time.monotonic() + WORKER_SECONDS) - time.monotonic()
        if left <= 0:
            raise stripe.APIConnectionError("out of time", should_retry=False)  # type: ignore[no-untyped-call]
        self._timeout = (min(CONNECT_SECONDS, left), min(READ_SECONDS, left))
        return super().request(method, url, headers, post_data)


@functools.lru_cache(maxsize=2)
def _client_of(pid: int, key: str, base: str) -> stripe.StripeClient:
    """One a process: sockets must not cross a fork. Its sessions are one a thread."""
    addresses: Any = {"api": base, "meter_events": base} if base else {}
    return stripe.StripeClient(key, base_addresses=addresses, max_network_retries=1, http_client=_WithinDeadline())


def is_on() -> bool:
    return bool(settings.STRIPE_API_KEY)


def is_live() -> bool:
    return str(settings.STRIPE_API_KEY).startswith(("sk_live_", "rk_live_"))


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """All calls in the block together take at most so long."""
    before = getattr(_deadline, "at", None)
    _deadline.at = time.monotonic() + seconds
    try:
        yield
    finally:
        if before is None:
            del _deadline.at
        else:
            _deadline.at = before


@contextmanager
def _asking() -> Iterator[Any]:
    """The API, with its errors in our words."""
    if not is_on():
        raise Unreachable("Payment is not set up here. The free plan works without it.")
    if connection.atomic_blocks and not connection.atomic_blocks[-1]._from_testcase:  # type: ignore[attr-defined]
        raise RuntimeError("Stripe was about to be asked inside a database transaction")
    if not _fuse.lets_through():
        raise Unreachable(_UNREACHABLE, retry_after=int(FUSE_SECONDS))
    try:
        yield _client_of(os.getpid(), settings.STRIPE_API_KEY, settings.STRIPE_API_BASE).v1
    except (stripe.APIConnectionError, stripe.RateLimitError) as error:
        _fuse.blow()
        log.warning("stripe_unreachable", error=type(error).__name__)
        raise Unreachable(_UNREACHABLE, retry_after=30) from error
    except stripe.StripeError as error:
        _fuse.mend()
        raise _refusal(error) from error
    _fuse.mend()


_UNREACHABLE = (
    "Our payment provider does not answer at the moment. Nothing was charged twice and nothing is lost; your plan "
    "goes on as it is. Try again in a few minutes."
)


def _refusal(error: stripe.StripeError) -> PaymentError:
    if error.http_status is not None and error.http_status >= 500:
        return Unreachable(_UNREACHABLE, retry_after=30)
    if isinstance(error, stripe.CardError):
        return PaymentError(f"The card was not charged: {error.user_message or 'it was declined.'}")
    log.error("stripe_refused", error=type(error).__name__, code=error.code, request=error.request_id)
    if error.code == "resource_missing":
        return Missing("Our payment provider does not know this any more. Reload the page.", status=409)
    return PaymentError("Our payment provider refused this. Nothing was changed; we have been told.", status=409)


# --- What Stripe says -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RemoteSubscription:
    """A subscription, in our types. Times are aware; `lookup_keys` are its items' prices'."""

    id: str
    status: str
    created_at: datetime
    items: tuple[RemoteItem, ...]
    period_start: datetime | None
    period_end: datetime | None
    trial_end: datetime | None
    cancel_at: datetime | None
    ended_at: datetime | None
    owed_since: datetime | None  # when the oldest invoice that is unpaid fell due
    is_collection_paused: bool
    pending_keys: tuple[str, ...]
    next_keys: tuple[str, ...]
    invoice_url: str
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RemoteItem:
    id: str
    lookup_key: str
    quantity: int


@dataclass(frozen=True, slots=True)
class RemoteCustomer:
    """Everything of a customer that decides what its workspace may do."""

    subscriptions: tuple[RemoteSubscription, ...]
    is_disputed: bool
    is_refunded: bool


def read_customer(customer_id: str) -> RemoteCustomer:
    """A customer who was deleted has no live subscription, which is what Stripe says of it too."""
    with _asking() as v1:
        expand = ["data.latest_invoice", "data.schedule"]
        listed = v1.subscriptions.list({"customer": customer_id, "status": "all", "limit": PAGE, "expand": expand})
        found = tuple(_subscription(v1, each) for each in listed.auto_paging_iter())
        charges = v1.charges.list({"customer": customer_id, "limit": PAGE})
        is_disputed = any(_is_open_dispute(v1, charge) for charge in charges.auto_paging_iter() if charge.disputed)
        paid = [charge for charge in charges.data if charge.paid]
        return RemoteCustomer(found, is_disputed, bool(paid) and paid[0].refunded)


def _is_open_dispute(v1: Any, charge: Any) -> bool:
    """A dispute that was lost stays a debt; one that was won, or an inquiry that was closed, is over."""
    disputes = v1.disputes.list({"charge": charge.id, "limit": PAGE}).data
    return any(dispute.status not in ("won", "warning_closed", "prevented") for dispute in disputes)


def _moment(seconds: int | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds is not None else None


def _subscription(v1: Any, remote: Any) -> RemoteSubscription:
    # Items beyond the first page of an expanded list, and those deleted upstream, must not be missed nor invented.
    rows = list(remote["items"].auto_paging_iter())
    items = tuple(RemoteItem(row.id, row.price.lookup_key or row.price.id, row.quantity or 0) for row in rows)
    invoice = remote.latest_invoice
    is_owed = invoice is not None and invoice.status == "open"
    first = rows[0] if rows else None
    pending = remote.pending_update.subscription_items if remote.pending_update else None
    return RemoteSubscription(
        id=remote.id,
        status=remote.status,
        created_at=_moment(remote.created) or datetime.now(UTC),
        items=items,
        period_start=_moment(first.current_period_start) if first else None,
        period_end=_moment(first.current_period_end) if first else None,
        trial_end=_moment(remote.trial_end),
        cancel_at=_moment(remote.cancel_at),
        ended_at=_moment(remote.ended_at),
        owed_since=_moment(invoice.status_transitions.finalized_at or invoice.created) if is_owed else None,
        is_collection_paused=remote.pause_collection is not None,
        pending_keys=tuple(row.price.lookup_key or "" for row in pending or ()),
        next_keys=_next_keys(v1, remote.schedule),
        invoice_url=(invoice.hosted_invoice_url or "") if is_owed else "",
        metadata=remote.metadata.to_dict(),
    )


def _next_keys(v1: Any, schedule: Any) -> tuple[str, ...]:
    """The lookup keys of the phase that comes after the present one."""
    if schedule is None or schedule.status != "active" or schedule.current_phase is None:
        return ()
    ahead = [phase for phase in schedule.phases if phase.start_date >= schedule.current_phase.end_date]
    if not ahead:
        return ()
    prices = [v1.prices.retrieve(row.price) for row in ahead[0]["items"]]
    return tuple(price.lookup_key or "" for price in prices)


def owner_of(object_url: str) -> str:
    """The customer whose object a thin event speaks of; empty when it has none."""
    with _asking():
        client = _client_of(os.getpid(), settings.STRIPE_API_KEY, settings.STRIPE_API_BASE)
        found: Any = client.deserialize(client.raw_request("get", object_url), api_mode="V1")
        if getattr(found, "object", "") == "customer":
            return str(found.id)
        return str(getattr(found, "customer", None) or "")


@dataclass(frozen=True, slots=True)
class Invoice:
    number: str
    created_at: datetime
    total_cents: int
    status: str
    url: str
    pdf_url: str


def list_invoices(customer_id: str, limit: int = 12) -> list[Invoice]:
    with _asking() as v1:
        listed = v1.invoices.list({"customer": customer_id, "limit": limit}).data
    return [
        Invoice(
            number=each.number or "",
            created_at=datetime.fromtimestamp(each.created, UTC),
            total_cents=each.total,
            status=each.status or "",
            url=each.hosted_invoice_url or "",
            pdf_url=each.invoice_pdf or "",
        )
        for each in listed
    ]


def undelivered_events(since: datetime) -> Iterator[dict[str, Any]]:
    """Events that Stripe could not hand over, oldest first."""
    with _asking() as v1:
        listed = v1.events.list({"delivery_success": False, "created": {"gte": int(since.timestamp())}, "limit": PAGE})
        found = [event.to_dict() for event in listed.auto_paging_iter()]
    yield from reversed(found)


@dataclass(frozen=True, slots=True)
class Endpoint:
    url: str
    is_enabled: bool
    api_version: str


def list_endpoints() -> list[Endpoint]:
    with _asking() as v1:
        listed = v1.webhook_endpoints.list({"limit": PAGE}).data
    return [Endpoint(each.url, each.status == "enabled", each.api_version or "") for each in listed]


API_VERSION: str = stripe.api_version or ""


# --- What we wish -----------------------------------------------------------------------------------------------------


def create_customer(*, workspace_id: str, email: str) -> str:
    with _asking() as v1:
        wish = {"email": email, "metadata": {"workspace_id": workspace_id}}
        return str(v1.customers.create(wish, {"idempotency_key": f"customer:{workspace_id}"}).id)


def price_ids(lookup_keys: list[str]) -> dict[str, str]:
    """Of the active prices with these lookup keys. Raises PaymentError when one is not there."""
    with _asking() as v1:
        listed = v1.prices.list({"lookup_keys": lookup_keys, "active": True, "limit": PAGE}).data
    found = {each.lookup_key: each.id for each in listed}
    for key in lookup_keys:
        if key not in found:
            log.error("price_missing", lookup_key=key)
            raise PaymentError(
                "This plan cannot be bought yet: its price is still being set up. Nothing was changed.",
                code="price_missing",
                status=503,
                retry_after=10,
            )
    return found


@dataclass(frozen=True, slots=True)
class CheckoutSession:
    id: str
    url: str
    status: str  # open, complete, expired
    customer_id: str
    workspace_id: str


def open_checkout(
    *,
    intent_id: str,
    workspace_id: str,
    customer_id: str,
    lookup_key: str,
    trial_days: int,
    success_url: str,
    cancel_url: str,
) -> CheckoutSession:
    """Under the same intent the same session, however often it is asked for."""
    price = price_ids([lookup_key])[lookup_key]
    ours = {"workspace_id": workspace_id, "checkout_intent": intent_id}
    subscription: dict[str, Any] = {"metadata": ours}
    if trial_days:
        subscription |= {
            "trial_period_days": trial_days,
            "trial_settings": {"end_behavior": {"missing_payment_method": "cancel"}},
        }
    wish: dict[str, Any] = {
        "mode": "subscription",
        "customer": customer_id,
        "client_reference_id": workspace_id,
        "line_items": [{"price": price, "quantity": 1}],
        "metadata": ours,
        "payment_method_collection": "always",
        "subscription_data": subscription,
        "success_url": success_url,
        "cancel_url": cancel_url,
    }
    if settings.STRIPE_TAX_IS_ON:
        wish |= {
            "automatic_tax": {"enabled": True},
            "tax_id_collection": {"enabled": True},
            "customer_update": {"address": "auto", "name": "auto"},
        }
    with _asking() as v1:
        made = v1.checkout.sessions.create(wish, {"idempotency_key": f"checkout:{workspace_id}:{intent_id}"})
    return _session(made)


def read_checkout(session_id: str) -> CheckoutSession:
    with _asking() as v1:
        return _session(v1.checkout.sessions.retrieve(session_id))


def expire_checkout(session_id: str) -> None:
    with _asking() as v1:
        v1.checkout.sessions.expire(session_id)


def _session(session: Any) -> CheckoutSession:
    return CheckoutSession(
        id=session.id,
        url=session.url or "",
        status=session.status or "",
        customer_id=str(session.customer or ""),
        workspace_id=session.client_reference_id or "",
    )


def open_portal(*, customer_id: str, return_url: str) -> str:
    with _asking() as v1:
        return str(v1.billing_portal.sessions.create({"customer": customer_id, "return_url": return_url}).url)


def cancel_now(subscription_id: str, *, intent_id: str, comment: str) -> None:
    with _asking() as v1:
        wish = {"prorate": False, "cancellation_details": {"comment": comment}}
        v1.subscriptions.cancel(subscription_id, wish, {"idempotency_key": f"cancel:{subscription_id}:{intent_id}"})


def end_or_keep(subscription_id: str, *, ends: bool, intent_id: str) -> None:
    """Have it end with the present period, or go on after all."""
    with _asking() as v1:
        remote = v1.subscriptions.retrieve(subscription_id)
        if remote.schedule:
            v1.subscription_schedules.release(str(remote.schedule), {}, {"idempotency_key": f"release:{intent_id}"})
        wish = {"cancel_at_period_end": ends}
        v1.subscriptions.update(subscription_id, wish, {"idempotency_key": f"end:{subscription_id}:{intent_id}"})


@dataclass(frozen=True, slots=True)
class Items:
    """What a subscription shall consist of. A missing key leaves that part out. `plan_keys` are those of all plans, by
    which the item to change is told from seats and overage."""

    base_key: str
    plan_keys: frozenset[str] = frozenset()
    seat_key: str = ""
    seats: int = 0
    overage_key: str = ""

    def wanted(self) -> list[tuple[str, int | None]]:
        """(lookup key, quantity); a metered price has none."""
        rows: list[tuple[str, int | None]] = [(self.base_key, 1)]
        if self.seat_key and self.seats:
            rows.append((self.seat_key, self.seats))
        if self.overage_key:
            rows.append((self.overage_key, None))
        return rows


def _changed_items(v1: Any, remote: Any, wanted: Items) -> list[dict[str, Any]]:
    """The update that makes a subscription's items what is wanted: the plan's own item keeps its id."""
    rows = wanted.wanted()
    prices = price_ids([key for key, _ in rows])
    present = list(remote["items"].auto_paging_iter())
    base = next((row for row in present if row.price.lookup_key in wanted.plan_keys), present[0])
    by_key = {row.price.lookup_key: row for row in present if row is not base}
    update: list[dict[str, Any]] = [{"id": base.id, "price": prices[wanted.base_key], "quantity": 1}]
    for key, quantity in rows[1:]:
        row = by_key.pop(key, None)
        part = {"id": row.id} if row else {"price": prices[key]}
        if row is None or (quantity is not None and row.quantity != quantity):
            update.append(part | ({"quantity": quantity} if quantity is not None else {}))
    update += [{"id": row.id, "deleted": True} for row in by_key.values()]
    return update


@dataclass(frozen=True, slots=True)
class PreviewLine:
    description: str
    amount_cents: int


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change costs now, in cents, with the moment it was worked out for: the change must name the same."""

    lines: tuple[PreviewLine, ...]
    due_cents: int
    at: int


def preview_change(subscription_id: str, wanted: Items) -> Preview:
    with _asking() as v1:
        remote = v1.subscriptions.retrieve(subscription_id)
        at = int(time.time())
        details = {
            "items": _changed_items(v1, remote, wanted),
            "proration_behavior": "always_invoice",
            "proration_date": at,
        }
        if remote.status == "trialing":
            details.pop("proration_date")
        shown = v1.invoices.create_preview({"subscription": subscription_id, "subscription_details": details})
    lines = tuple(PreviewLine(line.description or "", line.amount) for line in shown.lines.data)
    if remote.status == "trialing":
        return Preview((), 0, at)
    return Preview(lines, shown.amount_due, at)


def change_now(subscription_id: str, wanted: Items, *, intent_id: str, at: int | None) -> None:
    """Change and charge the difference; the new items are the subscription's once that is paid. Raises nothing when the
    card is declined or needs its owner: the change then waits, as `pending_update`, for its invoice."""
    with _asking() as v1:
        remote = v1.subscriptions.retrieve(subscription_id)
        if remote.schedule:
            v1.subscription_schedules.release(str(remote.schedule), {}, {"idempotency_key": f"release:{intent_id}"})
        wish: dict[str, Any] = {"items": _changed_items(v1, remote, wanted)}
        if remote.status == "trialing":
            wish["proration_behavior"] = "none"
        else:
            wish |= {"proration_behavior": "always_invoice", "payment_behavior": "pending_if_incomplete"}
            if at is not None:
                wish["proration_date"] = at
        v1.subscriptions.update(subscription_id, wish, {"idempotency_key": f"change:{subscription_id}:{intent_id}"})


def change_at_period_end(subscription_id: str, wanted: Items, *, intent_id: str) -> None:
    rows = wanted.wanted()
    prices = price_ids([key for key, _ in rows])
    with _asking() as v1:
        remote = v1.subscriptions.retrieve(subscription_id)
        if remote.cancel_at_period_end:
            wish = {"cancel_at_period_end": False}
            v1.subscriptions.update(subscription_id, wish, {"idempotency_key": f"keep:{intent_id}"})
        if remote.schedule:
            schedule = v1.subscription_schedules.retrieve(str(remote.schedule))
        else:
            made = {"from_subscription": subscription_id}
            schedule = v1.subscription_schedules.create(made, {"idempotency_key": f"schedule:{intent_id}"})
        now = schedule.phases[0]
        present = [
            {"price": row.price} | ({"quantity": row.quantity} if row.quantity is not None else {})
            for row in now["items"]
        ]
        ahead = [{"price": prices[key]} | ({"quantity": n} if n is not None else {}) for key, n in rows]
        phases = [
            {"items": present, "start_date": now.start_date, "end_date": now.end_date},
            {"items": ahead, "start_date": now.end_date},
        ]
        wish_of_schedule = {"phases": phases, "end_behavior": "release", "proration_behavior": "none"}
        v1.subscription_schedules.update(schedule.id, wish_of_schedule, {"idempotency_key": f"phases:{intent_id}"})


def set_items(subscription_id: str, wanted: Items, *, intent_id: str) -> None:
    """Seats and overage follow by themselves, with prorations on the next invoice."""
    with _asking() as v1:
        remote = v1.subscriptions.retrieve(subscription_id)
        items = _changed_items(v1, remote, wanted)[1:]
        if items:
            wish = {"items": items, "proration_behavior": "create_prorations"}
            v1.subscriptions.update(subscription_id, wish, {"idempotency_key": f"items:{intent_id}"})


def report_usage(*, identifier: str, customer_id: str, products: int, at: datetime) -> bool:
    """True when Stripe has it, be it from this call or from an earlier one."""
    wish = {
        "event_name": METER,
        "identifier": identifier,
        "payload": {"stripe_customer_id": customer_id, "value": str(products)},
        "timestamp": int(at.timestamp()),
    }
    try:
        with _asking() as v1:
            v1.billing.meter_events.create(wish)
    except PaymentError as error:
        cause = error.__cause__
        if isinstance(cause, stripe.InvalidRequestError) and cause.code == "duplicate_meter_event":
            return True
        raise
    return True


# --- Setting up -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Offer:
    """A price that shall be there: a plan's, a seat's, or a metered one."""

    lookup_key: str
    product: str
    amount_cents: int
    interval: str
    is_metered: bool = False


def set_up(offers: list[Offer]) -> list[str]:
    """Make what is missing; returns the lookup keys of the prices that were made. Safe to repeat.

    A price whose amount changed is replaced by a new one under its lookup key; who pays the old one goes on with it.
    """
    made = []
    with _asking() as v1:
        meter = _meter(v1)
        products = {each.name: each.id for each in v1.products.list({"active": True, "limit": PAGE}).auto_paging_iter()}
        present = v1.prices.list({"active": True, "limit": PAGE})
        prices = {each.lookup_key: each for each in present.auto_paging_iter() if each.lookup_key}
        for offer in offers:
            if offer.product not in products:
                products[offer.product] = v1.products.create({"name": offer.product}).id
            known = prices.get(offer.lookup_key)
            if known is None or known.unit_amount != offer.amount_cents:
                v1.prices.create(_price(offer, products[offer.product], meter))
                made.append(offer.lookup_key)
        if not v1.billing_portal.configurations.list({"is_default": True}).data:
            v1.billing_portal.configurations.create(_PORTAL)
    return made


_PORTAL: Any = {
    "features": {
        "invoice_history": {"enabled": True},
        "payment_method_update": {"enabled": True},
        "subscription_cancel": {"enabled": True, "mode": "at_period_end"},
    }
}


def _meter(v1: Any) -> str:
    for meter in v1.billing.meters.list({"status": "active", "limit": PAGE}).auto_paging_iter():
        if meter.event_name == METER:
            return str(meter.id)
    wish = {"display_name": "Products beyond the plan", "event_name": METER, "default_aggregation": {"formula": "sum"}}
    return str(v1.billing.meters.create(wish).id)


def _price(offer: Offer, product: str, meter: str) -> dict[str, Any]:
    recurring: dict[str, Any] = {"interval": offer.interval}
    if offer.is_metered:
        recurring |= {"usage_type": "metered", "meter": meter}
    return {
        "product": product,
        "currency": "usd",
        "unit_amount": offer.amount_cents,
        "recurring": recurring,
        "lookup_key": offer.lookup_key,
        "transfer_lookup_key": True,
    }


# --- The doorbell -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ring:
    """What a webhook says of itself. None of it is believed beyond whose it may be."""

    event_id: str
    type: str
    is_live: bool
    api_version: str
    object_id: str
    object_url: str
    customer_id: str


def verify(body: bytes, signature: str, secrets: list[str]) -> str:
    """The body as text. Raises BadSignature for whatever Stripe did not sign within five minutes either way."""
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise BadSignature("not UTF-8") from error
    if not any(_is_signed(text, signature, secret) for secret in secrets if secret):
        raise BadSignature("no signature fits")
    return text


def _is_signed(text: str, signature: str, secret: str) -> bool:
    try:
        stripe.WebhookSignature.verify_header(text, signature, secret, SIGNATURE_SECONDS)
        stamps = [part.partition("=")[2] for part in signature.split(",") if part.startswith("t=")]
    except (stripe.SignatureVerificationError, ValueError, TypeError):
        return False
    # The SDK looks back only: what was signed for tomorrow could be replayed until then.
    return bool(stamps) and abs(time.time() - int(stamps[0])) <= SIGNATURE_SECONDS


def read_ring(event: dict[str, Any]) -> Ring:
    """Of a full event or a thin one. Raises KeyError or TypeError when it is neither."""
    if event["object"] == "v2.core.event":
        related = event.get("related_object") or {}
        obj, url = {"id": related.get("id", ""), "object": related.get("type", "")}, related.get("url", "")
    else:
        obj, url = event["data"]["object"], ""
    owner = obj.get("id", "") if obj.get("object") == "customer" else obj.get("customer")
    return Ring(
        event_id=event["id"],
        type=event["type"],
        is_live=bool(event.get("livemode")),
        api_version=event.get("api_version") or "",
        object_id=str(obj.get("id") or ""),
        object_url=url,
        customer_id=owner if isinstance(owner, str) else "",
    )


def grace_end(owed_since: datetime | None) -> datetime | None:
    return owed_since + timedelta(days=settings.GRACE_DAYS) if owed_since else None
