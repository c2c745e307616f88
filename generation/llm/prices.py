"""The dated price table, and what a request costs and can at most cost. Integers throughout."""

from __future__ import annotations

from decimal import Decimal

from generation.llm.types import Access, Capabilities, Kind, ModelSpec, Price, Tier, Usage

PRICE_VERSION = "2026-11-21"

FREE = Price(
    input=0,
    output=0,
    cached_read=0,
    cache_write_short=0,
    cache_write_long=0,
    batch_input=0,
    batch_output=0,
)

_MILLION = 1_000_000
_NANOS = 1_000_000_000

# Tiers a vendor may report. We never ask for a dearer one, but an account's default can set it.
_BATCH_TIERS = frozenset({"batch", "flex"})
_DOUBLE_TIERS = frozenset({"priority", "fast"})

# What vendors put around system text and prompt: roles, separators.
FRAME_TOKENS = 64
# cost_nanos rounds up four input components one by one, ceiling_nanos their sum once.
_ROUNDING_NANOS = 3


def _nanos(dollars: str) -> int:
    return int(Decimal(dollars) * _NANOS)


def _anthropic_price(rates: str, *, read: str, long_from: int = 0, long_rates: str = "0 0 0") -> Price:
    """Cache writes cost 1.25 (5 minutes) and 2 times (1 hour) the input, batches half."""
    given, written = map(_nanos, rates.split())
    long_given, long_written, long_read = map(_nanos, long_rates.split())
    return Price(
        input=given,
        output=written,
        cached_read=_nanos(read),
        cache_write_short=given * 5 // 4,
        cache_write_long=given * 2,
        batch_input=given // 2,
        batch_output=written // 2,
        long_context_from=long_from,
        long_input=long_given,
        long_output=long_written,
        long_cached_read=long_read,
        long_cache_write_short=long_given * 5 // 4,
        long_cache_write_long=long_given * 2,
    )


def _openai_price(
    rates: str, *, read: str, write: str | None = None, long_from: int = 0, long_rates: str = "0 0"
) -> Price:
    """One price for every cache write, none of its own (`write` None) on older models; batches cost half.

    Cached rates beyond the long-context step are not listed: they are taken to rise as the input rate does.
    """
    given, written = map(_nanos, rates.split())
    long_given, long_written = map(_nanos, long_rates.split())
    cached, cache_write = _nanos(read), _nanos(write) if write else given
    return Price(
        input=given,
        output=written,
        cached_read=cached,
        cache_write_short=cache_write,
        cache_write_long=cache_write,
        batch_input=given // 2,
        batch_output=written // 2,
        long_context_from=long_from,
        long_input=long_given,
        long_output=long_written,
        long_cached_read=_scale(cached, long_given, given),
        long_cache_write_short=_scale(cache_write, long_given, given),
        long_cache_write_long=_scale(cache_write, long_given, given),
    )


def _scale(rate: int, numerator: int, denominator: int) -> int:
    """Rounded up."""
    return -(-rate * numerator // denominator) if denominator else rate


# Tokens of the smallest prefix that is cached. The usual one is taken where a vendor's list names no other.
USUAL_PREFIX = 1_024
SMALLEST_PREFIXES = {
    "claude-haiku-5-5": 512,
    "claude-sonnet-5-5": 512,
    "claude-haiku-4-5": 4_096,
    "claude-haiku-4-5-20251001": 4_096,
}


def _model(kind: Kind, tier: Tier, model_id: str, max_input: int, max_output: int, price: Price) -> ModelSpec:
    return ModelSpec(
        provider=kind,
        kind=kind,
        model_id=model_id,
        tier=tier,
        price=price,
        price_version=PRICE_VERSION,
        max_input_tokens=max_input,
        max_output_tokens=max_output,
        access=Access(key_name=f"{kind.upper()}_API_KEY"),
        capabilities=Capabilities(
            structured_output=True, prompt_cache_from=SMALLEST_PREFIXES.get(model_id, USUAL_PREFIX), batch=True
        ),
    )


_HAIKU_5_5 = _anthropic_price("0.10 0.50", read="0.01", long_from=100_000, long_rates="0.50 2.50 0.05")
_LUNA_6 = _openai_price("0.10 0.50", read="0.01", write="0.125", long_from=272_000, long_rates="0.20 0.75")
_SOL_6_1 = _openai_price("2.00 10.00", read="0.10", write="2.50", long_from=272_000, long_rates="4.00 15.00")
_HAIKU_4_5 = _anthropic_price("1.00 5.00", read="0.10")

PRICES: tuple[ModelSpec, ...] = (
    _model("anthropic", "economy", "claude-haiku-5-5", 1_000_000, 128_000, _HAIKU_5_5),
    _model("anthropic", "economy", "claude-haiku-4-5", 200_000, 64_000, _HAIKU_4_5),
    _model("anthropic", "economy", "claude-haiku-4-5-20251001", 200_000, 64_000, _HAIKU_4_5),
    _model(
        "anthropic", "standard", "claude-sonnet-5-5", 1_000_000, 128_000, _anthropic_price("2.00 10.00", read="0.10")
    ),
    _model("anthropic", "standard", "claude-sonnet-5", 1_000_000, 128_000, _anthropic_price("2.00 10.00", read="0.20")),
    _model("anthropic", "premium", "claude-opus-5-5", 1_000_000, 128_000, _anthropic_price("4.00 20.00", read="0.20")),
    _model(
        "anthropic", "premium", "claude-fable-5-1", 1_000_000, 128_000, _anthropic_price("10.00 50.00", read="0.25")
    ),
    _model("openai", "economy", "gpt-6-luna", 922_000, 128_000, _LUNA_6),
    _model("openai", "standard", "gpt-6.1-sol", 922_000, 128_000, _SOL_6_1),
    _model("openai", "standard", "gpt-6-sol", 922_000, 128_000, _openai_price("2.00 10.00", read="0.20", write="2.50")),
    _model(
        "openai", "premium", "gpt-6-astra", 922_000, 128_000, _openai_price("10.00 50.00", read="1.00", write="12.50")
    ),
    _model(
        "openai", "economy", "gpt-5.6-luna", 922_000, 128_000, _openai_price("0.20 1.20", read="0.02", write="0.25")
    ),
    _model(
        "openai", "standard", "gpt-5.6-terra", 922_000, 128_000, _openai_price("2.00 12.00", read="0.20", write="2.50")
    ),
    _model(
        "openai", "premium", "gpt-5.6-sol", 922_000, 128_000, _openai_price("4.00 20.00", read="0.40", write="5.00")
    ),
    _model("openai", "economy", "gpt-5-nano", 272_000, 128_000, _openai_price("0.05 0.40", read="0.005")),
    _model("openai", "economy", "gpt-5-nano-2025-08-07", 272_000, 128_000, _openai_price("0.05 0.40", read="0.005")),
    _model("openai", "economy", "gpt-4.1-mini", 1_050_000, 33_000, _openai_price("0.40 1.60", read="0.10")),
    _model("openai", "economy", "gpt-4o-mini", 128_000, 16_000, _openai_price("0.15 0.60", read="0.075")),
)


def _rates(price: Price, *, is_long: bool) -> tuple[int, int, int, int, int]:
    """Input, cached read, cache write short and long, output."""
    if is_long:
        return (
            price.long_input,
            price.long_cached_read,
            price.long_cache_write_short,
            price.long_cache_write_long,
            price.long_output,
        )
    return price.input, price.cached_read, price.cache_write_short, price.cache_write_long, price.output


def _tier_factors(tier: str, price: Price) -> tuple[tuple[int, int], tuple[int, int]]:
    """Fractions that the input rates and the output rate are multiplied by."""
    if tier in _BATCH_TIERS:
        return (price.batch_input, price.input), (price.batch_output, price.output)
    factor = (2, 1) if tier in _DOUBLE_TIERS else (1, 1)
    return factor, factor


def _nanos_for(tokens: int, rate: int) -> int:
    """Rounded up."""
    return -(-tokens * rate // _MILLION)


def _is_long(tokens: int, price: Price) -> bool:
    return 0 < price.long_context_from < tokens


def cost_nanos(usage: Usage, price: Price) -> int:
    """What a request with this usage costs, every component rounded up."""
    *input_rates, output_rate = _rates(price, is_long=_is_long(usage.input, price))
    input_factor, output_factor = _tier_factors(usage.tier, price)
    counts = (usage.input_uncached, usage.input_cached, usage.cache_write_short, usage.cache_write_long)
    given = sum(_nanos_for(count, _scale(rate, *input_factor)) for count, rate in zip(counts, input_rates, strict=True))
    return given + _nanos_for(usage.output, _scale(output_rate, *output_factor))


def ceiling_nanos(input_bytes: int, max_tokens: int, price: Price, tier: str = "standard") -> int:
    """The most a request can cost at that tier, whatever of it is cached, written to a cache or long.

    A token is at least one byte, so the UTF-8 bytes of system text and prompt bound its tokens.
    """
    tokens = input_bytes + FRAME_TOKENS
    tables = [_rates(price, is_long=False)]
    if _is_long(tokens, price):
        tables.append(_rates(price, is_long=True))
    dearest_input = max(rate for table in tables for rate in table[:-1])
    dearest_output = max(table[-1] for table in tables)
    if not dearest_input and not dearest_output:
        return 0
    input_factor, output_factor = _tier_factors(tier, price)
    given = _nanos_for(tokens, _scale(dearest_input, *input_factor))
    return given + _ROUNDING_NANOS + _nanos_for(max_tokens, _scale(dearest_output, *output_factor))
