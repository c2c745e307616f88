"""The order of tiers, cheapest first."""

from __future__ import annotations

from generation.llm.types import Tier

TIERS: tuple[Tier, ...] = ("economy", "standard", "premium")
AUTO = "auto"


def named(tier: str) -> Tier:
    """The tier that a request asks for at least: whoever leaves it to us takes the cheapest that passes."""
    return next((known for known in TIERS if known == tier), "economy")


def is_above(tier: str, highest: str) -> bool:
    return TIERS.index(named(tier)) > TIERS.index(named(highest))


def at_most(tier: Tier, highest: Tier) -> Tier:
    return highest if is_above(tier, highest) else tier


def above(tier: Tier, highest: Tier) -> Tier | None:
    """One tier up, if that may be used."""
    higher = TIERS[TIERS.index(tier) + 1 :]
    return higher[0] if higher and not is_above(higher[0], highest) else None


def quality_of(tier: str, *, is_offline: bool) -> str:
    """What a text is known by (generation.caching.asking), however the request for it was routed in the end."""
    return "offline" if is_offline else named(tier)
