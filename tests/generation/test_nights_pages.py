"""Nights on the pages of owners and of staff, and in the terminal."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from accounts.models import User, Workspace
from contentopt.jobs import JobState
from generation.models import Night
from generation.nights import items
from generation.services.nights import change_night_cap, start_night
from tests.conftest import SignIn
from tests.factories import make_catalogue

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
DOLLAR = 1_000_000_000


@pytest.fixture
def client(alice: User, shop: Workspace, sign_in: SignIn) -> Client:
    return sign_in(alice)


@pytest.fixture
def unwritten(shop: Workspace) -> Workspace:
    """A shop with three products to write, that lets its nights spend a dollar."""
    change_night_cap(workspace=shop, cap_nanos=DOLLAR)
    make_catalogue(shop)
    return shop


def precompute(*arguments: str) -> str:
    said = StringIO()
    call_command("precompute", *arguments, stdout=said)
    return said.getvalue()


@pytest.mark.parametrize(("typed", "cap"), [("2.50", 2_500_000_000), ("", None), ("0", 0)])
def test_owners_say_what_a_night_may_spend(client: Client, shop: Workspace, typed: str, cap: int | None) -> None:
    client.post(reverse("usage_caps", args=[shop.slug]), {"night": "1", "cap": typed})

    shop.refresh_from_db()
    assert shop.night_cap_nanos == cap


def test_a_cap_that_cannot_be_is_refused_beside_its_field(client: Client, shop: Workspace) -> None:
    response = client.post(reverse("usage_caps", args=[shop.slug]), {"night": "1", "cap": "plenty"})

    assert response.status_code == 422
    assert "Write an amount in dollars" in response.content.decode()


def test_only_who_sees_to_the_money_changes_it(bob: User, shop: Workspace, sign_in: SignIn) -> None:
    response = sign_in(bob).post(reverse("usage_caps", args=[shop.slug]), {"night": "1", "cap": "5"})

    assert response.status_code == 403
    shop.refresh_from_db()
    assert shop.night_cap_nanos is None


def test_owners_see_what_tonight_would_do_and_what_past_nights_did(client: Client, unwritten: Workspace) -> None:
    url = reverse("usage_nights", args=[unwritten.slug])
    assert "3 texts, at most $0" in client.get(url, headers=HTMX).content.decode()

    precompute("--workspace", unwritten.slug)

    assert "3 of 3" in client.get(url).content.decode()
    assert "nothing to write" in client.get(url, headers=HTMX).content.decode()
    usage = client.get(reverse("usage", args=[unwritten.slug])).content.decode()
    assert "3 texts were written before anybody asked" in usage
    assert "Night to" in client.get(reverse("usage_ledger", args=[unwritten.slug])).content.decode()


def test_the_terminal_says_first_and_then_does_the_same(unwritten: Workspace) -> None:
    told = precompute("--dry-run", "--workspace", unwritten.slug)
    assert told == f"{unwritten.slug}: 3 texts, at most $0 (3 × imported, and not written yet)\n"
    assert not Night.objects.in_workspace(unwritten).exists()

    assert precompute("--workspace", unwritten.slug) == f"{told}  3 written for $0, 0 failed\n"
    assert "nothing to write" in precompute("--workspace", unwritten.slug)


def test_the_terminal_refuses_a_workspace_that_wants_no_nights(shop: Workspace) -> None:
    for slug in (shop.slug, "nobody"):
        with pytest.raises(CommandError):
            precompute("--workspace", slug)


def test_staff_see_every_plan_and_start_one(staff: Client, unwritten: Workspace, other_shop: Workspace) -> None:
    page = staff.get(reverse("staff_nights")).content.decode()
    assert unwritten.name in page
    assert other_shop.name not in page

    staff.post(reverse("staff_night_start"), {"workspace": unwritten.slug})

    night = Night.objects.in_workspace(unwritten).get()
    assert night.state == JobState.QUEUED
    assert night.until is None


def test_staff_cancel_a_night(staff: Client, unwritten: Workspace) -> None:
    night = start_night(unwritten)
    items.plan_night(night.pk)

    url = reverse("admin:generation_night_changelist")
    staff.post(url, {"action": "cancel", "_selected_action": [str(night.pk)]})

    assert set(night.items.values_list("state", flat=True)) == {JobState.CANCELLED}
    assert "Cancelled" in staff.get(reverse("staff_nights")).content.decode()
