"""Row-level security: what it lets through, who enters what, and that nothing serves without it."""

from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.core.management import get_commands
from django.db import NotSupportedError, ProgrammingError, connection, transaction
from django.http import HttpRequest, StreamingHttpResponse

from accounts.models import PLATFORM_WORKSPACE_ID, Budget, Membership, Notice, Workspace
from accounts.notices import tell_staff
from accounts.tasks import send_notice
from contentopt.celery import app
from contentopt.database.base import DatabaseWrapper
from contentopt.jobs import CLOCK
from contentopt.middleware import OutsideMiddleware
from contentopt.tenancy import across_workspaces, enter, entered, entering, outside_workspaces
from generation.engine.storing import product_facts
from generation.facts import facts_to_json
from generation.importing import keep_file
from generation.models import CachedText, Night, NightItem, Product, RunItem, Stream
from generation.tasks import import_catalogue, plan_night, write_ahead, write_items, write_stream
from tests.factories import first_product, make_catalogue, make_file, make_run
from tests.test_architecture import OUR_APPS, SHARED, our_models, tenant_models

# --- Who enters what --------------------------------------------------------------------------------------------------
# What is missing here fails: say how it enters before you add it.

ITS_ROW = "claims its row, and enters that row's workspace"
ACROSS = "across workspaces, by nature"
EACH = "finds its rows across workspaces, and enters each one's"

TASKS = {
    "accounts.tasks.send_notice": ITS_ROW,
    "accounts.tasks.drain_free_answers": ACROSS,
    "accounts.tasks.roll_up": ACROSS,
    "accounts.tasks.tell_staff": "reads what a comparison found, which is nobody's",
    "accounts.tasks.write_archive": ITS_ROW,
    "accounts.tasks.erase_workspace": ITS_ROW,
    "webhooks.tasks.deliver": ITS_ROW,
    "generation.tasks.drop_what_is_kept_long_enough": "enters one workspace after the other",
    "billing.tasks.follow_closings": EACH,
    "generation.tasks.write_items": ITS_ROW,
    "generation.tasks.import_catalogue": ITS_ROW,
    "generation.tasks.plan_night": ITS_ROW,
    "generation.tasks.write_ahead": ITS_ROW,
    "generation.tasks.advance_batch": ITS_ROW,
    "generation.tasks.write_stream": ITS_ROW,
    "generation.tasks.reconcile": ACROSS,
    "generation.tasks.note_retirements": "looks at models, which are the platform's",
    "generation.tasks.warm_cache": ACROSS,
    "billing.tasks.process_event": EACH,
    "billing.tasks.reconcile": EACH,
    "billing.tasks.follow_seats": EACH,
    "billing.tasks.report_usage": EACH,
}
COMMANDS = {
    "migrate": "as the owner, across workspaces",
    "flush": "as the owner, for tests",
    "clock": "each piece of recurring work across workspaces",
    "create_workspace": "enters the new one",
    "roll_up": ACROSS,
    "spending": ACROSS,
    "setup_stripe": "asks Stripe alone",
    "sync_stripe": EACH,
    "describe": "enters the one it is told",
    "precompute": "enters one after the other",
    "reconcile": ACROSS,
    "seed_demo": "across, while it makes the demo shop",
}
# All of them by the middleware, which lets staff, and nobody else, see all workspaces below /staff/.
ADMIN_ACTIONS = {
    ("EmailAddress", "make_verified"),
    ("Reservation", "end_expired"),
    ("ApiKey", "revoke"),
    ("Delivery", "send_again"),
    ("Notice", "send_again"),
    ("CachedText", "purge"),
    ("CachedTemplate", "purge"),
    ("Night", "start"),
    ("Night", "cancel"),
    ("LlmModel", "mark_as_seen_to"),
    ("Workspace", "purge_cache"),
    ("RunItem", "try_again"),
    ("BillingEvent", "process_again"),
    ("BillingAccount", "read_again"),
}
LOOKS_BEYOND = r"\b(across_workspaces|enter_all)\(\)"
# Every module that looks beyond one workspace, and why it may.
BEYOND = {
    "accounts/admin/impersonation.py": "staff",
    "accounts/admin/rows.py": "staff",
    "accounts/admission.py": "who reads a stream, of any workspace",
    "accounts/archiving.py": "the sweeper of archives",
    "accounts/audit.py": "names of people and keys that a line holds the ids of",
    "accounts/authentication.py": "a key says whose it is",
    "accounts/budgets.py": "a reservation's id, which nobody chooses; the sweeper of holds",
    "accounts/erasing.py": "the sweeper of deletions; what stays on the platform's books",
    "accounts/idempotency.py": "the sweeper of replies",
    "accounts/invitations.py": "a signed link names an invitation",
    "accounts/management/commands/clock.py": "recurring work",
    "accounts/management/commands/spending.py": "the platform's spending",
    "accounts/metering.py": "answers on their way to the ledger, and its sums, are of all",
    "accounts/middleware.py": "which workspaces a person is in; staff",
    "accounts/notices.py": "names within a query that is in a workspace",
    "accounts/quotas.py": "the sweeper of places",
    "accounts/receivers.py": "a person's sign-in is written down in each of their workspaces",
    "accounts/services/alerts.py": "a signed link names a membership",
    "accounts/services/deletion.py": "an account ends in all its workspaces",
    "accounts/services/margins.py": "staff",
    "accounts/services/spending.py": "staff",
    "accounts/services/workspaces.py": "which workspaces a person is in",
    "accounts/views/alerts.py": "a signed link names a membership",
    "billing/closing.py": "all that are being deleted",
    "billing/management/commands/sync_stripe.py": "all customers",
    "billing/reconciling.py": "all customers",
    "billing/reporting.py": "all customers",
    "billing/seats.py": "all customers",
    "billing/sync.py": "Stripe names a customer, who says which workspace",
    "contentopt/database/creation.py": "test databases",
    "contentopt/database/roles.py": "migrations",
    "contentopt/jobs.py": "a job's row says whose it is",
    "contentopt/leases.py": "leases of all that a process holds, by their tokens",
    "generation/admin/nights.py": "staff",
    "generation/api/streams.py": "the end of a stream that its view has allowed",
    "generation/batches/collecting.py": "a vendor's results may be of any batch; they are told by our calls' ids",
    "generation/batches/sending.py": "a batch that a killed worker sent is told from all others",
    "generation/caching/warming.py": "most used texts of all, each put back under its workspace",
    "generation/engine/calls.py": "the sweeper of calls",
    "generation/management/commands/describe.py": "which workspaces a person is in",
    "generation/management/commands/seed_demo.py": "makes the demo shop",
    "generation/nights/items.py": "opens every workspace's night",
    "generation/reconciling.py": "compares all books",
    "generation/retention.py": "each workspace's own rule",
    "generation/services/metrics.py": "counts for whoever runs the platform",
    "generation/services/nights.py": "staff see all nights, members those that they are handed",
    "generation/services/performance.py": "staff",
    "generation/services/rerouting.py": "staff",
    "generation/services/runs.py": "how quick a model is; the sweeper of runs",
    "generation/streams/subscribing.py": "streams that are open in a process, whoever reads them",
    "webhooks/delivering.py": "a delivery's row says whose it is; the sweeper",
}
# Rows of the platform's own workspace that everybody needs.
SHARED_ROWS = {
    ("accounts_budget", "platform_select"),
    ("accounts_budget", "platform_insert"),
    ("accounts_budget", "platform_update"),
    ("accounts_notice", "platform_insert"),
    ("generation_cachedtext", "platform_select"),
}


def test_every_task_says_how_it_enters() -> None:
    app.loader.import_default_modules()
    assert {name for name in app.tasks if name.startswith(OUR_APPS)} == set(TASKS)


def test_recurring_work_runs_in_the_clock_alone() -> None:
    """Which goes across workspaces for each."""
    assert {job.work.__module__ for job in CLOCK} <= {f"{app}.tasks" for app in OUR_APPS}


def test_every_command_says_how_it_enters() -> None:
    assert {name for name, app in get_commands().items() if app in OUR_APPS} == set(COMMANDS)


def test_every_module_that_looks_beyond_a_workspace_says_why() -> None:
    root = Path(settings.BASE_DIR)
    sources = {path: path.read_text() for app in (*OUR_APPS, "contentopt") for path in root.joinpath(app).rglob("*.py")}
    beyond = {str(path.relative_to(root)) for path, text in sources.items() if re.search(LOOKS_BEYOND, text)}
    assert beyond - {"contentopt/tenancy.py", "accounts/models/tenants.py"} == set(BEYOND)


def test_every_action_of_the_admin_is_listed() -> None:
    found = {
        (model.__name__, action if isinstance(action, str) else action.__name__)
        for model, site in admin.site._registry.items()
        for action in site.actions or ()
    }
    assert found == ADMIN_ACTIONS


# --- The policies -----------------------------------------------------------------------------------------------------


def fetch(query: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def tables_with(condition: str) -> set[str]:
    return {name for (name,) in fetch(f"SELECT relname FROM pg_class WHERE relkind = 'r' AND {condition}")}  # noqa: S608


@pytest.mark.django_db
def test_every_tenants_table_has_its_policy_forced_and_no_other_table_has() -> None:
    tenants = {model._meta.db_table for model in tenant_models()}
    policies = set(fetch("SELECT tablename::text, policyname::text FROM pg_policies"))

    assert tables_with("relrowsecurity AND relforcerowsecurity") == tenants
    assert policies == {(table, "workspace") for table in tenants} | SHARED_ROWS


@pytest.mark.django_db
def test_every_table_that_names_a_workspace_is_a_tenants() -> None:
    """Also one that no model of ours stands for, such as the table between two of them."""
    column = "EXISTS (SELECT FROM pg_attribute WHERE attrelid = pg_class.oid AND attname = 'workspace_id')"
    assert tables_with(column) == {model._meta.db_table for model in tenant_models()}
    between = [model for app in OUR_APPS for model in apps.get_app_config(app).get_models(include_auto_created=True)]
    # Groups and permissions of Django's staff.
    assert {model.__name__ for model in between} - {model.__name__ for model in our_models()} == {
        "User_groups",
        "User_user_permissions",
    }
    assert not {model.__name__ for model in tenant_models()} & set(SHARED)


@pytest.mark.django_db
def test_the_application_signs_in_as_a_role_that_owns_nothing() -> None:
    assert fetch(
        "SELECT rolsuper, rolbypassrls, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = current_user"
    ) == [(False, False, False, False)]
    assert tables_with("relowner = (SELECT oid FROM pg_roles WHERE rolname = current_user)") == set()
    with pytest.raises(ProgrammingError, match="must be owner"), transaction.atomic():
        fetch("ALTER TABLE generation_text DISABLE ROW LEVEL SECURITY")
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        fetch("TRUNCATE generation_text")


def seen() -> set[uuid.UUID]:
    return {row[0] for row in fetch("SELECT DISTINCT workspace_id FROM accounts_membership")}


@pytest.mark.django_db
def test_one_sees_what_one_has_entered_and_outside_nothing(shop: Workspace, other_shop: Workspace) -> None:
    with entering(shop.pk):
        assert seen() == {shop.pk}
        with entering(other_shop.pk):
            assert seen() == {other_shop.pk}
        with across_workspaces():
            assert seen() == {shop.pk, other_shop.pk}
        with outside_workspaces():
            assert seen() == set()
        assert seen() == {shop.pk}
    assert entered() == "across"  # the tests' own


@pytest.mark.django_db
def test_nobody_writes_changes_moves_or_deletes_rows_of_others(shop: Workspace, other_shop: Workspace) -> None:
    mine, theirs = (Membership.objects.in_workspace(each).get() for each in (shop, other_shop))
    with entering(shop.pk):
        for forbidden in (
            lambda: Membership.objects.create(workspace=other_shop, user_id=mine.user_id, role="owner"),
            lambda: Membership.objects.in_workspace(shop).update(workspace=other_shop),
        ):
            with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
                forbidden()
        for nothing in ("UPDATE accounts_membership SET role = 'viewer'", "DELETE FROM accounts_membership"):
            with connection.cursor() as cursor:
                cursor.execute(f"{nothing} WHERE id = %s", [theirs.pk])
                assert cursor.rowcount == 0
    assert Membership.objects.in_workspace(other_shop).get().role == "owner"


@pytest.mark.django_db
def test_of_the_platforms_rows_only_those_are_open_that_everybody_needs(shop: Workspace) -> None:
    common = {"workspace_id": PLATFORM_WORKSPACE_ID, "brief": {}, "facts": {}, "fields": {}, "evidence": []}
    for key, is_public in (("public", True), ("private", False)):
        CachedText.objects.create(
            **common, key=key, is_public=is_public, facts_hash=key, expires_at="2099-01-01T00:00:00Z"
        )
    platforms = {"workspace_id": PLATFORM_WORKSPACE_ID, "scope_id": PLATFORM_WORKSPACE_ID}
    for scope in ("platform", "run"):
        Budget.objects.create(**platforms, scope=scope, period_start="2026-01-01T00:00:00Z")

    with entering(shop.pk):
        pool = CachedText.objects.in_workspace(PLATFORM_WORKSPACE_ID)
        assert [row.key for row in pool] == ["public"]
        assert (pool.update(hits=9), pool.delete()[0]) == (0, 0)
        budgets = Budget.objects.in_workspace(PLATFORM_WORKSPACE_ID)
        assert [row.scope for row in budgets] == ["platform"]
        assert (budgets.update(spent_nanos=1), budgets.all().delete()[0]) == (1, 0)
        for _ in range(2):
            tell_staff(topic="one", subject="s", text="t", path="/")
        assert not Notice.objects.in_workspace(PLATFORM_WORKSPACE_ID).exists()
    assert Notice.objects.in_workspace(PLATFORM_WORKSPACE_ID).count() == 1


# --- The statement and its workspace ----------------------------------------------------------------------------------


class OnePool(DatabaseWrapper):
    """The product's backend, with a pool beside the tests' own."""

    _connection_pools: dict[str, Any] = {}


@contextmanager
def pool_of_one() -> Iterator[DatabaseWrapper]:
    """A pool of a single connection, which one user has after the other."""
    options = {**connection.settings_dict["OPTIONS"], "pool": {"min_size": 0, "max_size": 1, "timeout": 5}}
    one = OnePool({**connection.settings_dict, "OPTIONS": options}, alias="default")
    try:
        yield one
    finally:
        one.close()
        one.close_pool()


def as_it_is(one: DatabaseWrapper) -> tuple[int, str | None]:
    """The server's process and its setting, asked past our cursor: what the next user of the connection would find."""
    one.ensure_connection()
    with one.connection.cursor() as raw:
        found: tuple[int, str | None]
        with outside_workspaces():
            found = raw.execute("SELECT pg_backend_pid(), current_setting('app.workspace_id', true)").fetchone()
        return found


def leave_by_statement(one: DatabaseWrapper) -> None:
    with one.cursor() as cursor:
        cursor.execute("SELECT current_setting('app.workspace_id')")
        assert cursor.fetchone() == (entered(),)


def leave_by_commit(one: DatabaseWrapper) -> None:
    one.set_autocommit(False)
    leave_by_statement(one)
    one.commit()
    one.set_autocommit(True)


def leave_by_rollback(one: DatabaseWrapper) -> None:
    one.set_autocommit(False)
    leave_by_statement(one)
    one.rollback()
    one.set_autocommit(True)


def leave_by_error(one: DatabaseWrapper) -> None:
    with pytest.raises(ProgrammingError), one.cursor() as cursor:
        cursor.execute("SELECT * FROM nowhere")


def leave_in_the_middle(one: DatabaseWrapper) -> None:
    """The pool rolls back what was left open."""
    one.set_autocommit(False)
    leave_by_statement(one)
    one.in_atomic_block = False


@pytest.mark.django_db
@pytest.mark.parametrize(
    "leave", [leave_by_statement, leave_by_commit, leave_by_rollback, leave_by_error, leave_in_the_middle]
)
def test_nothing_is_left_for_the_next_user_of_a_connection(leave: Any) -> None:
    with pool_of_one() as one:
        with entering(uuid.uuid4()):
            leave(one)
            one.close()
        first, second = as_it_is(one), as_it_is(one)
        assert first == second
        assert not first[1]


@pytest.mark.django_db
def test_a_statement_and_its_workspace_are_one_message() -> None:
    with pool_of_one() as one, entering(uuid.uuid4()), one.cursor() as cursor:
        cursor.execute("SELECT %s, statement_timestamp() = transaction_timestamp()", ["50 %"])
        assert cursor.fetchall() == [("50 %", True)]
        cursor.execute("SELECT %(name)s || '%%'", {"name": "a"})
        assert (cursor.fetchone(), cursor.rowcount) == (("a%",), 1)
        cursor.execute("SELECT '50 %'")
        assert [column.name for column in cursor.description] == ["?column?"]


@pytest.mark.django_db
def test_within_a_transaction_it_follows_what_is_entered(shop: Workspace, other_shop: Workspace) -> None:
    with entering(shop.pk), transaction.atomic():
        assert seen() == {shop.pk}
        with transaction.atomic():
            with entering(other_shop.pk):
                assert seen() == {other_shop.pk}
            transaction.set_rollback(True)  # and with the rest the setting, to what it was
        assert seen() == {shop.pk}
        with pytest.raises(ProgrammingError), transaction.atomic(), entering(other_shop.pk):
            fetch("SELECT * FROM nowhere")
        assert seen() == {shop.pk}


@pytest.mark.django_db
def test_rows_read_later_are_read_where_the_query_was_made(shop: Workspace, other_shop: Workspace) -> None:
    make_catalogue(shop)
    with entering(shop.pk):
        rows = Product.objects.in_workspace(shop).select_for_update().iterator(chunk_size=1)
    with transaction.atomic(), outside_workspaces():
        assert len(list(rows)) == 3
        assert entered() == ""
    with entering(shop.pk):
        everybody = Membership.objects.across_workspaces()
        assert {row.workspace_id for row in everybody} == {shop.pk, other_shop.pk}
        assert everybody.count() == 2


@pytest.mark.django_db
def test_ways_past_the_statement_are_shut() -> None:
    with entering(uuid.uuid4()), connection.cursor() as cursor:
        for way in (
            lambda: cursor.executemany("SELECT %s", [[1], [2]]),
            lambda: cursor.copy("COPY accounts_plan TO STDOUT"),
            lambda: cursor.stream("SELECT 1"),
            lambda: connection.chunked_cursor(),
        ):
            with pytest.raises(NotSupportedError):
                way()


def test_a_thread_begins_outside() -> None:
    found: list[str] = []
    with entering(uuid.uuid4()):
        thread = threading.Thread(target=lambda: found.append(entered()))
        thread.start()
        thread.join()
    assert found == [""]


def test_a_request_begins_outside_and_its_download_stays_where_the_view_was() -> None:
    workspace, told = uuid.uuid4(), []

    def parts() -> Iterator[str]:
        told.append(entered())
        yield "a"
        told.append(entered())

    def view(_request: HttpRequest) -> Any:
        told.append(entered())
        enter(workspace)
        return StreamingHttpResponse(parts())

    response = OutsideMiddleware(view)(HttpRequest())
    assert entered() == "across"
    assert b"".join(response) == b"a"
    assert told == ["", str(workspace), str(workspace)]
    assert entered() == "across"


# --- Tasks as workers call them ---------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_tasks_enter_by_themselves(shop: Workspace) -> None:
    """Whatever the caller had entered: a worker has entered nothing."""
    catalogue = make_catalogue(shop)
    run = make_run(catalogue)
    product = first_product(catalogue)
    stream = Stream.objects.create(
        workspace=shop, endpoint="page", brief=run.brief, facts=facts_to_json(product_facts(product))
    )
    notice = Notice.objects.create(
        workspace=shop, kind="billing", topic="b", details={"headline": "h", "words": "w", "url": ""}
    )
    file = keep_file(workspace=shop, upload=BytesIO(make_file()), filename="more.csv")
    night = Night.objects.create(workspace=shop, date="2026-11-27", cap_nanos=10**9)
    ahead = NightItem.objects.create(
        workspace=shop, night=night, position=1, reason="unwritten", title="Apron", brief=stream.brief,
        facts=stream.facts, key="not written yet", ceiling_nanos=10**7, expected_nanos=1,
    )  # fmt: skip
    items = [str(pk) for pk in run.items.values_list("pk", flat=True)]

    with entering(uuid.uuid4()):
        import_catalogue(str(file.pk))
        plan_night(str(night.pk))
        for item in items:
            write_items(item)
        write_ahead(str(ahead.pk))
        write_stream(str(stream.pk))
        send_notice(str(notice.pk))

    assert set(RunItem.objects.in_workspace(shop).values_list("state", flat=True)) == {"done"}
    for job in (file, night, ahead, stream, notice):
        job.refresh_from_db()
        assert (job.state, job.failure) == ("done", "")
