"""Many at once: each item as if it had been sent alone."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client

from accounts.models import ApiKey, Plan, Scope, Workspace
from accounts.services.keys import issue_key
from generation.models import LlmCall, Text
from generation.services.texts import rewrite
from tests.factories import make_catalogue

JSON = "application/json"
BOARD, LADLE = {"prompt": "Oak board, oiled"}, {"product": {"title": "Ladle", "attributes": {"Length": "30 cm"}}}


def client_of(shop: Workspace, **limits: Any) -> Client:
    _, secret = issue_key(workspace=shop, name="Bulk", scopes=list(Scope.values), **limits)
    return Client(headers={"Authorization": f"Bearer {secret}"})


def describe(client: Client, items: list[Any], **headers: str) -> Any:
    return client.post("/api/v1/descriptions/bulk", {"items": items}, JSON, headers=headers)


def statuses(reply: Any) -> list[int]:
    assert [result["index"] for result in reply.json()["results"]] == list(range(len(reply.json()["results"])))
    return [result["status"] for result in reply.json()["results"]]


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_a_wrong_item_does_not_stop_the_others(shop: Workspace) -> None:
    wrong = [{"prompt": "Oak", "tone": "loud"}, {}, "a string", {"prompt": "!"}]
    reply = describe(client_of(shop), [BOARD, *wrong, LADLE, BOARD])

    assert statuses(reply) == [200, 422, 422, 422, 422, 200, 200]
    assert (reply.json()["done"], reply.json()["refused"]) == (3, 4)
    results = reply.json()["results"]
    assert results[1]["error"]["details"] == {"tone": ['"loud" is not a valid choice.']}
    assert results[1]["description"] is None
    assert "oak" in results[0]["description"]["text"].lower()
    assert LlmCall.objects.in_workspace(shop).count() == 2  # equal items share a call


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_limits_hold_for_each_item(shop: Workspace) -> None:
    shop.plan = Plan.objects.get(slug="pro")
    shop.save()
    reply = describe(client_of(shop, burst_per_minute=3), [{"prompt": f"Oak board no. {n}"} for n in range(5)])

    assert sorted(statuses(reply)) == [200, 200, 200, 429, 429]
    assert Text.objects.in_workspace(shop).count() == 3
    refusal = next(result["error"] for result in reply.json()["results"] if result["status"] == 429)
    assert refusal["details"]["retry_after"] > 0


@pytest.mark.django_db
@pytest.mark.parametrize("items", [[], [BOARD] * 101, "text", None])
def test_a_list_that_is_none_or_too_long_is_refused_as_a_whole(shop: Workspace, items: Any) -> None:
    assert describe(client_of(shop), items).status_code == 422
    assert Text.objects.in_workspace(shop).count() == 0


@pytest.mark.django_db
def test_edits_are_done_one_by_one_and_only_where_nothing_changed_since(shop: Workspace, other_shop: Workspace) -> None:
    client = client_of(shop)
    first, second, third = (rewrite(product=p, changes={}) for p in make_catalogue(shop).products.all()[:3])
    theirs = rewrite(product=make_catalogue(other_shop).products.all()[0], changes={})
    etag = client.get(f"/api/v1/texts/{second.pk}")["ETag"]
    items = [
        {"id": str(first.pk), "seo_title": "First"},
        {"id": str(second.pk), "seo_title": "Second", "if_match": etag},
        {"id": str(third.pk), "seo_title": "Third", "if_match": '"stale"'},
        {"id": str(theirs.pk), "seo_title": "Not mine"},
        {"id": str(uuid.uuid4()), "seo_title": "Nobody's"},
        {"id": str(third.pk)},
        {"id": str(third.pk), "text": ""},
    ]

    reply = client.post("/api/v1/texts/bulk", {"items": items}, JSON)

    assert statuses(reply) == [200, 200, 412, 404, 404, 422, 422]
    assert {t.seo_title for t in Text.objects.in_workspace(shop)} >= {"First", "Second"}
    assert "Third" not in {t.seo_title for t in Text.objects.in_workspace(shop)}
    theirs.refresh_from_db()
    assert theirs.seo_title != "Not mine"


@pytest.mark.django_db
def test_reading_keys_edit_nothing(shop: Workspace) -> None:
    _, secret = issue_key(workspace=shop, name="Reader", scopes=["read"])
    client = Client(headers={"Authorization": f"Bearer {secret}"})
    assert describe(client, [BOARD]).status_code == 403
    assert ApiKey.objects.in_workspace(shop).count() == 1
