from __future__ import annotations

from generation.llm.providers.outcomes import count, part
from generation.llm.types import Usage


def normalise_usage(usage: object) -> Usage | None:
    """None when the counts that set the price are missing."""
    given, written = count(getattr(usage, "input_tokens", None)), count(getattr(usage, "output_tokens", None))
    if given is None or written is None:
        return None
    split = getattr(usage, "cache_creation", None)
    short, long = part(split, "ephemeral_5m_input_tokens"), part(split, "ephemeral_1h_input_tokens")
    # Cache writes whose lifetime is not told are billed as the dearer ones.
    unsplit = max(part(usage, "cache_creation_input_tokens") - short - long, 0)
    return Usage(
        input_uncached=given,
        input_cached=part(usage, "cache_read_input_tokens"),
        cache_write_short=short,
        cache_write_long=long + unsplit,
        output=written,
        reasoning=part(getattr(usage, "output_tokens_details", None), "thinking_tokens"),
        tier=_tier(usage),
    )


def _tier(usage: object) -> str:
    if getattr(usage, "speed", None) == "fast":
        return "fast"
    return getattr(usage, "service_tier", None) or "standard"
