"""The week by mail: right figures, once, to who wants it."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.test import Client
from django.urls import reverse

from accounts.dollars import NANOS_PER_DOLLAR as DOLLAR
from accounts.models import PLATFORM_WORKSPACE_ID, Membership, Notice, Plan, Role, UsageEntry, User, Workspace
from accounts.quotas import confirm, take
from accounts.services.keys import issue_key
from accounts.services.workspaces import change_plan
from accounts.summaries import tell_last_week
from tests.accounts.test_notices import addresses, send_all
from tests.conftest import member

pytestmark = pytest.mark.django_db


def last_monday() -> datetime:
    """The first moment of the week that is summed up now; it changes at six on Mondays."""
    now = datetime.now(UTC) - timedelta(hours=6)
    today = datetime(now.year, now.month, now.day, tzinfo=UTC)
    return today - timedelta(days=now.weekday() + 7)


def book(shop: Workspace | uuid.UUID, *, at: timedelta = timedelta(days=2), **columns: Any) -> None:
    workspace_id = shop.pk if isinstance(shop, Workspace) else shop
    known: dict[str, Any] = {"basis": "exact", "source": "model", "endpoint": "api", "answers": 1, "calls": 1}
    known |= {"cost_nanos": 0, "occurred_at": last_monday() + at, "workspace_id": workspace_id}
    UsageEntry.objects.create(**{**known, **columns})


def book_free(shop: Workspace, source: str, saved: int, **columns: Any) -> None:
    book(shop, basis="free", source=source, calls=0, saved_nanos=saved, **columns)


def week_of(shop: Workspace) -> EmailMessage:
    tell_last_week()
    (message,) = send_all()
    return message


def test_summary_adds_up_the_ledger_of_the_week(shop: Workspace) -> None:
    book(shop, cost_nanos=DOLLAR, at=timedelta(0))
    book(shop, cost_nanos=DOLLAR // 4, answers=0)
    book(shop, basis="correction", cost_nanos=-DOLLAR // 4, answers=0, calls=0)
    book_free(shop, "exact", DOLLAR // 2)
    book_free(shop, "exact", DOLLAR // 2, at=timedelta(days=7) - timedelta(microseconds=1))
    book_free(shop, "coalesced", DOLLAR // 5)
    book(shop, cost_nanos=9 * DOLLAR, at=-timedelta(microseconds=1))
    book(shop, cost_nanos=9 * DOLLAR, at=timedelta(days=7))

    message = week_of(shop)

    monday = last_monday()
    sunday = monday + timedelta(days=6)
    assert message.subject == f"Alder Goods: your week in texts, {monday:%-d %B} to {sunday:%-d %B}"
    for line in (
        f"Alder Goods, Monday {monday:%-d %B} to Sunday {sunday:%-d %B}",
        "Texts: 4, 3 of them free",
        "Spent: $1.00",
        "Saved: $1.20 (",
        "- Same facts written before: 2",
        "- Shared with an identical request: 1",
        "- Written by a model: 1",
    ):
        assert f"\n{line}" in f"\n{message.body}"


def test_summary_names_the_three_runs_or_keys_that_cost_most(shop: Workspace) -> None:
    key, _ = issue_key(workspace=shop, name="Import <script>", scopes=["write"])
    run_id = uuid.uuid4()
    book(shop, cost_nanos=2 * DOLLAR, api_key_id=key.pk)
    book(shop, cost_nanos=3 * DOLLAR, api_key_id=key.pk, run_id=run_id)
    book(shop, cost_nanos=2 * DOLLAR, run_id=run_id, at=timedelta(days=1))
    book(shop, cost_nanos=DOLLAR, api_key_id=uuid.uuid4())
    book(shop, cost_nanos=DOLLAR // 2, run_id=uuid.uuid4())
    book(shop, cost_nanos=9 * DOLLAR)  # of no key or run

    body = week_of(shop).body

    began = last_monday() + timedelta(days=1)
    assert (
        "What cost most\n"
        f"- $5.00 the run of {began:%-d %B}, 00:00 UTC\n"
        "- $2.00 the API key “Import <script>”\n"
        "- $1.00 an API key that is deleted by now\n\n"
    ) in body


def test_summary_says_what_is_left_of_quota_and_budget(shop: Workspace) -> None:
    change_plan(workspace=shop, plan=Plan.objects.get(slug="free"))
    confirm(take(shop.pk, "A-1"))
    book(shop)

    body = week_of(shop).body

    assert "- Products: 49 of 50\n- Budget: $1.00 of $1.00\n" in body


def test_week_is_told_once_however_often_clocks_ask(shop: Workspace) -> None:
    book(shop)
    assert [tell_last_week(), tell_last_week()] == [1, 0]
    assert len(send_all()) == 1

    year, week, _ = last_monday().isocalendar()
    assert Notice.objects.in_workspace(shop).get().topic == f"week/{year}-W{week:02}"
    assert tell_last_week() == 0


def test_workspaces_that_did_nothing_and_the_platform_are_told_nothing(shop: Workspace, other_shop: Workspace) -> None:
    book(shop, at=timedelta(days=7))  # this week
    book(PLATFORM_WORKSPACE_ID)
    book(other_shop)

    assert tell_last_week() == 1
    assert Notice.objects.across_workspaces().get().workspace == other_shop


def test_owners_and_admins_who_want_it_get_it(shop: Workspace, bob: User) -> None:
    member(shop, "ada@alder-goods.example", Role.ADMIN)
    member(shop, "amy@alder-goods.example", Role.ADMIN)
    Membership.objects.in_workspace(shop).filter(user__email__startswith="amy").update(wants_weekly_summary=False)
    book(shop)
    tell_last_week()
    assert addresses(send_all()) == ["ada@alder-goods.example", "alice@alder-goods.example"]


# --- No more of it ---


@pytest.fixture
def link(shop: Workspace, settings: Any) -> str:
    """The address in the mail, without the host."""
    book(shop)
    message = week_of(shop).message()
    address = str(message["List-Unsubscribe"])
    assert address.startswith(f"<{settings.PUBLIC_URL}/unsubscribe/")
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert address.strip("<>") in mail.outbox[-1].body
    return address.strip("<>").removeprefix(settings.PUBLIC_URL)


def is_wanted(shop: Workspace) -> bool:
    return Membership.objects.in_workspace(shop).get().wants_weekly_summary


def test_mail_programs_unsubscribe_with_one_post_without_signing_in(shop: Workspace, link: str) -> None:
    program = Client(enforce_csrf_checks=True)

    response = program.post(link, {"List-Unsubscribe": "One-Click"})

    assert response.status_code == 200
    assert not is_wanted(shop)


def test_following_the_link_changes_nothing_until_it_is_confirmed(shop: Workspace, link: str) -> None:
    page = Client().get(link).content.decode()

    assert "Stop the weekly summary?" in page
    assert '<form method="post">' in page
    assert is_wanted(shop)


def test_link_that_was_tampered_with_does_nothing(shop: Workspace, link: str) -> None:
    membership = Membership.objects.in_workspace(shop).get()
    for token in (
        str(membership.pk),
        f"{membership.pk}:forged",
        f"{uuid.uuid4()}:{link.rpartition(':')[2].rstrip('/')}",
    ):
        assert Client().post(reverse("unsubscribe", args=[token])).status_code == 404
    assert is_wanted(shop)


def test_link_of_somebody_who_left_says_so(shop: Workspace, alice: User, link: str) -> None:
    member(shop, "olga@alder-goods.example", Role.OWNER)
    Membership.objects.in_workspace(shop).filter(user=alice).delete()
    assert "no member of that workspace any more" in Client().get(link).content.decode()


def test_alerts_still_come_to_who_unsubscribed_and_offer_no_link(shop: Workspace, link: str) -> None:
    Client().post(link)
    change_plan(workspace=shop, plan=Plan.objects.create(slug="of-two", name="Two", products_per_month=2))
    confirm(take(shop.pk, "A-1"))

    (message,) = send_all()

    assert message.to == ["alice@alder-goods.example"]
    assert "List-Unsubscribe" not in message.message()
