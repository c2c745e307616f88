"""Staff who see the product as somebody else: for a reason, for a while, in sight, and never to take over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import get_resolver, reverse
from django.utils import timezone

from accounts.impersonation import begin_impersonation, end_impersonation
from accounts.models import ApiKey, Impersonation, Membership, Scope, User, Workspace
from accounts.signals import impersonation_began, impersonation_ended
from accounts.tasks import end_impersonations
from contentopt.errors import NotAllowed
from tests.conftest import SignIn
from tests.test_architecture import page_names
from tests.test_tenancy import PAGES, Rows, rows_of, send, state_of

REASON = "Ticket 4711: the import does not end"


@pytest.fixture
def rows(shop: Workspace) -> Rows:
    return rows_of(shop)


@pytest.fixture
def helper(db: None) -> User:
    return User.objects.create_superuser("helper@contentopt.example", "a long pass phrase")


@pytest.fixture
def helping(helper: User, sign_in: SignIn, alice: User, shop: Workspace) -> Client:
    """A member of the staff who sees it as Alice."""
    client = sign_in(helper)
    begin(client, alice)
    return client


def begin(client: Client, user: User, reason: str = REASON) -> Any:
    return client.post(reverse("staff_impersonate", args=[user.pk]), {"reason": reason})


def who(client: Client, shop: Workspace) -> str:
    """Whose pages these are."""
    response = client.get(reverse("workspace_home", args=[shop.slug]))
    return str(response.wsgi_request.user)


@pytest.fixture
def told() -> Iterator[list[str]]:
    """What the signals said."""
    said: list[str] = []

    def note(impersonation: Impersonation, signal: Any, **_kwargs: Any) -> None:
        word = "began" if signal is impersonation_began else "ended"
        said.append(f"{word}: {impersonation.staff} as {impersonation.user}, {impersonation.reason}")

    impersonation_began.connect(note)
    impersonation_ended.connect(note)
    yield said
    impersonation_began.disconnect(note)
    impersonation_ended.disconnect(note)


@pytest.mark.django_db
def test_staff_see_a_shop_as_its_owner_until_they_stop(
    helper: User, alice: User, shop: Workspace, sign_in: SignIn, told: list[str]
) -> None:
    client = sign_in(helper)
    assert client.get(reverse("workspace_home", args=[shop.slug])).status_code == 404

    begin(client, alice)
    assert who(client, shop) == str(alice)
    stopped = client.post(reverse("impersonation_stop"))

    assert stopped.headers["Location"] == reverse("admin:accounts_user_change", args=[alice.pk])
    assert client.get(reverse("admin:index")).wsgi_request.user == helper
    assert client.get(reverse("workspace_home", args=[shop.slug])).status_code == 404
    assert told == [f"{word}: {helper} as {alice}, {REASON}" for word in ("began", "ended")]


@pytest.mark.django_db
def test_every_page_says_so_and_offers_to_stop(helping: Client, rows: Rows, alice: User) -> None:
    silent = []
    for name, (_, method) in PAGES.items():
        if method == "get":
            response = helping.get(rows.page(name))
            content = b"".join(response).decode(errors="replace") if response.streaming else response.content.decode()
            if "<html" in content and response.status_code == 200:
                silent += [name] if f"You see this as {alice}" not in content or REASON not in content else []
    assert silent == []
    refused = helping.get(reverse("account_email")).content.decode()
    assert f"You see this as {alice}" in refused


@pytest.mark.django_db
def test_a_reason_is_needed(helper: User, alice: User, sign_in: SignIn) -> None:
    assert begin(sign_in(helper), alice, reason="  ").status_code == 200
    assert not Impersonation.objects.exists()


@pytest.mark.django_db
def test_nobody_becomes_another_member_of_the_staff_nor_who_is_switched_off(helper: User, alice: User) -> None:
    colleague = User.objects.create_user("colleague@contentopt.example", is_staff=True)
    User.objects.filter(pk=alice.pk).update(is_active=False)
    for user in (colleague, helper, User.objects.get(pk=alice.pk)):
        with pytest.raises(NotAllowed):
            begin_impersonation(staff=helper, user=user, reason=REASON)


@pytest.mark.django_db
def test_staff_without_the_right_to_do_not_get_the_page(alice: User, sign_in: SignIn) -> None:
    reader = User.objects.create_user("reader@contentopt.example", is_staff=True)
    assert begin(sign_in(reader), alice).status_code == 403
    with pytest.raises(NotAllowed):
        begin_impersonation(staff=reader, user=alice, reason=REASON)


@pytest.mark.django_db
def test_it_ends_by_itself(helping: Client, alice: User, shop: Workspace, told: list[str]) -> None:
    past = timezone.now() - timedelta(seconds=1)
    Impersonation.objects.update(began_at=past - timedelta(minutes=30), expires_at=past)

    assert helping.get(reverse("workspace_home", args=[shop.slug])).status_code == 404

    ended = Impersonation.objects.get()
    assert ended.ended_at == ended.expires_at
    assert [line.partition(":")[0] for line in told] == ["ended"]


@pytest.mark.django_db
def test_it_ends_although_nobody_comes_back(helper: User, alice: User, bob: User, told: list[str]) -> None:
    over = begin_impersonation(staff=helper, user=alice, reason=REASON)
    past = timezone.now() - timedelta(hours=1)
    Impersonation.objects.update(began_at=past - timedelta(minutes=30), expires_at=past)
    colleague = User.objects.create_superuser("colleague@contentopt.example")
    running = begin_impersonation(staff=colleague, user=bob, reason=REASON)

    end_impersonations()

    for row in (over, running):
        row.refresh_from_db()
    assert (over.ended_at, running.ended_at) == (past, None)
    assert [line.partition(",")[0] for line in told if line.startswith("ended")] == [f"ended: {helper} as {alice}"]


@pytest.mark.django_db
@pytest.mark.parametrize("change", [{"is_staff": True}, {"is_active": False}])
def test_it_ends_when_the_person_joins_the_staff_or_is_switched_off(
    helping: Client, alice: User, shop: Workspace, change: dict[str, bool]
) -> None:
    User.objects.filter(pk=alice.pk).update(**change)
    assert helping.get(reverse("workspace_home", args=[shop.slug])).status_code == 404
    assert Impersonation.objects.get().ended_at is not None


@pytest.mark.django_db
def test_it_ends_when_the_helper_leaves_the_staff(helping: Client, helper: User, shop: Workspace) -> None:
    User.objects.filter(pk=helper.pk).update(is_staff=False)
    assert helping.get(reverse("workspace_home", args=[shop.slug])).status_code == 404


@pytest.mark.django_db
def test_a_row_of_somebody_else_is_no_way_in(helping: Client, sign_in: SignIn, shop: Workspace) -> None:
    other = sign_in(User.objects.create_superuser("other@contentopt.example", "a long pass phrase"))
    session = other.session
    session["impersonation"] = str(Impersonation.objects.get().pk)
    session.save()
    assert other.get(reverse("workspace_home", args=[shop.slug])).status_code == 404


@pytest.mark.django_db
def test_it_is_an_editors_rights_at_most(helping: Client, rows: Rows) -> None:
    """Whatever needs an admin or the owner can be looked at and not changed; keys and the plan stay as they were."""
    keys = list(ApiKey.objects.across_workspaces().values())
    changing = [name for name, (scope, _) in PAGES.items() if scope in (Scope.ADMIN, Scope.BILLING)]
    changing += ["usage_caps", "usage_cache", "alerts"]  # which are read by get
    answers = {name: send(helping, "post", rows.page(name)) for name in changing}
    only_read = {name for name, status in answers.items() if status == 405}
    assert only_read == {"archive_download", "checkout_return", "portal_return"}
    assert answers == {name: 405 if name in only_read else 403 for name in changing}
    assert list(ApiKey.objects.across_workspaces().values()) == keys
    assert send(helping, "post", rows.page("product_rewrite")) == 302


@pytest.mark.django_db
def test_how_somebody_signs_in_is_closed_to_staff(helping: Client, alice: User, rows: Rows) -> None:
    private = ("account_email", "account_change_password", "mfa_index", "mfa_activate_totp", "usersessions_list")
    for name in private:
        for method in ("get", "post"):
            assert send(helping, method, reverse(name)) == 403, (name, method)
    assert User.objects.get(pk=alice.pk).password == alice.password


@pytest.mark.django_db
def test_whatever_is_no_workspaces_page_can_only_be_read(helping: Client, rows: Rows) -> None:
    """Fail-closed: a page that is added tomorrow is refused until it says which right it needs."""
    before = state_of(rows)
    names = page_names(get_resolver().url_patterns) - set(PAGES) - {"impersonation_stop"}
    answers = {}
    for name in sorted(names):
        if not name.startswith(("api_", "token_", "staff_", "stripe_", "openapi")) and not needs_arguments(name):
            answers[name] = send(helping, "post", reverse(name))
    assert len(answers) > 10
    assert {name: status for name, status in answers.items() if status != 403} == {}
    assert state_of(rows) == before


def needs_arguments(name: str) -> bool:
    return any(parameters for _, parameters in get_resolver().reverse_dict.getlist(name)[0][0])


@pytest.mark.django_db
def test_every_request_is_marked_in_the_log(
    helping: Client, helper: User, shop: Workspace, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", logger="accounts.middleware"):
        helping.get(reverse("products", args=[shop.slug]))
    (line,) = [record.msg for record in caplog.records if record.name == "accounts.middleware"]
    assert isinstance(line, dict)
    assert (line["event"], line["path"], line["staff"]) == (
        "impersonated",
        f"/w/{shop.slug}/products/",
        str(helper.pk),
    )


@pytest.mark.django_db
def test_staff_pages_are_shut_meanwhile(helping: Client) -> None:
    assert helping.get(reverse("admin:index")).status_code in (302, 403)
    assert helping.get(reverse("staff_money")).status_code in (302, 403)


@pytest.mark.django_db
def test_the_session_key_changes_at_both_ends(helper: User, alice: User, shop: Workspace, sign_in: SignIn) -> None:
    client = sign_in(helper)
    keys = [client.session.session_key]
    begin(client, alice)
    keys.append(client.session.session_key)
    client.post(reverse("impersonation_stop"))
    keys.append(client.session.session_key)
    assert len(set(keys)) == 3


@pytest.mark.django_db
def test_one_at_a_time_and_the_database_says_so(helper: User, alice: User, bob: User) -> None:
    first = begin_impersonation(staff=helper, user=alice, reason=REASON)
    second = begin_impersonation(staff=helper, user=bob, reason=REASON)
    first.refresh_from_db()
    assert (first.ended_at is None, second.ended_at is None) == (False, True)

    row = {"staff": helper, "user": bob, "reason": REASON, "expires_at": timezone.now() + timedelta(minutes=5)}
    for wrong in (row, row | {"user": helper}, row | {"reason": ""}, row | {"began_at": row["expires_at"]}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Impersonation.objects.create(**wrong)


@pytest.mark.django_db
def test_it_ends_once(helper: User, alice: User, told: list[str]) -> None:
    impersonation = begin_impersonation(staff=helper, user=alice, reason=REASON)
    for _ in range(2):
        end_impersonation(Impersonation.objects.get(pk=impersonation.pk))
    assert len(told) == 2


@pytest.mark.django_db
def test_who_loses_the_workspace_takes_the_helper_along(
    helping: Client, alice: User, bob: User, shop: Workspace
) -> None:
    Membership.objects.in_workspace(shop).filter(user=bob).update(role="owner")
    Membership.objects.in_workspace(shop).filter(user=alice).delete()
    assert helping.get(reverse("workspace_home", args=[shop.slug])).status_code == 404
