from __future__ import annotations

import hashlib
import re
from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.authentication import find_key
from accounts.models import ApiKey, Role, Scope, User, Workspace
from accounts.services.keys import issue_key, revoke_key
from tests.conftest import SignIn, member

pytestmark = pytest.mark.django_db


def use(secret: str) -> int:
    return Client(headers={"Authorization": f"Bearer {secret}"}).get("/api/v1/usage").status_code


def test_a_key_is_recognisable_and_long_enough(shop: Workspace) -> None:
    key, secret = issue_key(workspace=shop, name="Script", scopes=["read"])
    assert re.fullmatch(r"co_[0-9a-f]{8}\.[\w-]{43}", secret)
    assert secret.startswith(key.prefix)


def test_only_the_hash_of_the_secret_is_stored(shop: Workspace) -> None:
    key, secret = issue_key(workspace=shop, name="Script", scopes=["read"])
    _, _, kept_nowhere = secret.partition(".")

    row = ApiKey.objects.in_workspace(shop).values().get(pk=key.pk)

    assert row["secret_sha256"] == hashlib.sha256(kept_nowhere.encode()).hexdigest()
    assert kept_nowhere not in str(row)


def test_a_key_is_found_by_the_whole_of_it_only(shop: Workspace) -> None:
    key, secret = issue_key(workspace=shop, name="Script", scopes=["read"])
    other, other_secret = issue_key(workspace=shop, name="Other", scopes=["read"])
    mixed = f"{key.prefix}.{other_secret.partition('.')[2]}"

    assert find_key(secret) == key
    assert find_key(other_secret) == other
    assert [find_key(wrong) for wrong in (mixed, secret[:-1], secret + "a", key.prefix, "", ".")] == [None] * 6


def test_a_revoked_key_is_refused_at_once_and_stays_on_record(shop: Workspace) -> None:
    key, secret = issue_key(workspace=shop, name="Script", scopes=["read"])
    assert use(secret) == 200

    revoke_key(key)

    assert use(secret) == 401
    key.refresh_from_db()
    assert key.revoked_at is not None
    assert not key.is_active


def test_revoking_twice_keeps_the_first_time(shop: Workspace) -> None:
    key, _ = issue_key(workspace=shop, name="Script", scopes=["read"])
    revoke_key(key)
    key.refresh_from_db()
    first = key.revoked_at

    revoke_key(key)

    key.refresh_from_db()
    assert key.revoked_at == first


def last_use(key: ApiKey) -> datetime | None:
    return ApiKey.objects.in_workspace(key.workspace_id).get(pk=key.pk).last_used_at


def test_the_first_use_is_noted(shop: Workspace) -> None:
    key, secret = issue_key(workspace=shop, name="Script", scopes=["read"])
    assert last_use(key) is None

    before = timezone.now()
    use(secret)

    assert (noted := last_use(key))
    assert before <= noted <= timezone.now()


@pytest.mark.parametrize(("ago", "is_noted"), [(timedelta(seconds=50), False), (timedelta(seconds=70), True)])
def test_further_uses_are_noted_once_a_minute(shop: Workspace, ago: timedelta, is_noted: bool) -> None:
    key, secret = issue_key(workspace=shop, name="Script", scopes=["read"])
    earlier = timezone.now() - ago
    ApiKey.objects.in_workspace(shop).filter(pk=key.pk).update(last_used_at=earlier)

    use(secret)

    assert (last_use(key) != earlier) is is_noted


def new_key(client: Client, shop: Workspace, *scopes: str) -> str:
    """The page after asking for a key."""
    url = reverse("api_keys", args=[shop.slug])
    return client.post(url, {"name": "Warehouse", "scopes": list(scopes)}).content.decode()


def test_a_key_is_shown_once(shop: Workspace, alice: User, sign_in: SignIn) -> None:
    client = sign_in(alice)
    page = new_key(client, shop, "read")
    (secret,) = set(re.findall(r"co_[0-9a-f]{8}\.[\w-]{43}", page))

    again = client.get(reverse("api_keys", args=[shop.slug])).content.decode()

    assert use(secret) == 200
    assert "Warehouse" in again
    assert secret.partition(".")[2] not in again


def test_the_page_with_a_key_is_never_kept_by_a_cache(shop: Workspace, alice: User, sign_in: SignIn) -> None:
    response = sign_in(alice).post(reverse("api_keys", args=[shop.slug]), {"name": "Warehouse", "scopes": ["read"]})
    assert response.headers["Cache-Control"] == "no-store"


def test_a_key_needs_a_name_and_a_scope(shop: Workspace, alice: User, sign_in: SignIn) -> None:
    client = sign_in(alice)
    url = reverse("api_keys", args=[shop.slug])
    for form in ({"name": "", "scopes": ["read"]}, {"name": "Script"}, {"name": "Script", "scopes": ["everything"]}):
        assert client.post(url, form).status_code == 200
    assert ApiKey.objects.in_workspace(shop).count() == 0


def test_nobody_can_give_a_key_more_than_their_role_may(shop: Workspace, sign_in: SignIn) -> None:
    admin = member(shop, "adam@alder-goods.example", Role.ADMIN)

    new_key(sign_in(admin), shop, Scope.READ, Scope.BILLING)
    assert ApiKey.objects.in_workspace(shop).count() == 0

    new_key(sign_in(admin), shop, Scope.READ, Scope.ADMIN)
    assert ApiKey.objects.in_workspace(shop).get().scopes == ["read", "admin"]


def test_somebody_elses_key_cannot_be_revoked(
    shop: Workspace, other_shop: Workspace, charlie: User, sign_in: SignIn
) -> None:
    key, secret = issue_key(workspace=shop, name="Script", scopes=["read"])
    assert sign_in(charlie).post(reverse("api_key_revoke", args=[other_shop.slug, key.pk])).status_code == 404
    assert use(secret) == 200
