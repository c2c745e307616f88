"""The same Idempotency-Key from several clients at the very same time."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client

from accounts.models import ApiKey, Scope, Workspace
from accounts.services.keys import issue_key
from generation.models import Catalogue, LlmCall, Run, Text
from tests.factories import make_catalogue, make_file

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

AT_ONCE = 6


@pytest.fixture
def secret(shop: Workspace) -> str:
    return issue_key(workspace=shop, name="Tests", scopes=list(Scope.values))[1]


def send_at_once(secret: str, send: Callable[[Client], Any]) -> list[Any]:
    """The replies to one request sent by several threads, each with a connection of its own."""
    together = Barrier(AT_ONCE)

    def one(_number: int) -> Any:
        client = Client(headers={"Authorization": f"Bearer {secret}", "Idempotency-Key": "once"})
        try:
            together.wait()
            return send(client)
        finally:
            connection.close()

    with ThreadPoolExecutor(AT_ONCE) as threads:
        return list(threads.map(one, range(AT_ONCE)))


def assert_one_result(replies: list[Any], status: int) -> None:
    assert [reply.status_code for reply in replies] == [status] * AT_ONCE
    assert len({reply.json()["id"] for reply in replies}) == 1


def test_one_text_is_written(shop: Workspace, secret: str) -> None:
    body = {"product": {"title": "Oak Board", "attributes": {"Material": "oak"}}}

    replies = send_at_once(secret, lambda client: client.post("/api/v1/descriptions", body, "application/json"))

    assert_one_result(replies, 200)
    assert Text.objects.in_workspace(shop).count() == 1
    assert LlmCall.objects.in_workspace(shop).count() == 1


def test_one_key_is_made(shop: Workspace, secret: str) -> None:
    body = {"name": "Warehouse", "scopes": ["read"]}

    replies = send_at_once(secret, lambda client: client.post("/api/v1/api-keys", body, "application/json"))

    assert_one_result(replies, 201)
    assert len({reply.content for reply in replies}) == 1
    assert sum("Idempotent-Replayed" in reply for reply in replies) == AT_ONCE - 1
    assert ApiKey.objects.in_workspace(shop).filter(name="Warehouse").count() == 1


def test_one_run_is_started(shop: Workspace, secret: str) -> None:
    body = {"catalogue": str(make_catalogue(shop).pk)}

    replies = send_at_once(secret, lambda client: client.post("/api/v1/runs", body, "application/json"))

    assert_one_result(replies, 202)
    assert Run.objects.in_workspace(shop).count() == 1


def test_one_file_is_imported(shop: Workspace, secret: str) -> None:
    def upload(client: Client) -> Any:
        return client.post("/api/v1/catalogues", {"file": SimpleUploadedFile("products.csv", make_file())})

    assert_one_result(send_at_once(secret, upload), 202)
    assert Catalogue.objects.in_workspace(shop).count() == 1
