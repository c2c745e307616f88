"""Programs that act for a person: tokens, the workspace they name, and revocation that takes effect at once."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from allauth.usersessions.models import UserSession
from django.test import Client
from django.urls import reverse

from accounts.models import ApiKey, Membership, Role, UsageEntry, User, Workspace
from generation.models import Run
from tests.accounts.test_factors import PASSWORD, SECRET, code_of
from tests.conftest import SignIn
from tests.factories import make_catalogue

TOKENS = "/_allauth/app/v1"


def post(path: str, body: dict[str, Any], **headers: str) -> Any:
    return Client(headers=headers).post(f"{TOKENS}/{path}", body, content_type="application/json")


def sign_in_for(user: User) -> dict[str, str]:
    """The tokens a program gets for the person's password."""
    reply = post("auth/login", {"email": user.email, "password": PASSWORD})
    assert reply.status_code == 200, reply.content
    return dict(reply.json()["meta"])


def program(tokens: dict[str, str], workspace: Workspace | None) -> Client:
    named = {"ContentOpt-Workspace": workspace.slug} if workspace else {}
    return Client(headers={"Authorization": f"Bearer {tokens['access_token']}", **named})


def usage(client: Client) -> int:
    return client.get("/api/v1/usage").status_code


@pytest.mark.django_db
def test_a_program_reads_and_writes_as_the_person_does(shop: Workspace, bob: User) -> None:
    client = program(sign_in_for(bob), shop)
    assert usage(client) == 200

    body = {"catalogue": str(make_catalogue(shop).pk)}
    assert client.post("/api/v1/runs", body, content_type="application/json").status_code == 202

    run = Run.objects.in_workspace(shop).get()
    assert (run.created_by, run.api_key) == (bob, None)


@pytest.mark.django_db
def test_a_text_for_a_person_is_written_on_that_persons_account(shop: Workspace, bob: User) -> None:
    client = program(sign_in_for(bob), shop)
    reply = client.post("/api/v1/descriptions", {"prompt": "Oak board, oiled"}, content_type="application/json")
    assert reply.status_code == 200
    line = UsageEntry.objects.in_workspace(shop).get()
    assert (line.user_id, line.api_key_id, line.endpoint) == (bob.pk, None, "api")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("role", "read", "write", "cap"),
    [("viewer", 200, 403, 403), ("editor", 200, 422, 403), ("admin", 200, 422, 403), ("owner", 200, 422, 200)],
)
def test_a_program_may_what_the_persons_role_may(
    shop: Workspace, charlie: User, role: Role, read: int, write: int, cap: int
) -> None:
    Membership.objects.create(workspace=shop, user=charlie, role=role)
    client = program(sign_in_for(charlie), shop)
    json: dict[str, Any] = {"content_type": "application/json"}
    assert usage(client) == read
    assert client.post("/api/v1/runs", {}, **json).status_code == write
    assert client.put("/api/v1/budget", {"limit_usd": "5"}, **json).status_code == cap


@pytest.mark.django_db
def test_a_members_own_limit_holds_for_their_programs(shop: Workspace, bob: User) -> None:
    Membership.objects.in_workspace(shop).filter(user=bob).update(requests_per_day=1)
    client = program(sign_in_for(bob), shop)
    body = {"prompt": "Oak board, oiled"}
    statuses = [client.post("/api/v1/descriptions", body, content_type="application/json").status_code for _ in "ab"]
    assert statuses == [200, 429]


@pytest.mark.django_db
def test_the_workspace_is_named_and_ones_own(shop: Workspace, other_shop: Workspace, bob: User) -> None:
    tokens = sign_in_for(bob)
    refused = program(tokens, None).get("/api/v1/usage")
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "workspace_required")

    foreign = program(tokens, other_shop).get("/api/v1/usage")
    unknown = Client(
        headers={"Authorization": f"Bearer {tokens['access_token']}", "ContentOpt-Workspace": "no-such-shop"}
    ).get("/api/v1/usage")

    assert (foreign.status_code, unknown.status_code) == (403, 403)
    words = foreign.json()["error"]["message"].replace(other_shop.slug, "…")
    assert words == unknown.json()["error"]["message"].replace("no-such-shop", "…")


@pytest.mark.django_db
def test_who_is_removed_is_out_with_the_next_request(shop: Workspace, bob: User) -> None:
    client = program(sign_in_for(bob), shop)
    assert usage(client) == 200
    Membership.objects.in_workspace(shop).filter(user=bob).delete()
    assert usage(client) == 403


@pytest.mark.django_db
def test_a_changed_role_counts_with_the_next_request(shop: Workspace, bob: User) -> None:
    client = program(sign_in_for(bob), shop)
    Membership.objects.in_workspace(shop).filter(user=bob).update(role=Role.VIEWER)
    assert client.post("/api/v1/runs", {}, content_type="application/json").status_code == 403


@pytest.mark.django_db
def test_an_account_that_is_switched_off_is_out_with_the_next_request(shop: Workspace, bob: User) -> None:
    tokens = sign_in_for(bob)
    User.objects.filter(pk=bob.pk).update(is_active=False)
    assert usage(program(tokens, shop)) == 401
    assert post("tokens/refresh", {"refresh_token": tokens["refresh_token"]}).status_code == 400


@pytest.mark.django_db
def test_a_program_signs_out_and_its_tokens_are_void_at_once(shop: Workspace, bob: User) -> None:
    tokens = sign_in_for(bob)
    Client(headers={"X-Session-Token": tokens["session_token"]}).delete(f"{TOKENS}/auth/session")
    assert usage(program(tokens, shop)) == 401
    assert post("tokens/refresh", {"refresh_token": tokens["refresh_token"]}).status_code == 400


@pytest.mark.django_db
def test_a_person_sees_the_program_among_their_sessions_and_ends_it(
    shop: Workspace, bob: User, sign_in: SignIn
) -> None:
    tokens = sign_in_for(bob)
    session = UserSession.objects.get(user=bob)
    sign_in(bob).post(reverse("usersessions_end", args=[session.pk]))
    assert usage(program(tokens, shop)) == 401


@pytest.mark.django_db
def test_a_new_password_ends_tokens(shop: Workspace, bob: User, sign_in: SignIn) -> None:
    tokens = sign_in_for(bob)
    new = "another long pass phrase"
    sign_in(bob).post(reverse("account_change_password"), {"oldpassword": PASSWORD, "password1": new, "password2": new})
    assert usage(program(tokens, shop)) == 401


@pytest.mark.django_db
def test_a_refresh_gives_new_tokens(shop: Workspace, bob: User) -> None:
    tokens = sign_in_for(bob)
    renewed = post("tokens/refresh", {"refresh_token": tokens["refresh_token"]}).json()["data"]
    assert renewed["refresh_token"] != tokens["refresh_token"]
    assert usage(program(renewed, shop)) == 200


@pytest.mark.django_db
def test_a_refresh_token_used_twice_ends_the_session_for_both(shop: Workspace, bob: User) -> None:
    tokens = sign_in_for(bob)
    renewed = post("tokens/refresh", {"refresh_token": tokens["refresh_token"]}).json()["data"]

    assert post("tokens/refresh", {"refresh_token": tokens["refresh_token"]}).status_code == 400

    assert usage(program(renewed, shop)) == 401
    assert post("tokens/refresh", {"refresh_token": renewed["refresh_token"]}).status_code == 400


@pytest.mark.django_db
def test_a_refresh_token_is_no_access_token_nor_is_a_forged_one(shop: Workspace, bob: User) -> None:
    tokens = sign_in_for(bob)
    head, body, signature = tokens["access_token"].split(".")
    for wrong in (tokens["refresh_token"], f"{head}.{body}.{signature[:-4]}AAAA", f"{head}.{body}.", "a.b.c"):
        assert usage(program({"access_token": wrong}, shop)) == 401
    assert usage(program({"access_token": tokens["session_token"]}, shop)) == 401


@pytest.mark.django_db
def test_who_has_a_factor_gets_no_token_without_it(shop: Workspace, bob: User) -> None:
    TOTP.activate(bob, SECRET)
    asked = post("auth/login", {"email": bob.email, "password": PASSWORD})
    assert asked.status_code == 401
    assert "access_token" not in asked.json()["meta"]
    pending = [flow["id"] for flow in asked.json()["data"]["flows"] if flow.get("is_pending")]
    assert pending == ["mfa_authenticate"]

    session = {"X-Session-Token": asked.json()["meta"]["session_token"]}
    assert post("auth/2fa/authenticate", {"code": "000000"}, **session).status_code == 400
    done = post("auth/2fa/authenticate", {"code": code_of()}, **session)

    assert usage(program(done.json()["meta"], shop)) == 200


@pytest.mark.django_db
def test_programs_cannot_sign_anybody_up_nor_change_an_account(bob: User) -> None:
    for path in ("auth/signup", "account/password/change", "account/email", "account/authenticators/totp"):
        assert post(path, {"email": "new@shop.example", "password": PASSWORD}).status_code == 404
    assert not User.objects.filter(email="new@shop.example").exists()


@pytest.mark.django_db
def test_wrong_passwords_tell_nothing_of_who_has_an_account(bob: User) -> None:
    known = post("auth/login", {"email": bob.email, "password": "not the pass phrase"})
    unknown = post("auth/login", {"email": "nobody@shop.example", "password": "not the pass phrase"})
    assert (known.status_code, known.json()) == (unknown.status_code, unknown.json())


@pytest.mark.django_db
def test_keys_go_on_as_they_were(shop: Workspace, alice: User) -> None:
    assert ApiKey.objects.in_workspace(shop).count() == 0
    assert usage(Client(headers={"Authorization": "Bearer co_1a2b3c4d.nothing"})) == 401
