"""What a purge takes out of the cache, and what it never touches."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.budgets import Payer
from accounts.models import PLATFORM_WORKSPACE_ID, User, Workspace
from accounts.retiring import retire
from generation.caching import exact, front
from generation.caching.asking import Ask
from generation.caching.entries import Entry
from generation.caching.purging import Choice, count, purge
from generation.engine.items import write_item
from generation.engine.writing import write
from generation.facts import Brief, extract_facts
from generation.models import CachedTemplate, CachedText, Product
from generation.tasks import drop_expired_texts
from tests.conftest import ApiClient, SignIn
from tests.factories import first_product, make_catalogue, make_file, make_run

pytestmark = pytest.mark.django_db

MUG = Brief(extract_facts({"title": "Enamel Mug", "attributes": {"Material": "enamel"}}))
LAMP = Brief(extract_facts({"title": "Desk Lamp", "attributes": {"Material": "steel"}}))


def ask(workspace: Workspace, brief: Brief = MUG) -> str:
    """The source of the answer."""
    return write(brief, payer=Payer(workspace.pk, "api")).source


def kept(workspace: Workspace) -> list[str]:
    rows = CachedText.objects.in_workspace(workspace).order_by("key")
    return sorted(rows.values_list("facts__title", flat=True))


def keep_template(workspace: Workspace, **columns: Any) -> CachedTemplate:
    usual = {"key": "t", "fields": {}, "provider": "offline", "model_id": "offline-1"}
    expires_at = timezone.now() + timedelta(days=1)
    return CachedTemplate.objects.create(workspace=workspace, **{**usual, "expires_at": expires_at, **columns})


@pytest.fixture
def full(shop: Workspace, other_shop: Workspace) -> Workspace:
    """A shop with two texts in its cache, beside another with one of the same."""
    for workspace, brief in ((shop, MUG), (shop, LAMP), (other_shop, MUG)):
        ask(workspace, brief)
    return shop


def test_a_purge_leaves_nothing_behind_in_postgresql_or_in_front(full: Workspace) -> None:
    keep_template(full)
    assert ask(full) == "exact"  # in front by now

    told = count(Choice(full.pk))
    purged = purge(Choice(full.pk))
    retire()

    retire()
    assert purged == told
    assert (purged.texts, purged.templates) == (2, 1)
    assert kept(full) == []
    assert ask(full) == "model"


def test_a_purge_never_touches_another_workspace_or_the_pool(full: Workspace, other_shop: Workspace) -> None:
    keep_template(other_shop)
    pool = Ask(PLATFORM_WORKSPACE_ID, LAMP, "offline")
    exact.store(pool, Entry({"description": "A lamp."}, [], "offline", "offline-1"), is_public=True)

    purge(Choice(full.pk))

    assert kept(other_shop) == ["Enamel Mug"]
    assert CachedTemplate.objects.in_workspace(other_shop).exists()
    assert CachedText.objects.in_workspace(PLATFORM_WORKSPACE_ID).filter(is_public=True).exists()
    assert ask(other_shop) == "exact"


def test_purging_the_pool_ends_it_for_everybody(shop: Workspace, settings: Any) -> None:
    pool = Ask(PLATFORM_WORKSPACE_ID, LAMP, "offline")
    exact.store(pool, Entry({"description": "A lamp."}, [], "offline", "offline-1"), is_public=True)
    assert ask(shop, LAMP) == "exact"

    purge(Choice(PLATFORM_WORKSPACE_ID))
    retire()

    assert ask(shop, LAMP) == "model"


@pytest.mark.parametrize(
    ("narrowed", "left"),
    [
        ({"model_id": "offline-1"}, ["Desk Lamp"]),
        ({"older_than_days": 7}, ["Enamel Mug"]),
        ({"products": (MUG.facts,)}, ["Desk Lamp"]),
        ({"products": (MUG.facts,), "older_than_days": 7}, ["Desk Lamp", "Enamel Mug"]),
        ({"model_id": "another"}, ["Enamel Mug"]),
        ({"products": ()}, ["Desk Lamp", "Enamel Mug"]),
    ],
    ids=str,
)
def test_all_that_is_given_must_be_met(full: Workspace, narrowed: dict[str, Any], left: list[str]) -> None:
    lamp = CachedText.objects.in_workspace(full).filter(facts__title="Desk Lamp")
    lamp.update(model_id="another", created_at=timezone.now() - timedelta(days=8))

    purge(Choice(full.pk, **narrowed))

    assert kept(full) == left


def test_a_purge_by_product_takes_what_its_text_came_from_too(full: Workspace) -> None:
    """Else the next request would be filled from the same template, or answered by the same donor."""
    texts = CachedText.objects.in_workspace(full)
    donor, template = texts.get(facts__title="Desk Lamp"), keep_template(full)
    keep_template(full, key="another family's")
    mug = texts.get(facts__title="Enamel Mug")
    for source in (donor.pk, template.pk):
        row = {"workspace": full, "key": f"from {source}", "donor": source, "facts_hash": mug.facts_hash}
        expires_at = timezone.now() + timedelta(days=1)
        CachedText.objects.create(**row, fields={}, provider="offline", model_id="offline-1", expires_at=expires_at)

    purged = purge(Choice(full.pk, products=(MUG.facts,)))

    assert (purged.texts, purged.templates) == (4, 1)
    assert kept(full) == []


def test_more_entries_than_one_batch_go(shop: Workspace) -> None:
    keys = [f"key {n}" for n in range(2_100)]
    usual = {"workspace": shop, "fields": {}, "provider": "offline", "model_id": "offline-1", "hits": 2}
    expires_at = timezone.now() + timedelta(days=1)
    rows = [CachedText(key=key, **usual, cost_nanos=5, expires_at=expires_at) for key in keys]
    CachedText.objects.bulk_create(rows)
    front.put(shop.pk, keys[-1], Entry({}, [], "offline", "offline-1"), expires_at)

    purged = purge(Choice(shop.pk))
    retire()

    assert (purged.texts, purged.hits, purged.saved_nanos) == (2_100, 4_200, 21_000)
    assert front.get_first([(shop.pk, keys[-1])]) is None


def test_a_renewed_text_is_as_young_as_its_renewal(full: Workspace) -> None:
    CachedText.objects.in_workspace(full).update(created_at=timezone.now() - timedelta(days=8))
    write(MUG, payer=Payer(full.pk, "api"), renew=True)

    purge(Choice(full.pk, older_than_days=7))

    assert kept(full) == ["Enamel Mug"]


def test_what_expired_is_dropped_texts_and_templates(full: Workspace) -> None:
    keep_template(full, expires_at=timezone.now() - timedelta(minutes=1))
    keep_template(full, key="lasts")
    mug = CachedText.objects.in_workspace(full).filter(facts__title="Enamel Mug")
    mug.update(expires_at=timezone.now() - timedelta(minutes=1))

    drop_expired_texts()

    assert kept(full) == ["Desk Lamp"]
    assert CachedTemplate.objects.in_workspace(full).get().key == "lasts"


# --- The page ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def written(shop: Workspace) -> Product:
    """A product whose text is in the cache, beside two others; each a family of its own."""
    rows = ("A-1,Linen Apron,linen,", "A-2,Oak Board,oak,", "A-3,Steel Ladle,stainless steel,")
    catalogue = make_catalogue(shop, make_file(list(rows), header="sku,name,material,description\n"))
    for item in make_run(catalogue).items.all():
        write_item(item.pk, publish_next=False)
    CachedText.objects.in_workspace(shop).update(hits=3, cost_nanos=10_000_000)
    return first_product(catalogue)


def test_the_page_says_what_is_kept_and_what_a_purge_would_take(
    written: Product, shop: Workspace, alice: User, sign_in: SignIn
) -> None:
    client, url = sign_in(alice), reverse("usage_cache", args=[shop.slug])
    assert "$0.09" in client.get(url).content.decode()

    asked = client.get(url, {"purge": "1", "product": written.key}).content.decode()
    assert "<strong>1 text</strong> would go. They answered 3 requests and saved $0.03" in asked
    assert len(kept(shop)) == 3

    client.post(url, {"product": written.key, "model": "", "older_than_days": ""})
    assert kept(shop) == ["Oak Board", "Steel Ladle"]
    written.refresh_from_db()
    assert written.text is not None  # what the shop has stays


def test_a_product_of_another_shop_cannot_be_named(
    written: Product, shop: Workspace, other_shop: Workspace, charlie: User, sign_in: SignIn
) -> None:
    client, url = sign_in(charlie), reverse("usage_cache", args=[other_shop.slug])
    ask(other_shop)

    assert "No product of yours" in client.post(url, {"product": written.key}).content.decode()
    assert written.title not in client.get(url).content.decode()
    assert len(kept(shop)) == 3


def test_viewers_and_editors_see_the_cache_and_do_not_purge_it(
    written: Product, shop: Workspace, vera: User, bob: User, sign_in: SignIn
) -> None:
    url = reverse("usage_cache", args=[shop.slug])
    for person in (vera, bob):
        assert sign_in(person).get(url).status_code == 200
        assert sign_in(person).post(url, {}).status_code == 403
    assert len(kept(shop)) == 3


# --- The API ----------------------------------------------------------------------------------------------------------


def test_api_counts_and_purges(written: Product, shop: Workspace, api: ApiClient) -> None:
    client = api(shop)
    counted = client.get("/api/v1/cache").json()
    assert (counted["texts"], counted["hits"], counted["saved_usd"]) == (3, 9, "0.09")
    assert [row["origin"] for row in counted["by_origin"]] == ["model"]

    purged = client.delete(f"/api/v1/cache?product={written.pk}&model=offline-1").json()

    assert purged == {"texts": 1, "templates": 0, "hits": 3, "saved_usd": "0.03"}
    assert client.get("/api/v1/cache").json()["texts"] == 2


def test_api_purges_nothing_for_another_shops_product_or_a_misspelt_condition(
    written: Product, shop: Workspace, other_shop: Workspace, api: ApiClient
) -> None:
    assert api(other_shop).delete(f"/api/v1/cache?product={written.pk}").status_code == 404
    assert api(shop).delete("/api/v1/cache?modell=offline-1").status_code == 422
    assert api(shop).delete("/api/v1/cache?older_than_days=0").status_code == 422
    assert api(shop, ["read", "write"]).delete("/api/v1/cache").status_code == 403
    assert len(kept(shop)) == 3


# --- Staff ------------------------------------------------------------------------------------------------------------


def test_staff_are_shown_what_would_go_before_it_goes(
    written: Product, shop: Workspace, other_shop: Workspace, staff: Client
) -> None:
    ask(other_shop)
    url = reverse("admin:accounts_workspace_changelist")
    chosen = {"action": "purge_cache", "_selected_action": [str(shop.pk)]}

    assert "3 texts and 0 templates would go" in staff.post(url, chosen).content.decode()
    assert len(kept(shop)) == 3
    staff.post(url, {**chosen, "confirmed": "1"})

    assert kept(shop) == []
    assert kept(other_shop) == ["Enamel Mug"]


def test_staff_purge_single_entries(written: Product, shop: Workspace, staff: Client) -> None:
    text = CachedText.objects.in_workspace(shop).get(facts__title="Oak Board")
    chosen = {"action": "purge", "_selected_action": [str(text.pk)], "confirmed": "1"}

    staff.post(reverse("admin:generation_cachedtext_changelist"), chosen)

    assert kept(shop) == ["Linen Apron", "Steel Ladle"]
