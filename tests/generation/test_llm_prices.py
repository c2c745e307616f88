from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generation.llm.prices import PRICE_VERSION, PRICES, ceiling_nanos, cost_nanos
from generation.llm.types import ModelSpec, Price, Usage

SPECS = {spec.model_id: spec for spec in PRICES}
TOKENS = st.integers(0, 1_200_000)


def price_of(model_id: str) -> Price:
    price = SPECS[model_id].price
    assert price is not None
    return price


@given(
    spec=st.sampled_from(PRICES),
    uncached=TOKENS,
    cached=TOKENS,
    short=TOKENS,
    long=TOKENS,
    output=st.integers(0, 128_000),
    tier=st.sampled_from(["standard", "batch", "flex"]),
    slack=st.integers(0, 1_000_000),
)
@settings(max_examples=200, deadline=None)
def test_ceiling_covers_every_cost(
    spec: ModelSpec, uncached: int, cached: int, short: int, long: int, output: int, tier: str, slack: int
) -> None:
    usage = Usage(uncached, cached, short, long, output, tier=tier)
    assert spec.price is not None

    assert ceiling_nanos(usage.input + slack, output, spec.price) >= cost_nanos(usage, spec.price)


@given(spec=st.sampled_from(PRICES), beyond=st.integers(-2, 2), output=st.integers(0, 5_000))
@settings(max_examples=100, deadline=None)
def test_ceiling_covers_the_long_context_step(spec: ModelSpec, beyond: int, output: int) -> None:
    assert spec.price is not None
    usage = Usage(cache_write_long=max(spec.price.long_context_from + beyond, 0), output=output)

    assert ceiling_nanos(usage.input, output, spec.price) >= cost_nanos(usage, spec.price)


@pytest.mark.parametrize(
    ("model_id", "usage", "nanos"),
    [
        # The vendors' rates in dollars a million tokens, worked by hand.
        ("claude-haiku-5-5", Usage(input_uncached=1_000_000 // 10, output=1_000), 10_000_000 + 500_000),
        ("claude-haiku-5-5", Usage(input_uncached=100_001, output=1_000), 50_000_500 + 2_500_000),
        ("claude-haiku-5-5", Usage(input_cached=100_001), 5_000_050),
        ("claude-haiku-4-5", Usage(cache_write_short=1_000, cache_write_long=1_000), 1_250_000 + 2_000_000),
        ("claude-sonnet-5-5", Usage(input_cached=1_000, output=100), 100_000 + 1_000_000),
        ("claude-opus-5-5", Usage(input_uncached=900, output=250), 3_600_000 + 5_000_000),
        ("gpt-6-luna", Usage(input_uncached=272_000), 27_200_000),
        ("gpt-6-luna", Usage(input_uncached=272_001, output=100), 54_400_200 + 75_000),
        ("gpt-6.1-sol", Usage(cache_write_short=1_000, output=10), 2_500_000 + 100_000),
        ("gpt-5-nano", Usage(input_cached=1), 5),
        ("gpt-4o-mini", Usage(input_uncached=1_000, input_cached=1_000), 150_000 + 75_000),
        ("claude-haiku-5-5", Usage(input_uncached=1_000, output=1_000, tier="batch"), 50_000 + 250_000),
        ("gpt-6-luna", Usage(input_uncached=1_000, output=1_000, tier="flex"), 50_000 + 250_000),
        ("gpt-6-luna", Usage(input_uncached=1_000, output=1_000, tier="priority"), 200_000 + 1_000_000),
    ],
)
def test_cost_of_known_usage(model_id: str, usage: Usage, nanos: int) -> None:
    assert cost_nanos(usage, price_of(model_id)) == nanos


def test_every_component_is_rounded_up() -> None:
    price = replace(price_of("gpt-5-nano"), input=1, output=1, cached_read=1)

    assert cost_nanos(Usage(input_uncached=1, input_cached=1, output=1), price) == 3


def test_a_thousand_descriptions_cost_what_the_worked_example_says() -> None:
    usage = Usage(input_uncached=900, output=250)

    assert 1_000 * cost_nanos(usage, price_of("claude-haiku-5-5")) == 215_000_000
    assert 1_000 * cost_nanos(usage, price_of("gpt-6.1-sol")) == 4_300_000_000


def test_each_model_has_one_dated_price() -> None:
    assert len(SPECS) == len(PRICES)
    assert {spec.price_version for spec in PRICES} == {PRICE_VERSION}


def test_dearer_tiers_cost_more() -> None:
    usage = Usage(input_uncached=900, output=250)
    cost = {spec.model_id: cost_nanos(usage, price_of(spec.model_id)) for spec in PRICES}

    assert cost["claude-haiku-5-5"] < cost["claude-sonnet-5-5"] < cost["claude-opus-5-5"] < cost["claude-fable-5-1"]
    assert cost["gpt-6-luna"] < cost["gpt-6.1-sol"] < cost["gpt-6-astra"]
