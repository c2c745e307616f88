"""Subscription schedules: what a subscription is from one date to the next."""

from __future__ import annotations

from typing import Any

from stripe_server.account import Account, Object, listens
from stripe_server.errors import ApiError
from stripe_server.periods import later
from stripe_server.resources import subscriptions
from stripe_server.resources.catalog import update
from stripe_server.routing import page_of, route

OPEN = ("not_started", "active")


def _phase(account: Account, given: Any, start: int) -> Object:
    items = [_phase_item(account, each) for each in given["items"]]
    price = account.get("price", items[0]["price"], "phases[0][items][0][price]")
    if duration := given.get("duration"):
        stop = later(start, duration["interval"], duration.get("interval_count", 1))
    else:
        stop = given.get("end_date") or later(
            start, price["recurring"]["interval"], price["recurring"]["interval_count"]
        )
    return {
        "add_invoice_items": [],
        "application_fee_percent": None,
        "billing_cycle_anchor": None,
        "collection_method": None,
        "currency": price["currency"],
        "default_payment_method": None,
        "default_tax_rates": [],
        "description": None,
        "discounts": [],
        "end_date": stop,
        "invoice_settings": None,
        "items": items,
        "metadata": given.get("metadata") or {},
        "on_behalf_of": None,
        "proration_behavior": given.get("proration_behavior", "create_prorations"),
        "start_date": start,
        "transfer_data": None,
        "trial_end": given.get("trial_end"),
    }


def _phase_item(account: Account, given: Any) -> Object:
    price = subscriptions.price_of(account, given)
    return {
        "billing_thresholds": None,
        "discounts": [],
        "metadata": given.get("metadata") or {},
        "plan": price["id"],
        "price": price["id"],
        "quantity": None if price["recurring"]["usage_type"] == "metered" else given.get("quantity", 1),
        "tax_rates": [],
    }


def _phases(account: Account, given: list[Any], start: int) -> list[Object]:
    phases: list[Object] = []
    for each in given:
        begin = phases[-1]["end_date"] if phases else each.get("start_date", start)
        phases.append(_phase(account, each, start if begin == "now" else int(begin)))
    return phases


@route("POST", "/v1/subscription_schedules", "SubscriptionScheduleCreateParams")
def create_schedule(account: Account, params: Any) -> Object:
    if subscription_id := params.get("from_subscription"):
        return _from_subscription(account, account.get("subscription", subscription_id, "from_subscription"))
    customer = account.get("customer", params.get("customer"), "customer")
    now = account.now(customer["id"])
    start = now if params.get("start_date", "now") == "now" else int(params["start_date"])
    schedule = _make(account, customer["id"], _phases(account, params["phases"], start), params)
    account.emit("subscription_schedule.created", schedule)
    if start <= now:
        _begin(account, schedule)
    return schedule


def _make(account: Account, customer: str, phases: list[Object], params: Any) -> Object:
    return account.create(
        "subscription_schedule",
        billing_mode={"type": "flexible", "flexible": None, "updated_at": None},
        customer=customer,
        default_settings={
            "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
            "billing_cycle_anchor": "automatic",
            "invoice_settings": {"account_tax_ids": None, "days_until_due": None, "issuer": {"type": "self"}},
            "collection_method": "charge_automatically",
        },
        end_behavior=params.get("end_behavior", "release"),
        metadata=params.get("metadata", {}),
        phases=phases,
        status="not_started",
        test_clock=account.get("customer", customer)["test_clock"],
    )


def _begin(account: Account, schedule: Object) -> None:
    phase = schedule["phases"][0]
    items = [{"price": each["price"], "quantity": each["quantity"] or 1} for each in phase["items"]]
    subscription = subscriptions.start(account, {"customer": schedule["customer"], "items": items})
    subscription["schedule"] = schedule["id"]
    account.change(schedule, status="active", subscription=subscription["id"], current_phase=_span(phase))


def _span(phase: Object) -> Object:
    return {"start_date": phase["start_date"], "end_date": phase["end_date"]}


def _from_subscription(account: Account, subscription: Object) -> Object:
    if subscription["schedule"]:
        raise ApiError(
            "You cannot migrate a subscription that is already attached to a schedule.", param="from_subscription"
        )
    items = subscriptions.items_of(subscription)
    start, stop = items[0]["current_period_start"], items[0]["current_period_end"]
    given: list[Any] = [{"price": each["price"]["id"], "quantity": each["quantity"] or 1} for each in items]
    phase = _phase(account, {"items": given, "end_date": stop}, start)
    schedule = _make(account, subscription["customer"], [phase], {})
    account.change(schedule, status="active", subscription=subscription["id"], current_phase=_span(phase))
    account.emit("subscription_schedule.created", schedule)
    account.change(subscription, "customer.subscription.updated", schedule=schedule["id"])
    return schedule


@route("GET", "/v1/subscription_schedules", "SubscriptionScheduleListParams")
def list_schedules(account: Account, params: Any) -> Object:
    rows = account.all("subscription_schedule", customer=params.get("customer"))
    return page_of(rows, params, "/v1/subscription_schedules")


@route("GET", "/v1/subscription_schedules/{pk}", "SubscriptionScheduleRetrieveParams")
def retrieve_schedule(account: Account, params: Any, pk: str) -> Object:
    return account.get("subscription_schedule", pk)


@route("POST", "/v1/subscription_schedules/{pk}", "SubscriptionScheduleUpdateParams")
def update_schedule(account: Account, params: Any, pk: str) -> Object:
    schedule = account.get("subscription_schedule", pk)
    _require_open(schedule)
    params.pop("proration_behavior", None)
    if "phases" in params:
        start = schedule["phases"][0]["start_date"]
        params["phases"] = _phases(account, params["phases"], start)
        if schedule["status"] == "active":
            params["current_phase"] = _span(params["phases"][0])
    return update(account, schedule, params, "subscription_schedule.updated")


def _require_open(schedule: Object) -> None:
    if schedule["status"] not in OPEN:
        raise ApiError(f"You cannot change a subscription schedule that is `{schedule['status']}`.")


@route("POST", "/v1/subscription_schedules/{pk}/release", "SubscriptionScheduleReleaseParams")
def release_schedule(account: Account, params: Any, pk: str) -> Object:
    schedule = account.get("subscription_schedule", pk)
    _require_open(schedule)
    _release(account, schedule)
    return schedule


def _release(account: Account, schedule: Object) -> None:
    subscription_id = schedule["subscription"]
    moment = account.now(schedule["customer"])
    account.change(
        schedule, status="released", released_at=moment, released_subscription=subscription_id, subscription=None
    )
    schedule["current_phase"] = None
    account.emit("subscription_schedule.released", schedule)
    if subscription := account.objects.get("subscription", {}).get(subscription_id or ""):
        account.change(subscription, "customer.subscription.updated", schedule=None)


@route("POST", "/v1/subscription_schedules/{pk}/cancel", "SubscriptionScheduleCancelParams")
def cancel_schedule(account: Account, params: Any, pk: str) -> Object:
    schedule = account.get("subscription_schedule", pk)
    _require_open(schedule)
    account.change(schedule, status="canceled", canceled_at=account.now(schedule["customer"]), current_phase=None)
    account.emit("subscription_schedule.canceled", schedule)
    subscription = account.objects.get("subscription", {}).get(schedule["subscription"] or "")
    if subscription and subscription["status"] not in subscriptions.ENDED:
        subscriptions.end(account, subscription, reason="cancellation_requested")
    return schedule


@listens("period_ends")
def begin_next_phase(account: Account, subscription: Object, moment: int) -> None:
    """The phases of a schedule change at the ends of periods."""
    schedule = account.objects.get("subscription_schedule", {}).get(subscription["schedule"] or "")
    if schedule is None or schedule["status"] != "active":
        return
    ahead = [phase for phase in schedule["phases"] if phase["start_date"] <= moment < phase["end_date"]]
    if not ahead:
        if schedule["end_behavior"] == "cancel":
            account.change(schedule, status="completed", completed_at=moment, current_phase=None)
        else:
            _release(account, schedule)
        return
    phase = ahead[0]
    period = (moment, moment)
    given = [{"price": each["price"], "quantity": each["quantity"] or 1} for each in phase["items"]]
    subscription["items"]["data"] = [
        subscriptions.make_item(account, subscription["id"], each, period) for each in given
    ]
    account.change(schedule, "subscription_schedule.updated", current_phase=_span(phase))
    if phase is schedule["phases"][-1] and schedule["end_behavior"] == "release":
        _release(account, schedule)
