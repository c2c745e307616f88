from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from generation.facts import Brief

Kind = Literal["anthropic", "openai", "offline"]
Tier = Literal["economy", "standard", "premium"]


@dataclass(frozen=True, slots=True)
class Price:
    """Nano-dollars per million tokens. The `long_…` rates hold for a whole request whose input exceeds
    `long_context_from` tokens; 0 there means the price has no such step.
    """

    input: int
    output: int
    cached_read: int
    cache_write_short: int
    cache_write_long: int
    batch_input: int
    batch_output: int
    long_context_from: int = 0
    long_input: int = 0
    long_output: int = 0
    long_cached_read: int = 0
    long_cache_write_short: int = 0
    long_cache_write_long: int = 0


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """One priced model. `kind` is the API it speaks, `provider` the vendor; without a price it costs nothing."""

    provider: str
    kind: Kind
    model_id: str
    tier: Tier
    price: Price | None
    price_version: str
    max_input_tokens: int
    max_output_tokens: int


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An empty `base_url` means the vendor's own address."""

    base_url: str
    api_key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Request:
    """`max_tokens` covers all that a model writes, thinking included; `variation` above 0 asks for another wording."""

    system: str = field(repr=False)
    prompt: str = field(repr=False)
    max_tokens: int
    deadline_seconds: float
    call_id: str
    brief: Brief = field(repr=False)
    variation: int = 0


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as billed. The four input counts add up to the whole input; `reasoning` is part of `output`."""

    input_uncached: int = 0
    input_cached: int = 0
    cache_write_short: int = 0
    cache_write_long: int = 0
    output: int = 0
    reasoning: int = 0
    tier: str = "standard"

    @property
    def input(self) -> int:
        return self.input_uncached + self.input_cached + self.cache_write_short + self.cache_write_long


@dataclass(frozen=True, slots=True)
class Completion:
    """A finished text. `usage` is None when the provider did not say it: the cost is unknown, bill the ceiling."""

    text: str
    usage: Usage | None
    model_id: str
    finish_reason: str
    latency_ms: int
    provider_request_id: str = ""
