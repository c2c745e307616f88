from __future__ import annotations

from typing import Any

from stripe_server.account import API_VERSION, Account, Object, new_id
from stripe_server.resources.catalog import update
from stripe_server.routing import page_of, route


def make_endpoint(account: Account, url: str, secret: str, **fields: Any) -> Object:
    known = {"enabled_events": ["*"], "metadata": {}, "api_version": API_VERSION} | fields
    return account.create("webhook_endpoint", url=url, status="enabled", _secret=secret, **known)


@route("POST", "/v1/webhook_endpoints", "WebhookEndpointCreateParams")
def create_endpoint(account: Account, params: Any) -> Object:
    secret = f"whsec_{new_id('')}{new_id('')}{new_id('')}"
    plain = ("enabled_events", "metadata", "api_version", "description")
    endpoint = make_endpoint(account, params["url"], secret, **{key: params[key] for key in plain if key in params})
    return endpoint | {"secret": secret}  # shown this once


@route("GET", "/v1/webhook_endpoints", "WebhookEndpointListParams")
def list_endpoints(account: Account, params: Any) -> Object:
    return page_of(account.all("webhook_endpoint"), params, "/v1/webhook_endpoints")


@route("GET", "/v1/webhook_endpoints/{pk}", "WebhookEndpointRetrieveParams")
def retrieve_endpoint(account: Account, params: Any, pk: str) -> Object:
    return account.get("webhook_endpoint", pk)


@route("POST", "/v1/webhook_endpoints/{pk}", "WebhookEndpointUpdateParams")
def update_endpoint(account: Account, params: Any, pk: str) -> Object:
    endpoint = account.get("webhook_endpoint", pk)
    if (disabled := params.pop("disabled", None)) is not None:
        endpoint["status"] = "disabled" if disabled else "enabled"
    return update(account, endpoint, params, "")


@route("DELETE", "/v1/webhook_endpoints/{pk}", "WebhookEndpointDeleteParams")
def delete_endpoint(account: Account, params: Any, pk: str) -> Object:
    account.get("webhook_endpoint", pk)
    del account.objects["webhook_endpoint"][pk]
    return {"id": pk, "object": "webhook_endpoint", "deleted": True}
