"""Which layer answers: one text for a family, the same facts in other words, and never a text of other facts."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import Workspace
from generation.models import CachedTemplate, CachedText, LlmCall, Text
from tests.conftest import ApiClient
from tests.servers import KEY, Provider

pytestmark = pytest.mark.django_db

URL = "/api/v1/descriptions"


@pytest.fixture(autouse=True)
def model(provider: Provider, settings: Any) -> Provider:
    settings.ANTHROPIC_API_KEY, settings.ANTHROPIC_BASE_URL = KEY, provider.url
    return provider


@pytest.fixture
def client(shop: Workspace, api: ApiClient) -> Client:
    return api(shop)


def mug(color: str, capacity: str = "350 ml", **attributes: str) -> dict[str, Any]:
    known = {"Material": "stoneware", "Color": color, "Capacity": capacity, **attributes}
    return {"title": f"Fjord Mug {color} {capacity}", "attributes": known}


def ask(client: Client, product: dict[str, Any] | None = None, **body: Any) -> dict[str, Any]:
    reply = client.post(URL, {"product": product, **body} if product else body, content_type="application/json")
    assert reply.status_code == 200, reply.json()
    answer: dict[str, Any] = reply.json()
    return answer


# --- Families ---------------------------------------------------------------------------------------------------------


def test_a_variant_is_filled_from_its_familys_text(client: Client, model: Provider) -> None:
    first = ask(client, mug("blue"))
    second = ask(client, mug("red", "0.5 L"))

    assert (first["source"], second["source"], second["cost_usd"]) == ("model", "template", "0.00")
    assert "red" in second["text"].lower()
    assert "0.5 L" in second["text"]
    assert "blue" not in second["text"].lower()
    assert "350" not in second["text"]
    assert model.meter()["requests"] == 1


def test_a_filled_text_is_known_from_then_on(client: Client, model: Provider) -> None:
    ask(client, mug("blue"))
    filled = ask(client, mug("red"))
    again = ask(client, mug("RED"))

    assert (again["source"], again["text"]) == ("exact", filled["text"])


@pytest.mark.parametrize(
    "other",
    [
        mug("red", Material="porcelain"),
        mug("red", Glaze="matte"),
        {**mug("red"), "features": ["Dishwasher safe"]},
        {**mug("red"), "title": "Fjord Jug red 350 ml"},
        {**mug("red"), "brand": "Larch"},
    ],
    ids=["material", "further attribute", "feature", "title", "brand"],
)
def test_another_constant_fact_is_another_family(client: Client, model: Provider, other: dict[str, Any]) -> None:
    ask(client, mug("blue"))

    assert ask(client, other)["source"] == "model"


@pytest.mark.parametrize(
    "wish", [{"tone": "playful"}, {"length": "long"}, {"voice": "Dry."}, {"instructions": "Name the glaze first."}]
)
def test_other_wishes_are_another_family(client: Client, wish: dict[str, Any]) -> None:
    ask(client, mug("blue"))

    assert ask(client, mug("red"), **wish)["source"] == "model"


def test_the_model_is_shown_no_value_of_a_slot(client: Client, shop: Workspace) -> None:
    ask(client, mug("blue"))

    template = CachedTemplate.objects.in_workspace(shop).get()
    assert "{{color}}" in template.fields["description"]
    assert "blue" not in str(template.facts).lower()


def test_a_word_that_leans_on_a_slot_makes_no_template(client: Client, shop: Workspace, model: Provider) -> None:
    model.behave(
        {"text": "The Fjord Mug {{color}} {{capacity}} comes in a deep {{color}} that hides stains. Stoneware."},
        {"text": "echo facts"},
    )
    first = ask(client, mug("blue"))
    second = ask(client, mug("red"))

    assert (first["source"], second["source"]) == ("model", "model")
    assert "deep" not in first["text"]
    assert CachedTemplate.objects.in_workspace(shop).get().refusal
    assert LlmCall.objects.in_workspace(shop).count() == 3  # the refused one, and one for each alone


def test_a_family_is_private(client: Client, other_shop: Workspace, api: ApiClient) -> None:
    ask(client, mug("blue"))

    assert ask(api(other_shop), mug("red"))["source"] == "model"


def test_a_filled_text_is_served_when_the_budget_is_gone(client: Client, shop: Workspace) -> None:
    ask(client, mug("blue"))
    Workspace.objects.filter(pk=shop.pk).update(spend_cap_nanos=0)

    assert ask(client, mug("red"))["source"] == "template"


# --- The same facts in other words ------------------------------------------------------------------------------------


def test_a_prompt_in_other_words_is_known(client: Client, model: Provider) -> None:
    first = ask(client, prompt="Write a product description for a stoneware mug, blue, dishwasher safe")
    second = ask(client, prompt="Please describe: blue stoneware mug, dishwasher safe.")

    assert (second["source"], second["text"]) == ("semantic", first["text"])
    assert model.meter()["requests"] == 1


@pytest.mark.parametrize(
    "other",
    [
        "Please describe: red stoneware mug, dishwasher safe.",
        "Please describe: blue porcelain mug, dishwasher safe.",
        "Please describe: blue stoneware mug, not dishwasher safe.",
        "Please describe: blue stoneware jug, dishwasher safe.",
        "Please describe: blue stoneware mug, microwave safe.",
    ],
)
def test_one_other_fact_is_a_miss(client: Client, other: str) -> None:
    ask(client, prompt="Write a product description for a stoneware mug, blue, dishwasher safe")

    assert ask(client, prompt=other)["source"] in ("model", "template")


# --- Why --------------------------------------------------------------------------------------------------------------


def test_a_text_keeps_why_no_layer_had_it(client: Client, shop: Workspace) -> None:
    ask(client, mug("blue"))
    ask(client, mug("red"))

    steps = [
        [(step["layer"], step["outcome"]) for step in text.explanation] for text in Text.objects.in_workspace(shop)
    ]
    assert steps == [
        [("exact", "miss"), ("template", "hit")],
        [("exact", "miss"), ("template", "miss"), ("semantic", "miss"), ("model", "chosen")],
    ]
    origins = dict(CachedText.objects.in_workspace(shop).values_list("origin", "donor"))
    assert origins["template"] == CachedTemplate.objects.in_workspace(shop).get().pk
