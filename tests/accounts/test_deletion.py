"""A workspace that is deleted: read-only, restorable, then gone without a trace of it, and nothing of another's."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_redis import get_redis_connection

from accounts import budgets, erasing
from accounts.budgets import Payer
from accounts.emails import send_notice
from accounts.erasing import KEPT, erase_workspace, order_of_erasure, sweep_deletions
from accounts.metering import roll_up
from accounts.models import (
    PLATFORM_WORKSPACE_ID,
    ApiKey,
    AuditEntry,
    Deletion,
    Membership,
    Notice,
    Role,
    UsageEntry,
    UsageRollup,
    User,
    Workspace,
)
from accounts.retiring import retire
from accounts.services.deletion import delete_account, request_deletion, restore
from accounts.services.keys import issue_key
from accounts.signals import workspace_erasing
from contentopt import jobs
from contentopt.errors import Conflict, DomainError, NotAllowed
from contentopt.jobs import JobState
from generation.engine.items import write_item
from generation.models import Run, Text
from generation.reconciling import reconcile
from tests.accounts.books import pay
from tests.conftest import ApiClient, SignIn, member
from tests.factories import make_catalogue, make_run
from tests.tenant_rows import digest, fill_tables, tables_that_name

pytestmark = pytest.mark.django_db

LONG_AGO = timezone.now() - timedelta(days=15)


def owner(workspace: Workspace) -> Membership:
    return Membership.objects.in_workspace(workspace).get(role=Role.OWNER)


def close(workspace: Workspace) -> Deletion:
    return request_deletion(workspace=workspace, membership=owner(workspace))


def close_and_let_grace_pass(workspace: Workspace) -> Deletion:
    deletion = close(workspace)
    Deletion.objects.in_workspace(workspace).filter(pk=deletion.pk).update(erases_at=LONG_AGO, next_run_at=LONG_AGO)
    return deletion


def names_in_valkey(workspace: Workspace) -> list[bytes]:
    return list(get_redis_connection("default").scan_iter(match=f"*{workspace.pk}*"))


# --- Asking for it ----------------------------------------------------------------------------------------------------


def signed_in_just_now(user: User) -> Client:
    """With the password given once more, as pages that end something ask for it."""
    client = Client()
    client.force_login(user, "allauth.account.auth_backends.AuthenticationBackend")
    client.post(reverse("account_reauthenticate"), {"password": "a long pass phrase"})
    return client


def test_an_owner_types_the_name_after_the_password(shop: Workspace, alice: User, sign_in: SignIn) -> None:
    url = reverse("workspace_delete", args=[shop.slug])
    assert reverse("account_reauthenticate") in sign_in(alice).get(url)["Location"]
    client = signed_in_just_now(alice)

    assert "nothing was deleted" in client.post(url, {"typed": "Another shop"}).content.decode()
    assert Workspace.objects.get(pk=shop.pk).closes_at is None
    client.post(url, {"typed": " alder goods "})

    closes_at = Workspace.objects.get(pk=shop.pk).closes_at
    assert closes_at is not None
    assert timedelta(days=13, hours=23) < closes_at - timezone.now() < timedelta(days=14, hours=1)


def test_admins_cannot_even_with_the_service(shop: Workspace) -> None:
    anna = member(shop, "anna@alder-goods.example", Role.ADMIN)
    with pytest.raises(NotAllowed):
        request_deletion(workspace=shop, membership=Membership.objects.in_workspace(shop).get(user=anna))


def test_asking_twice_is_asking_once(shop: Workspace) -> None:
    assert close(shop) == close(shop)


def test_owners_and_admins_are_told(shop: Workspace, alice: User) -> None:
    close(shop)
    send_notice(Notice.objects.in_workspace(shop).get(kind="rights").pk)

    (message,) = mail.outbox
    assert message.to == [alice.email]
    assert "it will be deleted in 14 days" in message.subject
    assert reverse("workspace_delete", args=[shop.slug]) in message.body


# --- The grace --------------------------------------------------------------------------------------------------------


def test_its_pages_offer_no_work_that_would_be_refused(shop: Workspace, alice: User, sign_in: SignIn) -> None:
    make_catalogue(shop)
    client = sign_in(alice)
    home, products = (reverse(name, args=[shop.slug]) for name in ("workspace_home", "products"))
    assert "Write descriptions" in client.get(home).content.decode()

    close(shop)

    for page in (home, products):
        shown = client.get(page).content.decode()
        assert "This workspace is being deleted." in shown
        assert "Write descriptions" not in shown


def test_it_is_read_only_for_pages_and_api(shop: Workspace, alice: User, sign_in: SignIn, api: ApiClient) -> None:
    run = make_run(make_catalogue(shop))
    write_item(run.items.order_by("position")[0].pk)
    client, program = sign_in(alice), api(shop)
    program.post("/api/v1/descriptions", {"prompt": "Oak board"}, content_type="application/json")  # known from now on
    close(shop)
    retire()
    texts = Text.objects.in_workspace(shop).count()

    for name in ("api_keys", "usage_caps", "import_new", "data_retention"):
        assert client.get(reverse(name, args=[shop.slug])).status_code == 200
        assert client.post(reverse(name, args=[shop.slug])).status_code == 403
    refused = program.post("/api/v1/descriptions", {"prompt": "Oak board"}, content_type="application/json")
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "workspace_closing")
    assert program.get("/api/v1/texts").status_code == 200
    assert Text.objects.in_workspace(shop).count() == texts


def test_no_model_is_paid_and_runs_are_paused(shop: Workspace) -> None:
    run = make_run(make_catalogue(shop))
    close(shop)

    assert Run.objects.in_workspace(shop).get(pk=run.pk).state == Run.State.PAUSED
    with pytest.raises(budgets.Closing):
        pay(Payer(shop.pk, "api"), 1)


def test_everything_can_still_be_taken_out(shop: Workspace, alice: User, sign_in: SignIn, api: ApiClient) -> None:
    close(shop)

    assert sign_in(alice).post(reverse("archives", args=[shop.slug])).status_code == 302
    assert api(shop).post("/api/v1/archives", {}, content_type="application/json").status_code == 202


def test_an_owner_restores_it_as_it_was(shop: Workspace, alice: User, sign_in: SignIn) -> None:
    deletion = close(shop)

    assert sign_in(alice).post(reverse("workspace_restore", args=[shop.slug])).status_code == 302

    assert Workspace.objects.get(pk=shop.pk).closes_at is None
    pay(Payer(shop.pk, "api"), 1)
    Deletion.objects.in_workspace(shop).update(next_run_at="2030-01-01T00:00:00Z")
    assert erase_workspace(deletion.pk) is None
    actions = AuditEntry.objects.in_workspace(shop).values_list("action", flat=True)
    assert {"workspace.deletion_requested", "workspace.restored"} <= set(actions)


def test_after_the_grace_nothing_is_restored(shop: Workspace) -> None:
    close_and_let_grace_pass(shop)
    with pytest.raises(Conflict):
        restore(workspace=shop, membership=owner(shop))


def test_nothing_is_erased_before_the_grace_is_over(shop: Workspace) -> None:
    deletion = close(shop)

    assert erase_workspace(deletion.pk) is None
    with pytest.raises(IntegrityError), transaction.atomic():
        Deletion.objects.in_workspace(shop).update(next_run_at=LONG_AGO)


# --- Gone -------------------------------------------------------------------------------------------------------------


def test_no_table_names_it_afterwards_and_another_workspace_is_as_it_was(
    shop: Workspace, other_shop: Workspace
) -> None:
    fill_tables(shop)
    fill_tables(other_shop)
    before = digest(other_shop)
    deletion = close_and_let_grace_pass(shop)

    assert erase_workspace(deletion.pk) == JobState.DONE

    assert not Workspace.objects.filter(pk=shop.pk).exists()
    # The platform's own note that it was deleted, when and by whom, and what to retire in Valkey, for ten seconds.
    assert set(tables_that_name(shop)) <= {"accounts_auditentry", "accounts_retirement"}
    (note,) = AuditEntry.objects.across_workspaces().filter(target_id=str(shop.pk))
    assert (note.workspace_id, note.action) == (PLATFORM_WORKSPACE_ID, "workspace.deleted")
    assert digest(other_shop) == before


def test_valkey_names_it_no_more(shop: Workspace, other_shop: Workspace, api: ApiClient) -> None:
    Workspace.objects.filter(pk__in=[shop.pk, other_shop.pk]).update(plan="pro")
    for workspace in (shop, other_shop):
        client = api(workspace)
        for _ in range(2):
            client.post("/api/v1/descriptions", {"prompt": "Oak board"}, content_type="application/json")
    others = set(names_in_valkey(other_shop))
    assert len(others) == len(names_in_valkey(shop)) > 3
    deletion = close_and_let_grace_pass(shop)

    erase_workspace(deletion.pk)

    assert names_in_valkey(shop) == []
    # But for its stamp: that may go at any time, and is set anew.
    assert {name for name in others - set(names_in_valkey(other_shop)) if b":account:" not in name} == set()


def test_the_books_of_the_platform_stay_right(shop: Workspace, other_shop: Workspace) -> None:
    for workspace, cost in ((shop, 400), (other_shop, 70)):
        pay(Payer(workspace.pk, "api", run_id=uuid.uuid4()), cost)
    UsageEntry.objects.create(
        workspace=shop, basis="free", source="exact", endpoint="api", answers=1, calls=0, cost_nanos=0,
        occurred_at=timezone.now(),
    )  # fmt: skip
    roll_up()
    deletion = close_and_let_grace_pass(shop)

    erase_workspace(deletion.pk)
    roll_up()

    kept = UsageEntry.objects.in_workspace(PLATFORM_WORKSPACE_ID).get()
    assert (kept.cost_nanos, kept.run_id, kept.text_id, kept.user_id) == (400, None, None, None)
    assert sum(UsageEntry.objects.across_workspaces().values_list("cost_nanos", flat=True)) == 470
    days = UsageRollup.objects.in_workspace(PLATFORM_WORKSPACE_ID).filter(grain="day")
    assert [day.cost_nanos for day in days] == [400]
    differences = [found for found in reconcile().differences if "model call" not in found["expected"]]
    assert differences == []


def test_owners_hear_that_it_is_gone(shop: Workspace, alice: User, bob: User) -> None:
    deletion = close_and_let_grace_pass(shop)
    mail.outbox.clear()

    erase_workspace(deletion.pk)

    (message,) = mail.outbox
    assert message.to == [alice.email]
    assert "everything is deleted" in message.subject
    assert User.objects.filter(pk__in=[alice.pk, bob.pk]).count() == 2


def test_keys_and_pages_of_it_are_refused_at_once(
    shop: Workspace, alice: User, sign_in: SignIn, api: ApiClient
) -> None:
    program, client = api(shop), sign_in(alice)
    assert program.get("/api/v1/texts").status_code == 200
    deletion = close_and_let_grace_pass(shop)

    erase_workspace(deletion.pk)

    assert program.get("/api/v1/texts").status_code == 401
    assert client.get(reverse("workspace_home", args=[shop.slug])).status_code == 404


# --- Stopped on the way -----------------------------------------------------------------------------------------------


class Killed(BaseException):
    pass


def killed_at(statement: int) -> Any:
    """From this statement on, none reaches the database."""
    ran = 0

    def run(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal ran
        ran += 1
        if ran > statement:
            raise Killed
        return execute(sql, params, many, context)

    return run


@pytest.mark.parametrize("statement", [1, 30, 75, 120, 165, 210])
def test_whoever_takes_over_goes_on_where_it_stopped(
    shop: Workspace, other_shop: Workspace, statement: int, settings: Any
) -> None:
    fill_tables(shop)
    fill_tables(other_shop)
    before = digest(other_shop)
    deletion = close_and_let_grace_pass(shop)

    with pytest.raises(Killed), connection.execute_wrapper(killed_at(statement)):
        erase_workspace(deletion.pk)
    Deletion.objects.in_workspace(shop).update(lease_until=LONG_AGO)
    assert erase_workspace(deletion.pk) == JobState.DONE

    assert not Workspace.objects.filter(pk=shop.pk).exists()
    assert set(tables_that_name(shop)) <= {"accounts_auditentry", "accounts_retirement"}
    assert digest(other_shop) == before


def test_while_something_outside_cannot_do_its_part_it_stays(shop: Workspace) -> None:
    fill_tables(shop)
    deletion = close_and_let_grace_pass(shop)
    before = digest(shop)
    is_away = True

    def stripe(**_kwargs: Any) -> None:
        if is_away:
            raise DomainError("Stripe does not answer.")

    workspace_erasing.connect(stripe)
    try:
        assert erase_workspace(deletion.pk) == JobState.QUEUED
        del before["accounts_deletion"]
        assert {table: rows for table, rows in digest(shop).items() if table in before} == before
        is_away = False
        Deletion.objects.in_workspace(shop).filter(pk=deletion.pk).update(next_run_at=LONG_AGO)
        assert erase_workspace(deletion.pk) == JobState.DONE
    finally:
        workspace_erasing.disconnect(stripe)


def test_a_deletion_never_ends_as_failed(shop: Workspace, settings: Any) -> None:
    deletion = close_and_let_grace_pass(shop)
    Deletion.objects.in_workspace(shop).update(attempt=settings.JOB_MAX_ATTEMPTS)
    assert erase_workspace(deletion.pk) is None

    sweep_deletions()

    deletion.refresh_from_db()
    assert (deletion.state, deletion.attempt) == (JobState.QUEUED, 0)
    assert deletion.next_run_at > timezone.now()
    assert Notice.objects.in_workspace(PLATFORM_WORKSPACE_ID).filter(topic=f"erasing/{deletion.pk}").exists()


def test_a_ghost_erases_nothing(shop: Workspace) -> None:
    deletion = close_and_let_grace_pass(shop)
    ghost = jobs.claim(Deletion, deletion.pk)
    assert ghost is not None
    Deletion.objects.in_workspace(shop).update(lease_token=uuid.uuid4())
    before = digest(shop)

    with pytest.raises(jobs.LostLease):
        erasing._erase_claimed(ghost)
    assert digest(shop) == before


def test_what_is_kept_has_no_column_that_tells_whose_it_was() -> None:
    for model, emptied in KEPT.items():
        told = {
            field.name
            for field in model._meta.concrete_fields
            if field.name.endswith(("user_id", "key_id", "run_id", "text_id", "run_item", "fingerprint", "batch_id"))
        }
        assert told <= set(emptied), model


def test_every_table_is_erased_after_those_that_refer_to_it() -> None:
    order = order_of_erasure()
    for model in order:
        for field in model._meta.concrete_fields:
            if field.related_model in order and field.related_model is not model and not field.null:
                assert order.index(model) < order.index(field.related_model)


# --- A person's own account -------------------------------------------------------------------------------------------


def test_a_member_deletes_their_account(shop: Workspace, alice: User, bob: User) -> None:
    key, _ = issue_key(workspace=shop, name="Bob's", scopes=["read"], created_by=bob)
    client = signed_in_just_now(bob)
    page = reverse("delete_account")
    assert client.post(page, {"typed": "alice@alder-goods.example"}).status_code == 200
    assert User.objects.filter(pk=bob.pk).exists()

    client.post(page, {"typed": bob.email})

    assert not User.objects.filter(pk=bob.pk).exists()
    assert client.get(reverse("workspace_home", args=[shop.slug])).status_code == 302
    assert ApiKey.objects.in_workspace(shop).get(pk=key.pk).revoked_at is not None
    assert AuditEntry.objects.in_workspace(shop).get(action="member.left").target_id == str(bob.pk)


def test_the_only_owner_gives_it_away_or_deletes_it_first(shop: Workspace, alice: User, bob: User) -> None:
    assert "Alder Goods" in signed_in_just_now(alice).get(reverse("delete_account")).content.decode()
    with pytest.raises(Conflict, match="Alder Goods"):
        delete_account(alice)

    close(shop)
    delete_account(alice)
    assert Membership.objects.in_workspace(shop).get().user == bob


def test_staff_do_not_delete_themselves(staff: Client) -> None:
    with pytest.raises(NotAllowed):
        delete_account(User.objects.get(email="staff@contentopt.example"))
