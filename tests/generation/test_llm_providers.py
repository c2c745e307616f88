"""Both vendors' real SDKs against a server on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import uuid4

import pytest

from generation.facts import extract_facts
from generation.llm.prices import FREE, cost_nanos
from generation.llm.providers import complete
from generation.llm.providers.anthropic import messages
from generation.llm.providers.openai import chat
from generation.llm.replies import split_shared_reply
from generation.llm.types import Capabilities, Endpoint, Quirks, Usage
from generation.prompts import build_shared_request
from tests.generation.llm_calls import ANTHROPIC, BRIEF, OPENAI, STREAMED, TEXT, Api, make_request
from tests.races.product import eventually
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


@pytest.mark.parametrize("api", STREAMED, ids=["anthropic", "openai"])
def test_streamed_reply_is_the_same_completion(server: Provider, api: Api) -> None:
    server.behave({"cached_tokens": 700, "cache_write_tokens": 30, "output_tokens": 41, "pieces": 20})
    plain, streamed = replace(api, is_streamed=False).complete(server), api.complete(server)

    assert streamed.usage is not None
    assert replace(streamed, latency_ms=0) == replace(plain, latency_ms=0)


@both
def test_call_id_reaches_the_provider(server: Provider, api: Api) -> None:
    api.complete(server, call_id="call-77")

    assert server.meter()["call_ids"] == ["call-77"]


@both
def test_reply_of_several_texts_has_the_schema_that_was_asked_for(server: Provider, api: Api) -> None:
    briefs = [BRIEF, replace(BRIEF, facts=extract_facts({"title": "Oak Board", "attributes": {"Width": "30 cm"}}))]
    request = build_shared_request(briefs, workspace_id=uuid4(), call_id=uuid4(), deadline_seconds=10)

    reply = complete(request, api.spec, api.endpoint(server)).text

    assert split_shared_reply(reply, ["1", "2"], BRIEF.fields) == {"1": TEXT, "2": "The Oak Board. Width: 30 cm."}


@both
def test_usage_equals_what_the_provider_metered(server: Provider, api: Api) -> None:
    server.behave({"cached_tokens": 700, "cache_write_tokens": 30, "output_tokens": 41})

    usage = api.complete(server).usage

    served = server.meter()["served"][0]
    assert usage == Usage(
        input_uncached=served["input_uncached"], input_cached=700, cache_write_short=30, output=41, tier="standard"
    )


def test_meter_counts_nothing_that_came_before_its_reset(server: Provider) -> None:
    """A killed process leaves calls behind that end in the middle of whatever is measured next."""
    server.behave({"barrier": True})
    with ThreadPoolExecutor() as pool:
        left_behind = pool.submit(ANTHROPIC.complete, server)
        assert eventually(lambda: server.meter()["requests"] == 1)
        server.reset()
        server.release()
        left_behind.result()

    ANTHROPIC.complete(server)

    assert server.meter()["most_in_flight"] == 1


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


def test_compatible_server_is_sent_only_what_it_knows() -> None:
    quirks = Quirks(output_limit="max_tokens", knows_service_tier=False, knows_prompt_cache_key=False)
    compatible = replace(OPENAI.spec, quirks=quirks, capabilities=Capabilities())
    shaped = make_request(reply_schema={"type": "object"})

    sent = set(chat.build_params(shaped, OPENAI.spec))

    caching = {"prompt_cache_key", "prompt_cache_options"}
    assert sent == caching | {"model", "messages", "max_completion_tokens", "service_tier", "response_format"}
    assert set(chat.build_params(shaped, compatible)) == {"model", "messages", "max_tokens"}


def test_server_without_a_key_is_sent_nobody_elses(server: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, "the-vendors-own")

    complete(make_request(), OPENAI.spec, Endpoint(f"{server.url}/v1", "", needs_key=False))

    headers = server.meter()["headers"]
    assert headers["authorization"] == "Bearer none"
    assert not [name for name, value in headers.items() if "the-vendors-own" in value]


def test_output_cap_never_exceeds_the_models_own() -> None:
    small = replace(ANTHROPIC.spec, max_output_tokens=100)

    assert messages.build_params(make_request(max_tokens=500), small)["max_tokens"] == 100


def test_endpoint_hides_its_key() -> None:
    assert "test-key" not in repr(Provider("http://127.0.0.1:1").anthropic)


def test_offline_writer_costs_nothing() -> None:
    spec = replace(ANTHROPIC.spec, provider="offline", kind="offline", model_id="offline-1", price=FREE)

    completion = complete(make_request(), spec, Provider("").anthropic)

    assert completion.usage == Usage()
    assert (completion.model_id, completion.finish_reason) == ("offline-1", "end_turn")
    assert "Linen Apron" in completion.text
