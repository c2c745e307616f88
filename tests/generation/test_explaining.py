from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User, Workspace
from generation.facts import extract_facts, facts_differences
from generation.facts.product import ProductInput
from generation.models import CachedText, Text
from generation.services.suggesting import suggestions
from tests.conftest import ApiClient, SignIn, say_why
from tests.factories import first_product, make_catalogue, make_file

pytestmark = pytest.mark.django_db

URL = "/api/v1/descriptions"


def mug(color: str, **attributes: Any) -> dict[str, Any]:
    return {"title": "Mug", "attributes": {"Color": color, "Capacity": "350 ml", "Material": "stoneware", **attributes}}


MUG: ProductInput = {"title": "Mug", "attributes": {"Color": "red", "Capacity": "350 ml"}}


def describe(client: Client, product: dict[str, Any], **wishes: Any) -> Any:
    return client.post(f"{URL}?explain=1", {"product": product, **wishes}, content_type="application/json").json()


def nearest(reply: Any) -> list[list[tuple[str, str, str]]]:
    return [
        [(row["label"], row["there"], row["here"]) for row in near["differences"]]
        for near in reply["explanation"]["nearest"]
    ]


def test_a_miss_names_the_fact_that_differs_from_the_nearest_text(shop: Workspace, api: ApiClient) -> None:
    client = api(shop)
    assert describe(client, mug("blue", Care="Hand wash"))["explanation"]["nearest"] == []
    describe(client, mug("blue"))

    reply = describe(client, mug("red"))

    first = reply["explanation"]["steps"][0]
    assert (first["layer"], first["outcome"]) == ("exact", "miss")
    assert nearest(reply) == [
        [("Color", "blue", "red")],
        [("Color", "blue", "red"), ("Care", "Hand wash", "")],
    ]


def test_wishes_differ_too(shop: Workspace, api: ApiClient) -> None:
    client = api(shop)
    describe(client, mug("blue"))

    assert nearest(describe(client, mug("blue"), tone="friendly")) == [[("Tone", "neutral", "friendly")]]


def test_a_hit_says_what_it_saved_and_needs_no_comparison(shop: Workspace, api: ApiClient) -> None:
    client = api(shop)
    describe(client, mug("blue"))
    CachedText.objects.in_workspace(shop).update(cost_nanos=2_100_000)

    explanation = describe(client, mug("blue"))["explanation"]

    assert (explanation["source"], explanation["saved_usd"], explanation["nearest"]) == ("exact", "0.0021", [])
    assert [(step["layer"], step["outcome"]) for step in explanation["steps"]] == [("exact", "hit")]


def test_nothing_is_explained_unless_asked_and_a_text_is_explained_later(shop: Workspace, api: ApiClient) -> None:
    client = api(shop)
    describe(client, mug("blue"))
    reply = client.post(URL, {"product": mug("red")}, content_type="application/json").json()
    assert reply["explanation"] is None

    later = client.get(f"/api/v1/texts/{reply['id']}?explain=1").json()
    assert nearest(later) == [[("Color", "blue", "red")]]
    assert client.get(f"/api/v1/texts/{reply['id']}").json()["explanation"] is None
    assert client.post(f"{URL}?explian=1", {"product": mug("red")}, content_type="application/json").status_code == 422


def test_a_text_of_a_family_shows_what_filled_its_slots(shop: Workspace, api: ApiClient) -> None:
    client = api(shop)
    describe(client, mug("blue"))

    explanation = describe(client, mug("red"))["explanation"]

    assert explanation["source"] == "template"
    assert explanation["template"]["slots"]["color"] == "red"
    assert "{{color}}" in explanation["template"]["text"]
    assert "red" not in explanation["template"]["text"]
    assert describe(client, mug("red"))["explanation"]["template"] == explanation["template"]


def test_another_workspaces_texts_are_never_compared_with(
    shop: Workspace, other_shop: Workspace, api: ApiClient
) -> None:
    describe(api(shop), mug("blue", Care="A secret of Alder Goods"))

    assert describe(api(other_shop), mug("red"))["explanation"]["nearest"] == []


def test_the_product_page_and_the_staff_say_where_a_text_came_from(
    shop: Workspace, alice: User, sign_in: SignIn, staff: Client
) -> None:
    product = first_product(make_catalogue(shop, make_file(["A,Mug,stoneware,red,"])))
    client = sign_in(alice)
    describe_as_known(shop)
    client.post(reverse("product_rewrite", args=[shop.slug, product.pk]))

    page = client.get(reverse("product", args=[shop.slug, product.pk])).content.decode()
    assert "Where this text came from" in page
    assert "color: blue there, red here" in page

    text = Text.objects.in_workspace(shop).get(product=product)
    say_why(staff, shop)
    admin = staff.get(reverse("admin:generation_text_change", args=[text.pk])).content.decode()
    assert "color: blue there, red here" in admin
    assert "These facts were not written before with these wishes." in admin


def describe_as_known(shop: Workspace) -> None:
    facts = extract_facts({"title": "Mug", "attributes": {"material": "stoneware", "color": "blue"}})
    CachedText.objects.create(
        workspace=shop,
        key="blue",
        subject="mug",
        facts={
            "title": facts.title,
            "facts": [
                {"label": f.label, "display_label": f.display_label, "value": f.value, "canonical": f.canonical}
                for f in facts.facts
            ],
            "source": facts.source,
            "variants": [],
        },
        fields={"description": "A blue mug."},
        provider="offline",
        model_id="offline-1",
        expires_at=timezone.now() + timedelta(days=1),
    )


@pytest.mark.parametrize(
    ("there", "here", "differs"),
    [
        ({"title": "Mug", "attributes": {"Volume": "500 ml"}}, {"title": "MUG", "attributes": {"volume": "0.5 L"}}, []),
        (
            {"title": "Mug", "attributes": {"Colour": "blue"}},
            {"title": "Mug", "attributes": {"Colour": ["blue", "red"]}},
            [("Colour", "blue", "blue, red")],
        ),
        (
            {"title": "Tee", "variants": [{"Size": "S", "Color": "red"}, {"Size": "M", "Color": "blue"}]},
            {"title": "Tee", "variants": [{"Size": "M", "Color": "red"}, {"Size": "S", "Color": "blue"}]},
            [("Options", "combined in another way", "as they are")],
        ),
    ],
)
def test_facts_are_compared_by_what_they_state(
    there: ProductInput, here: ProductInput, differs: list[tuple[str, str, str]]
) -> None:
    found = facts_differences(extract_facts(there), extract_facts(here))
    assert [(each.label, each.there, each.here) for each in found] == differs


# --- Suggestions ------------------------------------------------------------------------------------------------------


FACTS = extract_facts(
    {"title": "Jug", "attributes": {"Material": "glass", "Capacity": "1.2 l", "Care": "hand wash", "SKU": "J-1"}}
)


def text_with(*labels: str, **brief: str) -> Text:
    wishes = {"tone": "neutral", "length": "medium", "language": "en", "instructions": "", **brief}
    return Text(brief=wishes, description="A jug.", evidence=[{"start": 0, "end": 6, "labels": list(labels)}])


def test_what_is_left_out_is_offered_and_nothing_that_the_facts_do_not_hold() -> None:
    offered = suggestions(FACTS, text_with("title", "care"), is_offline=False)

    labels = [each.label for each in offered]
    assert labels == [
        "Shorter",
        "Mention the material",
        "Mention the capacity",
        "Begin with the material",
        "Friendlier",
    ]


def test_what_was_wished_for_already_is_not_offered_again() -> None:
    text = text_with("title", "material", "care", tone="friendly", length="short", instructions="Mention the capacity.")

    assert [each.label for each in suggestions(FACTS, text, is_offline=True)] == [
        "Longer",
        "More technical",
        "In German",
    ]
