"""What of a prompt is read from a vendor's cache, by the vendor's own count, and what that costs."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import UsageEntry, Workspace
from contentopt.engines.engine import free_port
from generation.llm.prices import PRICES
from generation.models import LlmCall
from generation.prompts import SYSTEM
from tests.conftest import ApiClient
from tests.prompt_cache import count_tokens
from tests.servers import KEY, Provider

pytestmark = pytest.mark.django_db

PRICE = {spec.model_id: spec.price for spec in PRICES}
# A token more or less where two parts meet.
SHARED = pytest.approx(count_tokens(SYSTEM), abs=2)


@pytest.fixture(params=["anthropic", "openai"])
def vendor(request: pytest.FixtureRequest, provider: Provider, settings: Any) -> Provider:
    if request.param == "anthropic":
        settings.ANTHROPIC_API_KEY, settings.ANTHROPIC_BASE_URL = KEY, provider.url
    else:
        settings.OPENAI_API_KEY, settings.OPENAI_BASE_URL = KEY, f"{provider.url}/v1"
    return provider


@pytest.fixture
def client(shop: Workspace, api: ApiClient) -> Client:
    return api(shop)


def describe(client: Client, title: str, **wishes: Any) -> dict[str, Any]:
    body = {"product": {"title": title, "attributes": {"Material": "linen"}}, **wishes}
    response = client.post("/api/v1/descriptions", body, content_type="application/json")
    assert response.status_code == 200, response.content
    reply: dict[str, Any] = response.json()
    return reply


def served(vendor: Provider) -> list[tuple[int, int]]:
    """(read, written) tokens of each request."""
    return [(each["input_cached"], each["cache_write_short"]) for each in vendor.meter()["served"]]


def test_a_text_alone_pays_no_premium_and_the_third_one_reads_what_the_second_wrote(
    client: Client, shop: Workspace, vendor: Provider
) -> None:
    for title in ("Apron", "Board", "Cloth", "Dish"):
        describe(client, title)

    first, second, third, fourth = served(vendor)
    assert first == (0, 0)
    assert second[0] == 0
    assert second[1] > count_tokens(SYSTEM)
    assert third == fourth == (second[1], 0)
    asked = vendor.meter()["served"]
    price = PRICE[asked[0]["model"]]
    million = 1_000_000
    cost = sum(
        each["input_uncached"] * price.input // million
        + each["input_cached"] * price.cached_read // million
        + each["cache_write_short"] * price.cache_write_short // million
        + each["output"] * price.output // million
        for each in asked
    )
    assert sum(line.cost_nanos for line in UsageEntry.objects.in_workspace(shop)) == cost
    assert sum(call.cached_tokens for call in LlmCall.objects.in_workspace(shop)) == 2 * second[1]


def test_workspaces_share_what_is_the_platform_s_and_nothing_else(
    client: Client, other_shop: Workspace, api: ApiClient, vendor: Provider
) -> None:
    """A count of cached tokens is an answer to "has anybody sent this?", so it must be the same for all."""
    other = api(other_shop)
    for title in ("Apron", "Board", "Cloth"):
        describe(client, title, voice="Say it as the sea would.")

    mine = describe(other, "Cloth", voice="Say it as the sea would.")
    other_words = describe(other, "Dish", voice="Say it as a miller would.")

    assert mine["tokens"]["cached_tokens"] == other_words["tokens"]["cached_tokens"] == SHARED


def test_other_wishes_of_the_same_shop_read_the_common_beginning(client: Client, vendor: Provider) -> None:
    for title in ("Apron", "Board", "Cloth"):
        describe(client, title)

    reply = describe(client, "Apron", tone="playful")

    assert reply["tokens"]["cached_tokens"] == SHARED


def test_a_cache_that_the_vendor_has_dropped_is_paid_for_and_booked_as_what_it_is(
    client: Client, shop: Workspace, vendor: Provider
) -> None:
    for title in ("Apron", "Board", "Cloth"):
        describe(client, title)
    vendor.expire()

    describe(client, "Dish")

    assert served(vendor)[-1] == served(vendor)[1]
    newest = LlmCall.objects.in_workspace(shop).order_by("created_at").last()
    assert newest is not None
    assert (newest.cached_tokens, newest.cache_write_tokens) == served(vendor)[-1]


def test_without_valkey_texts_are_written_and_no_premium_is_paid(
    client: Client, vendor: Provider, settings: Any
) -> None:
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": f"redis://127.0.0.1:{free_port()}/0"}}

    for title in ("Apron", "Board", "Cloth"):
        describe(client, title)

    assert served(vendor) == [(0, 0)] * 3
