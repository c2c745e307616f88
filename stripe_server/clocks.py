from __future__ import annotations

from typing import Any

from stripe_server.account import Account, Object
from stripe_server.clockwork import advance_clock
from stripe_server.errors import ApiError
from stripe_server.periods import DAY
from stripe_server.routing import page_of, route


@route("POST", "/v1/test_helpers/test_clocks", "test_helpers.TestClockCreateParams")
def create_clock(account: Account, params: Any) -> Object:
    clock = account.create(
        "test_helpers.test_clock",
        frozen_time=params["frozen_time"],
        name=params.get("name"),
        status="ready",
        status_details={},
        deletes_after=params["frozen_time"] + 30 * DAY,
    )
    account.emit("test_helpers.test_clock.created", clock)
    return clock


@route("GET", "/v1/test_helpers/test_clocks", "test_helpers.TestClockListParams")
def list_clocks(account: Account, params: Any) -> Object:
    return page_of(account.all("test_helpers.test_clock"), params, "/v1/test_helpers/test_clocks")


@route("GET", "/v1/test_helpers/test_clocks/{pk}", "test_helpers.TestClockRetrieveParams")
def retrieve_clock(account: Account, params: Any, pk: str) -> Object:
    return account.get("test_helpers.test_clock", pk)


@route("POST", "/v1/test_helpers/test_clocks/{pk}/advance", "test_helpers.TestClockAdvanceParams")
def advance(account: Account, params: Any, pk: str) -> Object:
    """Stripe takes a while and says `advancing` meanwhile; here it is done with the reply."""
    clock = account.get("test_helpers.test_clock", pk)
    if params["frozen_time"] <= clock["frozen_time"]:
        raise ApiError("The new frozen time must be after the current one.", param="frozen_time")
    account.emit("test_helpers.test_clock.advancing", clock | {"status": "advancing"})
    advance_clock(account, clock, params["frozen_time"])
    account.emit("test_helpers.test_clock.ready", clock)
    return clock


@route("DELETE", "/v1/test_helpers/test_clocks/{pk}", "test_helpers.TestClockDeleteParams")
def delete_clock(account: Account, params: Any, pk: str) -> Object:
    clock = account.get("test_helpers.test_clock", pk)
    account.emit("test_helpers.test_clock.deleted", clock)
    del account.objects["test_helpers.test_clock"][pk]
    for customer in account.all("customer", test_clock=pk):
        del account.objects["customer"][customer["id"]]
    return {"id": pk, "object": "test_helpers.test_clock", "deleted": True}
