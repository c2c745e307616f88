from __future__ import annotations

from importlib import import_module
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register


class WebhooksConfig(AppConfig):
    name = "webhooks"

    def ready(self) -> None:
        import_module("webhooks.receivers")
        register(check_loopback, Tags.security, deploy=True)


def check_loopback(**_kwargs: Any) -> list[CheckMessage]:
    if not settings.WEBHOOK_ALLOW_LOOPBACK:
        return []
    hint = "Unset WEBHOOK_ALLOW_LOOPBACK: it is for tests and for trying webhooks on one's own machine."
    return [Error("Customers' webhooks may reach this machine itself.", hint=hint, id="webhooks.E001")]
