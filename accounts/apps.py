from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig
from django.core.checks import Tags, register

from contentopt.database import wall


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        import_module("accounts.receivers")
        import_module("accounts.checks")
        register(wall.check, Tags.database)
