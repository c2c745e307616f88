from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig


class GenerationConfig(AppConfig):
    name = "generation"

    def ready(self) -> None:
        import_module("generation.receivers")
