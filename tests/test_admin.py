from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from accounts.models import LimitStep, Notice, Plan, User, Workspace
from contentopt.jobs import JobState
from generation.engine.items import write_item
from generation.models import LlmModel, Provider, Run
from tests.conftest import SignIn, say_why
from tests.factories import make_catalogue, make_run

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(shop: Workspace) -> Run:
    run = make_run(make_catalogue(shop))
    write_item(run.items.order_by("position")[0].pk)
    return run


def test_every_list_opens_with_rows_in_it(staff: Client, run: Run) -> None:
    names = [f"admin:{m._meta.app_label}_{m._meta.model_name}_changelist" for m in admin.site._registry]
    statuses = {name: staff.get(reverse(name)).status_code for name in names}

    assert "admin:generation_runitem_changelist" in statuses
    assert statuses == dict.fromkeys(names, 200)


def test_lists_hide_a_shops_own_words_until_staff_have_said_why(
    staff: Client, shop: Workspace, other_shop: Workspace, run: Run
) -> None:
    other_run = make_run(make_catalogue(other_shop))
    write_item(other_run.items.order_by("position")[0].pk)
    models = ("catalogue", "runitem", "text", "cachedtext")
    lists = [reverse(f"admin:generation_{model}_changelist") for model in models]
    words = (run.catalogue.filename, "Linen Apron", "linen", "Linen Apron") if run.catalogue else ()

    def shown(workspace: Workspace) -> list[bool]:
        pages = [staff.get(url, {"workspace__id__exact": str(workspace.pk)}).content.decode() for url in lists]
        return [text.lower() in page.lower() for text, page in zip(words, pages, strict=True)]

    assert shown(shop) == [False] * 4
    say_why(staff, shop)

    assert shown(shop) == [True] * 4
    assert shown(other_shop) == [False] * 4


def test_an_empty_list_offers_only_what_can_be_done(staff: Client) -> None:
    runs = staff.get(reverse("admin:generation_run_changelist")).content.decode()
    found = staff.get(reverse("admin:accounts_workspace_changelist"), {"q": "no such shop"}).content.decode()

    assert "appear here by themselves" in runs
    assert "Create a new item" not in runs
    assert "Nothing fits" in found
    assert "Reset filters" in found


def test_workspace_page_shows_its_work_and_links_to_it(staff: Client, shop: Workspace, run: Run) -> None:
    say_why(staff, shop)
    page = staff.get(reverse("admin:accounts_workspace_change", args=[shop.pk])).content.decode()

    assert "1 texts, 0 of them free" in page
    link = f"{reverse('admin:generation_run_changelist')}?workspace__id__exact={shop.pk}"
    assert link in page
    assert str(run.pk) in staff.get(link).content.decode()


def test_staff_change_a_workspaces_plan(staff: Client, shop: Workspace) -> None:
    inlines = {
        f"{name}-{field}": 0
        for name in ("memberships", "invitations", "api_keys")
        for field in ("TOTAL_FORMS", "INITIAL_FORMS")
    }
    url = reverse("admin:accounts_workspace_change", args=[shop.pk])
    say_why(staff, shop)
    staff.post(url, {"name": shop.name, "plan": "pro", "standing": "good", **inlines})

    shop.refresh_from_db()
    assert shop.plan_id == "pro"


def test_staff_edit_a_plans_limit_steps_beside_its_limits(staff: Client) -> None:
    plan = Plan.objects.create(slug="small", name="Small", burst_per_minute=10)
    step = {"requests_in_hour": "300", "burst_percent": "40", "plan": "small", "id": ""}
    rows = {f"limit_steps-0-{name}": value for name, value in step.items()}
    totals = {"limit_steps-TOTAL_FORMS": 1, "limit_steps-INITIAL_FORMS": 0}
    fields = {"slug": "small", "name": "Small", "position": 0, "highest_tier": "economy", "features": "[]"}
    fields |= dict.fromkeys(("monthly_price_cents", "yearly_price_cents", "seat_price_cents", "overage_price_cents"), 0)

    staff.post(reverse("admin:accounts_plan_change", args=[plan.pk]), fields | rows | totals)

    assert LimitStep.objects.values_list("requests_in_hour", "burst_percent").get(plan=plan) == (300, 40)


def test_staff_queue_failed_items_again(staff: Client, run: Run) -> None:
    failed = run.items.order_by("position")[1]
    run.items.filter(pk=failed.pk).update(state=JobState.FAILED, attempt=5, failure="The provider was down.")
    url = reverse("admin:generation_runitem_changelist")
    assert "The provider was down." in staff.get(f"{url}?attention=failed").content.decode()

    staff.post(url, {"action": "try_again", "_selected_action": [str(failed.pk)]})

    failed.refresh_from_db()
    assert (failed.state, failed.attempt) == (JobState.QUEUED, 0)


def test_staff_send_a_notice_again(staff: Client, shop: Workspace) -> None:
    details = {"percent": 80, "mailed": ["somebody"]}
    failed = {"state": JobState.FAILED, "attempt": 5, "failure": "The mail server did not take it."}
    notice = Notice.objects.create(workspace=shop, kind="quota", topic="quota/2026-11/80", details=details, **failed)
    url = reverse("admin:accounts_notice_changelist")
    assert "The mail server did not take it." in staff.get(url).content.decode()

    staff.post(url, {"action": "send_again", "_selected_action": [str(notice.pk)]})

    notice.refresh_from_db()
    assert (notice.state, notice.attempt, notice.details) == (JobState.QUEUED, 0, {"percent": 80})


def test_history_cannot_be_changed(staff: Client, run: Run) -> None:
    text = run.items.order_by("position")[0].text
    url = reverse("admin:generation_text_change", args=[text.pk])
    say_why(staff, run.workspace)
    staff.post(url, {"description": "Rewritten history"})

    text.refresh_from_db()
    assert text.description != "Rewritten history"
    assert staff.post(reverse("admin:generation_text_delete", args=[text.pk])).status_code == 403


def test_staff_switch_a_provider_off(staff: Client) -> None:
    rows = list(Provider.objects.order_by("slug"))
    form = {"form-TOTAL_FORMS": len(rows), "form-INITIAL_FORMS": len(rows), "_save": "Save"}
    for n, row in enumerate(rows):
        form |= {f"form-{n}-slug": row.slug} | ({} if row.slug == "openai" else {f"form-{n}-is_enabled": "on"})
    staff.post(reverse("admin:generation_provider_changelist"), form)

    assert not Provider.objects.get(slug="openai").is_enabled
    assert LlmModel.objects.filter(provider="openai", is_enabled=True).exists()  # the one switch is enough


def test_times_are_written_as_on_the_products_own_pages(staff: Client, shop: Workspace) -> None:
    Workspace.objects.filter(pk=shop.pk).update(created_at=datetime(2026, 3, 4, 15, 5, tzinfo=UTC))
    say_why(staff, shop)

    listed = staff.get(reverse("admin:accounts_workspace_changelist")).content.decode()
    alone = staff.get(reverse("admin:accounts_workspace_change", args=[shop.pk])).content.decode()

    assert "4 Mar 2026, 15:05" in listed
    assert "4 Mar 2026, 15:05" in alone
    assert not re.search(r"[ap]\.m\.|March 4", listed + alone)


def test_people_who_are_not_staff_are_kept_out(alice: User, sign_in: SignIn) -> None:
    assert sign_in(alice).get("/staff/").status_code == 302
