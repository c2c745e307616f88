"""The pages that Stripe would host: checkout, an invoice, the customer portal. Each says that it is a test."""

from __future__ import annotations

import time
from collections.abc import Callable
from html import escape
from typing import Any
from urllib.parse import quote

from stripe_server.account import Account, Object
from stripe_server.cards import CARDS
from stripe_server.errors import ApiError, NotFound
from stripe_server.resources import checkout, invoices, payments, subscriptions

Page = tuple[int, str, str]  # status, HTML, where to go instead

FRAME = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><style>
:root {{ color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }}
body {{ margin: 0 }} main {{ max-width: 30rem; margin: 0 auto; padding: 1rem }}
.test {{ background: #fde68a; color: #422006; padding: .5rem 1rem; text-align: center }}
table {{ width: 100%; border-collapse: collapse }} td {{ padding: .4rem 0; border-bottom: 1px solid #8884 }}
td:last-child {{ text-align: right }} label {{ display: block; margin: 1rem 0 .25rem }}
input, select {{ width: 100%; box-sizing: border-box; padding: .6rem; font: inherit }}
button {{ margin-top: 1rem; padding: .6rem 1rem; font: inherit; cursor: pointer }} form.inline {{ display: inline }}
.error {{ background: #b91c1c; color: #fff; padding: .6rem 1rem; border-radius: .25rem }}
small {{ display: block; opacity: .8 }} td small {{ display: inline }}
</style></head><body>
<div class="test" role="note"><strong>Test payments.</strong> This page stands in for Stripe's. No money moves.</div>
<main><h1>{title}</h1>{body}</main></body></html>"""

SHOWN_CARDS = (
    ("4242424242424242", "pays"),
    ("4000002760003184", "asks its owner each time"),
    ("4000002500003155", "asks its owner once, when it is saved"),
    ("4000000000000002", "is declined"),
    ("4000000000000341", "can be saved, then every charge is declined"),
    ("4000000000000259", "pays, and the payment is disputed"),
)


def answer(account: Account, method: str, path: str, form: Object) -> Page:
    with account.lock:
        for prefix, page in PAGES.items():
            if path.startswith(prefix):
                return page(account, method, path.removeprefix(prefix), form)
    return 404, FRAME.format(title="No such page", body=""), ""


def money(cents: int, currency: str) -> str:
    sign = "-" if cents < 0 else ""
    return f"{sign}{'$' if currency == 'usd' else currency.upper() + ' '}{abs(cents) / 100:,.2f}"


def show(title: str, *parts: str) -> Page:
    return 200, FRAME.format(title=escape(title), body="".join(parts)), ""


def go(url: str) -> Page:
    return 303, "", url


def _error(words: str) -> str:
    return f'<p class="error" role="alert">{escape(words)}</p>' if words else ""


def _card_field() -> str:
    options = "".join(f"<option value='{number}'>{words}</option>" for number, words in SHOWN_CARDS)
    return (
        "<label for='card'>Card number</label>"
        "<input id='card' name='card' value='4242 4242 4242 4242' inputmode='numeric' autocomplete='off' list='cards'>"
        f"<datalist id='cards'>{options}</datalist>"
        "<small>Test cards: 4242… pays, 4000 0027 6000 3184 asks its owner, 4000 0000 0000 0002 is declined.</small>"
    )


def _method_from(account: Account, form: Object) -> Object:
    number = "".join(form.get("card", "").split())
    if number not in CARDS:
        raise ApiError("This is no test card.", code="incorrect_number", status=402)
    return payments.make_method(account, CARDS[number])


def _authentication(action: str, card: str) -> Page:
    return show(
        "Is it you?",
        "<p>The bank of this card asks its owner to confirm the payment.</p>",
        f"<form method='post' action='{escape(action)}'><input type='hidden' name='card' value='{escape(card)}'>",
        "<button name='authenticated' value='yes'>Complete</button> ",
        "<button name='authenticated' value='no'>Fail</button></form>",
    )


# --- Checkout ---------------------------------------------------------------------------------------------------------


def _checkout(account: Account, method: str, identifier: str, form: Object, error: str = "") -> Page:
    session = account.get("checkout.session", identifier)
    if session["status"] != "open":
        return show(
            "This checkout is over", f"<p>It is {escape(session['status'])}. Go back to the shop to begin again.</p>"
        )
    if method == "POST":
        return _pay(account, session, form)
    lines = "".join(
        f"<tr><td>{escape(line['description'])}{_rhythm(line)}</td>"
        f"<td>{money(line['amount_total'], line['currency'])}</td></tr>"
        for line in session["_lines"]
    )
    trial = session["_params"].get("subscription_data", {}).get("trial_period_days")
    due = money(session["amount_total"], session["currency"])
    note = f"<p>{trial} days free. You pay nothing today, and can cancel before that is over.</p>" if trial else ""
    back = f"<p><a href='{escape(session['cancel_url'])}'>Back</a></p>" if session["cancel_url"] else ""
    return show(
        "Checkout",
        _error(error),
        f"<table>{lines}<tr><td><strong>Due today</strong></td><td><strong>{due}</strong></td></tr></table>{note}",
        f"<form method='post'>{_card_field()}<button>{'Start trial' if trial else f'Pay {due}'}</button></form>{back}",
    )


def _rhythm(line: Object) -> str:
    recurring = line["price"]["recurring"]
    return f" <small>each {recurring['interval']}</small>" if recurring else ""


def _pay(account: Account, session: Object, form: Object) -> Page:
    answered = form.get("authenticated", "")
    if answered == "no":
        return _checkout(account, "GET", session["id"], {}, "We are unable to authenticate your payment method.")
    try:
        checkout.pay(account, session, _method_from(account, form), authenticated=answered == "yes")
    except ApiError as error:
        if error.body.get("code") == "authentication_required":
            return _authentication(f"/c/pay/{session['id']}", form["card"])
        return _checkout(account, "GET", session["id"], {}, error.body["message"])
    return go(session["success_url"].replace("{CHECKOUT_SESSION_ID}", session["id"]))


# --- An invoice -------------------------------------------------------------------------------------------------------


def _invoice(account: Account, method: str, identifier: str, form: Object, error: str = "") -> Page:
    invoice = account.get("invoice", identifier.partition("/")[0])
    if method == "POST" and invoice["status"] == "open":
        return _pay_invoice(account, invoice, form)
    lines = "".join(
        f"<tr><td>{escape(line['description'] or '')}</td><td>{money(line['amount'], line['currency'])}</td></tr>"
        for line in invoice["lines"]["data"]
    )
    pay = f"<form method='post'>{_card_field()}<button>Pay</button></form>" if invoice["status"] == "open" else ""
    return show(
        f"Invoice {invoice['number'] or ''}",
        _error(error),
        f"<p>{escape(invoice['status'])}</p><table>{lines}<tr><td><strong>Total</strong></td>",
        f"<td><strong>{money(invoice['total'], invoice['currency'])}</strong></td></tr></table>{pay}",
    )


def _pay_invoice(account: Account, invoice: Object, form: Object) -> Page:
    try:
        card = _method_from(account, form)
    except ApiError as error:
        return _invoice(account, "GET", invoice["id"], {}, error.body["message"])
    if payments.card_of(card).authenticates != "never" and "authenticated" not in form:
        return _authentication(f"/i/{invoice['id']}", form["card"])
    card["customer"] = invoice["customer"]
    if not invoices.collect(account, invoice, card, authenticated=form.get("authenticated") == "yes"):
        return _invoice(account, "GET", invoice["id"], {}, "This payment did not go through.")
    return _invoice(account, "GET", invoice["id"], {})


# --- The customer portal ----------------------------------------------------------------------------------------------


def _portal(account: Account, method: str, identifier: str, form: Object) -> Page:
    session = account.get("billing_portal.session", identifier)
    customer = account.get("customer", session["customer"])
    error = ""
    if method == "POST":
        try:
            _portal_action(account, customer, form)
        except ApiError as refusal:
            error = refusal.body["message"]
        else:
            return go(f"/p/session/{identifier}")
    live = [
        each
        for each in account.all("subscription", customer=customer["id"])
        if each["status"] not in subscriptions.ENDED
    ]
    papers = account.all("invoice", customer=customer["id"])
    rows = "".join(
        f"<tr><td><a href='/i/{each['id']}'>{escape(each['number'] or 'draft')}</a> {escape(each['status'])}</td>"
        f"<td>{money(each['total'], each['currency'])}</td></tr>"
        for each in papers
    )
    back = f"<p><a href='{escape(session['return_url'])}'>Return</a></p>" if session["return_url"] else ""
    return show(
        "Your subscription",
        _error(error),
        "".join(_portal_subscription(each) for each in live) or "<p>No subscription.</p>",
        f"<h2>Card</h2><form method='post'>{_card_field()}<button name='do' value='card'>Use this card</button></form>",
        f"<h2>Invoices</h2><table>{rows}</table>{back}",
    )


def _portal_subscription(subscription: Object) -> str:
    item = subscriptions.items_of(subscription)[0]
    until = time.strftime("%-d %B %Y", time.gmtime(item["current_period_end"]))
    is_ending = subscription["cancel_at_period_end"]
    words = f"Ends on {until}." if is_ending else f"Renews on {until}."
    name = escape(subscriptions.name_of(item))
    action = ("resume", "Keep it") if is_ending else ("cancel", "Cancel at the end of the period")
    return (
        f"<p>{name}: {escape(subscription['status'])}. {words}</p>"
        f"<form method='post'><input type='hidden' name='subscription' value='{subscription['id']}'>"
        f"<button name='do' value='{action[0]}'>{action[1]}</button></form>"
    )


def _portal_action(account: Account, customer: Object, form: Object) -> None:
    if form["do"] == "card":
        method = _method_from(account, form)
        payments.check_saveable(account, method)
        account.change(method, customer=customer["id"], _is_set_up=True)
        account.emit("payment_method.attached", method)
        settings = customer["invoice_settings"] | {"default_payment_method": method["id"]}
        account.change(customer, "customer.updated", invoice_settings=settings)
        for subscription in account.all("subscription", customer=customer["id"]):
            if subscription["status"] not in subscriptions.ENDED:
                account.change(subscription, "customer.subscription.updated", default_payment_method=method["id"])
        return
    subscription = account.get("subscription", form["subscription"])
    if subscription["customer"] != customer["id"]:
        raise NotFound("subscription", form["subscription"])
    params: dict[str, Any] = {"cancel_at_period_end": form["do"] == "cancel"}
    subscriptions.update_subscription(account, params, subscription["id"])


def _authenticate(account: Account, method: str, identifier: str, form: Object) -> Page:
    intent = account.get("payment_intent", identifier)
    invoice = intent.get("_invoice")
    return go(f"/i/{quote(invoice)}") if invoice else show("Nothing to confirm")


PAGES: dict[str, Callable[..., Page]] = {
    "/c/pay/": _checkout,
    "/i/": _invoice,
    "/p/session/": _portal,
    "/authenticate/": _authenticate,
}
