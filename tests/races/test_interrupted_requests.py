"""The process dies after the work and before its reply is kept: asked again, it is done once all the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

from accounts.models import ApiKey, Scope, Workspace
from accounts.services.keys import issue_key
from contentopt.database.roles import as_owner
from generation.models import Comment, LlmCall, Refinement, Text
from generation.services.texts import rewrite
from tests.factories import first_product, make_catalogue
from tests.races.conftest import StartWorker
from tests.races.processes import post
from tests.races.product import eventually
from webhooks.models import Delivery, Endpoint
from webhooks.services import create_endpoint
from webhooks.signing import decrypt

pytestmark = pytest.mark.processes

KEEP_SLOWLY = """
    CREATE FUNCTION keep_slowly() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(60); RETURN NEW; END';
    CREATE TRIGGER keep_slowly BEFORE UPDATE ON accounts_idempotentrequest
        FOR EACH ROW WHEN (NEW.finished_at IS NOT NULL) EXECUTE FUNCTION keep_slowly();
"""
KEEP = "DROP TRIGGER keep_slowly ON accounts_idempotentrequest; DROP FUNCTION keep_slowly();"
# Of this database: another test process may be at the same.
ASLEEP = "FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
SLEEPING = f"SELECT pid {ASLEEP}"
HOOK = "https://hooks.alder-goods.com/contentopt"
END_SLEEPING = f"SELECT pg_terminate_backend(pid, 5000) {ASLEEP}"


@pytest.fixture
def secret(shop: Workspace) -> str:
    return issue_key(workspace=shop, name="Tests", scopes=list(Scope.values))[1]


@pytest.fixture
def text(shop: Workspace) -> Text:
    return rewrite(product=first_product(make_catalogue(shop)), changes={})


@pytest.fixture
def endpoint(shop: Workspace) -> Endpoint:
    return create_endpoint(workspace=shop, url=HOOK, event_types=["run.finished"])[0]


def ask_database(query: str) -> bool:
    """Whether it finds anything."""
    with connection.cursor() as cursor:
        cursor.execute(query)
        return bool(cursor.fetchall())


@contextmanager
def kept_slowly() -> Iterator[None]:
    with as_owner(connection.alias), connection.cursor() as cursor:
        cursor.execute(KEEP_SLOWLY)
    try:
        yield
    finally:
        ask_database(END_SLEEPING)
        with as_owner(connection.alias), connection.cursor() as cursor:
            cursor.execute(KEEP)


@pytest.fixture
def ask_twice(start_worker: StartWorker, secret: str) -> Any:
    """The reply to a request whose first attempt was killed when only its reply was still to be kept."""

    def ask(path: str, body: dict[str, Any]) -> Any:
        with kept_slowly():
            worker = start_worker(post, secret, path, body, JOB_LEASE_SECONDS=1)
            assert eventually(lambda: ask_database(SLEEPING))
            worker.end()
            assert ask_database(END_SLEEPING)
        client = Client(headers={"Authorization": f"Bearer {secret}", "Idempotency-Key": "once"})
        return eventually(lambda: answered(client.post(path, body, "application/json")), settings.JOB_LEASE_SECONDS + 5)

    return ask


def answered(reply: Any) -> Any:
    return None if reply.status_code == 409 else reply


def test_one_key_is_made(shop: Workspace, ask_twice: Any) -> None:
    reply = ask_twice("/api/v1/api-keys", {"name": "Warehouse", "scopes": ["read"]})

    assert reply.status_code == 201
    (key,) = ApiKey.objects.in_workspace(shop).filter(name="Warehouse")
    assert reply.json()["id"] == str(key.pk)


def test_one_comment_is_made(text: Text, ask_twice: Any) -> None:
    reply = ask_twice(f"/api/v1/texts/{text.pk}/comments", {"comment": "Too long."})

    assert reply.status_code == 201
    (comment,) = Comment.objects.in_workspace(text.workspace_id)
    assert reply.json()["id"] == str(comment.pk)


def test_one_refinement_is_written_and_paid(text: Text, ask_twice: Any) -> None:
    calls = LlmCall.objects.in_workspace(text.workspace_id)
    before = calls.count()

    reply = ask_twice(f"/api/v1/texts/{text.pk}/refine", {"instruction": "shorter"})

    assert reply.status_code == 200
    (refinement,) = Refinement.objects.in_workspace(text.workspace_id)
    assert reply.json()["id"] == str(refinement.pk)
    assert calls.count() == before + 1


def test_one_webhook_endpoint_is_made(shop: Workspace, ask_twice: Any) -> None:
    reply = ask_twice("/api/v1/webhook-endpoints", {"url": HOOK, "event_types": ["run.finished"]})

    assert reply.status_code == 201
    (endpoint,) = Endpoint.objects.in_workspace(shop)
    assert reply.json()["id"] == str(endpoint.pk)
    assert reply.json()["secret"] == decrypt(endpoint.secret)


def test_a_rotated_webhook_secret_goes_on_signing(endpoint: Endpoint, ask_twice: Any) -> None:
    before = decrypt(endpoint.secret)

    reply = ask_twice(f"/api/v1/webhook-endpoints/{endpoint.pk}/rotate", {})

    assert reply.status_code == 200
    endpoint.refresh_from_db()
    assert (decrypt(endpoint.secret), decrypt(endpoint.old_secret)) == (reply.json()["secret"], before)


def test_one_test_event_is_sent(endpoint: Endpoint, ask_twice: Any) -> None:
    reply = ask_twice(f"/api/v1/webhook-endpoints/{endpoint.pk}/test", {})

    assert reply.status_code == 202
    (delivery,) = Delivery.objects.in_workspace(endpoint.workspace_id)
    assert reply.json()["id"] == str(delivery.pk)
