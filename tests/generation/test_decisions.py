"""What people decide about texts, and what the cache serves from then on."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.budgets import Payer
from accounts.models import User, Workspace
from contentopt.errors import Conflict
from generation.engine import items
from generation.engine.writing import Written, write
from generation.facts import ProductInput, brief_from, extract_facts
from generation.models import CachedTemplate, CachedText, LlmCall, Product, Text
from generation.services import decisions, texts
from tests.conftest import ApiClient, SignIn
from tests.factories import first_product, make_catalogue, make_run

pytestmark = pytest.mark.django_db

APRON = (
    "sku,name,brand,material,color,weight,closure,care,country of origin,features,description\n"
    'A-1,Linen Apron,Larch,linen,sand,320 g,crossed straps,machine wash at 40 °C,Portugal,"two front pockets",\n'
)
MUG: ProductInput = {"title": "Mug", "attributes": {"Color": "red", "Capacity": "350 ml"}}
TRUE_WORDS = (
    "The Linen Apron by Larch is made of linen, comes in sand and weighs 320 g. Wash it in the machine at 40 °C."
)


@pytest.fixture
def product(shop: Workspace) -> Product:
    return first_product(make_catalogue(shop, APRON.encode()))


@pytest.fixture(autouse=True)
def _committed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits for a commit happens at once, since these tests' transaction never ends."""
    monkeypatch.setattr(transaction, "on_commit", lambda function, *_args, **_kwargs: function())


def fresh(product: Product) -> Product:
    return Product.objects.select_related("text", "catalogue").in_workspace(product.workspace_id).get(pk=product.pk)


def first_text(product: Product, **changes: Any) -> Text:
    return texts.rewrite(product=fresh(product), changes=changes)


def proposal_for(product: Product, **asked: Any) -> Text:
    return texts.rewrite(product=fresh(product), **{"changes": {}, **asked})


def ask_again(product: Product, workspace: Workspace | None = None, **changes: Any) -> Written:
    """The same facts and wishes, asked for through the API."""
    wishes = {**texts.default_brief(product), **changes}
    brief = brief_from(wishes, extract_facts(product.product))
    return write(brief, payer=Payer((workspace or product.workspace).pk, "api"))


def calls(product: Product) -> int:
    return LlmCall.objects.in_workspace(product.workspace_id).count()


# --- Proposals --------------------------------------------------------------------------------------------------------


def test_a_proposal_changes_neither_the_product_nor_the_cache(product: Product) -> None:
    first = first_text(product)
    proposal = proposal_for(product)

    assert proposal.is_undecided
    assert fresh(product).text == first
    assert ask_again(product).entry.fields["description"] == first.description != proposal.description


def test_a_kept_proposal_is_the_products_text_and_the_cached_one(product: Product) -> None:
    first_text(product)
    kept = decisions.keep_text(proposal_for(product))

    assert fresh(product).text == kept
    again = ask_again(product)
    assert (again.source, again.entry.fields["description"]) == ("exact", kept.description)
    assert decisions.keep_text(kept) == kept


def test_a_kept_short_text_is_not_served_to_who_wants_a_medium_one(product: Product) -> None:
    first = first_text(product)
    kept = decisions.keep_text(proposal_for(product, changes={"length": "short"}))

    assert ask_again(product).entry.fields["description"] == first.description
    assert ask_again(product, length="short").entry.fields["description"] == kept.description


def test_a_discarded_proposal_stays_in_the_history_and_can_come_back(product: Product) -> None:
    first = first_text(product)
    proposal = decisions.reject_text(proposal_for(product), by=None)

    assert proposal.is_discarded
    assert fresh(product).text == first
    assert ask_again(product).entry.fields["description"] == first.description
    with pytest.raises(Conflict):
        decisions.keep_text(proposal)
    restored = decisions.restore_text(product=product, version=proposal.version, editor=None)
    assert fresh(product).text == restored
    assert restored.description == proposal.description


def test_a_newer_proposal_takes_the_place_of_an_undecided_one(product: Product) -> None:
    first_text(product)
    earlier, newer = proposal_for(product), proposal_for(product)

    earlier.refresh_from_db()
    assert earlier.is_discarded
    assert newer.is_undecided


def test_an_edited_proposal_is_kept_as_edited(product: Product, alice: User) -> None:
    first_text(product)
    proposal = proposal_for(product, changes={"tone": "friendly"})

    for words in (TRUE_WORDS[:-5] + ".", TRUE_WORDS):
        edited = texts.edit_text(product=product, fields={"description": words}, editor=alice, proposal=proposal.pk)

    proposal.refresh_from_db()
    assert not proposal.is_undecided
    assert fresh(product).text == edited
    assert (edited.version, edited.brief["tone"]) == (3, "friendly")
    assert ask_again(product, tone="friendly").entry.fields["description"] == TRUE_WORDS


def test_a_run_neither_decides_a_proposal_nor_covers_what_was_kept_meanwhile(product: Product) -> None:
    first_text(product)
    undecided = proposal_for(product)
    items.write_item(make_run(product.catalogue, tone="playful").items.get().pk)
    undecided.refresh_from_db()
    assert undecided.is_undecided
    assert fresh(product).text.source == "model"  # type: ignore[union-attr]
    assert fresh(product).text.brief["tone"] == "playful"  # type: ignore[union-attr]

    run = make_run(product.catalogue, tone="technical")
    kept = decisions.keep_text(undecided)
    items.write_item(run.items.get().pk)

    assert fresh(product).text == kept


# --- Edits ------------------------------------------------------------------------------------------------------------


def test_an_edit_that_holds_is_served_for_the_same_facts_and_wishes_only(
    product: Product, alice: User, other_shop: Workspace
) -> None:
    first_text(product)
    texts.edit_text(product=product, fields={"description": TRUE_WORDS}, editor=alice)

    again = ask_again(product)
    assert (again.entry.fields["description"], again.entry.origin) == (TRUE_WORDS, "edited")
    assert ask_again(product, tone="friendly").entry.fields["description"] != TRUE_WORDS
    assert ask_again(product, other_shop).entry.fields["description"] != TRUE_WORDS


def test_an_edit_that_claims_too_much_is_served_to_nobody_and_its_forerunner_is_forgotten(
    product: Product, alice: User
) -> None:
    first_text(product)
    too_much = f"{TRUE_WORDS} It lasts 100 years."

    texts.edit_text(product=product, fields={"description": too_much}, editor=alice)

    assert not CachedText.objects.in_workspace(product.workspace_id).exists()
    assert fresh(product).text.description == too_much  # type: ignore[union-attr]
    assert ask_again(product).entry.fields["description"] != too_much


def test_restoring_serves_the_restored_words(product: Product, alice: User) -> None:
    first = first_text(product)
    texts.edit_text(product=product, fields={"description": TRUE_WORDS}, editor=alice)

    decisions.restore_text(product=product, version=1, editor=alice)
    assert ask_again(product).entry.fields["description"] == first.description

    decisions.restore_text(product=product, version=2, editor=alice)
    assert ask_again(product).entry.fields["description"] == TRUE_WORDS


# --- Rejections -------------------------------------------------------------------------------------------------------


def test_a_rejected_text_is_not_served_and_leaves_the_product_without_one(product: Product, alice: User) -> None:
    rejected = decisions.reject_text(first_text(product), by=alice, reason="Too dull.")

    assert fresh(product).text is None
    assert (rejected.rejection, rejected.rejected_by) == ("Too dull.", alice)
    assert not CachedText.objects.in_workspace(product.workspace_id).exists()
    assert ask_again(product).source == "model"


def test_the_last_good_version_stands_in_for_a_rejected_one(product: Product, alice: User) -> None:
    first = first_text(product)
    texts.edit_text(product=product, fields={"description": "An apron with a guarantee of 9 years."}, editor=alice)
    second = decisions.keep_text(proposal_for(product, changes={"tone": "technical"}))

    decisions.reject_text(second, by=alice)

    assert fresh(product).text == first  # not the edit, which claims too much


def test_after_a_rejection_other_words_are_written_and_cached(product: Product) -> None:
    rejected = first_text(product)
    decisions.reject_text(rejected, by=None)

    again = texts.rewrite(product=fresh(product), changes={})

    assert fresh(product).text == again
    assert not again.is_proposal
    assert again.description != rejected.description
    assert ask_again(product).entry.fields["description"] == again.description


def test_rejecting_an_old_version_leaves_the_entry_that_took_its_place(product: Product, alice: User) -> None:
    first = first_text(product)
    texts.edit_text(product=product, fields={"description": TRUE_WORDS}, editor=alice)

    decisions.reject_text(first, by=alice)

    assert fresh(product).text.description == TRUE_WORDS  # type: ignore[union-attr]
    assert ask_again(product).entry.fields["description"] == TRUE_WORDS


def test_a_rejection_reaches_the_family_and_what_was_made_from_it_but_no_edit_and_no_other_workspace(
    product: Product, other_shop: Workspace
) -> None:
    shop = product.workspace
    text = first_text(product)
    template = cached(CachedTemplate, shop, "template")
    CachedText.objects.in_workspace(shop).filter(key=text.cache_key).update(donor=template.pk, origin="template")
    sibling = cached(CachedText, shop, "sibling", donor=template.pk, origin="template")
    cached(CachedText, shop, "reworded", donor=sibling.pk, origin="semantic")
    cached(CachedText, shop, "edited", origin="edited")
    cached(CachedText, other_shop, "foreign", donor=template.pk)

    decisions.reject_text(text, by=None)

    assert [row.key for row in CachedText.objects.in_workspace(shop)] == ["edited"]
    assert not CachedTemplate.objects.in_workspace(shop).filter(pk=template.pk).exists()
    assert [row.key for row in CachedText.objects.in_workspace(other_shop)] == ["foreign"]


def test_after_a_rejection_the_family_is_written_anew(shop: Workspace, api: ApiClient) -> None:
    client = api(shop)

    def describe(color: str) -> Any:
        body = {"product": {**MUG, "attributes": {"Color": color, "Capacity": "350 ml"}}}
        return client.post("/api/v1/descriptions", body, content_type="application/json").json()

    assert [describe(color)["source"] for color in ("blue", "red")] == ["model", "template"]
    red = Text.objects.in_workspace(shop).order_by("-created_at")[0]

    assert send(client, red, "reject").status_code == 200

    assert [describe(color)["source"] for color in ("green", "red", "blue")] == ["model", "template", "template"]


def cached(model: Any, workspace: Workspace, key: str, **columns: Any) -> Any:
    fields = {"description": f"Words of {key}."}
    later = timezone.now() + timedelta(days=1)
    return model.objects.create(
        workspace=workspace,
        key=key,
        fields=fields,
        provider="offline",
        model_id="offline-1",
        expires_at=later,
        **columns,
    )


# --- Over the API and on the pages ------------------------------------------------------------------------------------


def send(client: Client, text: Text, action: str, **body: str) -> Any:
    return client.post(f"/api/v1/texts/{text.pk}/{action}", body, content_type="application/json")


def test_a_program_keeps_and_rejects(product: Product, shop: Workspace, api: ApiClient) -> None:
    client = api(shop)
    first = first_text(product)
    proposal = proposal_for(product)
    assert client.get(f"/api/v1/texts/{proposal.pk}").json()["is_proposal"] is True
    assert send(client, first, "reject", reason=5).status_code == 422  # type: ignore[arg-type]

    kept = send(client, proposal, "keep")
    assert (kept.status_code, kept.json()["is_proposal"]) == (200, False)
    assert fresh(product).text == proposal
    assert send(client, first, "keep").status_code == 409

    rejected = send(client, proposal, "reject", reason="No.")
    assert rejected.json()["rejected_at"]
    assert fresh(product).text == first


def test_a_text_without_a_product_can_be_rejected_but_not_kept(shop: Workspace, api: ApiClient) -> None:
    client = api(shop)
    body = {"prompt": "Oak board, 40 x 20 cm, oiled"}

    def describe() -> Any:
        return client.post("/api/v1/descriptions", body, content_type="application/json").json()

    text = Text.objects.in_workspace(shop).get(pk=uuid.UUID(describe()["id"]))
    assert describe()["source"] == "exact"
    assert send(client, text, "keep").status_code == 409

    assert send(client, text, "reject").status_code == 200
    assert describe()["source"] == "model"


def test_the_page_shows_a_proposal_beside_the_present_text_and_keeps_it(
    product: Product, alice: User, shop: Workspace, sign_in: SignIn
) -> None:
    client = sign_in(alice)
    first_text(product)
    client.post(reverse("product_rewrite", args=[shop.slug, product.pk]), {"tone": "technical"})
    proposal = product.texts.get(version=2)

    page = client.get(reverse("product", args=[shop.slug, product.pk])).content.decode()
    assert "Another wording</h2>" in page
    assert "Technical, medium, English" in page
    assert reverse("text_reject", args=[shop.slug, proposal.pk]) in page

    client.post(reverse("text_keep", args=[shop.slug, proposal.pk]))
    assert fresh(product).text == proposal
    assert "Another wording</h2>" not in client.get(reverse("product", args=[shop.slug, product.pk])).content.decode()


def test_the_editor_of_a_proposal_saves_it_as_the_products_text(
    product: Product, alice: User, shop: Workspace, sign_in: SignIn
) -> None:
    client = sign_in(alice)
    first_text(product)
    proposal = proposal_for(product, changes={"tone": "technical"})

    editor = client.get(reverse("product", args=[shop.slug, product.pk]) + "?edit=proposal").content.decode()
    assert f'name="proposal" value="{proposal.pk}"' in editor
    assert editor.count(proposal.description.split(".")[0]) >= 1

    body = {"description": TRUE_WORDS, "proposal": str(proposal.pk)}
    client.post(reverse("product_edit", args=[shop.slug, product.pk]), body)

    text = fresh(product).text
    assert text is not None
    assert (text.description, text.source, text.brief["tone"]) == (TRUE_WORDS, "edited", "technical")


def test_the_page_says_why_a_text_was_rejected(product: Product, alice: User, shop: Workspace, sign_in: SignIn) -> None:
    client = sign_in(alice)
    text = first_text(product)
    page = client.post(
        reverse("text_reject", args=[shop.slug, text.pk]), {"reason": "Sounds <b>wrong</b>."}, follow=True
    ).content.decode()

    assert "Nothing written yet" in page
    assert "“Sounds &lt;b&gt;wrong&lt;/b&gt;.”" in page
