"""Billing meters: what was used is reported as events, counted once for each identifier."""

from __future__ import annotations

from typing import Any

from stripe_server.account import Account, Object, list_of, new_id
from stripe_server.errors import ApiError
from stripe_server.periods import DAY
from stripe_server.resources.catalog import update
from stripe_server.routing import page_of, route

OLDEST_SECONDS, NEWEST_SECONDS = 35 * DAY, 300
REMEMBERED_SECONDS = DAY


@route("POST", "/v1/billing/meters", "billing.MeterCreateParams")
def create_meter(account: Account, params: Any) -> Object:
    if account.all("billing.meter", event_name=params["event_name"], status="active"):
        raise ApiError("An active meter already exists with that event name.", param="event_name")
    mapping = {"event_payload_key": "stripe_customer_id", "type": "by_id"} | params.get("customer_mapping", {})
    meter = account.create(
        "billing.meter",
        customer_mapping=mapping,
        default_aggregation=params["default_aggregation"],
        display_name=params["display_name"],
        event_name=params["event_name"],
        event_time_window=params.get("event_time_window"),
        status="active",
        status_transitions={"deactivated_at": None},
        updated=account.now(),
        value_settings={"event_payload_key": "value"} | params.get("value_settings", {}),
    )
    account.emit("billing.meter.created", meter)
    return meter


@route("GET", "/v1/billing/meters", "billing.MeterListParams")
def list_meters(account: Account, params: Any) -> Object:
    return page_of(account.all("billing.meter", status=params.get("status")), params, "/v1/billing/meters")


@route("GET", "/v1/billing/meters/{pk}", "billing.MeterRetrieveParams")
def retrieve_meter(account: Account, params: Any, pk: str) -> Object:
    return account.get("billing.meter", pk)


@route("POST", "/v1/billing/meters/{pk}", "billing.MeterUpdateParams")
def update_meter(account: Account, params: Any, pk: str) -> Object:
    return update(account, account.get("billing.meter", pk), params, "billing.meter.updated")


@route("POST", "/v1/billing/meter_events", "billing.MeterEventCreateParams")
def create_event(account: Account, params: Any) -> Object:
    identifier = params.get("identifier") or new_id("")
    payload = params["payload"]
    now = account.now(payload.get("stripe_customer_id"))
    moment = params.get("timestamp", now)
    known = account.meter_events.get(identifier)
    if known and now - known["_received"] < REMEMBERED_SECONDS:
        raise ApiError(
            f"An event already exists with identifier {identifier}.", code="duplicate_meter_event", param="identifier"
        )
    if not now - OLDEST_SECONDS <= moment <= now + NEWEST_SECONDS:
        raise ApiError("The timestamp must be within the past 35 days and 5 minutes ahead.", param="timestamp")
    meters = account.all("billing.meter", event_name=params["event_name"], status="active")
    if not meters:
        raise ApiError(
            f"No active meter found for event name {params['event_name']}.", code="no_meter", param="event_name"
        )
    key = meters[0]["value_settings"]["event_payload_key"]
    if not str(payload.get(key, "")).isdigit():
        raise ApiError("The value must be a whole number.", code="meter_event_invalid_value", param=f"payload[{key}]")
    event = {
        "object": "billing.meter_event",
        "created": now,
        "event_name": params["event_name"],
        "identifier": identifier,
        "livemode": False,
        "payload": payload,
        "timestamp": moment,
    }
    # The same identifier counts again once it is forgotten, as it would at Stripe.
    account.meter_events[identifier if known is None else new_id(identifier)] = event | {"_received": now}
    account.is_dirty = True
    return event


def metered(account: Account, meter_id: str, customer: str, start: int, stop: int) -> int:
    """What a customer used from one moment up to another."""
    meter = account.get("billing.meter", meter_id)
    payload_key = meter["customer_mapping"]["event_payload_key"]
    value_key = meter["value_settings"]["event_payload_key"]
    return sum(
        int(event["payload"][value_key])
        for event in account.meter_events.values()
        if event["event_name"] == meter["event_name"]
        and event["payload"].get(payload_key) == customer
        and start <= event["timestamp"] < stop
    )


@route("GET", "/v1/billing/meters/{pk}/event_summaries", "billing.MeterListEventSummariesParams")
def list_summaries(account: Account, params: Any, pk: str) -> Object:
    start, stop = params["start_time"], params["end_time"]
    summary = {
        "id": new_id("mtrusg"),
        "object": "billing.meter_event_summary",
        "aggregated_value": float(metered(account, pk, params["customer"], start, stop)),
        "start_time": start,
        "end_time": stop,
        "livemode": False,
        "meter": pk,
    }
    return list_of([summary], f"/v1/billing/meters/{pk}/event_summaries")
