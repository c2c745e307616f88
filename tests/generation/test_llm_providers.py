"""Both vendors' real SDKs against a server on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from generation.llm.prices import cost_nanos
from generation.llm.providers import anthropic, complete, openai
from generation.llm.types import Usage
from tests.generation.llm_calls import ANTHROPIC, OPENAI, TEXT, Api, make_request
from tests.servers import Provider, run_provider

both = pytest.mark.parametrize("api", [ANTHROPIC, OPENAI], ids=["anthropic", "openai"])


@pytest.fixture(scope="module")
def process() -> Iterator[Provider]:
    with run_provider() as running:
        yield running


@pytest.fixture
def server(process: Provider) -> Provider:
    process.reset()
    return process


@both
def test_healthy_reply_is_a_completion(server: Provider, api: Api) -> None:
    completion = api.complete(server)

    assert completion.text == TEXT
    assert completion.finish_reason == api.good_stop
    assert completion.model_id == api.spec.model_id
    assert completion.latency_ms >= 0
    assert completion.provider_request_id


@both
def test_call_id_reaches_the_provider(server: Provider, api: Api) -> None:
    api.complete(server, call_id="call-77")

    assert server.meter()["call_ids"] == ["call-77"]


@both
def test_usage_equals_what_the_provider_metered(server: Provider, api: Api) -> None:
    server.behave({"cached_tokens": 700, "cache_write_tokens": 30, "output_tokens": 41})

    usage = api.complete(server).usage

    served = server.meter()["served"][0]
    assert usage == Usage(
        input_uncached=served["input_uncached"], input_cached=700, cache_write_short=30, output=41, tier="standard"
    )


def test_anthropic_tells_cache_writes_apart(server: Provider) -> None:
    server.behave({"cache_write_tokens": 30, "cache_write_long_tokens": 50})

    usage = ANTHROPIC.complete(server).usage

    assert usage is not None
    assert (usage.cache_write_short, usage.cache_write_long) == (30, 50)


def test_anthropic_cache_write_of_unknown_lifetime_counts_as_the_dearer(server: Provider) -> None:
    server.behave({"usage": {"input_tokens": 10, "output_tokens": 5, "cache_creation_input_tokens": 40}})

    assert ANTHROPIC.complete(server).usage == Usage(input_uncached=10, output=5, cache_write_long=40)


def test_openai_parts_that_exceed_their_total_come_on_top(server: Provider) -> None:
    details = {"cached_tokens": 60, "cache_write_tokens": 50}
    server.behave({"usage": {"prompt_tokens": 100, "completion_tokens": 5, "prompt_tokens_details": details}})

    usage = OPENAI.complete(server).usage

    assert usage == Usage(input_uncached=100, input_cached=60, cache_write_short=50, output=5)


def test_reasoning_is_part_of_the_output(server: Provider) -> None:
    details = {"reasoning_tokens": 30}
    server.behave({"usage": {"prompt_tokens": 9, "completion_tokens": 40, "completion_tokens_details": details}})

    assert OPENAI.complete(server).usage == Usage(input_uncached=9, output=40, reasoning=30)


@both
def test_null_details_mean_nothing_was_cached(server: Provider, api: Api) -> None:
    names = ("input_tokens", "output_tokens") if api is ANTHROPIC else ("prompt_tokens", "completion_tokens")
    server.behave({"usage": {names[0]: 12, names[1]: 3, "cache_creation": None, "prompt_tokens_details": None}})

    assert api.complete(server).usage == Usage(input_uncached=12, output=3)


@both
@pytest.mark.parametrize("usage", [None, {}, {"input_tokens": -4, "prompt_tokens": "many"}])
def test_unreadable_usage_is_an_unknown_cost(server: Provider, api: Api, usage: object) -> None:
    server.behave({"usage": usage})

    completion = api.complete(server)

    assert completion.text == TEXT
    assert completion.usage is None


def test_cost_follows_the_vendors_price(server: Provider) -> None:
    server.behave({"usage": {"input_tokens": 200, "cache_read_input_tokens": 700, "output_tokens": 250}})

    usage = ANTHROPIC.complete(server).usage

    assert usage is not None
    assert ANTHROPIC.spec.price is not None
    # $0.10, $0.01 and $0.50 a million tokens.
    assert cost_nanos(usage, ANTHROPIC.spec.price) == 200 * 100 + 700 * 10 + 250 * 500


def test_openai_reports_a_tier_we_did_not_ask_for(server: Provider) -> None:
    server.behave({"service_tier": "priority"})

    usage = OPENAI.complete(server).usage

    assert usage is not None
    assert usage.tier == "priority"


def test_only_the_vendor_itself_is_asked_for_a_tier() -> None:
    compatible = replace(OPENAI.spec, provider="ollama")

    assert openai.build_params(make_request(), OPENAI.spec)["service_tier"] == "default"
    assert "service_tier" not in openai.build_params(make_request(), compatible)


def test_output_cap_never_exceeds_the_models_own() -> None:
    small = replace(ANTHROPIC.spec, max_output_tokens=100)

    assert anthropic.build_params(make_request(max_tokens=500), small)["max_tokens"] == 100


def test_endpoint_hides_its_key() -> None:
    assert "test-key" not in repr(Provider("http://127.0.0.1:1").anthropic)


def test_offline_writer_costs_nothing() -> None:
    spec = replace(ANTHROPIC.spec, provider="offline", kind="offline", model_id="offline-1", price=None)

    completion = complete(make_request(), spec, Provider("").anthropic)

    assert completion.usage == Usage()
    assert (completion.model_id, completion.finish_reason) == ("offline-1", "end_turn")
    assert "Linen Apron" in completion.text
