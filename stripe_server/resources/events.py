from __future__ import annotations

from typing import Any

from stripe_server.account import Account, Object
from stripe_server.routing import page_of, route


@route("GET", "/v1/events", "EventListParams")
def list_events(account: Account, params: Any) -> Object:
    rows = account.all("event")
    if types := params.get("types") or [params["type"]] if params.get("type") or params.get("types") else None:
        rows = [row for row in rows if any(_fits(row["type"], each) for each in types)]
    delivered = params.get("delivery_success")
    if delivered is not None:
        rows = [row for row in rows if (row["pending_webhooks"] == 0) == delivered]
    return page_of(rows, params, "/v1/events")


def _fits(type_: str, wanted: str) -> bool:
    return type_.startswith(wanted[:-1]) if wanted.endswith("*") else type_ == wanted


@route("GET", "/v1/events/{pk}", "EventRetrieveParams")
def retrieve_event(account: Account, params: Any, pk: str) -> Object:
    return account.get("event", pk)
