from __future__ import annotations

from typing import Any

from stripe_server.account import Account, Object, new_id
from stripe_server.routing import page_of, route


@route("POST", "/v1/billing_portal/configurations", "billing_portal.ConfigurationCreateParams")
def create_configuration(account: Account, params: Any) -> Object:
    moment = account.now()
    features = {
        "customer_update": {"allowed_updates": [], "enabled": False},
        "invoice_history": {"enabled": True},
        "payment_method_update": {"enabled": True, "payment_method_configuration": None},
        "subscription_cancel": {
            "cancellation_reason": {"enabled": False, "options": []},
            "enabled": False,
            "mode": "at_period_end",
            "proration_behavior": "none",
        },
        "subscription_pause": {"duration": {"interval_options": [], "type": "indefinite"}, "enabled": False},
        "subscription_update": {
            "billing_cycle_anchor": None,
            "default_allowed_updates": [],
            "enabled": False,
            "products": None,
            "proration_behavior": "none",
            "schedule_at_period_end": {"conditions": []},
            "trial_update_behavior": "end_trial",
        },
    }
    for name, given in params.get("features", {}).items():
        features[name] |= given
    business = {"headline": None, "privacy_policy_url": None, "terms_of_service_url": None}
    return account.create(
        "billing_portal.configuration",
        active=True,
        business_profile=business | (params.get("business_profile") or {}),
        default_return_url=params.get("default_return_url"),
        features=features,
        is_default=not account.objects.get("billing_portal.configuration"),
        login_page={"enabled": False, "url": None},
        metadata=params.get("metadata", {}),
        updated=moment,
    )


@route("GET", "/v1/billing_portal/configurations", "billing_portal.ConfigurationListParams")
def list_configurations(account: Account, params: Any) -> Object:
    rows = account.all("billing_portal.configuration", active=params.get("active"), is_default=params.get("is_default"))
    return page_of(rows, params, "/v1/billing_portal/configurations")


@route("POST", "/v1/billing_portal/sessions", "billing_portal.SessionCreateParams")
def create_session(account: Account, params: Any) -> Object:
    account.get("customer", params.get("customer"), "customer")
    configuration = params.get("configuration")
    if configuration is None:
        known = account.all("billing_portal.configuration", is_default=True)
        configuration = (known[0] if known else create_configuration(account, {}))["id"]
    account.get("billing_portal.configuration", configuration, "configuration")
    identifier = new_id("bps")
    session = account.create(
        "billing_portal.session",
        id=identifier,
        configuration=configuration,
        customer=params["customer"],
        return_url=params.get("return_url"),
        url=f"{account.url}/p/session/{identifier}",
    )
    account.emit("billing_portal.session.created", session)
    return session
