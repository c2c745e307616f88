from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.db import migrations

from generation.llm.prices import PRICES

PROVIDERS = [("anthropic", "Anthropic"), ("openai", "OpenAI"), ("offline", "Offline writer")]
DEFAULTS = {"claude-haiku-5-5", "gpt-6-luna"}


def seed(apps: Any, _schema_editor: Any) -> None:
    """Rows that staff have edited since stay as they are."""
    for slug, name in PROVIDERS:
        apps.get_model("generation", "Provider").objects.get_or_create(slug=slug, defaults={"name": name, "kind": slug})
    for spec in PRICES:
        apps.get_model("generation", "LlmModel").objects.get_or_create(
            provider_id=spec.provider,
            model_id=spec.model_id,
            defaults={
                "tier": spec.tier,
                "price": asdict(spec.price),
                "price_version": spec.price_version,
                "max_input_tokens": spec.max_input_tokens,
                "max_output_tokens": spec.max_output_tokens,
                "is_default": spec.model_id in DEFAULTS,
            },
        )


class Migration(migrations.Migration):
    dependencies = [("generation", "0001_initial")]
    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
