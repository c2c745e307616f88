"""What tests tell the server besides the API: faults, time, and what it saw."""

from __future__ import annotations

from typing import Any

from stripe_server.account import Account, Object, visible
from stripe_server.clockwork import advance_account
from stripe_server.delivery import deliver_now
from stripe_server.errors import ApiError
from stripe_server.resources.endpoints import make_endpoint
from stripe_server.resources.payments import close_dispute, open_dispute


def control(account: Account, path: str, asked: Object) -> Any:
    if path == "/_deliver":  # without the lock: the receiver may call back
        return deliver_now(account, **asked)
    if path not in COMMANDS:
        raise ApiError(f"No such command: {path}", status=404)
    with account.lock:
        return COMMANDS[path](account, asked)


def _reset(account: Account, asked: Object) -> Object:
    """Forget everything but the endpoints; `offset` sets the account's clock, in seconds from the machine's."""
    kept = account.objects.get("webhook_endpoint", {})
    account.reset()
    account.offset = asked.get("offset", 0)
    account.objects["webhook_endpoint"] = kept
    return {}


def _faults(account: Account, asked: Object) -> Object:
    """`api`: [{path, method, times, status | drop, seconds, after}], `webhooks`: {hold, drop, repeat, shuffle, delay},
    `decline`: {customer: code}, `after_retries`: cancel | unpaid | past_due."""
    account.faults = {**account.faults, **asked}
    account.news.notify_all()
    return account.faults


def _endpoint(account: Account, asked: Object) -> Object:
    payload = asked.pop("payload", "snapshot")
    made: Object = visible(make_endpoint(account, **asked, _payload=payload))
    return made


def _advance(account: Account, asked: Object) -> Object:
    advance_account(account, asked["seconds"])
    return {"now": account.now()}


def _events(account: Account, asked: Object) -> Any:
    return [visible(event) for event in account.objects.get("event", {}).values()]


def _requests(account: Account, asked: Object) -> Any:
    return account.requests


def _meter_events(account: Account, asked: Object) -> Any:
    return list(account.meter_events.values())


def _dispute(account: Account, asked: Object) -> Any:
    """Open a dispute on a charge, or close one as `won` or `lost`."""
    if "charge" in asked:
        return visible(open_dispute(account, account.get("charge", asked["charge"]), asked.get("reason", "fraudulent")))
    close_dispute(account, account.get("dispute", asked["dispute"]), asked["status"])
    return {}


def _set(account: Account, asked: Object) -> Any:
    """Make an object what the API cannot make it: a status that nobody knows, say."""
    obj = account.find(asked.pop("id"))
    if obj is None:
        raise ApiError("No such object.", status=404)
    account.change(obj, asked.pop("event", ""), **asked)
    return visible(obj)


COMMANDS = {
    "/_reset": _reset,
    "/_faults": _faults,
    "/_endpoint": _endpoint,
    "/_advance": _advance,
    "/_events": _events,
    "/_requests": _requests,
    "/_meter_events": _meter_events,
    "/_dispute": _dispute,
    "/_set": _set,
}
