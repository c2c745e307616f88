"""Endpoints and deliveries over the API."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.test import Client, override_settings

from accounts.models import IdempotentRequest, Workspace
from tests.conftest import ApiClient
from tests.webhooks.clockwork import work_off
from tests.webhooks.receivers import Receiver
from webhooks.events import EVENT_TYPES, TEST, add_to_document
from webhooks.models import Endpoint
from webhooks.services import create_endpoint

URL = "https://hooks.alder-goods.com/contentopt"
ENDPOINTS, DELIVERIES = "/api/v1/webhook-endpoints", "/api/v1/webhook-deliveries"


@pytest.fixture
def client(shop: Workspace, api: ApiClient) -> Client:
    return api(shop, ["webhooks"])


def ask(client: Client, method: str, url: str, body: dict[str, Any] | None = None, **headers: str) -> Any:
    return getattr(client, method)(url, body or {}, content_type="application/json", headers=headers)


@pytest.mark.django_db
def test_an_endpoint_is_made_changed_rotated_and_removed(client: Client) -> None:
    made = ask(client, "post", ENDPOINTS, {"url": URL, "event_types": ["run.finished"]})
    assert made.status_code == 201
    one = f"{ENDPOINTS}/{made.json()['id']}"

    changed = ask(client, "patch", one, {"description": "Warehouse", "event_types": ["text.created"]}).json()
    assert (changed["url"], changed["description"], changed["event_types"]) == (URL, "Warehouse", ["text.created"])
    rotated = ask(client, "post", f"{one}/rotate").json()
    assert rotated["secret"].startswith("whsec_")
    assert rotated["secret"] != made.json()["secret"]
    assert rotated["old_secret_until"]
    assert "secret" not in client.get(one).json()
    assert [each["id"] for each in client.get(ENDPOINTS).json()["results"]] == [made.json()["id"]]

    off = ask(client, "patch", one, {"enabled": False}).json()
    assert (off["enabled"], off["disabled_reason"]) == (False, "Somebody switched it off.")
    assert ask(client, "post", f"{one}/test").status_code == 409
    assert ask(client, "patch", one, {"enabled": True}).json()["enabled"]
    assert ask(client, "delete", one).status_code == 204
    assert client.get(one).status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize("of", ["a new endpoint", "a rotation"])
def test_a_repeated_request_gives_the_same_secret_and_keeps_none_in_the_open(
    client: Client, shop: Workspace, api: ApiClient, of: str
) -> None:
    path, body = ENDPOINTS, {"url": URL, "event_types": ["run.finished"]}
    if of == "a rotation":
        path, body = f"{ENDPOINTS}/{ask(client, 'post', path, body).json()['id']}/rotate", {}

    first, again = (ask(client, "post", path, body, **{"Idempotency-Key": "once"}) for _ in range(2))

    assert first.content == again.content
    assert again["Idempotent-Replayed"] == "true"
    kept = bytes(IdempotentRequest.objects.in_workspace(shop).get().reply or b"")
    assert first.json()["secret"].encode() not in kept
    assert ask(api(shop, ["webhooks"]), "post", path, body, **{"Idempotency-Key": "once"}).status_code == 409
    assert Endpoint.objects.in_workspace(shop).count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    "changes",
    [
        {"url": "http://hooks.alder-goods.com/"},
        {"url": "https://169.254.169.254/latest/meta-data/"},
        {"url": "https://user:password@hooks.alder-goods.com/"},
        {"url": ""},
        {"url": 5},
        {"event_types": []},
        {"event_types": ["run.began"]},
        {"secret": "whsec_mine"},
        {"description": "x" * 121},
    ],
)
def test_what_cannot_be_is_refused_on_making_and_on_changing(
    client: Client, shop: Workspace, changes: dict[str, Any]
) -> None:
    endpoint, _ = create_endpoint(workspace=shop, url=URL, event_types=["run.finished"])
    good = {"url": URL, "event_types": ["run.finished"]}

    assert ask(client, "post", ENDPOINTS, {**good, **changes}).status_code == 422
    assert ask(client, "patch", f"{ENDPOINTS}/{endpoint.pk}", changes).status_code == 422

    [kept] = Endpoint.objects.in_workspace(shop)
    assert (kept.url, kept.event_types) == (URL, ["run.finished"])


@pytest.mark.django_db
def test_all_that_failed_is_sent_again_under_the_same_ids(
    client: Client, endpoint: Endpoint, receiver: Receiver, secret: str
) -> None:
    url = f"{ENDPOINTS}/{endpoint.pk}"
    for _ in range(2):
        ask(client, "post", f"{url}/test")
    ask(client, "patch", url, {"enabled": False})
    assert ask(client, "post", f"{url}/replay-failed").status_code == 409
    ask(client, "patch", url, {"enabled": True})

    again = ask(client, "post", f"{url}/replay-failed")
    assert (again.status_code, again.json()) == (202, {"deliveries": 2})
    work_off()
    assert sorted(receiver.ids) == sorted(row["event"] for row in client.get(DELIVERIES).json()["results"])
    assert ask(client, "post", f"{url}/replay-failed").json() == {"deliveries": 0}


@pytest.mark.django_db
def test_a_test_a_delivery_with_its_attempts_and_a_replay(
    client: Client, endpoint: Endpoint, receiver: Receiver, secret: str
) -> None:
    receiver.status, receiver.reply = 500, b"out of paper"
    sent = ask(client, "post", f"{ENDPOINTS}/{endpoint.pk}/test")
    assert (sent.status_code, sent.json()["outcome"]) == (202, "pending")
    work_off()
    one = f"{DELIVERIES}/{sent.json()['id']}"
    shown = client.get(one).json()
    assert (shown["attempts"], shown["failure"], shown["outcome"]) == (1, "It answered 500.", "pending")
    assert shown["next_attempt_at"]
    assert shown["log"][0]["response"] == "out of paper"
    assert ask(client, "post", f"{one}/replay").status_code == 409

    receiver.status = 410
    Endpoint.objects.in_workspace(endpoint.workspace_id).update(throttled_until=None)
    ask(client, "patch", f"{ENDPOINTS}/{endpoint.pk}", {"enabled": False})
    ask(client, "patch", f"{ENDPOINTS}/{endpoint.pk}", {"enabled": True})
    receiver.status = 200
    assert client.get(one).json()["outcome"] == "failed"
    assert ask(client, "post", f"{one}/replay").status_code == 202
    work_off()
    assert client.get(one).json()["outcome"] == "received"
    assert receiver.ids == [sent.json()["event"]] * 2
    assert [said["type"] for said in receiver.verified(secret)] == [TEST, TEST]


@pytest.mark.django_db
def test_deliveries_are_listed_by_endpoint_and_outcome(client: Client, endpoint: Endpoint) -> None:
    ask(client, "post", f"{ENDPOINTS}/{endpoint.pk}/test")

    def listed(query: str) -> int:
        return len(client.get(f"{DELIVERIES}?{query}").json()["results"])

    assert listed(f"endpoint={endpoint.pk}&outcome=pending") == 1
    assert listed("outcome=received") == 0
    assert listed("endpoint=00000000-0000-4000-8000-000000000000") == 0
    assert client.get(f"{DELIVERIES}?outcome=lost").status_code == 422


@pytest.mark.django_db
def test_a_key_without_the_scope_sees_no_endpoints(shop: Workspace, api: ApiClient) -> None:
    assert api(shop, ["read", "write", "admin", "billing"]).get(ENDPOINTS).status_code == 403


@pytest.mark.parametrize(("version", "section"), [("3.0.3", "x-webhooks"), ("3.1.1", "webhooks")])
def test_every_event_is_in_the_apis_document(version: str, section: str) -> None:
    """That it is valid is shown with the rest of the document, in tests.test_openapi."""
    described = add_to_document({"openapi": version})[section]
    assert set(described) == {*EVENT_TYPES, TEST}
    for name, kind in EVENT_TYPES.items():
        schema = described[name]["post"]["requestBody"]["content"]["application/json"]["schema"]
        assert set(schema["properties"]["data"]["properties"]) == set(kind.fields)


@override_settings(WEBHOOK_ALLOW_LOOPBACK=True)
def test_a_deployment_that_may_send_to_itself_is_refused() -> None:
    with pytest.raises(SystemCheckError, match=r"webhooks\.E001"):
        call_command("check", "--deploy", "--tag", "security")
