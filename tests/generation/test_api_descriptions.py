from __future__ import annotations

import re
import uuid
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from accounts.models import Plan, User, Workspace
from accounts.services.workspaces import create_workspace
from generation.models import LlmCall, Provider, Text
from tests.conftest import ApiClient

pytestmark = pytest.mark.django_db

URL = "/api/v1/descriptions"
APRON = {
    "title": "Linen Apron",
    "category": "Kitchen",
    "attributes": {"Material": "linen", "Weight": "180 g", "Pockets": 2, "Washable": True, "Colours": ["sand", "red"]},
    "features": ["Adjustable strap"],
}


@pytest.fixture
def client(shop: Workspace, api: ApiClient) -> Client:
    return api(shop)


def describe(client: Client, body: dict[str, Any], key: str | None = None) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(URL, body, content_type="application/json", headers=headers)


def calls(workspace: Workspace) -> int:
    return LlmCall.objects.in_workspace(workspace).count()


def test_a_product_gets_a_text_with_its_origin_and_price(client: Client, shop: Workspace) -> None:
    response = describe(client, {"product": APRON, "tone": "friendly", "length": "short"})

    reply = response.json()
    assert response.status_code == 200
    assert reply["id"] == str(Text.objects.in_workspace(shop).get().pk)
    assert "linen" in reply["text"].lower()
    assert reply["source"] == "model"
    assert reply["model"] == "offline-1"
    assert reply["is_offline"] is True
    assert reply["cost_usd"] == "0.00"
    assert Decimal(reply["cost_usd"]) == 0
    assert set(reply["tokens"]) == {"input_tokens", "cached_tokens", "output_tokens"}
    assert reply["remaining"] == {"minute": None, "day": None}


def test_evidence_names_known_facts_for_slices_of_the_text(client: Client) -> None:
    reply = describe(client, {"product": APRON}).json()

    assert reply["evidence"]
    assert [row["sentence"] for row in reply["evidence"]] == [
        reply["text"][row["start"] : row["end"]] for row in reply["evidence"]
    ]
    known = {"title", "category", "feature", "material", "weight", "pockets", "washable", "color", "colors", "colours"}
    assert {label for row in reply["evidence"] for label in row["facts"]} <= known


def test_free_text_will_do(client: Client) -> None:
    response = describe(client, {"prompt": "Oak board, 40 x 20 cm, oiled"})
    assert response.status_code == 200
    assert "oak" in response.json()["text"].lower()


def test_the_same_facts_in_another_spelling_are_known_already(client: Client, shop: Workspace) -> None:
    first = describe(client, {"product": {"title": "Mug", "attributes": {"Volume": "500 ml", "Color": "Red"}}}).json()
    again = describe(client, {"product": {"attributes": {"colour": "RED", "volume": "0.5 L"}, "title": "Mug"}}).json()

    assert again["source"] == "exact"
    assert again["text"] == first["text"]
    assert calls(shop) == 1


def test_seo_fields_are_written_when_asked_for(client: Client) -> None:
    plain = describe(client, {"product": APRON}).json()
    full = describe(client, {"product": APRON, "fields": ["seo_title", "meta_description"]}).json()

    assert (plain["seo_title"], plain["meta_description"]) == ("", "")
    assert full["text"]
    assert full["seo_title"]
    assert full["meta_description"]


def test_variants_are_facts(client: Client) -> None:
    product = {"title": "Tee", "variants": [{"Color": "Red", "Size": "M"}, {"Color": "Blue", "Size": "M"}]}
    text = describe(client, {"product": product}).json()["text"].lower()
    assert "red" in text
    assert "blue" in text


def test_an_idempotency_key_repeats_the_same_text_without_another_call(client: Client, shop: Workspace) -> None:
    first = describe(client, {"product": APRON}, key="order-1").json()
    again = describe(client, {"product": dict(reversed(APRON.items()))}, key="order-1").json()

    assert again["id"] == first["id"]
    assert (calls(shop), Text.objects.in_workspace(shop).count()) == (1, 1)


def test_an_idempotency_key_with_another_body_is_refused(client: Client, shop: Workspace) -> None:
    describe(client, {"product": APRON}, key="order-1")
    response = describe(client, {"product": APRON, "tone": "playful"}, key="order-1")

    assert response.status_code == 422
    assert response.json()["error"]["code"] == "idempotency_key_reused"
    assert (calls(shop), Text.objects.in_workspace(shop).count()) == (1, 1)


def test_an_idempotency_key_is_the_workspaces_own(
    client: Client, shop: Workspace, other_shop: Workspace, api: ApiClient
) -> None:
    mine = describe(client, {"product": APRON}, key="order-1").json()
    theirs = describe(api(other_shop), {"product": {"title": "Steel Ladle", "brand": "Elsewhere"}}, key="order-1")

    assert theirs.status_code == 200
    assert theirs.json()["id"] != mine["id"]


def test_no_workspace_is_served_from_anothers_texts(client: Client, other_shop: Workspace, api: ApiClient) -> None:
    describe(client, {"product": APRON})
    assert describe(api(other_shop), {"product": APRON}).json()["source"] == "model"


@pytest.mark.parametrize("key", ["", "k" * 256])
def test_an_idempotency_key_has_a_sensible_length(client: Client, key: str) -> None:
    response = client.post(URL, {"product": APRON}, content_type="application/json", headers={"Idempotency-Key": key})
    assert response.status_code == 422


def test_nothing_to_write_about_is_refused(client: Client) -> None:
    response = describe(client, {"prompt": "\u200b"})
    assert response.status_code == 422
    assert response.json()["error"]["code"] == "no_facts"


def test_with_every_model_off_it_says_when_to_come_back(client: Client, shop: Workspace) -> None:
    Provider.objects.update(is_enabled=False)

    response = describe(client, {"product": APRON})

    assert response.status_code == 503
    assert response.json()["error"]["code"] == "provider_unavailable"
    assert int(response["Retry-After"]) > 0
    assert Text.objects.in_workspace(shop).count() == 0


def limited(alice: User, **limits: int) -> Workspace:
    Plan.objects.create(slug="small", name="Small", **limits)
    return create_workspace(owner=alice, name="Small", plan="small")


def test_replies_say_what_the_plan_still_allows(alice: User, api: ApiClient) -> None:
    client = api(limited(alice, burst_per_minute=3, requests_per_day=10))

    response = describe(client, {"product": APRON})

    assert response.json()["remaining"] == {"minute": 2, "day": 9}
    assert response["RateLimit-Policy"] == '"burst";q=3;w=60, "day";q=10;w=86400'
    assert re.fullmatch(r'"burst";r=2;t=(59|60), "day";r=9;t=8[67]\d{3}', response["RateLimit"])


def test_errors_carry_the_rate_limit_too(alice: User, api: ApiClient) -> None:
    client = api(limited(alice, burst_per_minute=9))
    answers = [describe(client, {}), client.get(f"/api/v1/texts/{uuid.uuid4()}"), client.delete("/api/v1/usage")]
    assert [(reply.status_code, reply["RateLimit"].partition(";t=")[0]) for reply in answers] == [
        (422, '"burst";r=8'),
        (404, '"burst";r=8'),  # reads have a burst of their own
        (405, '"burst";r=7'),
    ]


def test_over_the_burst_limit_it_says_how_long_to_wait(alice: User, api: ApiClient) -> None:
    client = api(limited(alice, burst_per_minute=2))
    statuses = [describe(client, {"product": APRON}).status_code for _ in range(2)]

    refused = describe(client, {"product": APRON})

    assert statuses == [200, 200]
    assert refused.status_code == 429
    assert refused.json()["error"]["code"] == "rate_limited"
    assert refused.json()["error"]["details"]["limit"] == "burst"
    assert 0 < int(refused["Retry-After"]) <= 60
    assert refused["RateLimit"] == f'"burst";r=0;t={refused["Retry-After"]}'


def test_over_the_daily_limit_it_says_so(alice: User, api: ApiClient) -> None:
    client = api(limited(alice, requests_per_day=1))
    describe(client, {"product": APRON})

    refused = describe(client, {"product": APRON})

    assert refused.status_code == 429
    assert refused.json()["error"]["details"]["limit"] == "day"
    assert 0 < int(refused["Retry-After"]) <= 86400 + 900
