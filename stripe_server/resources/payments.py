"""Payment methods, intents, charges, refunds and disputes."""

from __future__ import annotations

import hashlib
from typing import Any

from stripe_server.account import Account, Object, list_of, new_id
from stripe_server.cards import CARDS, NAMED, Card
from stripe_server.errors import ApiError, CardDeclined
from stripe_server.periods import DAY
from stripe_server.resources.catalog import update
from stripe_server.routing import included, merge_metadata, page_of, route

SHOWN_OF_CARD = ("brand", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4")
DECLINED = {
    "generic_decline": "Your card was declined.",
    "insufficient_funds": "Your card has insufficient funds.",
}

# --- Payment methods --------------------------------------------------------------------------------------------------


def make_method(account: Account, card: Card, expires: tuple[int, int] = (12, 2034), **fields: Any) -> Object:
    shown = {
        "brand": card.brand,
        "display_brand": card.brand,
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": "US",
        "exp_month": expires[0],
        "exp_year": expires[1],
        "fingerprint": hashlib.sha256(card.number.encode()).hexdigest()[:16],  # the same for the same number
        "funding": "credit",
        "generated_from": None,
        "last4": card.last4,
        "networks": {"available": [card.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }
    fields.setdefault("metadata", {})
    return account.create("payment_method", type="card", card=shown, _number=card.number, **fields)


def find_method(account: Account, identifier: str) -> Object:
    """Stripe's named test methods stand for a new one each time."""
    if identifier in NAMED:
        return make_method(account, CARDS[NAMED[identifier]])
    return account.get("payment_method", identifier, "payment_method")


def card_of(method: Object) -> Card:
    return CARDS[method["_number"]]


def decline(code: str, **extra: Any) -> CardDeclined:
    return CardDeclined(DECLINED[code], code="card_declined", decline_code=code, **extra)


def check_saveable(account: Account, method: Object) -> None:
    card = card_of(method)
    if card.declines and card.declines_at_once:
        raise decline(card.declines)


def attach(account: Account, identifier: str, customer: str) -> Object:
    method = find_method(account, identifier)
    check_saveable(account, method)
    account.change(method, customer=customer)
    account.emit("payment_method.attached", method)
    return method


@route("POST", "/v1/payment_methods", "PaymentMethodCreateParams")
def create_method(account: Account, params: Any) -> Object:
    given = params.get("card", {})
    number = NAMED.get(given.get("token", ""), given.get("number", "4242424242424242"))
    if number not in CARDS:
        raise CardDeclined("Your card number is incorrect.", code="incorrect_number", param="number")
    fields = {key: params[key] for key in ("metadata",) if key in params}
    if "billing_details" in params:
        fields["billing_details"] = {"address": None, "email": None, "name": None, "phone": None, "tax_id": None}
        fields["billing_details"] |= params["billing_details"]
    return make_method(account, CARDS[number], (given.get("exp_month", 12), given.get("exp_year", 2034)), **fields)


@route("GET", "/v1/payment_methods", "PaymentMethodListParams")
def list_methods(account: Account, params: Any) -> Object:
    return page_of(account.all("payment_method", customer=params.get("customer")), params, "/v1/payment_methods")


@route("GET", "/v1/payment_methods/{pk}", "PaymentMethodRetrieveParams")
def retrieve_method(account: Account, params: Any, pk: str) -> Object:
    return find_method(account, pk)


@route("POST", "/v1/payment_methods/{pk}/attach", "PaymentMethodAttachParams")
def attach_method(account: Account, params: Any, pk: str) -> Object:
    account.get("customer", params["customer"], "customer")
    return attach(account, pk, params["customer"])


@route("POST", "/v1/payment_methods/{pk}/detach", "PaymentMethodDetachParams")
def detach_method(account: Account, params: Any, pk: str) -> Object:
    method = account.get("payment_method", pk)
    if not method["customer"]:
        raise ApiError("The payment method you provided is not attached to a customer.")
    owner = account.get("customer", method["customer"])
    if owner["invoice_settings"]["default_payment_method"] == pk:
        owner["invoice_settings"]["default_payment_method"] = None
    account.change(method, customer=None)
    account.emit("payment_method.detached", method)
    return method


@route("POST", "/v1/payment_methods/{pk}", "PaymentMethodUpdateParams")
def update_method(account: Account, params: Any, pk: str) -> Object:
    method = account.get("payment_method", pk)
    if "billing_details" in params:
        params["billing_details"] = method["billing_details"] | params["billing_details"]
    if "card" in params:
        params["card"] = method["card"] | params["card"]
    return update(account, method, params, "payment_method.updated")


# --- Payment intents --------------------------------------------------------------------------------------------------


def make_intent(account: Account, amount: int, currency: str, **fields: Any) -> Object:
    identifier = new_id("pi")
    fields = {"metadata": {}, "payment_method_types": ["card"], "capture_method": "automatic_async"} | fields
    intent = account.create(
        "payment_intent",
        id=identifier,
        amount=amount,
        amount_capturable=0,
        amount_received=0,
        currency=currency,
        client_secret=f"{identifier}_secret_{new_id('')}",
        confirmation_method="automatic",
        status="requires_payment_method",
        **fields,
    )
    account.emit("payment_intent.created", intent)
    return intent


def confirm(
    account: Account, intent: Object, method: Object | None, *, off_session: bool, authenticated: bool = False
) -> None:
    """Try to collect. Where it ends is the intent's status; a decline is also its `last_payment_error`."""
    if method is None:
        error = {"code": "payment_method_required", "type": "invalid_request_error", "message": "No payment method."}
        account.change(intent, status="requires_payment_method", last_payment_error=error)
        account.emit("payment_intent.payment_failed", intent)
        return
    card = card_of(method)
    refused = account.faults.get("decline", {}).get(intent["customer"] or "", "") or card.declines
    needs_person = card.authenticates == "always" or (card.authenticates == "setup" and not method.get("_is_set_up"))
    if needs_person and not authenticated:
        _ask_for_person(account, intent, method)
    elif refused:
        _fail(account, intent, method, refused)
    else:
        method["_is_set_up"] = True
        _succeed(account, intent, method)


def _ask_for_person(account: Account, intent: Object, method: Object) -> None:
    url = f"{account.url}/authenticate/{intent['id']}"
    action = {"type": "redirect_to_url", "redirect_to_url": {"url": url, "return_url": None}}
    account.change(intent, status="requires_action", payment_method=method["id"], next_action=action)
    account.emit("payment_intent.requires_action", intent)


def _fail(account: Account, intent: Object, method: Object, code: str) -> None:
    charge = make_charge(account, intent, method, failure=code)
    error = {
        "charge": charge["id"],
        "code": "card_declined",
        "decline_code": code,
        "doc_url": "https://stripe.com/docs/error-codes/card-declined",
        "message": DECLINED[code],
        "payment_method": method,
        "type": "card_error",
    }
    account.change(
        intent,
        status="requires_payment_method",
        last_payment_error=error,
        latest_charge=charge["id"],
        next_action=None,
        payment_method=None,
    )
    account.emit("charge.failed", charge)
    account.emit("payment_intent.payment_failed", intent)


def _succeed(account: Account, intent: Object, method: Object) -> None:
    if intent["capture_method"] == "manual":
        charge = make_charge(account, intent, method, captured=False)
        fields: Object = {"status": "requires_capture", "amount_capturable": intent["amount"]}
    else:
        charge = make_charge(account, intent, method)
        fields = {"status": "succeeded", "amount_received": intent["amount"]}
    account.change(
        intent,
        **fields,
        latest_charge=charge["id"],
        payment_method=method["id"],
        next_action=None,
        last_payment_error=None,
    )
    account.emit("charge.succeeded", charge)
    account.emit("payment_intent." + ("succeeded" if charge["captured"] else "amount_capturable_updated"), intent)
    if reason := card_of(method).disputes:
        open_dispute(account, charge, reason)


def make_charge(
    account: Account, intent: Object, method: Object, *, failure: str = "", captured: bool = True
) -> Object:
    card = method["card"]
    has_captured = captured and not failure
    return account.create(
        "charge",
        amount=intent["amount"],
        amount_captured=intent["amount"] if has_captured else 0,
        amount_refunded=0,
        billing_details=method["billing_details"],
        captured=has_captured,
        currency=intent["currency"],
        customer=intent["customer"],
        description=intent["description"],
        disputed=False,
        failure_code="card_declined" if failure else None,
        failure_message=DECLINED.get(failure),
        metadata=intent["metadata"],
        paid=not failure,
        payment_intent=intent["id"],
        payment_method=method["id"],
        payment_method_details={"type": "card", "card": {key: card[key] for key in SHOWN_OF_CARD}},
        refunded=False,
        status="failed" if failure else "succeeded",
        _invoice=intent.get("_invoice"),
    )


@route("POST", "/v1/payment_intents", "PaymentIntentCreateParams")
def create_intent(account: Account, params: Any) -> Object:
    method, wants = params.pop("payment_method", None), params.pop("confirm", False)
    types = params.pop("allowed_payment_method_types", ["card"])
    off_session = bool(params.pop("off_session", False))
    fields = {
        key: value
        for key, value in params.items()
        if key
        in (
            "customer",
            "description",
            "metadata",
            "receipt_email",
            "capture_method",
            "setup_future_usage",
            "shipping",
            "statement_descriptor",
        )
    }
    intent = make_intent(account, params["amount"], params["currency"].lower(), payment_method_types=types, **fields)
    if method:
        intent["payment_method"] = find_method(account, method)["id"]
        intent["status"] = "requires_confirmation"
    if wants:
        _confirm_now(account, intent, off_session=off_session)
    return intent


def _confirm_now(account: Account, intent: Object, *, off_session: bool) -> None:
    method = account.get("payment_method", intent["payment_method"]) if intent["payment_method"] else None
    confirm(account, intent, method, off_session=off_session)
    if intent["status"] == "requires_payment_method" and (error := intent["last_payment_error"]):
        raise CardDeclined(
            error["message"], code=error["code"], decline_code=error.get("decline_code"), payment_intent=intent
        )


@route("GET", "/v1/payment_intents", "PaymentIntentListParams")
def list_intents(account: Account, params: Any) -> Object:
    return page_of(account.all("payment_intent", customer=params.get("customer")), params, "/v1/payment_intents")


@route("GET", "/v1/payment_intents/{pk}", "PaymentIntentRetrieveParams")
def retrieve_intent(account: Account, params: Any, pk: str) -> Object:
    return account.get("payment_intent", pk)


@route("POST", "/v1/payment_intents/{pk}/confirm", "PaymentIntentConfirmParams")
def confirm_intent(account: Account, params: Any, pk: str) -> Object:
    intent = account.get("payment_intent", pk)
    if intent["status"] not in ("requires_payment_method", "requires_confirmation", "requires_action"):
        raise ApiError(
            f"You cannot confirm this PaymentIntent because it has a status of {intent['status']}.",
            code="payment_intent_unexpected_state",
        )
    if method := params.get("payment_method"):
        intent["payment_method"] = find_method(account, method)["id"]
    _confirm_now(account, intent, off_session=bool(params.get("off_session", False)))
    return intent


@route("POST", "/v1/payment_intents/{pk}/capture", "PaymentIntentCaptureParams")
def capture_intent(account: Account, params: Any, pk: str) -> Object:
    intent = account.get("payment_intent", pk)
    if intent["status"] != "requires_capture":
        raise ApiError("This PaymentIntent could not be captured.", code="payment_intent_unexpected_state")
    amount = params.get("amount_to_capture", intent["amount"])
    charge = account.get("charge", intent["latest_charge"])
    account.change(charge, captured=True, amount_captured=amount)
    account.change(intent, status="succeeded", amount_received=amount, amount_capturable=0)
    account.emit("charge.captured", charge)
    account.emit("payment_intent.succeeded", intent)
    return intent


@route("POST", "/v1/payment_intents/{pk}/cancel", "PaymentIntentCancelParams")
def cancel_intent(account: Account, params: Any, pk: str) -> Object:
    intent = account.get("payment_intent", pk)
    if intent["status"] in ("succeeded", "canceled"):
        raise ApiError("You cannot cancel this PaymentIntent.", code="payment_intent_unexpected_state")
    reason = params.get("cancellation_reason")
    account.change(
        intent, status="canceled", canceled_at=account.now(), cancellation_reason=reason, amount_capturable=0
    )
    account.emit("payment_intent.canceled", intent)
    return intent


# --- Setup intents ----------------------------------------------------------------------------------------------------


@route("POST", "/v1/setup_intents", "SetupIntentCreateParams")
def create_setup(account: Account, params: Any) -> Object:
    method, wants = params.pop("payment_method", None), params.pop("confirm", False)
    identifier = new_id("seti")
    setup = account.create(
        "setup_intent",
        id=identifier,
        customer=params.get("customer"),
        description=params.get("description"),
        metadata=params.get("metadata", {}),
        payment_method_types=params.get("allowed_payment_method_types", ["card"]),
        status="requires_payment_method",
        usage=params.get("usage", "off_session"),
        client_secret=f"{identifier}_secret_{new_id('')}",
        automatic_payment_methods=params.get("automatic_payment_methods"),
    )
    account.emit("setup_intent.created", setup)
    if method:
        setup["payment_method"] = find_method(account, method)["id"]
        setup["status"] = "requires_confirmation"
    if wants:
        _confirm_setup(account, setup)
    return setup


def _confirm_setup(account: Account, setup: Object) -> None:
    method = account.get("payment_method", setup["payment_method"], "payment_method")
    card = card_of(method)
    if card.declines and card.declines_at_once:
        error = {
            "code": "card_declined",
            "decline_code": card.declines,
            "message": DECLINED[card.declines],
            "type": "card_error",
        }
        account.change(setup, status="requires_payment_method", last_setup_error=error, payment_method=None)
        account.emit("setup_intent.setup_failed", setup)
        raise decline(card.declines, setup_intent=setup)
    if card.authenticates != "never":
        action = {"type": "redirect_to_url", "redirect_to_url": {"url": "", "return_url": None}}
        account.change(setup, status="requires_action", next_action=action)
        account.emit("setup_intent.requires_action", setup)
        return
    if setup["customer"]:
        account.change(method, customer=setup["customer"])
    account.change(setup, status="succeeded")
    account.emit("setup_intent.succeeded", setup)


@route("GET", "/v1/setup_intents/{pk}", "SetupIntentRetrieveParams")
def retrieve_setup(account: Account, params: Any, pk: str) -> Object:
    return account.get("setup_intent", pk)


@route("POST", "/v1/setup_intents/{pk}/confirm", "SetupIntentConfirmParams")
def confirm_setup(account: Account, params: Any, pk: str) -> Object:
    setup = account.get("setup_intent", pk)
    if method := params.get("payment_method"):
        setup["payment_method"] = find_method(account, method)["id"]
    _confirm_setup(account, setup)
    return setup


@route("POST", "/v1/setup_intents/{pk}/cancel", "SetupIntentCancelParams")
def cancel_setup(account: Account, params: Any, pk: str) -> Object:
    setup = account.get("setup_intent", pk)
    account.change(setup, status="canceled", cancellation_reason=params.get("cancellation_reason"))
    account.emit("setup_intent.canceled", setup)
    return setup


# --- Charges, refunds, disputes ---------------------------------------------------------------------------------------


@route("GET", "/v1/charges", "ChargeListParams")
def list_charges(account: Account, params: Any) -> Object:
    rows = account.all("charge", customer=params.get("customer"), payment_intent=params.get("payment_intent"))
    return page_of(rows, params, "/v1/charges")


@route("GET", "/v1/charges/{pk}", "ChargeRetrieveParams")
def retrieve_charge(account: Account, params: Any, pk: str) -> Object:
    return account.get("charge", pk)


@route("POST", "/v1/charges", "ChargeCreateParams")
def create_charge(account: Account, params: Any) -> Object:
    method = find_method(account, params.get("source", "pm_card_visa"))
    fields = {key: params[key] for key in ("customer", "description", "metadata") if key in params}
    intent: Object = {"amount": params["amount"], "currency": params["currency"].lower(), "id": None}
    intent |= {"customer": None, "description": None, "metadata": {}} | fields
    card = card_of(method)
    charge = make_charge(account, intent, method, failure=card.declines, captured=params.get("capture", True))
    account.emit("charge.failed" if card.declines else "charge.succeeded", charge)
    if card.declines:
        raise decline(card.declines, charge=charge["id"])
    if card.disputes:
        open_dispute(account, charge, card.disputes)
    return charge


@route("POST", "/v1/charges/{pk}/capture", "ChargeCaptureParams")
def capture_charge(account: Account, params: Any, pk: str) -> Object:
    charge = account.get("charge", pk)
    account.change(charge, "charge.captured", captured=True, amount_captured=params.get("amount", charge["amount"]))
    return charge


@route("POST", "/v1/refunds", "RefundCreateParams")
def create_refund(account: Account, params: Any) -> Object:
    if "payment_intent" in params:
        intent = account.get("payment_intent", params["payment_intent"], "payment_intent")
        charge = account.get("charge", intent["latest_charge"], "payment_intent")
    else:
        charge = account.get("charge", params.get("charge"), "charge")
    left = charge["amount_captured"] - charge["amount_refunded"]
    if left <= 0:
        raise ApiError(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    amount = params.get("amount", left)
    if amount > left:
        raise ApiError(f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})", param="amount")
    refund = account.create(
        "refund",
        amount=amount,
        currency=charge["currency"],
        charge=charge["id"],
        payment_intent=charge["payment_intent"],
        reason=params.get("reason"),
        metadata=params.get("metadata", {}),
        status="succeeded",
    )
    refunded = charge["amount_refunded"] + amount
    before = account.change(charge, amount_refunded=refunded, refunded=refunded == charge["amount"])
    account.emit("refund.created", refund)
    account.emit("charge.refunded", charge, before)
    return refund


@route("GET", "/v1/refunds", "RefundListParams")
def list_refunds(account: Account, params: Any) -> Object:
    rows = account.all("refund", charge=params.get("charge"), payment_intent=params.get("payment_intent"))
    return page_of(rows, params, "/v1/refunds")


@route("GET", "/v1/refunds/{pk}", "RefundRetrieveParams")
def retrieve_refund(account: Account, params: Any, pk: str) -> Object:
    return account.get("refund", pk)


@route("POST", "/v1/refunds/{pk}", "RefundUpdateParams")
def update_refund(account: Account, params: Any, pk: str) -> Object:
    refund = update(account, account.get("refund", pk), params, "refund.updated")
    account.emit("charge.refund.updated", refund)
    return refund


@included("charge", "refunds")
def _refunds(account: Account, charge: Object) -> Object:
    return list_of(account.all("refund", charge=charge["id"]), f"/v1/charges/{charge['id']}/refunds")


def open_dispute(account: Account, charge: Object, reason: str) -> Object:
    is_inquiry = reason == "inquiry"
    dispute = account.create(
        "dispute",
        amount=charge["amount"],
        charge=charge["id"],
        currency=charge["currency"],
        payment_intent=charge["payment_intent"],
        reason="fraudulent",
        status="warning_needs_response" if is_inquiry else "needs_response",
        is_charge_refundable=is_inquiry,
        evidence_details={
            "due_by": account.now(charge["customer"]) + 9 * DAY,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
    )
    account.change(charge, disputed=True)
    account.emit("charge.dispute.created", dispute)
    if not is_inquiry:
        account.emit("charge.dispute.funds_withdrawn", dispute)
    return dispute


def close_dispute(account: Account, dispute: Object, status: str) -> None:
    account.change(dispute, status=status)
    account.emit("charge.dispute.closed", dispute)
    if status == "won":
        account.emit("charge.dispute.funds_reinstated", dispute)


@route("GET", "/v1/disputes", "DisputeListParams")
def list_disputes(account: Account, params: Any) -> Object:
    rows = account.all("dispute", charge=params.get("charge"), payment_intent=params.get("payment_intent"))
    return page_of(rows, params, "/v1/disputes")


@route("GET", "/v1/disputes/{pk}", "DisputeRetrieveParams")
def retrieve_dispute(account: Account, params: Any, pk: str) -> Object:
    return account.get("dispute", pk)


@route("POST", "/v1/disputes/{pk}", "DisputeUpdateParams")
def update_dispute(account: Account, params: Any, pk: str) -> Object:
    """Stripe decides test disputes at once by the evidence that is sent in."""
    dispute = account.get("dispute", pk)
    if "metadata" in params:
        dispute["metadata"] = merge_metadata(dispute["metadata"], params["metadata"])
    evidence = params.get("evidence") or {}
    account.change(dispute, "charge.dispute.updated", evidence=dispute["evidence"] | evidence)
    if params.get("submit", True) and evidence:
        verdict = {"winning_evidence": "won", "losing_evidence": "lost"}.get(evidence.get("uncategorized_text", ""))
        inquiry = dispute["status"].startswith("warning")
        if verdict:
            close_dispute(account, dispute, "warning_closed" if inquiry and verdict == "won" else verdict)
        else:
            account.change(dispute, status="warning_under_review" if inquiry else "under_review")
    return dispute


@route("POST", "/v1/disputes/{pk}/close", "DisputeCloseParams")
def give_up_dispute(account: Account, params: Any, pk: str) -> Object:
    dispute = account.get("dispute", pk)
    close_dispute(account, dispute, "lost")
    return dispute
