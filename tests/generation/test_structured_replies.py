"""Several fields of one text, asked for as JSON."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import UsageEntry, Workspace
from generation.facts import FIELDS
from generation.llm.prices import PRICES, cost_nanos
from generation.llm.types import Usage
from generation.models import LlmCall
from tests.conftest import ApiClient
from tests.generation.llm_calls import ANTHROPIC, OPENAI, Api
from tests.servers import KEY, Provider

pytestmark = pytest.mark.django_db

PRICE = {spec.model_id: spec.price for spec in PRICES}
APRON = {"title": "Linen Apron", "attributes": {"Material": "linen", "Weight": "320 g"}}


@pytest.fixture(params=[ANTHROPIC, OPENAI], ids=["anthropic", "openai"])
def vendor(request: pytest.FixtureRequest, provider: Provider, settings: Any) -> Provider:
    chosen: Api = request.param
    setattr(settings, f"{chosen.spec.kind.upper()}_API_KEY", KEY)
    setattr(settings, f"{chosen.spec.kind.upper()}_BASE_URL", chosen.endpoint(provider).base_url)
    return provider


def describe(client: Client, fields: tuple[str, ...]) -> Any:
    body = {"product": APRON, "fields": list(fields)}
    return client.post("/api/v1/descriptions", body, content_type="application/json")


def test_fields_come_apart_as_the_model_gave_them(shop: Workspace, api: ApiClient, vendor: Provider) -> None:
    reply = describe(api(shop), FIELDS).json()

    assert reply["text"] == "The Linen Apron. Material: linen. Weight: 320 g."
    assert reply["seo_title"] == reply["meta_description"] == "Linen Apron"
    assert vendor.meter()["requests"] == 1


@pytest.mark.parametrize("fault", ["empty", "cut_json"])
def test_a_reply_of_another_shape_is_a_fault_that_is_paid_for(
    shop: Workspace, api: ApiClient, vendor: Provider, fault: str
) -> None:
    vendor.behave({"shared": fault})

    response = describe(api(shop), FIELDS)

    assert (response.status_code, response.json()["error"]["code"]) == (503, "provider_unavailable")
    assert "its answer could not be read" in response.json()["error"]["message"]
    calls = list(LlmCall.objects.in_workspace(shop))
    served = vendor.meter()["served"]
    assert {(call.outcome, call.error_kind, call.cost_is_exact) for call in calls} == {("failed", "malformed", True)}
    used = [
        cost_nanos(Usage(**{name: tokens for name, tokens in each.items() if name not in ("call_id", "model")}), price)
        for each in served
        for price in [PRICE[each["model"]]]
    ]
    assert sorted(call.cost_nanos for call in calls) == sorted(used)
    assert sum(line.cost_nanos for line in UsageEntry.objects.in_workspace(shop)) == sum(used)


def test_a_field_that_is_missing_is_made_from_the_facts(shop: Workspace, api: ApiClient, vendor: Provider) -> None:
    vendor.behave({"shared": "missing"})

    reply = describe(api(shop), FIELDS).json()

    assert (reply["meta_description"], reply["bullets"]) == ("Linen Apron", ["Material: linen", "Weight: 320 g"])
    assert vendor.meter()["requests"] == 1


def test_one_field_is_plain_text(shop: Workspace, api: ApiClient, vendor: Provider) -> None:
    vendor.behave({"text": "The Linen Apron is made of linen and weighs 320 g."})

    assert describe(api(shop), ("description",)).json()["text"] == "The Linen Apron is made of linen and weighs 320 g."


def test_a_reply_without_usage_that_has_another_shape_counts_at_its_ceiling(
    shop: Workspace, api: ApiClient, vendor: Provider
) -> None:
    vendor.behave({"shared": "cut_json", "usage": None})

    describe(api(shop), FIELDS)

    for call in LlmCall.objects.in_workspace(shop):
        assert (call.error_kind, call.cost_nanos, call.cost_is_exact) == ("malformed", call.ceiling_nanos, False)


def test_a_title_and_a_description_keep_their_places(shop: Workspace, api: ApiClient, vendor: Provider) -> None:
    vendor.behave(
        {"text": '{"description": "The apron is linen.\\n\\nIt weighs 320 g.", "seo_title": "Linen\\nApron"}'}
    )

    reply = describe(api(shop), ("description", "seo_title")).json()

    assert (reply["text"], reply["seo_title"]) == ("The apron is linen.\n\nIt weighs 320 g.", "Linen Apron")
