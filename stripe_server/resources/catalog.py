from __future__ import annotations

from typing import Any

from stripe_server.account import Account, Object, new_id
from stripe_server.errors import ApiError
from stripe_server.routing import merge_metadata, page_of, route


@route("POST", "/v1/products", "ProductCreateParams")
def create_product(account: Account, params: Any) -> Object:
    price = params.pop("default_price_data", None)
    moment = account.now()
    fields = {"active": True, "type": "service", "updated": moment, "metadata": {}} | params
    product = account.create("product", **fields)
    account.emit("product.created", product)
    if price:
        product["default_price"] = create_price(account, {**price, "product": product["id"]})["id"]
    return product


@route("GET", "/v1/products", "ProductListParams")
def list_products(account: Account, params: Any) -> Object:
    return page_of(account.all("product", active=params.get("active")), params, "/v1/products")


@route("GET", "/v1/products/{pk}", "ProductRetrieveParams")
def retrieve_product(account: Account, params: Any, pk: str) -> Object:
    return account.get("product", pk)


@route("POST", "/v1/products/{pk}", "ProductUpdateParams")
def update_product(account: Account, params: Any, pk: str) -> Object:
    return update(account, account.get("product", pk), params, "product.updated")


@route("DELETE", "/v1/products/{pk}", "ProductDeleteParams")
def delete_product(account: Account, params: Any, pk: str) -> Object:
    if account.all("price", product=pk):
        raise ApiError("This product cannot be deleted because it has one or more user-created prices.")
    return delete(account, "product", pk, "product.deleted")


@route("POST", "/v1/prices", "PriceCreateParams")
def create_price(account: Account, params: Any) -> Object:
    product = params.pop("product", None)
    if inline := params.pop("product_data", None):
        product = create_product(account, inline)["id"]
    if product is None:
        raise ApiError("Missing required param: product.", code="parameter_missing", param="product")
    name = account.get("product", product, "product")["name"]
    recurring = params.pop("recurring", None)
    lookup_key, transfer = params.get("lookup_key"), params.pop("transfer_lookup_key", False)
    for other in account.all("price", lookup_key=lookup_key) if lookup_key else []:
        if not transfer:
            raise ApiError(f"A price (`{other['id']}`) already uses that lookup key.", param="lookup_key")
        account.change(other, "price.updated", lookup_key=None)
    if "unit_amount" in params:
        params["unit_amount_decimal"] = str(params["unit_amount"])
    price = account.create(
        "price",
        **({"active": True, "billing_scheme": "per_unit", "metadata": {}} | params),
        product=product,
        type="recurring" if recurring else "one_time",
        recurring=_recurring(recurring) if recurring else None,
        tax_behavior=params.get("tax_behavior", "unspecified"),
        _product_name=name,  # for the words of invoices
    )
    account.emit("price.created", price)
    return price


def _recurring(given: Any) -> Object:
    usual = {"interval_count": 1, "usage_type": "licensed", "meter": None, "trial_period_days": None}
    return {**usual, **given}


@route("GET", "/v1/prices", "PriceListParams")
def list_prices(account: Account, params: Any) -> Object:
    rows = account.all("price", active=params.get("active"), product=params.get("product"), type=params.get("type"))
    keys = params.get("lookup_keys")
    return page_of([row for row in rows if keys is None or row["lookup_key"] in keys], params, "/v1/prices")


@route("GET", "/v1/prices/{pk}", "PriceRetrieveParams")
def retrieve_price(account: Account, params: Any, pk: str) -> Object:
    return account.get("price", pk)


@route("POST", "/v1/prices/{pk}", "PriceUpdateParams")
def update_price(account: Account, params: Any, pk: str) -> Object:
    return update(account, account.get("price", pk), params, "price.updated")


@route("POST", "/v1/coupons", "CouponCreateParams")
def create_coupon(account: Account, params: Any) -> Object:
    if "percent_off" not in params and "amount_off" not in params:
        raise ApiError("Must provide percent_off or amount_off.", code="parameter_missing")
    fields = {"duration": "once", "times_redeemed": 0, "valid": True, "metadata": {}} | params
    coupon = account.create("coupon", **fields)
    account.emit("coupon.created", coupon)
    return coupon


@route("GET", "/v1/coupons", "CouponListParams")
def list_coupons(account: Account, params: Any) -> Object:
    return page_of(account.all("coupon"), params, "/v1/coupons")


@route("GET", "/v1/coupons/{pk}", "CouponRetrieveParams")
def retrieve_coupon(account: Account, params: Any, pk: str) -> Object:
    return account.get("coupon", pk)


@route("POST", "/v1/coupons/{pk}", "CouponUpdateParams")
def update_coupon(account: Account, params: Any, pk: str) -> Object:
    return update(account, account.get("coupon", pk), params, "coupon.updated")


@route("DELETE", "/v1/coupons/{pk}", "CouponDeleteParams")
def delete_coupon(account: Account, params: Any, pk: str) -> Object:
    return delete(account, "coupon", pk, "coupon.deleted")


@route("POST", "/v1/promotion_codes", "PromotionCodeCreateParams")
def create_promotion_code(account: Account, params: Any) -> Object:
    account.get("coupon", params["promotion"].get("coupon"), "promotion[coupon]")
    restrictions = {"first_time_transaction": False, "minimum_amount": None, "minimum_amount_currency": None}
    fields = {"active": True, "code": new_id("")[:8].upper(), "times_redeemed": 0, "metadata": {}} | params
    fields["restrictions"] = restrictions | params.get("restrictions", {})
    code = account.create("promotion_code", **fields)
    account.emit("promotion_code.created", code)
    return code


@route("GET", "/v1/promotion_codes/{pk}", "PromotionCodeRetrieveParams")
def retrieve_promotion_code(account: Account, params: Any, pk: str) -> Object:
    return account.get("promotion_code", pk)


@route("POST", "/v1/promotion_codes/{pk}", "PromotionCodeUpdateParams")
def update_promotion_code(account: Account, params: Any, pk: str) -> Object:
    return update(account, account.get("promotion_code", pk), params, "promotion_code.updated")


def update(account: Account, obj: Object, params: Any, event: str) -> Object:
    """Set plain fields; an empty string empties one."""
    fields = {key: None if value == "" else value for key, value in params.items()}
    if "metadata" in fields:
        fields["metadata"] = merge_metadata(obj["metadata"], params["metadata"])
    account.change(obj, event, **fields)
    return obj


def delete(account: Account, kind: str, pk: str, event: str) -> Object:
    gone = account.get(kind, pk)
    del account.objects[kind][pk]
    account.emit(event, gone)
    return {"id": pk, "object": kind, "deleted": True}


def legacy_plan(price: Object) -> Object:
    """A recurring price in the older form that subscription items still carry."""
    recurring = price["recurring"]
    return {
        "id": price["id"],
        "object": "plan",
        "active": price["active"],
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "billing_scheme": price["billing_scheme"],
        "created": price["created"],
        "currency": price["currency"],
        "interval": recurring["interval"],
        "interval_count": recurring["interval_count"],
        "livemode": False,
        "metadata": price["metadata"],
        "meter": recurring["meter"],
        "nickname": price["nickname"],
        "product": price["product"],
        "usage_type": recurring["usage_type"],
    }
