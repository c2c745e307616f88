"""Parameters of older API versions, for callers that name none, as an account on an older default takes them.

Stripe's own command-line client is such a caller. A caller that pins a version is held to that version's types.
"""

from __future__ import annotations

from typing import Any

from stripe_server.account import Object

# Calls whose `payment_method_types` is called `allowed_payment_method_types` today.
WITH_METHOD_TYPES = ("/v1/payment_intents", "/v1/setup_intents", "/v1/checkout/sessions")


def translate(method: str, path: str, form: Object) -> Object:
    if method != "POST":
        return form
    if path == "/v1/promotion_codes" and "coupon" in form:
        form["promotion"] = {"type": "coupon", "coupon": form.pop("coupon")}
    if path.startswith("/v1/subscription_schedules"):
        for phase in form.get("phases", []):
            _translate_phase(phase)
    if path in WITH_METHOD_TYPES and "payment_method_types" in form:
        form["allowed_payment_method_types"] = form.pop("payment_method_types")
    return form


def _translate_phase(phase: Any) -> None:
    """`iterations` counts periods of the price; the interval itself is looked up when the phase is made."""
    if "iterations" in phase:
        phase["duration"] = {"interval": "month", "interval_count": phase.pop("iterations")}
