"""What a text costs that has to be written, besides its model."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Plan, UsageEntry, Workspace
from accounts.retiring import retire
from contentopt.engines.engine import free_port
from generation.models import LlmCall, LlmModel, ModelPrice, RoutingRule
from tests.conftest import ApiClient, Counted
from tests.servers import KEY, Provider

# Requests are not inside a transaction, and what they remember of PostgreSQL counts.
pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

URL = "/api/v1/descriptions"


@pytest.fixture
def client(shop: Workspace, api: ApiClient, provider: Provider, settings: Any) -> Client:
    settings.ANTHROPIC_API_KEY, settings.ANTHROPIC_BASE_URL = KEY, provider.url
    return api(shop)


def describe(client: Client, title: str) -> Any:
    product = {"title": title, "attributes": {"Material": "linen", "Weight": "180 g"}}
    return client.post(URL, {"product": product}, content_type="application/json").json()


def test_a_miss_keeps_to_its_statements_commits_and_round_trips(
    counted: type[Counted], client: Client, shop: Workspace
) -> None:
    for title in ("Linen Apron", "Wool Scarf"):
        describe(client, title)  # the process knows the key and the models by now

    counted.trips = 0
    with CaptureQueriesContext(connection) as queries:
        reply = describe(client, "Oak Board")

    said = [query["sql"] for query in queries]
    assert reply["source"] == "model"
    assert UsageEntry.objects.in_workspace(shop).count() == 3
    assert (said.count("COMMIT"), len(said)) == (2, 21), "\n".join(said)
    assert counted.trips <= 9  # one of them once a second


# --- What a process remembers of the models ---------------------------------------------------------------------------


def add_price(valid_from: datetime) -> None:
    model = LlmModel.objects.get(model_id="claude-haiku-5-5")
    price = {"input_nanos": 200_000_000, "output_nanos": 900_000_000}
    ModelPrice.objects.create(model=model, version="another", valid_from=valid_from, **price)


def prices_asked(shop: Workspace) -> list[bool]:
    """Of each call, whether the other price was held for it."""
    calls = LlmCall.objects.in_workspace(shop).order_by("created_at")
    return [version == "another" for version in calls.values_list("price_version", flat=True)]


def test_a_change_of_the_models_counts_from_the_next_text_on(client: Client, shop: Workspace) -> None:
    describe(client, "Linen Apron")

    add_price(timezone.now())
    retire()
    describe(client, "Oak Board")
    LlmModel.objects.update(is_enabled=False)
    retire()
    third = describe(client, "Steel Kettle")

    assert prices_asked(shop) == [False, True]
    assert third["error"]["code"] == "provider_unavailable"


def test_a_rule_of_staff_counts_from_the_next_text_on(client: Client, shop: Workspace) -> None:
    Plan.objects.filter(slug=shop.plan_id).update(highest_tier="premium")
    describe(client, "Linen Apron")

    rule = RoutingRule.objects.create(name="All of them", tier="premium")
    retire()
    describe(client, "Oak Board")
    rule.delete()
    retire()
    describe(client, "Steel Kettle")

    calls = LlmCall.objects.in_workspace(shop).order_by("created_at")
    assert list(calls.values_list("tier", flat=True)) == ["economy", "premium", "economy"]


def test_a_price_counts_from_its_moment_on(client: Client, shop: Workspace) -> None:
    begins = timezone.now() + timedelta(seconds=5)
    add_price(begins)
    retire()

    describe(client, "Linen Apron")
    time.sleep(max((begins - timezone.now()).total_seconds(), 0))
    describe(client, "Oak Board")

    assert prices_asked(shop) == [False, True]


def test_without_valkey_the_models_are_read_anew(client: Client, shop: Workspace, settings: Any) -> None:
    describe(client, "Linen Apron")
    add_price(timezone.now())
    retire()

    dead = f"redis://127.0.0.1:{free_port()}/0"
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": dead}}
    describe(client, "Oak Board")

    assert prices_asked(shop) == [False, True]
