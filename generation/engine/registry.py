"""Models as staff keep them, each with its price in force and the way to its provider."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from accounts.notices import tell_staff
from generation.llm.providers import retires_on
from generation.llm.types import Access, Endpoint, ModelSpec
from generation.models import LlmModel, ModelPrice, Provider

log = structlog.get_logger()

ALARM_AHEAD = timedelta(days=60)
NOTE_RETIREMENTS = "generation.tasks.note_retirements"


def endpoint_for(access: Access) -> Endpoint:
    vendors = {
        "ANTHROPIC_API_KEY": Endpoint(settings.ANTHROPIC_BASE_URL, settings.ANTHROPIC_API_KEY),
        "OPENAI_API_KEY": Endpoint(settings.OPENAI_BASE_URL, settings.OPENAI_API_KEY),
    }
    if vendor := vendors.get(access.key_name):
        return vendor
    return Endpoint(access.base_url, settings.MODEL_KEYS.get(access.key_name, ""), needs_key=bool(access.key_name))


def can_be_asked(access: Access) -> bool:
    """There is an address, and a key if one is needed."""
    endpoint = endpoint_for(access)
    return bool(endpoint.api_key or not endpoint.needs_key)


def is_any_provider_meant() -> bool:
    """A key in the environment says so, whatever the switches say; of a server without a key, its switch."""
    providers = Provider.objects.exclude(kind=Provider.Kind.OFFLINE)
    return any(can_be_asked(row.access) and (row.key_name or row.is_enabled) for row in providers)


def spec_of(row: ModelPrice) -> ModelSpec:
    model, provider = row.model, row.model.provider
    return ModelSpec(
        provider=provider.slug,
        kind=provider.kind,  # type: ignore[arg-type]
        model_id=model.model_id,
        tier=model.tier,  # type: ignore[arg-type]
        price=row.price,
        price_version=row.version,
        max_input_tokens=model.max_input_tokens,
        max_output_tokens=model.max_output_tokens,
        access=provider.access,
        quirks=provider.quirks,
        capabilities=model.capabilities,
        concurrency=provider.concurrency,
    )


def specs_that_can_be_asked(**which: Any) -> tuple[ModelSpec, ...]:
    """Of models that are switched on, in the providers' order; `which` are conditions on ModelPrice. What nobody knows
    the price of is not asked, for its cost could not be held.
    """
    rows = (
        ModelPrice.objects.in_force()
        .filter(model__is_enabled=True, model__provider__is_enabled=True, **which)
        .select_related("model__provider")
        .order_by("model__provider__position", "model__provider", "model__tier", "model__model_id")
    )
    return tuple(spec_of(row) for row in rows if can_be_asked(row.model.provider.access))


def note_retirements() -> list[LlmModel]:
    """Write down what a vendor's SDK knows of its models' ends; one mail to staff for each in use that ends soon."""
    for model in LlmModel.objects.select_related("provider"):
        day = retires_on(model.provider.kind, model.model_id)  # type: ignore[arg-type]
        if day and day != model.retires_on:
            model.retires_on = day
            model.save(update_fields=["retires_on"])
    soon = timezone.now().date() + ALARM_AHEAD
    in_use = Q(is_enabled=True, is_default=True, provider__is_enabled=True)
    ending = list(LlmModel.objects.filter(in_use, retires_on__lte=soon).select_related("provider"))
    for model in ending:
        log.error("model_retires", provider=model.provider_id, model=model.model_id, on=str(model.retires_on))
        tell_staff(
            topic=f"retires/{model.pk}/{model.retires_on}",
            subject=f"{model.model_id} retires on {model.retires_on:%-d %B %Y}",
            text="The vendor takes it away then. Until then it serves; choose another default for its tier before.",
            path=reverse("admin:generation_llmmodel_change", args=[model.pk]),
        )
    return ending
