"""The audit log: what is written down of whom, that nobody can change it, and who may read it."""

from __future__ import annotations

import csv
import io
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from accounts.acting import Actor
from accounts.audit import record
from accounts.models import PLATFORM_WORKSPACE_ID, Action, ApiKey, AuditEntry, Membership, Plan, User, Workspace
from accounts.services.alerts import set_thresholds
from accounts.services.caps import limit_member, set_member_cap, set_night_cap, set_workspace_cap
from accounts.services.keys import change_key, issue_key, revoke_key
from accounts.services.retention import set_retention
from accounts.services.workspaces import change_plan
from generation.services.cache import choice_of, purge
from generation.services.catalogues import delete_catalogue, download
from tests.conftest import ApiClient, SignIn, say_why
from tests.factories import make_catalogue

pytestmark = pytest.mark.django_db

PASSWORD = "a long pass phrase"


def entries(workspace: Workspace) -> list[AuditEntry]:
    return list(AuditEntry.objects.in_workspace(workspace).order_by("created_at", "id"))


def newest(workspace: Workspace, action: str) -> AuditEntry:
    return AuditEntry.objects.in_workspace(workspace).filter(action=action).latest("created_at")


# --- What is written down ---------------------------------------------------------------------------------------------


def an_issued_key(shop: Workspace) -> None:
    issue_key(workspace=shop, name="Script", scopes=["read"])


def a_limited_key(shop: Workspace) -> None:
    key, _ = issue_key(workspace=shop, name="Script", scopes=["read"])
    change_key(key, burst_per_minute=5, requests_per_day=None, spend_cap_nanos=None)


def a_revoked_key(shop: Workspace) -> None:
    revoke_key(issue_key(workspace=shop, name="Script", scopes=["read"])[0])


def another_plan(shop: Workspace) -> None:
    change_plan(workspace=shop, plan=Plan.objects.get(slug="pro"))


def a_member_cap(shop: Workspace) -> None:
    membership = Membership.objects.in_workspace(shop).get()
    set_member_cap(workspace=shop, membership=membership, cap_nanos=5)


def a_members_limits(shop: Workspace) -> None:
    membership = Membership.objects.in_workspace(shop).get()
    limit_member(workspace=shop, membership=membership, burst_per_minute=3, requests_per_day=None)


def a_purge(shop: Workspace) -> None:
    purge(choice_of(shop), by="test")


def a_download(shop: Workspace) -> None:
    b"".join(download(make_catalogue(shop), only_empty=False))


def a_deleted_file(shop: Workspace) -> None:
    delete_catalogue(make_catalogue(shop))


@pytest.mark.parametrize(
    ("happens", "action", "details"),
    [
        (an_issued_key, "key.created", {"scopes": ["read"]}),
        (a_limited_key, "key.limited", {"burst_per_minute": 5, "spend_cap_nanos": None}),
        (a_revoked_key, "key.revoked", {}),
        (another_plan, "plan.changed", {"plan_before": "internal", "plan": "pro"}),
        (lambda shop: set_workspace_cap(workspace=shop, cap_nanos=7), "cap.changed", {"before": None, "after": 7}),
        (lambda shop: set_night_cap(workspace=shop, cap_nanos=9), "cap.changed", {"of": "nights", "after": 9}),
        (a_member_cap, "cap.changed", {"of": "member", "after": 5}),
        (a_members_limits, "cap.requests_changed", {"burst_per_minute": 3}),
        (lambda shop: set_thresholds(workspace=shop, percents=[90]), "settings.alerts", {"after": [90]}),
        (
            lambda shop: set_retention(
                workspace=shop, old_version_days=60, import_file_days=None, model_call_days=30, stream_days=2
            ),
            "settings.retention",
            {"old_version_days": 60},
        ),
        (a_purge, "cache.purged", {"texts": 0}),
        (a_download, "download.file", {"file": "products.csv"}),
        (a_deleted_file, "file.deleted", {"products": 3}),
    ],
)
def test_it_is_written_down(
    shop: Workspace, happens: Callable[[Workspace], Any], action: str, details: dict[str, Any]
) -> None:
    happens(shop)

    entry = newest(shop, action)
    assert entry.actor == "system"
    assert {name: entry.details[name] for name in details} == details


def test_a_change_that_is_rolled_back_leaves_no_entry(shop: Workspace) -> None:
    before = len(entries(shop))
    with transaction.atomic():
        another_plan(shop)
        transaction.set_rollback(True)

    assert len(entries(shop)) == before


def test_a_page_names_the_person_and_their_address(shop: Workspace, alice: User, sign_in: SignIn) -> None:
    sign_in(alice).post(reverse("api_keys", args=[shop.slug]), {"name": "Script", "scopes": ["read"]})

    entry = newest(shop, "key.created")
    assert (entry.actor, entry.user_id, entry.address) == ("user", alice.pk, "127.0.0.1")
    assert (entry.target_kind, entry.target_id) == ("apikey", str(ApiKey.objects.in_workspace(shop).get().pk))


def test_the_api_names_the_key(shop: Workspace, api: ApiClient) -> None:
    client = api(shop)
    client.put("/api/v1/budget", {"limit_usd": "1.00"}, content_type="application/json")

    entry = newest(shop, "cap.changed")
    assert (entry.actor, entry.api_key_id) == ("key", ApiKey.objects.in_workspace(shop).get().pk)
    assert entry.details["after"] == 1_000_000_000


def test_signing_in_stands_in_the_log_of_each_of_ones_workspaces(
    shop: Workspace, other_shop: Workspace, alice: User
) -> None:
    Membership.objects.create(workspace=other_shop, user=alice, role="viewer")
    Client().post(reverse("account_login"), {"login": alice.email, "password": PASSWORD})

    assert [newest(workspace, "sign_in.succeeded").user_id for workspace in (shop, other_shop)] == [alice.pk] * 2


def test_no_secret_and_no_text_gets_into_the_details(shop: Workspace) -> None:
    _, secret = issue_key(workspace=shop, name="Script", scopes=["read"])
    record(Action.FILE_DOWNLOADED, workspace=shop, file="x" * 5_000)

    assert all(secret.partition(".")[2] not in str(entry.details) for entry in entries(shop))
    assert len(newest(shop, "download.file").details["file"]) == 200
    with pytest.raises(TypeError):
        record(Action.FILE_DOWNLOADED, workspace=shop, file={"a": "dictionary"})


def test_an_entry_names_its_actor(shop: Workspace) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        record(Action.KEY_CREATED, workspace=shop, by=Actor("key"))


# --- Nobody changes it ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE accounts_auditentry SET action = 'nothing.happened'",
        "UPDATE accounts_auditentry SET created_at = created_at - interval '1 day'",
        "DELETE FROM accounts_auditentry",
    ],
)
def test_entries_are_never_changed_or_deleted_not_even_by_sql(shop: Workspace, statement: str) -> None:
    before = entries(shop)
    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)

    assert [vars(a)["details"] for a in entries(shop)] == [vars(b)["details"] for b in before]


def test_entries_cannot_be_changed_through_the_orm_either(shop: Workspace) -> None:
    rows = AuditEntry.objects.in_workspace(shop)
    for change in (lambda: rows.update(action="x"), rows.delete):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()
    assert rows.exists()


# --- Reading it -------------------------------------------------------------------------------------------------------


def test_the_page_shows_names_and_narrows(shop: Workspace, alice: User, sign_in: SignIn) -> None:
    client = sign_in(alice)
    client.post(reverse("api_keys", args=[shop.slug]), {"name": "Warehouse", "scopes": ["read"]})
    url = reverse("audit_log", args=[shop.slug])

    everything = client.get(url).content.decode()
    assert "Made an API key" in everything
    assert "“Warehouse”" in everything
    assert alice.email in everything
    keys_alone = client.get(url, {"actions": "key"}).context["lines"]
    assert {line.entry.action for line in keys_alone} == {"key.created"}
    assert client.get(url, {"who": str(uuid.uuid4())}).status_code == 200
    assert client.get(url, {"last": "2020-01-01"}).context["lines"] == []


def test_pages_go_on_where_they_ended(shop: Workspace, alice: User, sign_in: SignIn) -> None:
    for number in range(60):
        record(Action.CACHE_PURGED, workspace=shop, texts=number)
    client, url = sign_in(alice), reverse("audit_log", args=[shop.slug])

    first = client.get(url, {"actions": "cache"})
    second = client.get(url, {"actions": "cache", "before": str(first.context["older"])})

    shown = [line.entry.details["texts"] for page in (first, second) for line in page.context["lines"]]
    assert sorted(shown) == list(range(60))
    assert second.context["older"] is None


def test_a_long_page_asks_the_database_no_more_often(
    shop: Workspace, alice: User, sign_in: SignIn, django_assert_max_num_queries: Any
) -> None:
    client, url = sign_in(alice), reverse("audit_log", args=[shop.slug])

    def queries() -> int:
        with django_assert_max_num_queries(30) as asked:
            client.get(url)
        return len(asked)

    queries()  # the first visit notes where one was
    few = queries()
    for _ in range(20):
        issue_key(workspace=shop, name="Script", scopes=["read"], created_by=alice)
    assert queries() == few


def test_the_csv_runs_no_formula(shop: Workspace, alice: User, sign_in: SignIn) -> None:
    issue_key(workspace=shop, name='=HYPERLINK("http://evil")', scopes=["read"])

    content = b"".join(sign_in(alice).get(reverse("audit_csv", args=[shop.slug]))).decode()

    cells = [cell for row in csv.reader(io.StringIO(content)) for cell in row]
    assert '“=HYPERLINK("http://evil")”' in cells
    assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))] == []
    assert newest(shop, "download.report").details == {"report": "audit log"}


def test_the_api_lists_and_narrows_by_cursor(shop: Workspace, api: ApiClient) -> None:
    client = api(shop)
    for number in range(3):
        record(Action.CACHE_PURGED, workspace=shop, texts=number)

    first = client.get("/api/v1/audit?actions=cache&page_size=2").json()
    second = client.get(first["next"]).json()

    assert [row["details"]["texts"] for page in (first, second) for row in page["results"]] == [2, 1, 0]
    assert second["next"] is None


def test_a_deleted_account_leaves_no_address_behind(shop: Workspace, bob: User, alice: User, sign_in: SignIn) -> None:
    record(Action.FILE_DOWNLOADED, workspace=shop, by=Actor("user", bob.pk))
    bob.delete()

    page = sign_in(alice).get(reverse("audit_log", args=[shop.slug])).content.decode()
    assert "Deleted account" in page
    assert bob.email not in page


# --- Staff ------------------------------------------------------------------------------------------------------------


def test_staff_open_a_shops_row_with_a_reason_that_the_shop_can_read(
    staff: Client, shop: Workspace, alice: User, sign_in: SignIn
) -> None:
    row = reverse("admin:accounts_workspace_change", args=[shop.pk])

    asked = staff.get(row)
    assert asked.status_code == 302
    assert staff.post(asked["Location"], {"reason": ""}).status_code == 200
    assert staff.get(row).status_code == 302
    assert staff.post(asked["Location"], {"reason": "Ticket 4711: an import hangs"})["Location"] == row
    assert staff.get(row).status_code == 200

    page = sign_in(alice).get(reverse("audit_log", args=[shop.slug])).content.decode()
    assert "Ticket 4711: an import hangs" in page
    assert "ContentOpt staff" in page
    assert "staff@contentopt.example" not in page


def test_one_shops_reason_opens_no_other(staff: Client, shop: Workspace, other_shop: Workspace) -> None:
    say_why(staff, shop)

    assert staff.get(reverse("admin:accounts_workspace_change", args=[shop.pk])).status_code == 200
    assert staff.get(reverse("admin:accounts_workspace_change", args=[other_shop.pk])).status_code == 302


def test_what_staff_do_to_the_platform_stands_in_its_own_log(staff: Client) -> None:
    staff.post(reverse("staff_switch"), {"stop": "1", "reason": "A provider bills twice"})
    staff.post(reverse("staff_switch"), {"resume": "1"})

    platform = AuditEntry.objects.in_workspace(PLATFORM_WORKSPACE_ID).filter(action__startswith="platform.")
    told = [(entry.action, entry.actor, entry.details) for entry in platform.order_by("created_at")]
    assert told == [
        ("platform.spending_stopped", "staff", {"reason": "A provider bills twice"}),
        ("platform.spending_resumed", "staff", {}),
    ]


def test_who_signs_up_made_their_workspace(db: None) -> None:
    form = {"email": "mia@birch-goods.example", "password1": "a long pass phrase of hers"}
    Client().post(reverse("account_signup"), form)

    entry = AuditEntry.objects.across_workspaces().get(action="workspace.created")
    mia = User.objects.get(email="mia@birch-goods.example")
    assert (entry.actor, entry.user_id, entry.address) == ("user", mia.pk, "127.0.0.1")


def test_what_staff_change_stands_in_the_log_under_their_id(staff: Client, shop: Workspace) -> None:
    say_why(staff, shop)
    inlines = {
        f"{name}-{part}": "0"
        for name in ("memberships", "api_keys", "invitations")
        for part in ("TOTAL_FORMS", "INITIAL_FORMS")
    }
    form = {"name": shop.name, "plan": "pro", "standing": "good", "spend_cap_nanos": "2", **inlines}
    staff.post(reverse("admin:accounts_workspace_change", args=[shop.pk]), form)

    by = User.objects.get(email="staff@contentopt.example").pk
    for action in ("plan.changed", "cap.changed"):
        entry = newest(shop, action)
        assert (entry.actor, entry.user_id) == ("staff", by)
