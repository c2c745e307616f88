"""Which models may serve, in order, given what staff switched on and which keys the environment holds."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from generation.llm.types import Endpoint, ModelSpec, Price
from generation.models import LlmModel, Provider

OFFLINE = ModelSpec(
    provider="offline",
    kind="offline",
    model_id="offline-1",
    tier="economy",
    price=None,
    price_version="",
    max_input_tokens=1_000_000,
    max_output_tokens=100_000,
)


@dataclass(frozen=True, slots=True)
class Route:
    """Ordered models; empty when staff have switched everything off."""

    specs: tuple[ModelSpec, ...]

    @property
    def model_ids(self) -> tuple[str, ...]:
        return tuple(spec.model_id for spec in self.specs)

    @property
    def is_offline(self) -> bool:
        return self.specs == (OFFLINE,)


def endpoint_for(kind: str) -> Endpoint:
    if kind == "anthropic":
        return Endpoint(settings.ANTHROPIC_BASE_URL, settings.ANTHROPIC_API_KEY)
    if kind == "openai":
        return Endpoint(settings.OPENAI_BASE_URL, settings.OPENAI_API_KEY)
    return Endpoint("", "")


def _spec(row: LlmModel) -> ModelSpec:
    return ModelSpec(
        provider=row.provider.slug,
        kind=row.provider.kind,  # type: ignore[arg-type]
        model_id=row.model_id,
        tier=row.tier,  # type: ignore[arg-type]
        price=Price(**row.price),
        price_version=row.price_version,
        max_input_tokens=row.max_input_tokens,
        max_output_tokens=row.max_output_tokens,
    )


def choose_route() -> Route:
    """Economy models of every provider with a key, in the providers' order; the offline writer when there is no key."""
    rows = LlmModel.objects.filter(
        tier=LlmModel.Tier.ECONOMY, is_default=True, is_enabled=True, provider__is_enabled=True
    ).select_related("provider")
    has_key = bool(settings.ANTHROPIC_API_KEY or settings.OPENAI_API_KEY)
    if has_key:
        return Route(tuple(_spec(row) for row in rows if endpoint_for(row.provider.kind).api_key))
    is_on = Provider.objects.filter(kind=Provider.Kind.OFFLINE, is_enabled=True).exists()
    return Route((OFFLINE,) if is_on else ())
