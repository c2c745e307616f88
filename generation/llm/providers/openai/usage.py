from __future__ import annotations

from generation.llm.providers.outcomes import count, part
from generation.llm.types import Usage

_STANDARD_TIERS = frozenset({"", "auto", "default", "scale"})


def normalise_usage(usage: object, service_tier: str | None = None) -> Usage | None:
    """None when the counts that set the price are missing."""
    given, written = count(getattr(usage, "prompt_tokens", None)), count(getattr(usage, "completion_tokens", None))
    if given is None or written is None:
        return None
    details = getattr(usage, "prompt_tokens_details", None)
    cached, cache_write = part(details, "cached_tokens"), part(details, "cache_write_tokens")
    uncached = given - cached - cache_write
    return Usage(
        # Parts larger than their total cannot lie inside it: then they come on top, the dearer reading.
        input_uncached=uncached if uncached >= 0 else given,
        input_cached=cached,
        cache_write_short=cache_write,
        output=written,
        reasoning=part(getattr(usage, "completion_tokens_details", None), "reasoning_tokens"),
        tier="standard" if (service_tier or "") in _STANDARD_TIERS else str(service_tier),
    )
