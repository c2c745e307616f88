from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User, Workspace
from contentopt.errors import DomainError
from generation.models import LlmCall, Product, Text
from generation.services import decisions, texts
from tests.factories import first_product, make_catalogue

pytestmark = pytest.mark.django_db


APRON = (
    "sku,name,brand,material,color,weight,closure,care,country of origin,features,description\n"
    'A-1,Linen Apron,Larch,linen,sand,320 g,crossed straps,machine wash at 40 °C,Portugal,"two front pockets",\n'
)


@pytest.fixture
def product(shop: Workspace) -> Product:
    """One about which there is more to say than a short text holds."""
    return first_product(make_catalogue(shop, APRON.encode()))


def versions(product: Product) -> list[tuple[int, str]]:
    return list(product.texts.order_by("version").values_list("version", "source"))


def present(product: Product) -> Text:
    product.refresh_from_db()
    assert product.text is not None
    return product.text


def test_rewriting_makes_a_proposal_and_leaves_the_present_text(product: Product) -> None:
    first = texts.rewrite(product=product, changes={})
    product.refresh_from_db()
    second = texts.rewrite(product=product, changes={"length": "short"})

    assert versions(product) == [(1, "model"), (2, "model")]
    assert present(product) == first
    assert second.is_undecided
    assert second.brief["length"] == "short"
    assert len(second.description) < len(first.description)


def test_rewriting_without_a_change_asks_for_other_words(product: Product) -> None:
    first = texts.rewrite(product=product, changes={})
    product.refresh_from_db()
    again = texts.rewrite(product=product, changes={})

    assert LlmCall.objects.in_workspace(product.workspace_id).count() == 2
    assert again.description != first.description


def test_evidence_names_the_facts_of_each_sentence(product: Product) -> None:
    text = texts.rewrite(product=product, changes={})

    labels = {label for row in text.evidence for label in row["labels"]}
    assert {"material", "color"} <= labels
    for row in text.evidence:
        assert text.description[row["start"] : row["end"]].strip()


def test_edits_of_one_sitting_are_one_version(product: Product, alice: User) -> None:
    texts.rewrite(product=product, changes={})
    for words in ("One.", "One. Two.", "One. Two. Three."):
        product.refresh_from_db()
        texts.edit_text(product=product, fields={"description": words}, editor=alice)

    assert versions(product) == [(1, "model"), (2, "edited")]
    assert present(product).description == "One. Two. Three."


def test_edit_after_the_sitting_or_by_another_person_is_a_new_version(product: Product, alice: User, bob: User) -> None:
    texts.edit_text(product=product, fields={"description": "Alice."}, editor=alice)
    texts.edit_text(product=product, fields={"description": "Bob."}, editor=bob)
    long_ago = timezone.now() - timedelta(hours=2)
    Text.objects.in_workspace(product.workspace_id).update(updated_at=long_ago)
    texts.edit_text(product=product, fields={"description": "Bob again."}, editor=bob)

    assert [text.description for text in product.texts.order_by("version")] == ["Alice.", "Bob.", "Bob again."]


def test_edit_that_claims_more_than_the_facts_is_kept_and_says_so(product: Product, alice: User) -> None:
    text = texts.edit_text(product=product, fields={"description": "A linen apron of 500 g."}, editor=alice)

    assert present(product).description == "A linen apron of 500 g."
    assert any("500 g" in complaint["words"] for complaint in text.complaints)


def test_empty_edit_is_refused_and_the_last_version_kept(product: Product, alice: User) -> None:
    texts.edit_text(product=product, fields={"description": "Words."}, editor=alice)

    with pytest.raises(DomainError, match="cannot be empty"):
        texts.edit_text(product=product, fields={"description": "  \n"}, editor=alice)

    assert present(product).description == "Words."


def test_restoring_is_a_new_version_and_can_be_undone(product: Product, alice: User) -> None:
    written = texts.rewrite(product=product, changes={})
    product.refresh_from_db()
    texts.edit_text(product=product, fields={"description": "Edited."}, editor=alice)

    decisions.restore_text(product=product, version=1, editor=alice)
    assert present(product).description == written.description

    decisions.restore_text(product=product, version=2, editor=alice)
    assert present(product).description == "Edited."
    assert [version for version, _ in versions(product)] == [1, 2, 3, 4]


def test_seo_fields_are_written_only_where_the_file_has_columns(shop: Workspace) -> None:
    plain = first_product(make_catalogue(shop))
    header = "sku,name,material,description,seo_title,meta_description\n"
    with_seo = first_product(make_catalogue(shop, (header + "A-1,Linen Apron,linen,,,\n").encode(), "seo.csv"))

    assert texts.rewrite(product=plain, changes={}).seo_title == ""
    text = texts.rewrite(product=with_seo, changes={})
    assert 0 < len(text.seo_title) <= 70
    assert 0 < len(text.meta_description) <= 160
