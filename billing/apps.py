from __future__ import annotations

from importlib import import_module
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register


class BillingConfig(AppConfig):
    name = "billing"

    def ready(self) -> None:
        import_module("billing.receivers")
        register(check_keys)


def check_keys(**_kwargs: Any) -> list[CheckMessage]:
    """Settings that are right each, and wrong together."""
    found: list[CheckMessage] = []
    is_live = settings.STRIPE_API_KEY.startswith(("sk_live_", "rk_live_"))
    if is_live and settings.DEBUG:
        hint = "Use a key that begins with sk_test_ or rk_test_."
        found.append(Error("A live key of Stripe's is set while DEBUG is on.", hint=hint, id="billing.E001"))
    if is_live and settings.STRIPE_API_BASE:
        hint = "Unset STRIPE_API_BASE: it is for the stand-in."
        found.append(Error("A live key of Stripe's would be sent to another server.", hint=hint, id="billing.E002"))
    if settings.STRIPE_API_KEY and not settings.STRIPE_WEBHOOK_SECRETS:
        hint = "Set STRIPE_WEBHOOK_SECRET to the endpoint's secret; until then only the hourly reading sees changes."
        found.append(Warning("Stripe's events cannot be checked, so none is taken.", hint=hint, id="billing.W001"))
    return found
