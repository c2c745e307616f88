"""Keys over the API: made, changed, rotated, revoked, by keys that may do as much themselves."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import ApiKey, IdempotentRequest, Scope, Workspace
from accounts.services.keys import issue_key
from tests.conftest import ApiClient

pytestmark = pytest.mark.django_db

URL = "/api/v1/api-keys"


@pytest.fixture
def client(shop: Workspace, api: ApiClient) -> Client:
    return api(shop)


def post(client: Client, url: str, body: dict[str, Any] | None = None, **headers: str) -> Any:
    return client.post(url, body or {}, "application/json", headers=headers)


def use(key: str) -> int:
    return Client(headers={"Authorization": f"Bearer {key}"}).get("/api/v1/usage").status_code


def test_a_key_is_given_once_and_works(client: Client) -> None:
    made = post(client, URL, {"name": "Warehouse", "scopes": ["read"], "spend_cap_usd": "2.5"})

    assert made.status_code == 201
    key = made.json()["key"]
    assert use(key) == 200
    (listed,) = [row for row in client.get(URL).json()["results"] if row["name"] == "Warehouse"]
    assert (listed["scopes"], listed["spend_cap_usd"], listed["expires_at"]) == (["read"], "2.50", None)
    assert key.partition(".")[2] not in client.get(f"{URL}/{listed['id']}").content.decode()


def test_a_repeated_request_gives_the_same_key_and_keeps_no_secret_in_the_open(client: Client, shop: Workspace) -> None:
    body = {"name": "Warehouse", "scopes": ["read"]}
    first, again = (post(client, URL, body, **{"Idempotency-Key": "key-1"}) for _ in range(2))

    assert first.content == again.content
    assert (first.get("Idempotent-Replayed"), again["Idempotent-Replayed"]) == (None, "true")
    assert ApiKey.objects.in_workspace(shop).filter(name="Warehouse").count() == 1
    kept = bytes(IdempotentRequest.objects.in_workspace(shop).get().reply or b"")
    assert first.json()["key"].encode() not in kept
    assert b"Warehouse" not in kept


def test_another_key_is_not_given_the_secret(client: Client, shop: Workspace, api: ApiClient) -> None:
    body = {"name": "Warehouse", "scopes": ["read"]}
    post(client, URL, body, **{"Idempotency-Key": "key-1"})

    refused = post(api(shop), URL, body, **{"Idempotency-Key": "key-1"})

    assert refused.status_code == 409
    assert ApiKey.objects.in_workspace(shop).filter(name="Warehouse").count() == 1


def test_while_a_key_is_rotated_both_secrets_work_and_a_third_is_refused(client: Client, shop: Workspace) -> None:
    key, old = issue_key(workspace=shop, name="Script", scopes=["read"])

    rotated = post(client, f"{URL}/{key.pk}/rotate", {"old_lasts_hours": 2})
    new = rotated.json()["key"]

    assert (use(old), use(new)) == (200, 200)
    secrets = client.get(f"{URL}/{key.pk}").json()["secrets"]
    assert [secret["ends_with"] for secret in secrets] == [new[-4:], old[-4:]]
    assert all(secret["last_used_at"] for secret in secrets)
    assert post(client, f"{URL}/{key.pk}/rotate").status_code == 409
    assert (use(old), use(new)) == (200, 200)


def test_each_secrets_use_is_noted_by_itself(client: Client, shop: Workspace) -> None:
    key, old = issue_key(workspace=shop, name="Script", scopes=["read"])
    post(client, f"{URL}/{key.pk}/rotate")

    use(old)

    new_secret, old_secret = client.get(f"{URL}/{key.pk}").json()["secrets"]
    assert new_secret["last_used_at"] is None
    assert old_secret["last_used_at"] is not None


def test_the_old_secret_ends_when_it_was_said_or_when_somebody_says_so(client: Client, shop: Workspace) -> None:
    key, old = issue_key(workspace=shop, name="Script", scopes=["read"])
    new = post(client, f"{URL}/{key.pk}/rotate").json()["key"]
    ApiKey.objects.in_workspace(shop).filter(pk=key.pk).update(previous_ends_at=timezone.now())
    assert (use(old), use(new)) == (401, 200)

    newest = post(client, f"{URL}/{key.pk}/rotate").json()["key"]
    assert (use(new), use(newest)) == (200, 200)
    ended = post(client, f"{URL}/{key.pk}/end-previous-secret")

    assert len(ended.json()["secrets"]) == 1
    assert (use(new), use(newest)) == (401, 200)
    assert post(client, f"{URL}/{key.pk}/end-previous-secret").status_code == 409


def test_rotated_without_a_rest_the_old_secret_is_refused_at_once(client: Client, shop: Workspace) -> None:
    key, old = issue_key(workspace=shop, name="Script", scopes=["read"])
    new = post(client, f"{URL}/{key.pk}/rotate", {"old_lasts_hours": 0}).json()["key"]
    assert (use(old), use(new)) == (401, 200)


def test_an_expired_key_is_refused_and_cannot_be_brought_back(client: Client, shop: Workspace) -> None:
    made = post(client, URL, {"name": "Guest", "scopes": ["read"], "expires_at": "2099-01-01T00:00:00Z"}).json()
    assert use(made["key"]) == 200

    ApiKey.objects.in_workspace(shop).filter(pk=made["id"]).update(expires_at=timezone.now())

    assert use(made["key"]) == 401
    later = {"expires_at": "2099-01-01T00:00:00Z"}
    assert client.patch(f"{URL}/{made['id']}", later, "application/json").status_code == 409
    assert post(client, f"{URL}/{made['id']}/rotate").status_code == 409


def test_a_key_that_expires_in_the_past_is_not_made(client: Client, shop: Workspace) -> None:
    body = {"name": "Late", "scopes": ["read"], "expires_at": "2020-01-01T00:00:00Z"}
    assert post(client, URL, body).status_code == 422
    assert not ApiKey.objects.in_workspace(shop).filter(name="Late").exists()


def test_revoking_holds_at_once(client: Client, shop: Workspace) -> None:
    key, secret = issue_key(workspace=shop, name="Script", scopes=["read"])
    assert post(client, f"{URL}/{key.pk}/revoke").json()["revoked_at"] is not None
    assert use(secret) == 401


@pytest.mark.parametrize(
    "wanted",
    [
        {"scopes": ["read", "billing"]},
        {"scopes": ["read"]},
        {"scopes": ["read"], "spend_cap_usd": "11", "expires_at": "2030-01-01T00:00:00Z"},
        {"scopes": ["read"], "spend_cap_usd": "10", "expires_at": "2040-01-01T00:00:00Z"},
        {"scopes": ["read"], "spend_cap_usd": "10"},
    ],
)
def test_a_key_makes_none_that_may_more_than_itself(shop: Workspace, wanted: dict[str, Any]) -> None:
    _, secret = issue_key(
        workspace=shop,
        name="Robot",
        scopes=[Scope.READ, Scope.ADMIN],
        spend_cap_nanos=10_000_000_000,
        expires_at=timezone.now() + timedelta(days=2_000),
    )
    robot = Client(headers={"Authorization": f"Bearer {secret}"})

    assert post(robot, URL, {"name": "Wider", **wanted}).status_code == 403
    assert not ApiKey.objects.in_workspace(shop).filter(name="Wider").exists()

    narrower = {"name": "Narrower", "scopes": ["read"], "spend_cap_usd": "10", "expires_at": "2030-01-01T00:00:00Z"}
    assert post(robot, URL, narrower).status_code == 201


def test_a_key_gets_no_secret_and_no_higher_limit_of_one_that_may_more(shop: Workspace) -> None:
    owner_key, owner_secret = issue_key(workspace=shop, name="Owner's", scopes=list(Scope.values), spend_cap_nanos=5)
    own, secret = issue_key(workspace=shop, name="Robot", scopes=[Scope.READ, Scope.ADMIN], spend_cap_nanos=5)
    robot = Client(headers={"Authorization": f"Bearer {secret}"})

    assert post(robot, f"{URL}/{owner_key.pk}/rotate").status_code == 403
    assert post(robot, f"{URL}/{owner_key.pk}/revoke").status_code == 403
    assert robot.patch(f"{URL}/{own.pk}", {"spend_cap_usd": "9"}, "application/json").status_code == 403
    assert use(owner_secret) == 200
    own.refresh_from_db()
    assert own.spend_cap_nanos == 5
