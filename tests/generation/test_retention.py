"""What workspaces need not keep is dropped, as each of them says, and nothing else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import PLATFORM_WORKSPACE_ID, Retention, User, Workspace
from accounts.services.retention import set_retention
from contentopt.errors import Conflict
from generation.engine.items import write_item
from generation.models import BatchPart, CachedText, Catalogue, LlmBatch, LlmCall, Product, Stream, Text
from generation.retention import drop_what_is_kept_long_enough
from generation.services.catalogues import download
from generation.services.texts import edit_text
from tests.conftest import ApiClient, SignIn
from tests.factories import first_product, make_catalogue, make_run

pytestmark = pytest.mark.django_db


def keep(workspace: Workspace, **days: int | None) -> None:
    usual: dict[str, int | None] = {
        "old_version_days": None,
        "import_file_days": None,
        "model_call_days": 30,
        "stream_days": 2,
    }
    set_retention(workspace=workspace, **{**usual, **days})


def ago(days: int) -> Any:
    return timezone.now() - timedelta(days=days)


def product_with_versions(workspace: Workspace) -> Product:
    """Three versions, all of them a hundred days old."""
    catalogue = make_catalogue(workspace)
    product = first_product(catalogue)
    write_item(make_run(catalogue).items.get(product=product).pk)
    for words in ("A linen apron in sand.", "A linen apron. Sand."):
        product.refresh_from_db()
        edit_text(product=product, fields={"description": words}, editor=None)
        Text.objects.in_workspace(workspace).update(updated_at=ago(100), created_at=ago(100))
    product.refresh_from_db()
    return product


def test_nothing_of_ones_texts_and_files_is_dropped_unless_one_says_so(shop: Workspace) -> None:
    product = product_with_versions(shop)
    Catalogue.objects.in_workspace(shop).update(created_at=ago(3_000))

    drop_what_is_kept_long_enough()

    assert Text.objects.in_workspace(shop).filter(product=product).count() == 3
    assert b"".join(download(product.catalogue, only_empty=False))


def test_old_versions_go_and_the_present_text_stays(shop: Workspace, other_shop: Workspace) -> None:
    product, other = product_with_versions(shop), product_with_versions(other_shop)
    keep(shop, old_version_days=90)

    assert drop_what_is_kept_long_enough()["versions"] >= 2
    assert drop_what_is_kept_long_enough()["versions"] == 0

    assert Text.objects.in_workspace(shop).get(product=product) == product.text
    assert Text.objects.in_workspace(other_shop).filter(product=other).count() == 3


def test_versions_that_are_not_old_stay(shop: Workspace) -> None:
    product_with_versions(shop)
    keep(shop, old_version_days=101)

    assert drop_what_is_kept_long_enough()["versions"] == 0


def test_a_dropped_file_leaves_its_products_and_says_why_it_cannot_be_filled(shop: Workspace, api: ApiClient) -> None:
    product = product_with_versions(shop)
    keep(shop, import_file_days=30)
    Catalogue.objects.in_workspace(shop).update(created_at=ago(31))

    drop_what_is_kept_long_enough()

    product.refresh_from_db()
    assert product.text is not None
    with pytest.raises(Conflict, match="Upload the file again"):
        download(product.catalogue, only_empty=False)
    assert api(shop).get(f"/api/v1/catalogues/{product.catalogue_id}/export").status_code == 409


def test_the_sample_shop_keeps_its_file(shop: Workspace) -> None:
    catalogue = make_catalogue(shop)
    Catalogue.objects.in_workspace(shop).update(created_at=ago(31), is_sample=True)
    keep(shop, import_file_days=30)

    assert drop_what_is_kept_long_enough()["files"] == 0
    assert catalogue.chunks.exists()


def test_what_models_were_sent_is_emptied_and_the_books_stay(shop: Workspace) -> None:
    run = make_run(make_catalogue(shop))
    batch = LlmBatch.objects.create(
        workspace=shop, run=run, provider="anthropic", model_id="m", spec={}, stage="collected", state="done"
    )
    for key, state, days in (("old", "taken", 31), ("new", "taken", 29), ("open", "sent", 31)):
        call = LlmCall.objects.create(
            workspace=shop, fingerprint="f", provider="anthropic", model_id="m", tier="economy", attempt=1,
            price_version="1", cost_nanos=7, complaints=["It says blue."],
        )  # fmt: skip
        LlmCall.objects.in_workspace(shop).filter(pk=call.pk).update(created_at=ago(days))
        BatchPart.objects.create(
            workspace=shop, call=call, batch=batch, key=key, state=state, params={"words": "…"}, answer="A mug."
        )

    drop_what_is_kept_long_enough()

    parts = dict(BatchPart.objects.in_workspace(shop).values_list("key", "answer"))
    assert parts == {"old": "", "new": "A mug.", "open": "A mug."}
    calls = LlmCall.objects.in_workspace(shop).values_list("complaints", "cost_nanos")
    assert sorted(calls) == [([], 7), ([], 7), (["It says blue."], 7)]


def test_streams_go_after_the_days_of_their_workspace(shop: Workspace, other_shop: Workspace) -> None:
    for workspace in (shop, other_shop):
        Stream.objects.create(workspace=workspace, brief={}, facts={}, endpoint="api", state="done", finished_at=ago(5))
    keep(shop, stream_days=7)

    drop_what_is_kept_long_enough()

    assert Stream.objects.in_workspace(shop).count() == 1
    assert Stream.objects.in_workspace(other_shop).count() == 0


def test_what_visitors_tried_is_dropped_and_the_public_pool_stays(db: None) -> None:
    Client().post(reverse("landing_try"), {"prompt": "Oak board, oiled, 40 cm", "tone": "friendly"})
    kept = CachedText.objects.in_workspace(PLATFORM_WORKSPACE_ID)
    pool = kept.create(
        workspace_id=PLATFORM_WORKSPACE_ID, key="pool", fields={}, provider="p", model_id="m", is_public=True,
        expires_at=ago(-30),
    )  # fmt: skip
    assert kept.count() == 2
    drop_what_is_kept_long_enough()
    assert kept.count() == 2

    kept.update(created_at=ago(3))
    Text.objects.in_workspace(PLATFORM_WORKSPACE_ID).update(created_at=ago(3))
    assert drop_what_is_kept_long_enough()["visits"] >= 1

    assert kept.get() == pool
    assert not Text.objects.in_workspace(PLATFORM_WORKSPACE_ID).exists()


def test_the_page_says_what_holds_and_saves_it(shop: Workspace, alice: User, sign_in: SignIn) -> None:
    client, page = sign_in(alice), reverse("data_retention", args=[shop.slug])
    assert 'value="30"' in client.get(page).content.decode()
    refused = client.post(page, {"model_call_days": "0", "stream_days": ""})
    assert refused.status_code == 200
    assert not Retention.objects.in_workspace(shop).exists()

    client.post(page, {"old_version_days": "", "import_file_days": "365", "model_call_days": "7", "stream_days": "1"})

    saved = Retention.objects.in_workspace(shop).get()
    assert (saved.old_version_days, saved.import_file_days, saved.model_call_days, saved.stream_days) == (
        None, 365, 7, 1,
    )  # fmt: skip
