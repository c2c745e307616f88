"""Checkout sessions: made by the API, paid on our small page or by Stripe's own command-line client."""

from __future__ import annotations

from typing import Any

from stripe_server.account import Account, Object, list_of, new_id
from stripe_server.errors import ApiError
from stripe_server.periods import DAY
from stripe_server.resources import customers, payments, subscriptions
from stripe_server.routing import included, page_of, route

# Parameters that are fields of the session under the same name.
PLAIN = (
    "allow_promotion_codes",
    "billing_address_collection",
    "cancel_url",
    "client_reference_id",
    "customer_creation",
    "customer_email",
    "locale",
    "metadata",
    "payment_method_collection",
    "submit_type",
    "success_url",
)


@route("POST", "/v1/checkout/sessions", "checkout.SessionCreateParams")
def create_session(account: Account, params: Any) -> Object:
    mode = params.get("mode", "payment")
    if mode != "setup" and not params.get("line_items"):
        raise ApiError("You must pass `line_items`.", code="parameter_missing", param="line_items")
    if "success_url" not in params and params.get("ui_mode", "hosted_page") == "hosted_page":
        raise ApiError("Missing required param: success_url.", code="parameter_missing", param="success_url")
    if customer_id := params.get("customer"):
        account.get("customer", customer_id, "customer")
    lines = [_line(account, given, mode) for given in params.get("line_items", [])]
    total = sum(line["amount_total"] for line in lines)
    trial = params.get("subscription_data", {}).get("trial_period_days")
    moment = account.now(customer_id)
    identifier = new_id("cs_test")
    fields = {"metadata": {}} | {key: params[key] for key in PLAIN if key in params}
    return account.create(
        "checkout.session",
        id=identifier,
        **fields,
        amount_subtotal=0 if trial else total,
        amount_total=0 if trial else total,
        automatic_tax={
            "enabled": params.get("automatic_tax", {}).get("enabled", False),
            "liability": None,
            "provider": None,
            "status": None,
        },
        currency=lines[0]["currency"] if lines else params.get("currency"),
        customer=customer_id,
        expires_at=params.get("expires_at", moment + DAY),
        mode=mode,
        payment_method_types=["card"],
        payment_status="unpaid",
        status="open",
        ui_mode=params.get("ui_mode", "hosted_page"),
        url=f"{account.url}/c/pay/{identifier}",
        _lines=lines,
        _params=params,
    )


def _line(account: Account, given: Any, mode: str) -> Object:
    price = subscriptions.price_of(account, given)
    if mode == "payment" and price["recurring"]:
        raise ApiError("You specified `payment` mode but passed a recurring price.", param="line_items[0]")
    metered = bool(price["recurring"]) and price["recurring"]["usage_type"] == "metered"
    quantity = None if metered else given.get("quantity", 1)
    amount = (price["unit_amount"] or 0) * (quantity or 0)
    product = account.get("product", price["product"])
    return {
        "id": new_id("li"),
        "object": "item",
        "amount_discount": 0,
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "currency": price["currency"],
        "description": product["name"],
        "price": price,
        "quantity": quantity,
    }


@included("checkout.session", "line_items")
def _line_items(account: Account, session: Object) -> Any:
    lines = account.get("checkout.session", session["id"])["_lines"]
    return list_of(lines, f"/v1/checkout/sessions/{session['id']}/line_items")


@route("GET", "/v1/checkout/sessions", "checkout.SessionListParams")
def list_sessions(account: Account, params: Any) -> Object:
    rows = account.all(
        "checkout.session",
        customer=params.get("customer"),
        status=params.get("status"),
        subscription=params.get("subscription"),
    )
    return page_of(rows, params, "/v1/checkout/sessions")


@route("GET", "/v1/checkout/sessions/{pk}", "checkout.SessionRetrieveParams")
def retrieve_session(account: Account, params: Any, pk: str) -> Object:
    return account.get("checkout.session", pk, "session")


@route("GET", "/v1/checkout/sessions/{pk}/line_items", "checkout.SessionListLineItemsParams")
def list_line_items(account: Account, params: Any, pk: str) -> Object:
    listed: Object = _line_items(account, account.get("checkout.session", pk, "session"))
    return listed


@route("POST", "/v1/checkout/sessions/{pk}/expire", "checkout.SessionExpireParams")
def expire_session(account: Account, params: Any, pk: str) -> Object:
    session = account.get("checkout.session", pk, "session")
    if session["status"] != "open":
        raise ApiError(
            f'Only Checkout Sessions with a status in ["open"] can be expired. This one is {session["status"]}.'
        )
    expire(account, session)
    return session


def expire(account: Account, session: Object) -> None:
    account.change(session, status="expired", url=None)
    account.emit("checkout.session.expired", session)


def pay(account: Account, session: Object, method: Object, *, email: str = "", authenticated: bool = False) -> Object:
    """Complete a session with a card, or raise why not: declined, or `authentication_required`. It stays open then."""
    if session["status"] != "open":
        raise ApiError("This Checkout Session is no longer open.")
    card = payments.card_of(method)
    if card.authenticates != "never" and not authenticated:
        raise ApiError("This card needs its owner.", code="authentication_required", status=402)
    if card.declines and (card.declines_at_once or session["amount_total"]):
        raise payments.decline(card.declines)
    customer = _customer_of(account, session, email)
    account.change(method, customer=customer["id"], _is_set_up=True)
    account.emit("payment_method.attached", method)
    session["customer"] = customer["id"]
    if session["mode"] == "subscription":
        _begin_subscription(account, session, customer, method)
    elif session["mode"] == "payment":
        _take_payment(account, session, customer, method)
    details = {"email": email or customer["email"], "name": customer["name"], "phone": None, "tax_exempt": "none"}
    details |= {"address": None, "tax_ids": [], "business_name": None, "individual_name": None}
    owed = session["mode"] == "setup" or not session["amount_total"]
    paid = "no_payment_required" if owed else "paid"
    account.change(session, status="complete", url=None, customer_details=details, payment_status=paid)
    account.emit("checkout.session.completed", session)
    return session


def _customer_of(account: Account, session: Object, email: str) -> Object:
    if session["customer"]:
        return account.get("customer", session["customer"])
    return customers.create_customer(account, {"email": email or session["customer_email"] or "buyer@shop.example"})


def _begin_subscription(account: Account, session: Object, customer: Object, method: Object) -> None:
    data = session["_params"].get("subscription_data", {})
    items = [{"price": line["price"]["id"], "quantity": line["quantity"]} for line in session["_lines"]]
    params = {
        "customer": customer["id"],
        "items": [{key: value for key, value in item.items() if value is not None} for item in items],
        "default_payment_method": method["id"],
        "metadata": data.get("metadata", {}),
        "discounts": session["_params"].get("discounts") or [],
    }
    params |= {
        key: data[key] for key in ("trial_period_days", "trial_end", "trial_settings", "description") if key in data
    }
    subscription = subscriptions.start(account, params, authenticated=True)
    account.change(session, subscription=subscription["id"], invoice=subscription["latest_invoice"])


def _take_payment(account: Account, session: Object, customer: Object, method: Object) -> None:
    data = session["_params"].get("payment_intent_data", {})
    intent = payments.make_intent(
        account,
        session["amount_total"],
        session["currency"],
        customer=customer["id"],
        metadata=data.get("metadata", {}),
    )
    payments.confirm(account, intent, method, off_session=False, authenticated=True)
    account.change(session, payment_intent=intent["id"])


# --- How Stripe's own client pays ------------------------------------------------------------------------------------
# Private to Stripe and without types: the client's `checkout.session.*` triggers use them.


@route("GET", "/v1/payment_pages/{pk}", "checkout.SessionRetrieveParams")
def retrieve_page(account: Account, params: Any, pk: str) -> Object:
    session = account.get("checkout.session", pk)
    return {"id": pk, "session_id": pk, "status": session["status"], "total_summary": {"due": session["amount_total"]}}


@route("POST", "/v1/payment_pages/{pk}/confirm", "")
def confirm_page(account: Account, params: Any, pk: str) -> Object:
    session = account.get("checkout.session", pk)
    if "expected_amount" in params and int(params["expected_amount"]) != session["amount_total"]:
        raise ApiError("The amount has changed.", code="checkout_amount_mismatch", param="expected_amount")
    pay(account, session, payments.find_method(account, params["payment_method"]))
    return {"id": pk, "session_id": pk, "status": session["status"]}


def next_due(session: Object) -> int | None:
    return int(session["expires_at"]) if session["status"] == "open" else None
