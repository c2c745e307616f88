from __future__ import annotations

from typing import Any

from stripe_server.account import Account, Object, list_of, new_id
from stripe_server.errors import ApiError, NotFound
from stripe_server.resources import payments
from stripe_server.resources.catalog import update
from stripe_server.routing import included, page_of, route


def take_method(params: Any) -> Any:
    """Take out what is no plain field of a customer: a source, a payment method."""
    source = params.pop("source", None)
    if isinstance(source, str):
        params["payment_method"] = source
    return params.pop("payment_method", None)


@route("POST", "/v1/customers", "CustomerCreateParams")
def create_customer(account: Account, params: Any) -> Object:
    method = take_method(params)
    if clock := params.get("test_clock"):
        account.get("test_helpers.test_clock", clock, "test_clock")
    params.pop("tax_id_data", None)
    if method:
        payments.check_saveable(account, payments.find_method(account, method))
    settings: Object = dict.fromkeys(("custom_fields", "default_payment_method", "footer", "rendering_options"))
    settings |= params.pop("invoice_settings", {})
    fields = {"metadata": {}, "balance": 0, "currency": None, "delinquent": False, "tax_exempt": "none"} | params
    customer = account.create(
        "customer",
        **fields,
        invoice_settings=settings,
        invoice_prefix=new_id("")[:8].upper(),
        next_invoice_sequence=1,
    )
    if clock:
        customer["created"] = account.now(customer["id"])
    account.emit("customer.created", customer)
    if method:
        _use(account, customer, method)
    if settings["default_payment_method"] and not method:
        account.get("payment_method", settings["default_payment_method"])
    return customer


def _use(account: Account, customer: Object, method: str) -> None:
    attached = payments.attach(account, method, customer["id"])
    account.change(customer, default_source=customer.get("default_source"))
    set_default_method(account, customer, attached["id"])


def set_default_method(account: Account, customer: Object, method_id: str) -> None:
    settings = customer["invoice_settings"] | {"default_payment_method": method_id}
    account.change(customer, "customer.updated", invoice_settings=settings)


def find_customer(account: Account, identifier: Any, param: str = "customer") -> Object:
    return account.get("customer", identifier, param)


@route("GET", "/v1/customers", "CustomerListParams")
def list_customers(account: Account, params: Any) -> Object:
    rows = account.all("customer", email=params.get("email"), test_clock=params.get("test_clock"))
    return page_of(rows, params, "/v1/customers")


@route("GET", "/v1/customers/{pk}", "CustomerRetrieveParams")
def retrieve_customer(account: Account, params: Any, pk: str) -> Object:
    if pk in account.objects.get("deleted_customer", {}):
        return {"id": pk, "object": "customer", "deleted": True}
    return find_customer(account, pk, "id")


@route("POST", "/v1/customers/{pk}", "CustomerUpdateParams")
def update_customer(account: Account, params: Any, pk: str) -> Object:
    customer = find_customer(account, pk, "id")
    method = take_method(params)
    if "invoice_settings" in params:
        params["invoice_settings"] = customer["invoice_settings"] | params["invoice_settings"]
    if default := params.get("invoice_settings", {}).get("default_payment_method"):
        owner = account.get("payment_method", default, "invoice_settings[default_payment_method]")["customer"]
        if owner != pk:
            raise ApiError(
                f"The customer does not have a payment method with the ID {default}.", param="invoice_settings"
            )
    update(account, customer, params, "customer.updated")
    if method:
        _use(account, customer, method)
    return customer


@route("DELETE", "/v1/customers/{pk}", "CustomerDeleteParams")
def delete_customer(account: Account, params: Any, pk: str) -> Object:
    customer = find_customer(account, pk, "id")
    for subscription in account.all("subscription", customer=pk):
        if subscription["status"] not in ("canceled", "incomplete_expired"):
            moment = account.now(pk)
            account.change(subscription, status="canceled", canceled_at=moment, ended_at=moment)
            account.emit("customer.subscription.deleted", subscription)
    account.emit("customer.deleted", customer)
    del account.objects["customer"][pk]
    account.objects.setdefault("deleted_customer", {})[pk] = {"id": pk, "object": "customer"}
    return {"id": pk, "object": "customer", "deleted": True}


@route("GET", "/v1/customers/{pk}/payment_methods", "CustomerPaymentMethodListParams")
def list_methods(account: Account, params: Any, pk: str) -> Object:
    find_customer(account, pk, "id")
    return page_of(account.all("payment_method", customer=pk), params, f"/v1/customers/{pk}/payment_methods")


@included("customer", "subscriptions")
def _subscriptions(account: Account, customer: Object) -> Object:
    rows = [each for each in account.all("subscription", customer=customer["id"]) if each["status"] != "canceled"]
    return list_of(rows, f"/v1/customers/{customer['id']}/subscriptions")


@route("DELETE", "/v1/customers/{pk}/discount", "CustomerDeleteDiscountParams")
def delete_discount(account: Account, params: Any, pk: str) -> Object:
    customer = find_customer(account, pk, "id")
    if not customer["discount"]:
        raise NotFound("discount", pk)
    gone = customer["discount"]
    account.change(customer, "customer.updated", discount=None)
    account.emit("customer.discount.deleted", gone)
    return {"object": "discount", "id": gone["id"], "deleted": True}
