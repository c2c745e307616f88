from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from generation.facts import Brief, Turn

Kind = Literal["anthropic", "openai", "offline"]
Tier = Literal["economy", "standard", "premium"]
OutputLimit = Literal["max_completion_tokens", "max_tokens"]
OnText = Callable[[str], None]


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
class Access:
    """Where a provider is reached, and the name of the environment variable that holds its key; without one the server
    needs none. An empty `base_url` means the address that the environment holds for the vendor.
    """

    base_url: str = ""
    key_name: str = ""


@dataclass(frozen=True, slots=True)
class Quirks:
    """In what a server's Chat API differs from OpenAI's own, which the defaults are."""

    output_limit: OutputLimit = "max_completion_tokens"
    knows_service_tier: bool = True
    knows_stream_options: bool = True
    knows_prompt_cache_key: bool = True


@dataclass(frozen=True, slots=True)
class Capabilities:
    """`prompt_cache_from`: tokens of the smallest prefix that the vendor caches; 0 for none."""

    structured_output: bool = False
    prompt_cache_from: int = 0
    batch: bool = False
    streaming: bool = True


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """One priced model. `kind` is the API it speaks, `provider` the vendor, which takes `concurrency` calls at once. A
    model without a price has no spec.
    """

    provider: str
    kind: Kind
    model_id: str
    tier: Tier
    price: Price
    price_version: str
    max_input_tokens: int
    max_output_tokens: int
    access: Access = Access()
    quirks: Quirks = Quirks()
    capabilities: Capabilities = Capabilities()
    concurrency: int = 10  # calls that the provider takes at a time, whichever of its models they ask


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An empty `base_url` means the vendor's own address."""

    base_url: str
    api_key: str = field(repr=False)
    needs_key: bool = True


@dataclass(frozen=True, slots=True)
class Request:
    """`max_tokens` covers all that a model writes, thinking included; `variation` above 0 asks for another wording;
    `reply_schema` is the JSON Schema of the reply, None for plain text.

    What is sent begins with `system`, the same for all, and `context`, the same for one workspace's like wishes.
    `cached_parts` says how many of these two a vendor's prompt cache is to hold. `turns` follow the prompt.
    """

    system: str = field(repr=False)
    context: str = field(repr=False)
    prompt: str = field(repr=False)
    max_tokens: int
    deadline_seconds: float
    call_id: str
    brief: Brief = field(repr=False)
    variation: int = 0
    reply_schema: Mapping[str, Any] | None = field(default=None, repr=False)
    turns: tuple[Turn, ...] = field(default=(), repr=False)
    cached_parts: Literal[0, 1, 2] = 0

    @property
    def beginnings(self) -> tuple[str, ...]:
        """What vendors' caches may hold: all up to the end of `system`, and of `context`."""
        return self.system, f"{self.system}\n\n{self.context}"

    @property
    def sent(self) -> str:
        """All that a vendor reads, for bounding its tokens."""
        schema = json.dumps(self.reply_schema) if self.reply_schema else ""
        said = [part for turn in self.turns for part in (turn.text, turn.wish)]
        return "\n\n".join([self.beginnings[-1], self.prompt, *said, schema])


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
