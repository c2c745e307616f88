"""A conversation about a text: each wish makes a proposal or is answered in words."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from accounts.budgets import Payer
from accounts.models import UsageEntry, User, Workspace
from contentopt.errors import Conflict, DomainError
from generation.engine.storing import product_facts, text_facts
from generation.engine.writing import write
from generation.facts import Brief, brief_from, unsupported_in
from generation.models import LlmCall, Product, Refinement, Text
from generation.services import decisions, refining, texts
from generation.services.refining import refine
from tests.conftest import ApiClient, SignIn
from tests.factories import first_product, make_catalogue
from tests.servers import KEY, Provider

pytestmark = pytest.mark.django_db

APRON = (
    "sku,name,brand,material,color,weight,feature,care,origin,pockets,description\n"
    'A-1,Linen Apron,Larch,linen,sand,320 g,crossed straps,machine wash at 40 °C,Portugal,"two front pockets",\n'
)
FIRST = "The Linen Apron by Larch is made of linen and comes in sand. It weighs 320 g and has two front pockets."
SHORTER = "The Linen Apron by Larch is made of linen and comes in sand."
WITH_CARE = "The Linen Apron by Larch is made of linen and comes in sand. Machine wash at 40 °C."


@pytest.fixture
def product(shop: Workspace) -> Product:
    return first_product(make_catalogue(shop, APRON.encode()))


@pytest.fixture(autouse=True)
def _committed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits for a commit happens at once, since these tests' transaction never ends."""
    monkeypatch.setattr(transaction, "on_commit", lambda function, *_args, **_kwargs: function())


@pytest.fixture
def vendor(provider: Provider, settings: Any) -> Provider:
    """It says FIRST until it is told otherwise."""
    settings.ANTHROPIC_API_KEY, settings.ANTHROPIC_BASE_URL = KEY, provider.url
    provider.behave({"text": FIRST})
    return provider


def fresh(product: Product) -> Product:
    return Product.objects.select_related("text", "catalogue").in_workspace(product.workspace_id).get(pk=product.pk)


def written(product: Product) -> Text:
    return texts.rewrite(product=fresh(product), changes={})


def wish(text: Text, words: str, by: User | None = None) -> Refinement:
    text = Text.objects.in_workspace(text.workspace_id).get(pk=text.pk)
    return refine(text=text, wish=words, payer=Payer(text.workspace_id, "page"), by=by)


def proposed(text: Text, words: str) -> Text:
    made = wish(text, words).text
    assert made is not None
    return made


def served_again(product: Product) -> str:
    """What the same facts and wishes get from now on."""
    brief = brief_from(texts.default_brief(product), product_facts(product))
    return write(brief, payer=Payer(product.workspace_id, "api")).entry.fields["description"]


# --- With a model -----------------------------------------------------------------------------------------------------


def test_a_wish_goes_to_the_model_after_the_facts_and_what_was_said_before(product: Product, vendor: Provider) -> None:
    first = written(product)
    vendor.behave({"text": SHORTER}, {"text": WITH_CARE})
    second = proposed(first, "shorter")
    third = proposed(second, "mention the care")

    assert [text.description for text in (first, second, third)] == [FIRST, SHORTER, WITH_CARE]
    facts, *said = vendor.requests()[-1]["messages"]
    assert "<product_facts>" in facts["content"]
    assert [(each["role"], each["content"]) for each in said] == [
        ("assistant", FIRST),
        ("user", "The shop wishes: shorter"),
        ("assistant", SHORTER),
        ("user", "The shop wishes: mention the care"),
    ]


def test_a_turn_is_a_proposal_with_its_own_cost_and_the_present_text_stays(product: Product, vendor: Provider) -> None:
    first = written(product)
    vendor.behave({"text": SHORTER})
    turn = wish(first, "shorter")

    assert turn.text is not None
    assert turn.text.is_undecided
    assert fresh(product).text == first
    assert served_again(product) == FIRST
    newest = UsageEntry.objects.in_workspace(product.workspace_id).filter(text_id=turn.text_id)
    assert sum(line.cost_nanos for line in newest) == turn.cost_nanos > 0


def test_a_kept_turn_is_served_for_the_same_facts_and_wishes(product: Product, vendor: Provider) -> None:
    first = written(product)
    vendor.behave({"text": SHORTER})
    decisions.keep_text(proposed(first, "shorter"))

    assert served_again(product) == SHORTER
    decisions.reject_text(fresh(product).text, by=None)  # type: ignore[arg-type]
    assert fresh(product).text.description == FIRST  # type: ignore[union-attr]


def test_a_wish_that_the_facts_do_not_support_is_answered_for_nothing(product: Product, vendor: Provider) -> None:
    first = written(product)
    requests = vendor.meter()["requests"]

    turn = wish(first, "Mention the warranty.")

    assert turn.text is None
    assert "“warranty”" in turn.answer
    assert "add it to the product's facts" in turn.answer
    assert turn.cost_nanos == 0
    assert vendor.meter()["requests"] == requests
    assert product.texts.count() == 1


def test_a_model_that_says_what_is_missing_is_quoted_and_paid(product: Product, vendor: Provider) -> None:
    first = written(product)
    vendor.behave({"text": "Not in the facts: who designed it."})
    requests = vendor.meter()["requests"]

    turn = wish(first, "mention the designer")

    assert turn.text is None
    assert turn.answer.startswith("Not in the facts: who designed it. If it is true")
    call = LlmCall.objects.in_workspace(product.workspace_id).order_by("created_at").last()
    assert call is not None
    assert (call.outcome, call.complaints) == ("refused", ["Not in the facts: who designed it."])
    assert turn.cost_nanos == call.cost_nanos > 0
    assert vendor.meter()["requests"] == requests + 1


def test_a_false_text_is_not_shown_and_what_was_wrong_is_said(product: Product, vendor: Provider) -> None:
    first = written(product)
    vendor.behave({"text": "The Linen Apron by Larch is waterproof. It is made of linen."})

    turn = wish(first, "make it sound tougher")

    assert turn.text is None
    assert "“waterproof”" in turn.answer
    calls = LlmCall.objects.in_workspace(product.workspace_id).exclude(text_id=first.pk)
    assert turn.cost_nanos == sum(call.cost_nanos for call in calls) > 0
    complained = vendor.requests()[-1]["messages"][-1]["content"]
    assert complained.startswith("The shop wishes: make it sound tougher")
    assert "waterproof" in complained
    assert fresh(product).text == first


def test_an_answer_can_be_followed_by_another_wish(product: Product, vendor: Provider) -> None:
    first = written(product)
    vendor.behave({"text": SHORTER})
    wish(first, "mention the warranty")

    assert proposed(first, "shorter").description == SHORTER
    assert len(vendor.requests()[-1]["messages"]) == 3


# --- Taking back ------------------------------------------------------------------------------------------------------


def test_undo_goes_back_one_proposal_and_then_to_the_present_text(product: Product, vendor: Provider) -> None:
    first = written(product)
    vendor.behave({"text": SHORTER}, {"text": WITH_CARE})
    one = wish(first, "shorter")
    two = wish(one.text, "mention the care")  # type: ignore[arg-type]

    refining.take_back(two, by=None)
    assert [text.description for text in product.texts.filter(is_proposal=True, rejected_at=None)] == [SHORTER]

    refining.take_back(one, by=None)
    assert not product.texts.filter(is_proposal=True, rejected_at=None).exists()
    assert fresh(product).text == first


def test_undo_after_keeping_brings_the_earlier_text_back(product: Product, vendor: Provider) -> None:
    first = written(product)
    vendor.behave({"text": SHORTER})
    turn = wish(first, "shorter")
    decisions.keep_text(turn.text)  # type: ignore[arg-type]

    refining.take_back(turn, by=None)

    assert fresh(product).text.description == FIRST  # type: ignore[union-attr]
    assert served_again(product) == FIRST


def test_what_was_discarded_by_hand_does_not_come_back_by_itself(
    product: Product, vendor: Provider, alice: User
) -> None:
    first = written(product)
    vendor.behave({"text": SHORTER}, {"text": WITH_CARE})
    turn = wish(first, "shorter")
    decisions.reject_text(turn.text, by=alice)  # type: ignore[arg-type]

    with pytest.raises(Conflict):
        refining.take_back(turn, by=None)
    with pytest.raises(Conflict):
        wish(turn.text, "longer")  # type: ignore[arg-type]


# --- Without a model --------------------------------------------------------------------------------------------------


def test_the_offline_writer_follows_what_it_can(product: Product) -> None:
    first = written(product)

    shorter = proposed(first, "Make it shorter.")
    assert len(shorter.description.split()) < len(first.description.split())
    with_care = proposed(shorter, "mention the care")
    assert "40 °C" in with_care.description
    assert with_care.cost_nanos == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("in the voice of a pirate", "Other wishes need a model"),
        ("mention the designer", "Not in the facts: the designer"),
        ("mention that it is dishwasher safe", "“dishwasher safe”"),
    ],
)
def test_the_offline_writer_says_what_it_cannot_do(product: Product, words: str, said: str) -> None:
    turn = wish(written(product), words)

    assert turn.text is None
    assert said in turn.answer


def test_a_wish_must_say_something(product: Product) -> None:
    first = written(product)
    with pytest.raises(DomainError):
        wish(first, " \x00 \n")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("mention the warranty", ["warranty"]),
        ("say it is made of oak", ["oak"]),
        ("erwähne, dass sie wasserdicht ist", []),  # in English nobody knows; the output check does
        ("mention free shipping and the CE certification", ["free shipping", "CE", "certification"]),
        ("mention the linen", []),
        ("do not mention the warranty", []),
        ("remove the eco-friendly part", []),
        ("add a list with 3 points", []),
        ("shorter", []),
    ],
)
def test_only_wishes_that_surely_need_more_than_the_facts_are_turned_down(
    product: Product, words: str, expected: list[str]
) -> None:
    assert [each.words for each in unsupported_in(words, Brief(product_facts(product)))] == expected


def test_a_wish_in_the_text_s_language_is_understood(product: Product) -> None:
    brief = Brief(product_facts(product), language="de")

    assert [each.words for each in unsupported_in("erwähne, dass sie wasserdicht ist", brief)] == ["wasserdicht"]


# --- API --------------------------------------------------------------------------------------------------------------


def test_the_api_refines_a_text_of_its_own(shop: Workspace, api: ApiClient) -> None:
    client = api(shop)
    body = {"product": {"title": "Linen Apron", "attributes": {"Colour": ["sand", "rust"], "Weight": "320 g"}}}
    text = client.post("/api/v1/descriptions", body, content_type="application/json").json()

    reply = say(client, text["id"], "more technical").json()
    again = say(client, reply["text"]["id"], "mention the designer").json()

    assert reply["text"]["product"] is None
    assert (reply["answer"], reply["instruction"], reply["cost_usd"]) == ("", "more technical", "0.00")
    assert (again["text"], again["answer"][:17]) == (None, "Not in the facts:")


def test_facts_of_a_text_without_a_product_are_those_it_was_written_from(shop: Workspace, api: ApiClient) -> None:
    product = {
        "title": "Linen Apron",
        "brand": "Larch",
        "category": "Kitchen",
        "attributes": {"Colour": ["sand", "rust"], "Weight": "320 g", "Machine wash": True},
        "features": ["crossed straps", "two pockets"],
        "description": "An apron for two.",
    }
    reply = api(shop).post("/api/v1/descriptions", {"product": product}, content_type="application/json").json()

    text = Text.objects.in_workspace(shop).get(pk=reply["id"])
    kept = [(row["label"], row["value"]) for row in text.facts]
    assert [(fact.label, fact.value) for fact in text_facts(text).facts] == kept


def test_the_api_refines_a_product_s_text_as_a_proposal(product: Product, shop: Workspace, api: ApiClient) -> None:
    first = written(product)

    reply = say(api(shop), first.pk, "shorter").json()

    assert reply["text"]["is_proposal"]
    assert fresh(product).text == first


def test_a_version_that_is_not_current_is_409(product: Product, shop: Workspace, api: ApiClient) -> None:
    first = written(product)
    texts.edit_text(product=fresh(product), fields={"description": SHORTER}, editor=None)

    assert say(api(shop), first.pk, "shorter").status_code == 409


def say(client: Client, text_id: object, instruction: str) -> Any:
    return client.post(f"/api/v1/texts/{text_id}/refine", {"instruction": instruction}, content_type="application/json")


# --- Page -------------------------------------------------------------------------------------------------------------


def test_the_page_shows_the_conversation_with_costs_and_a_way_back(
    product: Product, alice: User, shop: Workspace, sign_in: SignIn
) -> None:
    client = sign_in(alice)
    written(product)
    page = reverse("product", args=[shop.slug, product.pk])
    assert "Say it as you would to a colleague" in client.get(page).content.decode()

    url = reverse("product_refine", args=[shop.slug, product.pk])
    client.post(url, {"instruction": "shorter"})
    client.post(url, {"instruction": "mention the <b>warranty</b>"})
    shown = client.get(page).content.decode()

    assert "the proposal above" in shown
    assert "mention the &lt;b&gt;warranty&lt;/b&gt;" in shown
    assert "“warranty”" in shown
    assert "Free" in shown
    turns = Refinement.objects.in_workspace(shop).order_by("created_at")
    assert [turn.created_by for turn in turns] == [alice, alice]
    undo = reverse("refinement_undo", args=[shop.slug, turns[0].pk])
    client.post(undo)
    assert not product.texts.filter(is_proposal=True, rejected_at=None).exists()


def test_the_page_goes_on_from_the_proposal(product: Product, alice: User, shop: Workspace, sign_in: SignIn) -> None:
    client = sign_in(alice)
    written(product)
    url = reverse("product_refine", args=[shop.slug, product.pk])
    client.post(url, {"instruction": "shorter"})
    client.post(url, {"instruction": "more technical"})

    first, second = Refinement.objects.in_workspace(shop).order_by("created_at")
    assert second.basis_id == first.text_id
