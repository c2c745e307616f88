"""The banner on every page, the page of alerts, and who may do what with them."""

from __future__ import annotations

from datetime import timedelta
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.budgets import Payer
from accounts.dollars import NANOS_PER_DOLLAR as DOLLAR
from accounts.models import Membership, Notice, Plan, Role, User, Workspace
from accounts.quotas import confirm, take, used_products
from accounts.services.workspaces import change_plan
from tests.accounts.test_notices import cap, send_all, spend
from tests.conftest import SignIn, member

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(alice: User, sign_in: SignIn) -> Client:
    return sign_in(alice)


def page(client: Client, shop: Workspace, name: str = "run_list") -> str:
    response = client.get(reverse(name, args=[shop.slug]))
    assert response.status_code == 200
    return unescape(response.content.decode())


def spend_percent(shop: Workspace, percent: int) -> None:
    """Of a dollar a month."""
    cap(shop, 1)
    spend(Payer(shop.pk, "api"), percent * DOLLAR // 100)


def close(client: Client, shop: Workspace, percent: int, **headers: str) -> str:
    notice = Notice.objects.in_workspace(shop).get(details__percent=percent)
    response = client.post(reverse("alert_close", args=[shop.slug, notice.pk]), headers=headers)
    assert response.status_code == (200 if headers else 302)
    return unescape(response.content.decode())


# --- The banner ---


def test_pages_show_the_highest_threshold_with_the_figures_of_now(shop: Workspace, owner: Client) -> None:
    assert "banner alert" not in page(owner, shop)

    spend_percent(shop, 82)
    spend(Payer(shop.pk, "api"), DOLLAR // 100)

    shown = page(owner, shop)
    assert shown.count("banner alert") == 1
    assert 'class="banner alert warning"' in shown
    assert "80 % of the budget for" in shown
    assert "$0.83 of $1.00" in shown
    assert reverse("usage", args=[shop.slug]) in shown


def test_used_up_products_lead_who_may_choose_a_plan_to_larger_ones(
    shop: Workspace, owner: Client, vera: User, sign_in: SignIn
) -> None:
    plan = Plan.objects.create(slug="of-1", name="Plan of 1", products_per_month=1)
    change_plan(workspace=shop, plan=plan)
    confirm(take(shop.pk, "A-1"))

    assert "is used up" in page(owner, shop)
    assert "Larger plans" in page(owner, shop)
    viewer = page(sign_in(vera), shop)
    assert "is used up" in viewer
    assert "Larger plans" not in viewer


def test_threshold_below_half_is_mailed_and_not_shown(shop: Workspace, owner: Client) -> None:
    Workspace.objects.filter(pk=shop.pk).update(alert_thresholds=[10])
    spend_percent(shop, 20)
    assert "banner alert" not in page(owner, shop)
    assert len(send_all()) == 1


def test_closed_alert_stays_away_for_everybody_until_a_higher_one(
    shop: Workspace, owner: Client, vera: User, sign_in: SignIn
) -> None:
    spend_percent(shop, 80)
    close(owner, shop, 80)
    assert "banner alert" not in page(owner, shop)
    assert "banner alert" not in page(sign_in(vera), shop)

    spend(Payer(shop.pk, "api"), DOLLAR // 5)

    assert "is used up" in page(owner, shop)
    assert 'class="banner alert bad"' in page(sign_in(vera), shop)


def test_closing_by_htmx_brings_the_next_alert_or_nothing(shop: Workspace, owner: Client) -> None:
    change_plan(workspace=shop, plan=Plan.objects.create(slug="of-two", name="Two", products_per_month=2))
    confirm(take(shop.pk, "A-1"))
    spend_percent(shop, 90)

    assert "1 of 2 products" in close(owner, shop, 80, HX_Request="true")
    quota = Notice.objects.in_workspace(shop).get(kind=Notice.Kind.QUOTA)
    url = reverse("alert_close", args=[shop.slug, quota.pk])
    assert owner.post(url, headers={"HX-Request": "true"}).content.strip() == b""


def test_viewers_see_the_alert_and_cannot_close_it(shop: Workspace, vera: User, sign_in: SignIn) -> None:
    spend_percent(shop, 50)
    notice = Notice.objects.in_workspace(shop).get()
    client = sign_in(vera)
    url = reverse("alert_close", args=[shop.slug, notice.pk])

    assert url not in page(client, shop)
    assert client.post(url).status_code == 403
    assert Notice.objects.in_workspace(shop).get().closed_at is None


def test_members_cap_is_shown_to_that_member_and_to_managers(
    shop: Workspace, bob: User, vera: User, owner: Client, sign_in: SignIn
) -> None:
    Membership.objects.in_workspace(shop).filter(user=bob).update(spend_cap_nanos=DOLLAR)
    spend(Payer(shop.pk, "page", user_id=bob.pk), DOLLAR // 2)

    assert "the cap of bob@alder-goods.example" in page(owner, shop)
    assert "the cap of bob@alder-goods.example" in page(sign_in(bob), shop)
    assert "banner alert" not in page(sign_in(vera), shop)


def test_alert_that_a_higher_cap_put_right_is_shown_no_more(shop: Workspace, owner: Client) -> None:
    spend_percent(shop, 100)
    cap(shop, 10)
    assert "banner alert" not in page(owner, shop)

    spend(Payer(shop.pk, "api"), 5 * DOLLAR)
    assert "50 % of the budget" in page(owner, shop)


def test_alert_that_a_larger_plan_put_right_is_shown_no_more(shop: Workspace, owner: Client) -> None:
    plan = Plan.objects.create(slug="of-two", name="Two", products_per_month=2)
    change_plan(workspace=shop, plan=plan)
    confirm(take(shop.pk, "A-1"))
    assert "50 % of the product quota" in page(owner, shop)

    change_plan(workspace=shop, plan=Plan.objects.get(slug="pro"))
    assert "banner alert" not in page(owner, shop)


def test_alert_ends_with_its_month(shop: Workspace, owner: Client) -> None:
    spend_percent(shop, 50)
    notice = Notice.objects.in_workspace(shop).get()
    notice.details["resets_at"] = (timezone.now() - timedelta(minutes=1)).isoformat()
    notice.save(update_fields=["details"])
    assert "banner alert" not in page(owner, shop)


def test_alert_of_another_workspace_is_not_shown(shop: Workspace, other_shop: Workspace, owner: Client) -> None:
    spend_percent(other_shop, 90)
    assert "banner alert" not in page(owner, shop)


def queries(client: Client, url: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        client.get(url)
    return len([query for query in captured if "accounts_notice" in query["sql"]])


def test_banner_costs_one_query_however_many_alerts_there_are(
    shop: Workspace, bob: User, vera: User, owner: Client
) -> None:
    url = reverse("run_list", args=[shop.slug])
    assert queries(owner, url) == 1

    Membership.objects.in_workspace(shop).update(spend_cap_nanos=DOLLAR)
    cap(shop, 2)
    for user in (bob, vera):
        spend(Payer(shop.pk, "page", user_id=user.pk), DOLLAR)

    assert Notice.objects.in_workspace(shop).count() == 9
    assert queries(owner, url) == 1


def test_pages_outside_of_a_workspace_ask_for_nothing(shop: Workspace, owner: Client) -> None:
    assert queries(Client(), "/pricing/") == 0
    assert queries(owner, reverse("account_email")) == 0


# --- The page ---


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("50, 80, 100", [50, 80, 100]),
        ("90 %, 25%; 90", [25, 90]),
        ("100 1", [1, 100]),
        ("10,10,20,20,30,30", [10, 20, 30]),
        ("", []),
    ],
)
def test_owner_sets_the_thresholds(shop: Workspace, owner: Client, typed: str, kept: list[int]) -> None:
    response = owner.post(reverse("alert_thresholds", args=[shop.slug]), {"thresholds": typed})

    assert response.status_code == 302
    assert Workspace.objects.get(pk=shop.pk).alert_thresholds == kept


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        ("0, 50", "between 1 and 100"),
        ("101", "between 1 and 100"),
        ("-5", "between 1 and 100"),
        ("half", "whole numbers"),
        ("12.5", "whole numbers"),
        ("10, 20, 30, 40, 50, 60", "At most 5"),
    ],
)
def test_thresholds_that_make_no_sense_are_refused_with_a_reason(
    shop: Workspace, owner: Client, typed: str, complaint: str
) -> None:
    response = owner.post(reverse("alert_thresholds", args=[shop.slug]), {"thresholds": typed})

    assert complaint in response.content.decode()
    assert Workspace.objects.get(pk=shop.pk).alert_thresholds == [50, 80, 100]


def test_only_owners_set_thresholds(shop: Workspace, sign_in: SignIn) -> None:
    admin = sign_in(member(shop, "ada@alder-goods.example", Role.ADMIN))
    url = reverse("alert_thresholds", args=[shop.slug])

    assert admin.post(url, {"thresholds": "1"}).status_code == 403
    assert url not in page(admin, shop, "alerts")
    assert Workspace.objects.get(pk=shop.pk).alert_thresholds == [50, 80, 100]


def test_weekly_summary_is_switched_for_oneself_alone(shop: Workspace, owner: Client) -> None:
    member(shop, "ada@alder-goods.example", Role.ADMIN)
    url = reverse("alerts", args=[shop.slug])
    wanted = Membership.objects.in_workspace(shop).filter(wants_weekly_summary=True)

    owner.post(url)
    assert list(wanted.values_list("user__email", flat=True)) == ["ada@alder-goods.example"]

    owner.post(url, {"wants_weekly_summary": "on"})
    assert wanted.count() == 2


def test_past_alerts_are_listed_with_their_figures_and_mail_in_as_many_queries_for_many(
    shop: Workspace, bob: User, owner: Client
) -> None:
    spend_percent(shop, 50)
    send_all()
    spend(Payer(shop.pk, "api"), DOLLAR // 10)
    url = reverse("alerts", args=[shop.slug])
    listed = page(owner, shop, "alerts")
    assert "$0.50 of $1.00" in listed
    assert "Sent" in listed
    few = queries(owner, url)

    Membership.objects.in_workspace(shop).filter(user=bob).update(spend_cap_nanos=DOLLAR)
    cap(shop, 10)
    spend(Payer(shop.pk, "page", user_id=bob.pk), DOLLAR)

    assert page(owner, shop, "alerts").count("bob@alder-goods.example") >= 3
    assert queries(owner, url) == few


def test_plan_page_shows_the_quota_and_when_it_starts_afresh(shop: Workspace, owner: Client) -> None:
    change_plan(workspace=shop, plan=Plan.objects.get(slug="free"))
    confirm(take(shop.pk, "A-1"))

    shown = page(owner, shop, "plan")

    assert "of 50" in shown
    assert "49 are left" in shown
    assert f"{used_products(shop).resets_at:%-d %B}, 00:00 UTC" in shown
