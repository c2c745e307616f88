"""What writing a brief along its route can cost, and is likely to: told before anything is written.

Also what it comes to for those who can wait: of each tier one model that takes batches, at the price of its batches.
"""

from __future__ import annotations

from collections.abc import Sequence

from generation.engine.postponing import batch_specs
from generation.engine.writing import CHECKED_ATTEMPTS
from generation.facts import Brief
from generation.llm.batches import TIER
from generation.llm.prices import ceiling_nanos
from generation.llm.types import ModelSpec
from generation.prompts import max_output_tokens, prompt_bytes
from generation.routing import Route

# What a typical text uses of its ceiling; for the "likely" figure beside the "at most" one.
USUAL_INPUT_TOKENS_PER_BYTE = 0.25
USUAL_OUTPUT_SHARE = 0.4


def most_nanos(brief: Brief, routes: Sequence[Route], facts_bytes: int) -> int:
    """Every model of the dearest route tried in turn, those a failed check escalates to as well, and each with its
    second attempt: no text can cost more."""
    size = prompt_bytes(brief, facts_bytes)
    tokens = max_output_tokens(brief)
    return CHECKED_ATTEMPTS * max(
        sum(ceiling_nanos(size, tokens, spec.price) for spec in route.specs) for route in routes
    )


def most_nanos_later(brief: Brief, routes: Sequence[Route], facts_bytes: int) -> int:
    """The same by batch. `routes` all take batches."""
    size, tokens = prompt_bytes(brief, facts_bytes), max_output_tokens(brief)
    return CHECKED_ATTEMPTS * max(
        sum(ceiling_nanos(size, tokens, spec.price, TIER) for spec in batch_specs(route)) for route in routes
    )


def hold_nanos(brief: Brief, spec: ModelSpec, facts_bytes: int) -> int:
    """What is held while the first of these attempts is made: without room for that a text is not begun."""
    return ceiling_nanos(prompt_bytes(brief, facts_bytes), max_output_tokens(brief), spec.price)


def likely_nanos(brief: Brief, spec: ModelSpec, facts_bytes: int, tier: str = "standard") -> int:
    tokens_in = int(prompt_bytes(brief, facts_bytes) * USUAL_INPUT_TOKENS_PER_BYTE)
    return ceiling_nanos(tokens_in, int(max_output_tokens(brief) * USUAL_OUTPUT_SHARE), spec.price, tier)
