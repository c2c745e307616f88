"""Alerts by mail: what they say, to whom, and that none is lost or sent twice."""

from __future__ import annotations

import uuid
from datetime import timedelta
from smtplib import SMTPRecipientsRefused
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.core.mail.backends.locmem import EmailBackend
from django.db.models import F
from django.utils import timezone

from accounts import budgets
from accounts.budgets import Attempt, BudgetExhausted, Payer, Tokens
from accounts.dollars import NANOS_PER_DOLLAR
from accounts.emails import queue_again, send_notice, sweep_notices
from accounts.models import PLATFORM_WORKSPACE_ID, ApiKey, Membership, Notice, Plan, Platform, Role, User, Workspace
from accounts.quotas import confirm, take, used_products
from accounts.services.keys import issue_key
from accounts.services.workspaces import change_plan
from contentopt.jobs import JobState
from tests.conftest import member

pytestmark = pytest.mark.django_db

DOLLAR = NANOS_PER_DOLLAR


class Greylists(EmailBackend):
    """A mail server that refuses one address for now, and another for good."""

    codes = {"bob@alder-goods.example": 450, "gone@alder-goods.example": 550}

    def send_messages(self, messages: Any) -> int:
        for message in messages:
            (address,) = message.to
            if code := self.codes.get(address):
                raise SMTPRecipientsRefused({address: (code, b"refused")})
        return super().send_messages(messages)


def spend(payer: Payer, nanos: int) -> None:
    attempt = Attempt(uuid.uuid4(), uuid.uuid4(), "offline", "offline", "economy", "1")
    budgets.reserve(payer, attempt, nanos)
    budgets.dispatch(attempt.id)
    budgets.settle(attempt.id, cost_nanos=nanos, tokens=Tokens(), is_answer=True)


def cap(shop: Workspace, dollars: int) -> None:
    Workspace.objects.filter(pk=shop.pk).update(spend_cap_nanos=dollars * DOLLAR)
    budgets.apply_limits(shop.pk)


def send_all() -> list[EmailMessage]:
    """What is mailed, by everything that is due."""
    before = len(mail.outbox)
    for notice in Notice.objects.across_workspaces().order_by("details__percent"):
        send_notice(notice.pk)
    return mail.outbox[before:]


def addresses(sent: list[EmailMessage]) -> list[str]:
    assert all(len(message.to) == 1 and not message.cc and not message.bcc for message in sent)
    return sorted(message.to[0] for message in sent)


@pytest.fixture
def notice(shop: Workspace) -> Notice:
    """Half of the workspace's dollar is spent."""
    cap(shop, 1)
    spend(Payer(shop.pk, "api"), DOLLAR // 2)
    return Notice.objects.in_workspace(shop).get()


# --- What it says ---


def test_mail_says_what_happened_what_is_kept_and_where_to_act(shop: Workspace, notice: Notice, settings: Any) -> None:
    settings.PUBLIC_URL = "https://texts.example"
    month, reset = f"{timezone.now():%B}", f"{used_products(shop).resets_at:%-d %B}"

    (message,) = send_all()

    assert message.subject == f"Alder Goods: 50 % of the budget for {month} is used"
    assert f"$0.50 of $1.00.\n\nWhen it is used up, new texts are refused until {reset}" in message.body
    assert "known already are still served, free" in message.body
    for page in ("usage", "alerts"):
        assert f"https://texts.example/w/alder-goods/{page}/" in message.body
    assert "&" not in message.body


def test_used_up_budget_is_told_so(shop: Workspace) -> None:
    cap(shop, 1)
    spend(Payer(shop.pk, "api"), 9 * DOLLAR // 10)
    with pytest.raises(BudgetExhausted):
        spend(Payer(shop.pk, "api"), DOLLAR // 2)

    message = send_all()[-1]

    assert "the budget for" in message.subject.lower()
    assert message.subject.endswith("is used up")
    assert "$0.90 of $1.00.\n\nNew texts are refused until" in message.body


def test_quota_is_told_in_products(shop: Workspace) -> None:
    plan = Plan.objects.create(slug="of-two", name="Two", products_per_month=2)
    change_plan(workspace=shop, plan=plan)
    confirm(take(shop.pk, "A-1"))

    (message,) = send_all()

    assert "50 % of the product quota for" in message.subject
    assert "1 of 2 products." in message.body
    assert "products not yet written this month are refused" in message.body
    assert "/w/alder-goods/plan/" in message.body


def test_names_of_keys_and_members_are_looked_up_and_may_be_gone(shop: Workspace, bob: User) -> None:
    key, _ = issue_key(workspace=shop, name="import script", scopes=["write"])
    ApiKey.objects.in_workspace(shop).update(spend_cap_nanos=DOLLAR)
    Membership.objects.in_workspace(shop).filter(user=bob).update(spend_cap_nanos=DOLLAR)
    spend(Payer(shop.pk, "api", api_key_id=key.pk), DOLLAR // 2)
    spend(Payer(shop.pk, "page", user_id=bob.pk), DOLLAR // 2)

    subjects = {message.subject for message in send_all()}
    month = f"{timezone.now():%B}"
    assert subjects == {
        f"Alder Goods: 50 % of the cap of the API key “import script” for {month} is used",
        f"Alder Goods: 50 % of the cap of bob@alder-goods.example for {month} is used",
    }

    key.delete()
    bob.delete()
    for notice in Notice.objects.in_workspace(shop):
        queue_again(notice)
    assert {message.subject for message in send_all()} == {
        f"Alder Goods: 50 % of the cap of an API key that is deleted by now for {month} is used",
        f"Alder Goods: 50 % of the cap of a member who is gone by now for {month} is used",
    }


def test_run_is_named_by_when_it_began(shop: Workspace) -> None:
    run_id = uuid.uuid4()
    budgets.open_run_budget(workspace_id=shop.pk, run_id=run_id, limit_nanos=DOLLAR)
    spend(Payer(shop.pk, "run", run_id=run_id), DOLLAR)

    message = send_all()[-1]

    assert f"The cap of the run of {timezone.now():%-d %B}, " in message.subject
    assert "The rest of the run is not written; texts" in message.body


def test_names_cannot_start_headers_or_paragraphs(shop: Workspace, notice: Notice) -> None:
    Workspace.objects.filter(pk=shop.pk).update(name="Alder\r\nBcc: everybody@elsewhere.example\n\nPay here")

    (message,) = send_all()

    assert message.message()["Bcc"] is None
    assert message.subject.startswith("Alder Bcc: everybody@elsewhere.example Pay here: 50 %")
    assert "\nPay here" not in message.body


# --- To whom ---


def test_owners_and_admins_are_told_each_by_a_mail_of_their_own(
    shop: Workspace, bob: User, vera: User, notice: Notice
) -> None:
    member(shop, "ada@alder-goods.example", Role.ADMIN)
    asleep = member(shop, "asleep@alder-goods.example", Role.ADMIN)
    User.objects.filter(pk=asleep.pk).update(is_active=False)

    assert addresses(send_all()) == ["ada@alder-goods.example", "alice@alder-goods.example"]


def test_member_is_told_of_their_own_cap_and_of_that_of_a_key_they_made(shop: Workspace, bob: User, vera: User) -> None:
    key, _ = issue_key(workspace=shop, name="Script", scopes=["write"], created_by=vera)
    ApiKey.objects.in_workspace(shop).update(spend_cap_nanos=DOLLAR)
    Membership.objects.in_workspace(shop).filter(user=bob).update(spend_cap_nanos=DOLLAR)

    spend(Payer(shop.pk, "page", user_id=bob.pk), DOLLAR // 2)
    assert addresses(send_all()) == ["alice@alder-goods.example", "bob@alder-goods.example"]
    spend(Payer(shop.pk, "api", api_key_id=key.pk), DOLLAR // 2)
    assert addresses(send_all()) == ["alice@alder-goods.example", "vera@alder-goods.example"]


def test_who_made_a_key_and_left_is_told_nothing(shop: Workspace, vera: User) -> None:
    key, _ = issue_key(workspace=shop, name="Script", scopes=["write"], created_by=vera)
    ApiKey.objects.in_workspace(shop).update(spend_cap_nanos=DOLLAR)
    Membership.objects.in_workspace(shop).filter(user=vera).delete()

    spend(Payer(shop.pk, "api", api_key_id=key.pk), DOLLAR // 2)

    assert addresses(send_all()) == ["alice@alder-goods.example"]


def test_staff_are_told_of_the_platforms_budget(shop: Workspace) -> None:
    User.objects.create_superuser("staff@contentopt.example", "a long pass phrase")
    Platform.objects.update(day_limit_nanos=DOLLAR)
    budgets.apply_limits()
    spend(Payer(shop.pk, "api"), DOLLAR // 2)

    (message,) = send_all()

    assert message.to == ["staff@contentopt.example"]
    assert message.subject.startswith("ContentOpt: 50 % of the platform's budget for ")
    assert "no new text is written for anyone" in message.body
    assert "/staff/" in message.body
    assert Notice.objects.in_workspace(PLATFORM_WORKSPACE_ID).get().state == JobState.DONE


# --- Once, and not lost ---


def test_notice_is_mailed_once(notice: Notice) -> None:
    assert send_notice(notice.pk) == JobState.DONE
    assert send_notice(notice.pk) is None
    assert len(mail.outbox) == 1


def test_mail_of_one_notice_has_the_same_id_on_every_try(notice: Notice) -> None:
    send_all()
    queue_again(notice)
    send_all()
    first, again = (message.message()["Message-ID"] for message in mail.outbox)
    assert first == again


def test_mail_server_that_is_down_is_tried_again_with_growing_waits(notice: Notice, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    notices = Notice.objects.filter(pk=notice.pk).across_workspaces()
    waits = []
    for age in (0, 60, 300):
        notices.update(created_at=timezone.now() - timedelta(seconds=age), next_run_at=timezone.now())
        assert send_notice(notice.pk) == JobState.QUEUED
        notice.refresh_from_db()
        waits.append(round((notice.next_run_at - timezone.now()).total_seconds()))
    assert waits == [30, 60, 300]
    assert (notice.attempt, notice.failure) == (0, "The mail server did not take it (ConnectionRefusedError).")
    assert send_notice(notice.pk) is None

    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    notices.update(next_run_at=timezone.now())
    assert send_notice(notice.pk) == JobState.DONE
    assert len(mail.outbox) == 1


def test_mail_server_that_is_down_for_a_week_ends_in_a_reason(notice: Notice, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    Notice.objects.across_workspaces().update(created_at=timezone.now() - timedelta(days=8))

    assert send_notice(notice.pk) == JobState.FAILED

    notice.refresh_from_db()
    assert "The mail server did not take it" in notice.failure


def test_address_refused_for_now_is_tried_again_alone_and_one_refused_for_good_is_let_be(
    shop: Workspace, notice: Notice, settings: Any
) -> None:
    for address in Greylists.codes:
        member(shop, address, Role.ADMIN)
    member(shop, "zoe@alder-goods.example", Role.ADMIN)

    settings.EMAIL_BACKEND = f"{__name__}.Greylists"
    assert send_notice(notice.pk) == JobState.QUEUED
    assert addresses(mail.outbox) == ["alice@alder-goods.example", "zoe@alder-goods.example"]

    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    Notice.objects.across_workspaces().update(next_run_at=timezone.now())
    assert send_notice(notice.pk) == JobState.DONE
    assert addresses(mail.outbox[2:]) == ["bob@alder-goods.example"]


def test_sweep_wakes_a_worker_for_what_is_new_and_not_again_before_its_time(notice: Notice) -> None:
    sweep_notices()
    first = Notice.objects.across_workspaces().get(pk=notice.pk).published_at
    assert first is not None

    sweep_notices()
    assert Notice.objects.across_workspaces().get(pk=notice.pk).published_at == first

    Notice.objects.across_workspaces().update(published_at=F("published_at") - timedelta(hours=1))
    sweep_notices()
    published = Notice.objects.across_workspaces().get(pk=notice.pk).published_at
    assert published is not None
    assert published >= first


def test_notice_that_kills_every_worker_ends_with_a_reason(notice: Notice, settings: Any) -> None:
    dead = {"state": JobState.RUNNING, "attempt": settings.JOB_MAX_ATTEMPTS, "lease_until": timezone.now()}
    Notice.objects.across_workspaces().update(**dead)

    sweep_notices()

    notice.refresh_from_db()
    assert notice.state == JobState.FAILED
    assert "stopped the worker" in notice.failure
