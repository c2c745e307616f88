"""Subscriptions and their items, through trial, renewal, change, failure and end."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

from stripe_server.account import Account, Object, list_of, listens, new_id
from stripe_server.errors import ApiError
from stripe_server.periods import DAY, later, period_at
from stripe_server.resources import catalog, invoices, payments
from stripe_server.resources.invoices import HOUR, line_of, make_invoice
from stripe_server.resources.meters import metered
from stripe_server.routing import merge_metadata, page_of, route

ENDED = ("canceled", "incomplete_expired")
INCOMPLETE_SECONDS = 23 * HOUR
TRIAL_NOTICE_SECONDS = 3 * DAY


# --- Items ------------------------------------------------------------------------------------------------------------


def make_item(account: Account, subscription_id: str, given: Any, period: tuple[int, int]) -> Object:
    price = price_of(account, given)
    if not price["recurring"]:
        raise ApiError(f"The price specified is set to `type=one_time`: {price['id']}.", param="items[0][price]")
    metered = price["recurring"]["usage_type"] == "metered"
    item = account.create(
        "subscription_item",
        current_period_start=period[0],
        current_period_end=period[1],
        metadata=given.get("metadata", {}),
        plan=catalog.legacy_plan(price),
        price=price,
        quantity=None if metered else given.get("quantity", 1),
        subscription=subscription_id,
        tax_rates=[],
    )
    del account.objects["subscription_item"][item["id"]]  # it lives in its subscription
    return item


def price_of(account: Account, given: Any) -> Object:
    if "price_data" in given:
        data = dict(given["price_data"])
        return catalog.create_price(account, data)
    if "price" not in given and "plan" not in given:
        raise ApiError("Missing required param: items[0][price].", code="parameter_missing", param="items[0][price]")
    return account.get("price", given.get("price") or given["plan"], "items[0][price]")


def items_of(subscription: Object) -> list[Object]:
    found: list[Object] = subscription["items"]["data"]
    return found


def rhythm(items: list[Object]) -> tuple[str, int]:
    recurring = items[0]["price"]["recurring"]
    return recurring["interval"], recurring["interval_count"]


def set_period(items: list[Object], period: tuple[int, int]) -> None:
    for item in items:
        item["current_period_start"], item["current_period_end"] = period


def full_lines(items: list[Object], period: tuple[int, int]) -> list[Object]:
    """For a whole period ahead; what is metered is billed when it is over."""
    licensed = [item for item in items if item["quantity"] is not None]
    return [
        line_of(item["price"], item["quantity"], period, item=item, description=f"{item['quantity']} × {name_of(item)}")
        for item in licensed
    ]


def name_of(item: Object) -> str:
    price = item["price"]
    return f"{price['nickname'] or price.get('_product_name') or price['id']} ({_rate(price)})"


def _rate(price: Object) -> str:
    amount, recurring = (price["unit_amount"] or 0) / 100, price["recurring"]
    count = recurring["interval_count"]
    every = recurring["interval"] if count == 1 else f"every {count} {recurring['interval']}s"
    return f"at {'$' if price['currency'] == 'usd' else price['currency'].upper() + ' '}{amount:,.2f} / {every}"


def usage_lines(account: Account, subscription: Object) -> list[Object]:
    lines = []
    for item in items_of(subscription):
        if item["quantity"] is None:
            period = (item["current_period_start"], item["current_period_end"])
            meter = item["price"]["recurring"]["meter"]
            used = metered(account, meter, subscription["customer"], *period)
            lines.append(line_of(item["price"], used, period, item=item, description=f"{used} × {name_of(item)}"))
    return lines


# --- Beginning --------------------------------------------------------------------------------------------------------


@route("POST", "/v1/subscriptions", "SubscriptionCreateParams")
def create_subscription(account: Account, params: Any) -> Object:
    return start(account, params, params.get("payment_behavior", "allow_incomplete"))


def start(account: Account, params: Any, behavior: str = "", *, authenticated: bool = False) -> Object:
    """With no `behavior` Stripe itself begins it, and takes what comes of the first payment."""
    customer = account.get("customer", params["customer"], "customer")
    moment = account.now(customer["id"])
    trial_end = trial_end_of(params, moment)
    identifier = new_id("sub")
    if not params.get("items"):
        raise ApiError("Missing required param: items.", code="parameter_missing", param="items")
    items = [make_item(account, identifier, given, (moment, moment)) for given in params["items"]]
    period = (moment, trial_end) if trial_end else (moment, later(moment, *rhythm(items)))
    set_period(items, period)
    if method := params.get("default_payment_method"):
        account.get("payment_method", method, "default_payment_method")
    trial_settings = params.get("trial_settings") or {"end_behavior": {"missing_payment_method": "create_invoice"}}
    subscription = account.create(
        "subscription",
        id=identifier,
        billing_cycle_anchor=trial_end or moment,
        billing_mode={"type": "flexible", "flexible": {"proration_discounts": "included"}, "updated_at": None},
        cancel_at_period_end=params.get("cancel_at_period_end", False),
        cancel_at=params.get("cancel_at"),
        collection_method=params.get("collection_method", "charge_automatically"),
        days_until_due=params.get("days_until_due"),
        currency=items[0]["price"]["currency"],
        customer=customer["id"],
        default_payment_method=params.get("default_payment_method"),
        description=params.get("description"),
        discounts=[],
        invoice_settings={"account_tax_ids": None, "issuer": {"type": "self"}},
        items=list_of(items, f"/v1/subscription_items?subscription={identifier}"),
        metadata=params.get("metadata", {}),
        start_date=moment,
        status="trialing" if trial_end else "incomplete",
        trial_start=moment if trial_end else None,
        trial_end=trial_end,
        trial_settings=trial_settings,
        test_clock=customer["test_clock"],
    )
    subscription["discounts"] = [make_discount(account, subscription, each) for each in params.get("discounts") or []]
    lines = full_lines(items, period)
    if trial_end:
        lines = [line | {"amount": 0, "subtotal": 0} for line in lines]
    is_charged = subscription["collection_method"] == "charge_automatically" and any(line["amount"] for line in lines)
    if is_charged and behavior in ("allow_incomplete", "error_if_incomplete"):
        _require_payable(account, subscription, takes_declines=behavior == "allow_incomplete")
    account.change(customer, currency=subscription["currency"])
    account.emit("customer.subscription.created", subscription)
    invoice = make_invoice(account, customer, lines, subscription=subscription, reason="subscription_create")
    subscription["latest_invoice"] = invoice["id"]
    if behavior == "default_incomplete" or subscription["collection_method"] == "send_invoice":
        invoices.finalize(account, invoice)
        if subscription["collection_method"] == "send_invoice" and not trial_end:
            account.change(subscription, "customer.subscription.updated", status="active")
    else:
        invoices.collect(account, invoice, authenticated=authenticated)
    return subscription


def _require_payable(account: Account, subscription: Object, *, takes_declines: bool) -> None:
    method = invoices.method_for(
        account,
        {
            "customer": subscription["customer"],
            "default_payment_method": subscription["default_payment_method"],
            "parent": None,
        },
    )
    if method is None:
        del account.objects["subscription"][subscription["id"]]
        raise ApiError(
            "This customer has no attached payment source or default payment method.", code="resource_missing"
        )
    if payments.card_of(method).declines and not takes_declines:
        del account.objects["subscription"][subscription["id"]]
        raise payments.decline(payments.card_of(method).declines)


def trial_end_of(params: Any, moment: int) -> int | None:
    if days := params.get("trial_period_days"):
        return moment + int(days) * DAY
    trial_end = params.get("trial_end")
    return int(trial_end) if trial_end not in (None, "now", "") else None


def make_discount(account: Account, subscription: Object, given: Any) -> str:
    coupon = given.get("coupon")
    if code := given.get("promotion_code"):
        coupon = account.get("promotion_code", code, "discounts")["promotion"]["coupon"]
    account.get("coupon", coupon, "discounts")
    discount = account.create(
        "discount",
        customer=subscription["customer"],
        subscription=subscription["id"],
        source={"type": "coupon", "coupon": coupon},
        start=account.now(subscription["customer"]),
        promotion_code=given.get("promotion_code"),
    )
    account.emit("customer.discount.created", discount)
    return str(discount["id"])


# --- What an invoice's outcome does -----------------------------------------------------------------------------------


@listens("invoice")
def on_invoice(account: Account, subscription: Object, invoice: Object, outcome: str) -> None:
    status = subscription["status"]
    if status in ENDED:
        return
    if outcome == "paid":
        if _pending_invoice(subscription) == invoice["id"]:
            _apply_pending(account, subscription)
        if status in ("incomplete", "past_due", "unpaid") and not _is_owing(account, subscription):
            account.change(subscription, "customer.subscription.updated", status="active")
    elif status == "active" and _pending_invoice(subscription) != invoice["id"]:
        account.change(subscription, "customer.subscription.updated", status="past_due")
    if outcome == "given_up":
        _give_up(account, subscription)


def _pending_invoice(subscription: Object) -> str | None:
    """Of a change that waits for its payment."""
    return (subscription.get("_pending") or {}).get("invoice")


def _is_owing(account: Account, subscription: Object) -> bool:
    latest = account.objects["invoice"].get(subscription["latest_invoice"] or "")
    return bool(latest and latest["status"] == "open")


def _give_up(account: Account, subscription: Object) -> None:
    after = account.faults.get("after_retries", "cancel")
    if after == "cancel":
        end(account, subscription)
    elif after == "unpaid":
        account.change(subscription, "customer.subscription.updated", status="unpaid")


def end(account: Account, subscription: Object, *, reason: str = "payment_failed") -> None:
    moment = account.now(subscription["customer"])
    details = {"comment": None, "feedback": None, "reason": reason}
    account.change(
        subscription,
        status="canceled",
        canceled_at=subscription["canceled_at"] or moment,
        ended_at=moment,
        cancellation_details=details,
        pending_update=None,
        _pending=None,
    )
    for invoice in account.all("invoice", customer=subscription["customer"], status="draft"):
        if invoices.subscription_of(account, invoice) is subscription:
            invoice["auto_advance"] = False
            invoice["automatically_finalizes_at"] = None
    account.emit("customer.subscription.deleted", subscription)


# --- Changes ----------------------------------------------------------------------------------------------------------


@dataclass
class Change:
    """What an update makes of a subscription's items, and what it costs now."""

    items: list[Object]
    lines: list[Object]
    restarts: bool  # a new period begins now


def plan_change(account: Account, subscription: Object, given_items: Any, moment: int) -> Change:
    before = items_of(subscription)
    after = [dict(item) for item in before]
    for given in given_items:
        _change_item(account, subscription, after, given)
    after = [item for item in after if not item.pop("_gone", False)]
    if not after:
        raise ApiError("A subscription must have at least one active plan.", param="items")
    period = (before[0]["current_period_start"], before[0]["current_period_end"])
    restarts = rhythm(before) != rhythm(after)
    if restarts:
        period = (moment, later(moment, *rhythm(after)))
    set_period(after, period)
    if subscription["status"] == "trialing":
        set_period(after, (before[0]["current_period_start"], before[0]["current_period_end"]))
        return Change(after, [], False)
    return Change(after, _prorations(before, after, moment, restarts), restarts)


def _change_item(account: Account, subscription: Object, items: list[Object], given: Any) -> None:
    if "id" not in given:
        items.append(make_item(account, subscription["id"], given, (0, 0)))
        return
    item = next((each for each in items if each["id"] == given["id"]), None)
    if item is None:
        raise ApiError(f"No such subscription item: '{given['id']}'", code="resource_missing", param="items[0][id]")
    if given.get("deleted"):
        item["_gone"] = True
        return
    if "price" in given or "price_data" in given:
        price = price_of(account, given)
        item.update(price=price, plan=catalog.legacy_plan(price))
    if "quantity" in given:
        item["quantity"] = given["quantity"]


def _prorations(before: list[Object], after: list[Object], moment: int, restarts: bool) -> list[Object]:
    start, stop = before[0]["current_period_start"], before[0]["current_period_end"]
    left = max(stop - moment, 0) / max(stop - start, 1)
    lines = []
    old = {item["id"]: item for item in before}
    new = {item["id"]: item for item in after}
    for identifier in [*old, *[key for key in new if key not in old]]:
        was, now = old.get(identifier), new.get(identifier)
        if (
            was
            and now
            and was["price"]["id"] == now["price"]["id"]
            and was["quantity"] == now["quantity"]
            and not restarts
        ):
            continue
        if was and was["quantity"]:
            credit = -round((was["price"]["unit_amount"] or 0) * was["quantity"] * left)
            words = f"Unused time on {was['quantity']} × {name_of(was)}"
            lines.append(
                line_of(
                    was["price"],
                    was["quantity"],
                    (moment, stop),
                    amount=credit,
                    description=words,
                    item=was,
                    is_proration=True,
                )
            )
        if now and now["quantity"]:
            share = 1.0 if restarts else left
            debit = round((now["price"]["unit_amount"] or 0) * now["quantity"] * share)
            period = (moment, now["current_period_end"])
            words = f"{'' if restarts else 'Remaining time on '}{now['quantity']} × {name_of(now)}"
            lines.append(
                line_of(
                    now["price"],
                    now["quantity"],
                    period,
                    amount=debit,
                    description=words,
                    item=now,
                    is_proration=not restarts,
                )
            )
    return lines


@route("POST", "/v1/subscriptions/{pk}", "SubscriptionUpdateParams")
def update_subscription(account: Account, params: Any, pk: str) -> Object:
    subscription = account.get("subscription", pk)
    if subscription["status"] in ENDED:
        raise ApiError("A canceled subscription can only update its cancellation_details and metadata.")
    if subscription["schedule"] and ({"items", "cancel_at_period_end"} & set(params)):
        raise ApiError(
            "The subscription is managed by the subscription schedule, and updating it is not allowed directly."
        )
    behavior = params.get("payment_behavior", "allow_incomplete")
    before = copy.deepcopy({key: value for key, value in subscription.items() if not key.startswith("_")})
    moment = params.get("proration_date") or account.now(subscription["customer"])
    _update_plain(account, subscription, params)
    if params.get("trial_end") is not None:
        _move_trial(account, subscription, params["trial_end"])
    if "items" in params:
        _change_items(account, subscription, params, moment, behavior)
    changed = {key: value for key, value in before.items() if subscription[key] != value}
    if changed:
        account.is_dirty = True
        account.emit("customer.subscription.updated", subscription, changed)
    return subscription


def _update_plain(account: Account, subscription: Object, params: Any) -> None:
    if "metadata" in params:
        subscription["metadata"] = merge_metadata(subscription["metadata"], params["metadata"])
    if "cancel_at_period_end" in params:
        wants = params["cancel_at_period_end"]
        moment = account.now(subscription["customer"]) if wants else None
        end_at = items_of(subscription)[0]["current_period_end"] if wants else None
        subscription.update(cancel_at_period_end=wants, canceled_at=moment, cancel_at=end_at)
        subscription["cancellation_details"] = {
            "comment": None,
            "feedback": None,
            "reason": "cancellation_requested" if wants else None,
        }
    if "cancel_at" in params:
        subscription["cancel_at"] = params["cancel_at"] or None
    if "default_payment_method" in params:
        subscription["default_payment_method"] = params["default_payment_method"] or None
    if "pause_collection" in params:
        given = params["pause_collection"]
        subscription["pause_collection"] = {"resumes_at": None, **given} if given else None
    if params.get("trial_settings"):
        subscription["trial_settings"] = params["trial_settings"]
    if "description" in params:
        subscription["description"] = params["description"] or None


def _move_trial(account: Account, subscription: Object, trial_end: Any) -> None:
    if trial_end == "now":
        subscription["trial_end"] = account.now(subscription["customer"])
        end_trial(account, subscription, at_once=True)
    else:
        subscription["trial_end"] = int(trial_end)
        for item in items_of(subscription):
            item["current_period_end"] = int(trial_end)
        subscription.update(billing_cycle_anchor=int(trial_end), status="trialing")


def _change_items(account: Account, subscription: Object, params: Any, moment: int, behavior: str) -> None:
    change = plan_change(account, subscription, params["items"], moment)
    proration = params.get("proration_behavior", "create_prorations")
    if change.restarts and proration == "create_prorations":
        proration = "always_invoice"  # a new period is billed when it begins
    lines = [] if proration == "none" and not change.restarts else change.lines
    total = sum(line["amount"] for line in lines)
    if proration != "always_invoice" or total <= 0 or not lines:
        _take_change(subscription, change, moment)
        subscription.setdefault("_waiting", []).extend(lines)
        return
    customer = account.get("customer", subscription["customer"])
    invoice = make_invoice(account, customer, lines, subscription=subscription, reason="subscription_update")
    pending = {"items": change.items, "invoice": invoice["id"], "restarts": change.restarts, "moment": moment}
    if behavior == "pending_if_incomplete":
        subscription["_pending"] = pending
    else:
        _take_change(subscription, change, moment)
    subscription["latest_invoice"] = invoice["id"]
    is_paid = invoices.collect(account, invoice)
    if is_paid or behavior == "allow_incomplete":
        return
    if behavior == "error_if_incomplete":
        raise invoices.payment_error(account, invoice)
    if behavior == "pending_if_incomplete":
        expires = moment + INCOMPLETE_SECONDS
        subscription["pending_update"] = {"expires_at": expires, "subscription_items": change.items}


def _take_change(subscription: Object, change: Change, moment: int) -> None:
    subscription["items"]["data"] = change.items
    if change.restarts:
        subscription["billing_cycle_anchor"] = moment


def _apply_pending(account: Account, subscription: Object) -> None:
    pending = subscription["_pending"]
    _take_change(subscription, Change(pending["items"], [], pending["restarts"]), pending["moment"])
    was_shown = subscription["pending_update"] is not None
    before = {"pending_update": subscription["pending_update"]}
    subscription["_pending"] = subscription["pending_update"] = None
    if was_shown:
        account.emit("customer.subscription.pending_update_applied", subscription)
        account.emit("customer.subscription.updated", subscription, before)


def expire_pending(account: Account, subscription: Object) -> None:
    invoice = account.get("invoice", subscription["_pending"]["invoice"])
    subscription["_pending"] = subscription["pending_update"] = None
    if invoice["status"] == "open":
        invoices.void(account, invoice)
    account.emit("customer.subscription.pending_update_expired", subscription)


@route("DELETE", "/v1/subscriptions/{pk}", "SubscriptionCancelParams")
def cancel_subscription(account: Account, params: Any, pk: str) -> Object:
    subscription = account.get("subscription", pk)
    if subscription["status"] in ENDED:
        raise ApiError(f"No such subscription: '{pk}'", code="resource_missing", param="id", status=404)
    release_schedule(account, subscription)
    end(account, subscription, reason="cancellation_requested")
    if details := params.get("cancellation_details"):
        subscription["cancellation_details"] |= details
    return subscription


def release_schedule(account: Account, subscription: Object) -> None:
    if schedule := account.objects.get("subscription_schedule", {}).get(subscription["schedule"] or ""):
        account.change(
            schedule, status="canceled", canceled_at=account.now(subscription["customer"]), current_phase=None
        )
        account.emit("subscription_schedule.canceled", schedule)
        subscription["schedule"] = None


@route("POST", "/v1/subscriptions/{pk}/resume", "SubscriptionResumeParams")
def resume_subscription(account: Account, params: Any, pk: str) -> Object:
    subscription = account.get("subscription", pk)
    if subscription["status"] != "paused":
        raise ApiError("This subscription cannot be resumed because it is not paused.")
    moment = account.now(subscription["customer"])
    account.change(subscription, status="active", billing_cycle_anchor=moment)
    renew(account, subscription, (moment, later(moment, *rhythm(items_of(subscription)))), at_once=True)
    account.emit("customer.subscription.resumed", subscription)
    return subscription


@route("GET", "/v1/subscriptions", "SubscriptionListParams")
def list_subscriptions(account: Account, params: Any) -> Object:
    rows = account.all("subscription", customer=params.get("customer"), test_clock=params.get("test_clock"))
    status = params.get("status")
    if status is None:
        rows = [row for row in rows if row["status"] != "canceled"]
    elif status == "ended":
        rows = [row for row in rows if row["status"] in ENDED]
    elif status != "all":
        rows = [row for row in rows if row["status"] == status]
    if price := params.get("price"):
        rows = [row for row in rows if price in [item["price"]["id"] for item in items_of(row)]]
    return page_of(rows, params, "/v1/subscriptions")


@route("GET", "/v1/subscriptions/{pk}", "SubscriptionRetrieveParams")
def retrieve_subscription(account: Account, params: Any, pk: str) -> Object:
    return account.get("subscription", pk)


def _find_item(account: Account, pk: str) -> tuple[Object, Object]:
    for subscription in account.all("subscription"):
        for item in items_of(subscription):
            if item["id"] == pk:
                return subscription, item
    raise ApiError(f"No such subscription_item: '{pk}'", code="resource_missing", param="id", status=404)


@route("GET", "/v1/subscription_items", "SubscriptionItemListParams")
def list_items(account: Account, params: Any) -> Object:
    rows = items_of(account.get("subscription", params["subscription"], "subscription"))
    return page_of(list(reversed(rows)), params, "/v1/subscription_items")


@route("GET", "/v1/subscription_items/{pk}", "SubscriptionItemRetrieveParams")
def retrieve_item(account: Account, params: Any, pk: str) -> Object:
    return _find_item(account, pk)[1]


@route("POST", "/v1/subscription_items", "SubscriptionItemCreateParams")
def create_item(account: Account, params: Any) -> Object:
    given = {key: params[key] for key in ("price", "quantity", "metadata", "price_data") if key in params}
    rest = {key: params[key] for key in ("proration_behavior", "payment_behavior", "proration_date") if key in params}
    subscription = update_subscription(account, rest | {"items": [given]}, params["subscription"])
    return items_of(subscription)[-1]


@route("POST", "/v1/subscription_items/{pk}", "SubscriptionItemUpdateParams")
def update_item(account: Account, params: Any, pk: str) -> Object:
    subscription, _ = _find_item(account, pk)
    given = {"id": pk} | {key: params[key] for key in ("price", "quantity", "price_data") if key in params}
    rest = {key: params[key] for key in ("proration_behavior", "payment_behavior", "proration_date") if key in params}
    update_subscription(account, rest | {"items": [given]}, subscription["id"])
    return _find_item(account, pk)[1]


@route("DELETE", "/v1/subscription_items/{pk}", "SubscriptionItemDeleteParams")
def delete_item(account: Account, params: Any, pk: str) -> Object:
    subscription, _ = _find_item(account, pk)
    rest = {key: params[key] for key in ("proration_behavior", "proration_date") if key in params}
    update_subscription(account, rest | {"items": [{"id": pk, "deleted": True}]}, subscription["id"])
    return {"id": pk, "object": "subscription_item", "deleted": True}


# --- Previews ---------------------------------------------------------------------------------------------------------


@route("POST", "/v1/invoices/create_preview", "InvoiceCreatePreviewParams")
def create_preview(account: Account, params: Any) -> Object:
    details = params.get("subscription_details", {})
    if "subscription" not in params:
        customer = account.get("customer", params.get("customer"), "customer")
        moment = account.now(customer["id"])
        items = [make_item(account, "sub_preview", given, (moment, moment)) for given in details.get("items", [])]
        lines = full_lines(items, (moment, later(moment, *rhythm(items)))) if items else []
        return _preview(account, customer, lines, None)
    subscription = copy.deepcopy(account.get("subscription", params["subscription"], "subscription"))
    customer = account.get("customer", subscription["customer"])
    moment = details.get("proration_date") or account.now(customer["id"])
    change = plan_change(account, subscription, details.get("items", []), moment)
    period_end = change.items[0]["current_period_end"]
    ahead = full_lines(change.items, (period_end, later(period_end, *rhythm(change.items))))
    behavior = details.get("proration_behavior", "create_prorations")
    if behavior == "always_invoice" and change.lines:
        return _preview(account, customer, change.lines, subscription)
    lines = ([] if behavior == "none" else change.lines) + subscription.get("_waiting", []) + ahead
    return _preview(account, customer, lines, subscription)


def _preview(account: Account, customer: Object, lines: list[Object], subscription: Object | None) -> Object:
    fields = invoices.invoice_fields(account, customer, lines, subscription, "upcoming")
    preview = account.create("invoice", id=new_id("upcoming_in"), **fields)
    del account.objects["invoice"][preview["id"]]
    return preview


# --- Time -------------------------------------------------------------------------------------------------------------


def end_trial(account: Account, subscription: Object, *, at_once: bool = False) -> None:
    """The status becomes `active` before anything is collected: the invoice waits an hour as a draft."""
    customer = account.get("customer", subscription["customer"])
    has_method = subscription["default_payment_method"] or customer["invoice_settings"]["default_payment_method"]
    missing = (
        (subscription["trial_settings"] or {}).get("end_behavior", {}).get("missing_payment_method", "create_invoice")
    )
    moment = subscription["trial_end"]
    if not has_method and missing == "pause":
        account.change(subscription, status="paused")
        account.emit("customer.subscription.paused", subscription)
        if not at_once:
            account.emit("customer.subscription.updated", subscription, {"status": "trialing"})
    elif not has_method and missing == "cancel":
        end(account, subscription, reason="payment_failed")
    else:
        period = (moment, later(moment, *rhythm(items_of(subscription))))
        account.change(subscription, status="active", billing_cycle_anchor=moment)
        renew(account, subscription, period, at_once=at_once)


def renew(account: Account, subscription: Object, period: tuple[int, int], *, at_once: bool = False) -> None:
    customer = account.get("customer", subscription["customer"])
    lines = subscription.pop("_waiting", []) + usage_lines(account, subscription)
    items = items_of(subscription)
    before = {"items": copy.deepcopy(subscription["items"])}
    set_period(items, period)
    lines += full_lines(items, period)
    account.emit("customer.subscription.updated", subscription, before)
    invoice = make_invoice(account, customer, lines, subscription=subscription, reason="subscription_cycle")
    account.change(subscription, latest_invoice=invoice["id"])
    if subscription["pause_collection"]:
        invoice["auto_advance"] = False
    elif at_once:
        invoices.collect(account, invoice)
    elif subscription["status"] != "unpaid":
        invoice["automatically_finalizes_at"] = account.now(customer["id"]) + HOUR


def end_period(account: Account, subscription: Object) -> None:
    items = items_of(subscription)
    stop = items[0]["current_period_end"]
    if subscription["cancel_at_period_end"]:
        end(account, subscription, reason="cancellation_requested")
        return
    account.tell("period_ends", subscription, stop)
    anchor = subscription["billing_cycle_anchor"]
    items = items_of(subscription)
    period = period_at(anchor, stop, *rhythm(items))
    if period[0] != stop:  # the phase changed the rhythm
        subscription["billing_cycle_anchor"] = stop
        period = (stop, later(stop, *rhythm(items)))
    renew(account, subscription, period)


def expire_incomplete(account: Account, subscription: Object) -> None:
    invoice = account.get("invoice", subscription["latest_invoice"])
    if invoice["status"] == "open":
        invoices.void(account, invoice)
    moment = account.now(subscription["customer"])
    account.change(subscription, "customer.subscription.updated", status="incomplete_expired", ended_at=moment)


def tell_of_trial_end(account: Account, subscription: Object) -> None:
    subscription["_told_of_end"] = subscription["trial_end"]
    account.emit("customer.subscription.trial_will_end", subscription)


def next_due(account: Account, subscription: Object) -> tuple[int, Any] | None:
    """When something happens to a subscription by itself, and what."""
    status = subscription["status"]
    if status in ENDED or status == "paused":
        return None
    due: list[tuple[int, Any]] = []
    stop = items_of(subscription)[0]["current_period_end"]
    if status == "trialing":
        if subscription.get("_told_of_end") != subscription["trial_end"]:
            due.append((subscription["trial_end"] - TRIAL_NOTICE_SECONDS, tell_of_trial_end))
        due.append((stop, end if subscription["cancel_at_period_end"] else end_trial))
    elif status == "incomplete":
        due.append((subscription["created"] + INCOMPLETE_SECONDS, expire_incomplete))
    else:
        due.append((stop, end_period))
    if subscription["pending_update"]:
        due.append((subscription["pending_update"]["expires_at"], expire_pending))
    if subscription["cancel_at"] and not subscription["cancel_at_period_end"]:
        due.append((subscription["cancel_at"], end))
    return min(due, key=lambda each: each[0])
