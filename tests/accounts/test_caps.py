"""Caps: who may set which, and what they do to what is spent and held already."""

from __future__ import annotations

import uuid

import pytest
from django.test import Client
from django.urls import reverse

from accounts import budgets
from accounts.budgets import Attempt, BudgetExhausted, Payer, Tokens
from accounts.models import Budget, Membership, Plan, User, Workspace
from accounts.services import caps
from accounts.services.keys import issue_key
from accounts.services.workspaces import create_workspace
from tests.conftest import SignIn
from tests.factories import first_product, make_catalogue

pytestmark = pytest.mark.django_db

DOLLAR = 1_000_000_000


@pytest.fixture
def pro_shop(alice: User) -> Workspace:
    """Its plan allows $20 a month."""
    Plan.objects.filter(pk="pro").update(spend_cap_nanos=20 * DOLLAR)
    return create_workspace(owner=alice, name="Pro Goods", plan="pro")


def hold(workspace: Workspace, nanos: int, **payer: uuid.UUID) -> uuid.UUID:
    attempt = Attempt(uuid.uuid4(), uuid.uuid4(), "anthropic", "claude-haiku-5-5", "economy", "test")
    budgets.reserve(Payer(workspace.pk, "page", **payer), attempt, nanos, wait_seconds=0)
    return attempt.id


def spend(workspace: Workspace, nanos: int, **payer: uuid.UUID) -> None:
    held = hold(workspace, nanos, **payer)
    budgets.dispatch(held)
    budgets.settle(held, cost_nanos=nanos, tokens=Tokens(), is_answer=True)


def test_before_anything_is_spent_the_lower_of_both_caps_is_the_limit(pro_shop: Workspace) -> None:
    assert caps.workspace_budget(pro_shop).limit_nanos == 20 * DOLLAR

    state = caps.set_workspace_cap(workspace=pro_shop, cap_nanos=5 * DOLLAR)

    assert (state.limit_nanos, state.plan_limit_nanos, state.own_cap_nanos) == (5 * DOLLAR, 20 * DOLLAR, 5 * DOLLAR)
    assert (state.spent_nanos, state.held_nanos, state.left_nanos, state.note) == (0, 0, 5 * DOLLAR, "")
    assert not Budget.objects.in_workspace(pro_shop).exists()


def test_a_budget_resets_at_the_start_of_the_next_month(pro_shop: Workspace) -> None:
    before = caps.workspace_budget(pro_shop)
    spend(pro_shop, DOLLAR)
    after = caps.workspace_budget(pro_shop)

    assert (before.starts_at, before.resets_at) == (after.starts_at, after.resets_at)
    assert before.resets_at is not None
    assert (before.resets_at.day, before.resets_at.hour) == (1, 0)


def test_a_cap_is_in_force_at_once(pro_shop: Workspace) -> None:
    spend(pro_shop, 2 * DOLLAR)
    hold(pro_shop, DOLLAR)

    state = caps.set_workspace_cap(workspace=pro_shop, cap_nanos=4 * DOLLAR)

    assert (state.spent_nanos, state.held_nanos, state.left_nanos) == (2 * DOLLAR, DOLLAR, DOLLAR)
    with pytest.raises(BudgetExhausted):
        hold(pro_shop, 3 * DOLLAR)


def test_a_cap_below_what_is_spent_is_allowed_and_said(pro_shop: Workspace) -> None:
    spend(pro_shop, 12 * DOLLAR)
    hold(pro_shop, 400_000_000)

    state = caps.set_workspace_cap(workspace=pro_shop, cap_nanos=5 * DOLLAR)

    assert (state.left_nanos, state.overdraft_nanos) == (0, 7_400_000_000)
    assert state.resets_at is not None
    assert state.note == (f"$12.40 is spent or held already, so nothing more is written until 1 {state.resets_at:%B}.")


def test_taking_the_cap_away_brings_the_plans_back(pro_shop: Workspace) -> None:
    spend(pro_shop, DOLLAR)
    caps.set_workspace_cap(workspace=pro_shop, cap_nanos=DOLLAR)

    state = caps.set_workspace_cap(workspace=pro_shop, cap_nanos=None)

    assert (state.limit_nanos, state.own_cap_nanos) == (20 * DOLLAR, None)


@pytest.mark.parametrize("nanos", [-1, 1_000_000 * DOLLAR + 1, 20 * DOLLAR + 1])
def test_impossible_caps_are_refused_and_change_nothing(pro_shop: Workspace, nanos: int) -> None:
    with pytest.raises(caps.CapRefused) as refused:
        caps.set_workspace_cap(workspace=pro_shop, cap_nanos=nanos)

    assert refused.value.status == 422
    pro_shop.refresh_from_db()
    assert pro_shop.spend_cap_nanos is None


def test_a_cap_above_the_plans_is_refused_with_the_plans(pro_shop: Workspace) -> None:
    with pytest.raises(caps.CapRefused, match=r"at most \$20\.00 a month") as refused:
        caps.set_workspace_cap(workspace=pro_shop, cap_nanos=21 * DOLLAR)

    assert refused.value.details == {"plan_limit_usd": "20.00"}


def test_a_members_cap_stops_that_member_alone(pro_shop: Workspace, alice: User, bob: User) -> None:
    member = Membership.objects.create(workspace=pro_shop, user=bob, role="editor")

    state = caps.set_member_cap(workspace=pro_shop, membership=member, cap_nanos=DOLLAR)

    assert state.left_nanos == DOLLAR
    spend(pro_shop, DOLLAR, user_id=bob.pk)
    with pytest.raises(BudgetExhausted):
        hold(pro_shop, 1, user_id=bob.pk)
    spend(pro_shop, DOLLAR, user_id=alice.pk)
    left = {str(each.user): state.left_nanos for each, state in caps.member_budgets(pro_shop)}
    assert left == {str(alice): None, str(bob): 0}


def test_budgets_of_keys_and_runs_are_read_within_the_workspace(pro_shop: Workspace, other_shop: Workspace) -> None:
    key, _ = issue_key(workspace=pro_shop, name="Script", scopes=["write"])
    type(key).objects.in_workspace(pro_shop).update(spend_cap_nanos=2 * DOLLAR)
    run_id = uuid.uuid4()
    budgets.open_run_budget(workspace_id=pro_shop.pk, run_id=run_id, limit_nanos=3 * DOLLAR)
    spend(pro_shop, DOLLAR, api_key_id=key.pk, run_id=run_id)

    assert [state.left_nanos for _, state in caps.key_budgets(pro_shop)] == [DOLLAR]
    run = caps.run_budgets(pro_shop, [run_id])[run_id]
    assert (run.limit_nanos, run.spent_nanos, run.resets_at) == (3 * DOLLAR, DOLLAR, None)
    assert caps.key_budgets(other_shop) == []
    assert caps.run_budgets(other_shop, [run_id]) == {}


def cap_page(workspace: Workspace) -> str:
    return reverse("usage_caps", args=[workspace.slug])


def test_an_owner_sets_caps_on_the_page(pro_shop: Workspace, alice: User, bob: User, sign_in: SignIn) -> None:
    member = Membership.objects.create(workspace=pro_shop, user=bob, role="editor")
    client = sign_in(alice)

    client.post(cap_page(pro_shop), {"cap": "$12.50"})
    shown = client.post(cap_page(pro_shop), {"cap": "3", "member": member.pk}, follow=True).content.decode()

    pro_shop.refresh_from_db()
    member.refresh_from_db()
    assert (pro_shop.spend_cap_nanos, member.spend_cap_nanos) == (12_500_000_000, 3 * DOLLAR)
    assert 'value="12.50"' in shown
    assert 'value="3.00"' in shown

    client.post(cap_page(pro_shop), {"cap": "", "member": member.pk})

    member.refresh_from_db()
    assert member.spend_cap_nanos is None


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("-5", "An amount below $0"),
        ("12,50", "Write an amount in dollars"),
        ("a lot", "Write an amount in dollars"),
        ("NaN", "Write an amount in dollars"),
        ("Infinity", "Write an amount in dollars"),
        ("1e9", "At most $1,000,000"),
        ("2000000", "At most $1,000,000"),
        ("0.0000000001", "At most nine digits"),
        ("20.01", "The Pro plan allows at most $20.00"),
    ],
)
def test_a_bad_cap_is_refused_beside_the_field_and_stays_typed(
    pro_shop: Workspace, alice: User, sign_in: SignIn, typed: str, reason: str
) -> None:
    reply = sign_in(alice).post(cap_page(pro_shop), {"cap": typed})

    shown = reply.content.decode()
    assert reply.status_code == 422
    assert reason in shown
    assert f'value="{typed}"' in shown
    pro_shop.refresh_from_db()
    assert pro_shop.spend_cap_nanos is None


@pytest.mark.parametrize("role", ["admin", "editor", "viewer"])
def test_others_see_caps_and_cannot_change_them(pro_shop: Workspace, bob: User, sign_in: SignIn, role: str) -> None:
    Membership.objects.create(workspace=pro_shop, user=bob, role=role)
    client = sign_in(bob)

    assert 'name="cap"' not in client.get(cap_page(pro_shop)).content.decode()
    assert client.post(cap_page(pro_shop), {"cap": "1"}).status_code == 403

    pro_shop.refresh_from_db()
    assert pro_shop.spend_cap_nanos is None


def test_a_member_of_another_workspace_is_not_found(
    pro_shop: Workspace, alice: User, charlie: User, other_shop: Workspace, sign_in: SignIn
) -> None:
    foreign = Membership.objects.in_workspace(other_shop).get(user=charlie)
    client: Client = sign_in(alice)

    answers = [client.post(cap_page(pro_shop), {"cap": "1", "member": pk}).status_code for pk in (foreign.pk, "x")]

    assert answers == [404, 404]
    foreign.refresh_from_db()
    assert foreign.spend_cap_nanos is None


def test_an_owner_limits_how_often_a_member_asks(shop: Workspace, alice: User, bob: User, sign_in: SignIn) -> None:
    member = Membership.objects.in_workspace(shop).get(user=bob)
    product = first_product(make_catalogue(shop))
    url = reverse("usage_caps", args=[shop.slug])
    rewrite = reverse("product_rewrite", args=[shop.slug, product.pk])

    said = sign_in(alice).post(url, {"member": member.pk, "cap": "", "requests_per_day": "1"})

    assert said.status_code == 302
    assert sign_in(bob).post(rewrite).status_code == 302
    refused = sign_in(bob).post(rewrite)
    assert refused.status_code == 429
    assert "Your own limit here allows 1 request in 24 hours" in refused.content.decode()
    assert sign_in(alice).post(rewrite).status_code == 302


@pytest.mark.parametrize("given", ["0", "-1", "2.5", "many"])
def test_a_limit_of_a_member_that_makes_no_sense_is_refused_and_kept_as_typed(
    shop: Workspace, alice: User, bob: User, sign_in: SignIn, given: str
) -> None:
    member = Membership.objects.in_workspace(shop).get(user=bob)

    page = sign_in(alice).post(
        reverse("usage_caps", args=[shop.slug]), {"member": member.pk, "cap": "", "burst_per_minute": given}
    )

    assert page.status_code == 422
    assert f'value="{given}"' in page.content.decode()
    member.refresh_from_db()
    assert member.burst_per_minute is None
