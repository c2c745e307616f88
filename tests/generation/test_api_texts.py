from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client

from accounts.models import Workspace
from generation.engine.items import write_item
from generation.models import Text
from tests.conftest import ApiClient
from tests.factories import make_catalogue, make_run

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(shop: Workspace, api: ApiClient) -> Client:
    return api(shop)


@pytest.fixture
def text(shop: Workspace) -> Text:
    item = make_run(make_catalogue(shop)).items.get(position=0)
    write_item(item.pk)
    return Text.objects.in_workspace(shop).get(product=item.product_id)


def edit(client: Client, text_id: object, body: dict[str, Any]) -> Any:
    return client.patch(f"/api/v1/texts/{text_id}", body, content_type="application/json")


def test_an_edit_becomes_a_new_version_and_the_old_one_stays(client: Client, text: Text) -> None:
    reply = edit(client, text.pk, {"text": "A linen apron.\r\nIt is sand."}).json()

    assert (reply["text"], reply["version"], reply["source"]) == ("A linen apron.\nIt is sand.", 2, "edited")
    versions = client.get(f"/api/v1/texts?product={text.product_id}").json()["results"]
    assert [row["id"] for row in versions] == [reply["id"], str(text.pk)]
    assert client.get(f"/api/v1/texts/{text.pk}").json()["text"] == text.description


def test_an_edit_may_leave_the_description_as_it_is(client: Client, text: Text) -> None:
    reply = edit(client, text.pk, {"seo_title": "Linen Apron in sand"}).json()
    assert (reply["text"], reply["seo_title"]) == (text.description, "Linen Apron in sand")


def test_an_outdated_version_cannot_be_edited(client: Client, text: Text) -> None:
    edit(client, text.pk, {"text": "A linen apron."})
    response = edit(client, text.pk, {"text": "Another apron."})
    assert response.status_code == 409
    assert response.json()["error"]["code"] == "conflict"


def test_a_text_without_a_product_cannot_be_edited(client: Client) -> None:
    text = client.post("/api/v1/descriptions", {"prompt": "Oak board"}, content_type="application/json").json()
    assert edit(client, text["id"], {"text": "Another board."}).status_code == 409


@pytest.mark.parametrize(
    "body", [{}, {"text": ""}, {"text": " \n"}, {"text": "x" * 20_001}, {"text": 5}, {"text": "a\x00"}, {"title": "x"}]
)
def test_a_wrong_edit_changes_nothing(client: Client, text: Text, body: dict[str, Any]) -> None:
    assert edit(client, text.pk, body).status_code == 422
    assert Text.objects.in_workspace(text.workspace_id).count() == 1


def test_an_unknown_text_is_not_found(client: Client) -> None:
    assert client.get(f"/api/v1/texts/{uuid.uuid4()}").status_code == 404
    assert edit(client, uuid.uuid4(), {"text": "x"}).status_code == 404
