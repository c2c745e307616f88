"""Invoices: drafted, finalized, collected, tried again."""

from __future__ import annotations

from typing import Any

from stripe_server.account import Account, Object, list_of, new_id
from stripe_server.errors import ApiError, CardDeclined
from stripe_server.periods import DAY
from stripe_server.resources import payments
from stripe_server.resources.catalog import update
from stripe_server.routing import included, page_of, route

HOUR = 3600
RETRY_DAYS = (1, 3, 5, 7)  # after each failed attempt; Smart Retries choose their own


def line_of(
    price: Object,
    quantity: int,
    period: tuple[int, int],
    *,
    amount: int | None = None,
    description: str = "",
    item: Object | None = None,
    is_proration: bool = False,
) -> Object:
    """A line for a price; `amount` where it is not the full price times the quantity."""
    full = (price["unit_amount"] or 0) * quantity if amount is None else amount
    parent = None
    if item:
        details = {"invoice_item": None, "proration": is_proration, "proration_details": None}
        details |= {"subscription": item["subscription"], "subscription_item": item["id"]}
        parent = {"type": "subscription_item_details", "subscription_item_details": details}
    return {
        "id": new_id("il"),
        "object": "line_item",
        "amount": full,
        "currency": price["currency"],
        "description": description,
        "discount_amounts": [],
        "discountable": not is_proration,
        "discounts": [],
        "invoice": None,
        "livemode": False,
        "metadata": {},
        "parent": parent,
        "period": {"start": period[0], "end": period[1]},
        "pretax_credit_amounts": [],
        "pricing": {
            "type": "price_details",
            "price_details": {"price": price["id"], "product": price["product"]},
            "unit_amount_decimal": price["unit_amount_decimal"],
        },
        "quantity": quantity,
        "subscription": None,
        "subtotal": full,
        "taxes": [],
    }


def invoice_fields(
    account: Account, customer: Object, lines: list[Object], subscription: Object | None, reason: str
) -> Object:
    """Everything of an invoice but its id; used for previews too."""
    moment = account.now(customer["id"])
    total = sum(line["amount"] for line in lines)
    off = _discounted(account, subscription, total)
    due = max(total - off, 0)
    parent = None
    if subscription:
        details = {"metadata": subscription["metadata"], "subscription": subscription["id"]}
        parent = {"type": "subscription_details", "subscription_details": details}
    return {
        "amount_due": due,
        "amount_overpaid": 0,
        "amount_paid": 0,
        "amount_remaining": due,
        "amount_shipping": 0,
        "attempt_count": 0,
        "attempted": False,
        "billing_reason": reason,
        "collection_method": subscription["collection_method"] if subscription else "charge_automatically",
        "currency": lines[0]["currency"] if lines else customer["currency"] or "usd",
        "customer": customer["id"],
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "customer_tax_exempt": "none",
        "issuer": {"type": "self"},
        "lines": list_of(lines, "/v1/invoices/lines"),
        "metadata": {},
        "parent": parent,
        "period_start": moment,
        "period_end": moment,
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "starting_balance": 0,
        "status": "draft",
        "subtotal": total,
        "subtotal_excluding_tax": total,
        "total": total - off,
        "total_discount_amounts": [],
        "total_excluding_tax": total - off,
        "total_pretax_credit_amounts": [],
        "total_taxes": [],
        "test_clock": customer["test_clock"],
    }


def _discounted(account: Account, subscription: Object | None, total: int) -> int:
    off = 0
    for identifier in subscription["discounts"] if subscription else []:
        coupon = account.get("coupon", account.get("discount", identifier)["source"]["coupon"])
        off += coupon["amount_off"] or round(total * (coupon["percent_off"] or 0) / 100)
    return min(off, max(total, 0))


def make_invoice(
    account: Account,
    customer: Object,
    lines: list[Object],
    *,
    subscription: Object | None = None,
    reason: str = "manual",
) -> Object:
    fields = invoice_fields(account, customer, lines, subscription, reason)
    invoice = account.create("invoice", **fields, auto_advance=True)
    for line in lines:
        line["invoice"] = invoice["id"]
    invoice["lines"]["url"] = f"/v1/invoices/{invoice['id']}/lines"
    account.emit("invoice.created", invoice)
    return invoice


def finalize(account: Account, invoice: Object) -> Object:
    if invoice["status"] != "draft":
        return invoice
    moment = account.now(invoice["customer"])
    customer = account.get("customer", invoice["customer"])
    number = f"{customer['invoice_prefix']}-{customer['next_invoice_sequence']:04d}"
    customer["next_invoice_sequence"] += 1
    transitions = invoice["status_transitions"] | {"finalized_at": moment}
    account.change(
        invoice,
        status="open",
        number=number,
        effective_at=moment,
        automatically_finalizes_at=None,
        hosted_invoice_url=f"{account.url}/i/{invoice['id']}",
        invoice_pdf=f"{account.url}/i/{invoice['id']}/pdf",
        status_transitions=transitions,
    )
    account.emit("invoice.finalized", invoice)
    if invoice["amount_due"] == 0:
        mark_paid(account, invoice)
        return invoice
    intent = payments.make_intent(
        account,
        invoice["amount_due"],
        invoice["currency"],
        customer=invoice["customer"],
        description=None,
        _invoice=invoice["id"],
    )
    account.create(
        "invoice_payment",
        amount_requested=invoice["amount_due"],
        amount_paid=None,
        currency=invoice["currency"],
        invoice=invoice["id"],
        is_default=True,
        payment={"type": "payment_intent", "payment_intent": intent["id"]},
        status="open",
    )
    return invoice


def payment_of(account: Account, invoice: Object) -> Object | None:
    return next(iter(account.all("invoice_payment", invoice=invoice["id"])), None)


def intent_of(account: Account, invoice: Object) -> Object | None:
    payment = payment_of(account, invoice)
    return account.get("payment_intent", payment["payment"]["payment_intent"]) if payment else None


def open_intent(account: Account, invoice: Object) -> Object:
    """An invoice that was finalized and asks for money has one."""
    intent = intent_of(account, invoice)
    if intent is None:
        raise ApiError("This invoice has no payment to make.", code="invoice_payment_intent_missing")
    return intent


def method_for(account: Account, invoice: Object) -> Object | None:
    customer = account.get("customer", invoice["customer"])
    subscription = subscription_of(account, invoice)
    chosen = (
        invoice["default_payment_method"]
        or (subscription and subscription["default_payment_method"])
        or customer["invoice_settings"]["default_payment_method"]
    )
    return account.objects.get("payment_method", {}).get(chosen or "")


def subscription_of(account: Account, invoice: Object) -> Object | None:
    details = (invoice["parent"] or {}).get("subscription_details")
    return account.objects.get("subscription", {}).get(details["subscription"]) if details else None


def collect(account: Account, invoice: Object, method: Object | None = None, *, authenticated: bool = False) -> bool:
    """Try to be paid. Whatever comes of it is told to the subscription. True when it is paid."""
    finalize(account, invoice)
    if invoice["status"] == "paid":
        return True
    intent = open_intent(account, invoice)
    payments.confirm(
        account, intent, method or method_for(account, invoice), off_session=True, authenticated=authenticated
    )
    account.change(invoice, attempted=True, attempt_count=invoice["attempt_count"] + 1)
    if intent["status"] == "succeeded":
        mark_paid(account, invoice)
        return True
    _note_failure(account, invoice, intent)
    return False


def mark_paid(account: Account, invoice: Object) -> None:
    moment = account.now(invoice["customer"])
    account.change(
        invoice,
        status="paid",
        amount_paid=invoice["amount_due"],
        amount_remaining=0,
        attempted=True,
        next_payment_attempt=None,
        status_transitions=invoice["status_transitions"] | {"paid_at": moment},
    )
    if payment := payment_of(account, invoice):
        transitions = {"canceled_at": None, "paid_at": moment}
        account.change(payment, status="paid", amount_paid=invoice["amount_due"], status_transitions=transitions)
    _tell_subscription(account, invoice, "paid")
    account.emit("invoice.paid", invoice)
    account.emit("invoice.payment_succeeded", invoice)


def _note_failure(account: Account, invoice: Object, intent: Object) -> None:
    tries = invoice["attempt_count"]
    is_renewal = invoice["billing_reason"] == "subscription_cycle"
    retry = RETRY_DAYS[tries - 1] * DAY if is_renewal and tries <= len(RETRY_DAYS) else None
    account.change(invoice, next_payment_attempt=account.now(invoice["customer"]) + retry if retry else None)
    _tell_subscription(account, invoice, "failed" if retry or not is_renewal else "given_up")
    account.emit("invoice.payment_failed", invoice)
    if intent["status"] == "requires_action":
        account.emit("invoice.payment_action_required", invoice)


def _tell_subscription(account: Account, invoice: Object, outcome: str) -> None:
    subscription = subscription_of(account, invoice)
    if subscription:
        account.tell("invoice", subscription, invoice, outcome)


def void(account: Account, invoice: Object) -> None:
    moment = account.now(invoice["customer"])
    transitions = invoice["status_transitions"] | {"voided_at": moment}
    account.change(
        invoice, status="void", next_payment_attempt=None, auto_advance=False, status_transitions=transitions
    )
    account.emit("invoice.voided", invoice)


# --- Routes -----------------------------------------------------------------------------------------------------------


@included("invoice", "payments")
def _payments(account: Account, invoice: Object) -> Object:
    return list_of(account.all("invoice_payment", invoice=invoice["id"]), "/v1/invoice_payments")


@included("invoice", "confirmation_secret")
def _secret(account: Account, invoice: Object) -> Object | None:
    intent = intent_of(account, invoice)
    return {"type": "payment_intent", "client_secret": intent["client_secret"]} if intent else None


@route("GET", "/v1/invoices", "InvoiceListParams")
def list_invoices(account: Account, params: Any) -> Object:
    rows = account.all("invoice", customer=params.get("customer"), status=params.get("status"))
    wanted = params.get("subscription")
    if wanted:
        rows = [row for row in rows if (subscription_of(account, row) or {}).get("id") == wanted]
    return page_of(rows, params, "/v1/invoices")


@route("POST", "/v1/invoices", "InvoiceCreateParams")
def create_invoice(account: Account, params: Any) -> Object:
    customer = account.get("customer", params["customer"], "customer")
    waiting = [each for each in account.all("invoiceitem", customer=customer["id"]) if each["invoice"] is None]
    if params.get("pending_invoice_items_behavior", "exclude") == "exclude":
        waiting = []
    lines = [_line_of_item(account, each) for each in waiting]
    invoice = make_invoice(account, customer, lines)
    invoice["auto_advance"] = params.get("auto_advance", False)
    plain = ("description", "metadata", "collection_method", "default_payment_method", "footer")
    invoice.update({key: params[key] for key in plain if key in params})
    if days := params.get("days_until_due"):
        invoice["due_date"] = account.now(customer["id"]) + days * DAY
    for each in waiting:
        account.change(each, invoice=invoice["id"])
    return invoice


def _line_of_item(account: Account, item: Object) -> Object:
    line = line_of(
        {
            "unit_amount": item["amount"],
            "currency": item["currency"],
            "id": "",
            "product": "",
            "unit_amount_decimal": None,
        },
        item["quantity"],
        (item["period"]["start"], item["period"]["end"]),
        amount=item["amount"],
        description=item["description"] or "",
    )
    details = {"invoice_item": item["id"], "proration": False, "proration_details": None, "subscription": None}
    price = (item["pricing"] or {}).get("price_details")
    pricing = {"type": "price_details", "price_details": price, "unit_amount_decimal": None} if price else None
    return line | {"pricing": pricing, "parent": {"type": "invoice_item_details", "invoice_item_details": details}}


@route("POST", "/v1/invoiceitems", "InvoiceItemCreateParams")
def create_item(account: Account, params: Any) -> Object:
    customer = account.get("customer", params["customer"], "customer")
    pricing, quantity = None, params.get("quantity", 1)
    amount, currency = params.get("amount"), params.get("currency", "usd").lower()
    if price_id := params.get("pricing", {}).get("price"):
        price = account.get("price", price_id, "pricing[price]")
        amount, currency = (price["unit_amount"] or 0) * quantity, price["currency"]
        details = {"price": price["id"], "product": price["product"]}
        pricing = {
            "type": "price_details",
            "price_details": details,
            "unit_amount_decimal": price["unit_amount_decimal"],
        }
    if amount is None:
        raise ApiError("Missing required param: amount.", code="parameter_missing", param="amount")
    moment = account.now(customer["id"])
    item = account.create(
        "invoiceitem",
        amount=amount,
        currency=currency,
        customer=customer["id"],
        date=moment,
        description=params.get("description"),
        discountable=True,
        invoice=params.get("invoice"),
        metadata=params.get("metadata", {}),
        period={"start": moment, "end": moment},
        pricing=pricing,
        proration=False,
        quantity=quantity,
        quantity_decimal=str(quantity),
        test_clock=customer["test_clock"],
    )
    account.emit("invoiceitem.created", item)
    if invoice_id := params.get("invoice"):
        invoice = account.get("invoice", invoice_id, "invoice")
        if invoice["status"] != "draft":
            raise ApiError("Only draft invoices can take items.", param="invoice")
        line = _line_of_item(account, item) | {"invoice": invoice_id}
        lines = [*invoice["lines"]["data"], line]
        fields = invoice_fields(account, customer, lines, subscription_of(account, invoice), invoice["billing_reason"])
        totals = (
            "amount_due",
            "amount_remaining",
            "subtotal",
            "subtotal_excluding_tax",
            "total",
            "total_excluding_tax",
        )
        account.change(invoice, **{key: fields[key] for key in (*totals, "lines", "currency")})
        account.emit("invoice.updated", invoice)
    return item


@route("DELETE", "/v1/invoiceitems/{pk}", "InvoiceItemDeleteParams")
def delete_item(account: Account, params: Any, pk: str) -> Object:
    gone = account.get("invoiceitem", pk)
    del account.objects["invoiceitem"][pk]
    account.emit("invoiceitem.deleted", gone)
    return {"id": pk, "object": "invoiceitem", "deleted": True}


@route("GET", "/v1/invoices/{pk}", "InvoiceRetrieveParams")
def retrieve_invoice(account: Account, params: Any, pk: str) -> Object:
    return account.get("invoice", pk)


@route("GET", "/v1/invoices/{pk}/lines", "InvoiceListLinesParams")
def list_lines(account: Account, params: Any, pk: str) -> Object:
    return page_of(account.get("invoice", pk)["lines"]["data"], params, f"/v1/invoices/{pk}/lines")


@route("POST", "/v1/invoices/{pk}", "InvoiceUpdateParams")
def update_invoice(account: Account, params: Any, pk: str) -> Object:
    return update(account, account.get("invoice", pk), params, "invoice.updated")


@route("DELETE", "/v1/invoices/{pk}", "InvoiceDeleteParams")
def delete_invoice(account: Account, params: Any, pk: str) -> Object:
    gone = account.get("invoice", pk)
    if gone["status"] != "draft":
        raise ApiError("You can only delete draft invoices.", code="invoice_not_editable")
    del account.objects["invoice"][pk]
    account.emit("invoice.deleted", gone)
    return {"id": pk, "object": "invoice", "deleted": True}


@route("POST", "/v1/invoices/{pk}/finalize", "InvoiceFinalizeInvoiceParams")
def finalize_invoice(account: Account, params: Any, pk: str) -> Object:
    invoice = account.get("invoice", pk)
    if invoice["status"] != "draft":
        raise ApiError("This invoice is already finalized.", code="invoice_no_longer_editable")
    return finalize(account, invoice)


@route("POST", "/v1/invoices/{pk}/pay", "InvoicePayParams")
def pay_invoice(account: Account, params: Any, pk: str) -> Object:
    invoice = account.get("invoice", pk)
    if invoice["status"] in ("paid", "void"):
        raise ApiError(f"Invoice is already {invoice['status']}", code="invoice_already_paid")
    if params.get("paid_out_of_band"):
        finalize(account, invoice)
        mark_paid(account, invoice)
        return invoice
    method = payments.find_method(account, params["payment_method"]) if params.get("payment_method") else None
    if not collect(account, invoice, method):
        raise payment_error(account, invoice)
    return invoice


def payment_error(account: Account, invoice: Object) -> CardDeclined:
    intent = open_intent(account, invoice)
    if intent["status"] == "requires_action":
        return CardDeclined(
            "This payment requires additional user action before it can be completed.",
            code="invoice_payment_intent_requires_action",
        )
    error = intent["last_payment_error"]
    return CardDeclined(error["message"], code=error["code"], decline_code=error.get("decline_code"))


@route("POST", "/v1/invoices/{pk}/send", "InvoiceSendInvoiceParams")
def send_invoice(account: Account, params: Any, pk: str) -> Object:
    invoice = account.get("invoice", pk)
    finalize(account, invoice)
    account.emit("invoice.sent", invoice)
    return invoice


@route("POST", "/v1/invoices/{pk}/void", "InvoiceVoidInvoiceParams")
def void_invoice(account: Account, params: Any, pk: str) -> Object:
    invoice = account.get("invoice", pk)
    if invoice["status"] not in ("open", "uncollectible"):
        raise ApiError("Only open invoices can be voided.")
    void(account, invoice)
    return invoice


@route("POST", "/v1/invoices/{pk}/mark_uncollectible", "InvoiceMarkUncollectibleParams")
def mark_uncollectible(account: Account, params: Any, pk: str) -> Object:
    invoice = account.get("invoice", pk)
    moment = account.now(invoice["customer"])
    transitions = invoice["status_transitions"] | {"marked_uncollectible_at": moment}
    account.change(invoice, status="uncollectible", next_payment_attempt=None, status_transitions=transitions)
    account.emit("invoice.marked_uncollectible", invoice)
    return invoice


@route("GET", "/v1/invoice_payments", "InvoicePaymentListParams")
def list_payments(account: Account, params: Any) -> Object:
    rows = account.all("invoice_payment", invoice=params.get("invoice"), status=params.get("status"))
    wanted = params.get("payment", {}).get("payment_intent")
    rows = [row for row in rows if wanted is None or row["payment"]["payment_intent"] == wanted]
    return page_of(rows, params, "/v1/invoice_payments")


@route("POST", "/v1/credit_notes", "CreditNoteCreateParams")
def create_credit_note(account: Account, params: Any) -> Object:
    invoice = account.get("invoice", params["invoice"], "invoice")
    amount = (
        params.get("amount") or sum(line.get("amount") or 0 for line in params.get("lines", [])) or invoice["total"]
    )
    was_open = invoice["status"] == "open"
    note = account.create(
        "credit_note",
        amount=amount,
        amount_shipping=0,
        currency=invoice["currency"],
        customer=invoice["customer"],
        discount_amount=0,
        invoice=invoice["id"],
        lines=list_of([], "/v1/credit_notes/lines"),
        memo=params.get("memo"),
        metadata=params.get("metadata", {}),
        number=f"{invoice['number']}-CN-01",
        pdf="",
        pre_payment_amount=amount if was_open else 0,
        post_payment_amount=0 if was_open else amount,
        reason=params.get("reason"),
        status="issued",
        subtotal=amount,
        total=amount,
        type="pre_payment" if was_open else "post_payment",
    )
    if was_open:
        left = invoice["amount_remaining"] - amount
        account.change(invoice, amount_remaining=left, amount_due=left, pre_payment_credit_notes_amount=amount)
        if left == 0:
            mark_paid(account, invoice)
    account.emit("credit_note.created", note)
    return note


@route("POST", "/v1/credit_notes/{pk}", "CreditNoteUpdateParams")
def update_credit_note(account: Account, params: Any, pk: str) -> Object:
    return update(account, account.get("credit_note", pk), params, "credit_note.updated")


@route("POST", "/v1/credit_notes/{pk}/void", "CreditNoteVoidCreditNoteParams")
def void_credit_note(account: Account, params: Any, pk: str) -> Object:
    note = account.get("credit_note", pk)
    account.change(note, status="void", voided_at=account.now(note["customer"]))
    account.emit("credit_note.voided", note)
    return note
