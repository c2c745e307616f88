from __future__ import annotations

import hashlib
import re
import uuid
from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.authentication import find_key
from accounts.budgets import Attempt, Payer, SpendingRefused, reserve
from accounts.models import ApiKey, Budget, Role, Scope, User, Workspace
from accounts.services.keys import change_key, issue_key, revoke_key
from tests.conftest import SignIn, member

pytestmark = pytest.mark.django_db


def use(secret: str) -> int:
    return Client(headers={"Authorization": f"Bearer {secret}"}).get("/api/v1/usage").status_code


def test_a_key_is_recognisable_and_long_enough(shop: Workspace) -> None:
    key, secret = issue_key(workspace=shop, name="Script", scopes=["read"])
    assert re.fullmatch(r"co_[0-9a-f]{8}\.[\w-]{43}", secret)
    assert secret.startswith(key.prefix)


def test_only_the_hash_of_the_secret_is_stored(shop: Workspace) -> None:
    key, secret = issue_key(workspace=shop, name="Script", scopes=["read"])
    _, _, kept_nowhere = secret.partition(".")

    row = ApiKey.objects.in_workspace(shop).values().get(pk=key.pk)

    assert row["secret_sha256"] == hashlib.sha256(kept_nowhere.encode()).hexdigest()
    assert kept_nowhere not in str(row)


def test_a_key_is_found_by_the_whole_of_it_only(shop: Workspace) -> None:
    key, secret = issue_key(workspace=shop, name="Script", scopes=["read"])
    other, other_secret = issue_key(workspace=shop, name="Other", scopes=["read"])
    mixed = f"{key.prefix}.{other_secret.partition('.')[2]}"

    assert find_key(secret) == key
    assert find_key(other_secret) == other
    assert [find_key(wrong) for wrong in (mixed, secret[:-1], secret + "a", key.prefix, "", ".")] == [None] * 6


def test_a_revoked_key_is_refused_at_once_and_stays_on_record(shop: Workspace) -> None:
    key, secret = issue_key(workspace=shop, name="Script", scopes=["read"])
    assert use(secret) == 200

    revoke_key(key)

    assert use(secret) == 401
    key.refresh_from_db()
    assert key.revoked_at is not None
    assert not key.is_active


def test_revoking_twice_keeps_the_first_time(shop: Workspace) -> None:
    key, _ = issue_key(workspace=shop, name="Script", scopes=["read"])
    revoke_key(key)
    key.refresh_from_db()
    first = key.revoked_at

    revoke_key(key)

    key.refresh_from_db()
    assert key.revoked_at == first


def last_use(key: ApiKey) -> datetime | None:
    return ApiKey.objects.in_workspace(key.workspace_id).get(pk=key.pk).last_used_at


def test_the_first_use_is_noted(shop: Workspace) -> None:
    key, secret = issue_key(workspace=shop, name="Script", scopes=["read"])
    assert last_use(key) is None

    before = timezone.now()
    use(secret)

    assert (noted := last_use(key))
    assert before <= noted <= timezone.now()


@pytest.mark.parametrize(("ago", "is_noted"), [(timedelta(seconds=50), False), (timedelta(seconds=70), True)])
def test_further_uses_are_noted_once_a_minute(shop: Workspace, ago: timedelta, is_noted: bool) -> None:
    key, secret = issue_key(workspace=shop, name="Script", scopes=["read"])
    earlier = timezone.now() - ago
    ApiKey.objects.in_workspace(shop).filter(pk=key.pk).update(last_used_at=earlier)

    use(secret)

    assert (last_use(key) != earlier) is is_noted


def new_key(client: Client, shop: Workspace, *scopes: str) -> str:
    """The page after asking for a key."""
    url = reverse("api_keys", args=[shop.slug])
    return client.post(url, {"name": "Warehouse", "scopes": list(scopes)}).content.decode()


def test_a_key_is_shown_once(shop: Workspace, alice: User, sign_in: SignIn) -> None:
    client = sign_in(alice)
    page = new_key(client, shop, "read")
    (secret,) = set(re.findall(r"co_[0-9a-f]{8}\.[\w-]{43}", page))

    again = client.get(reverse("api_keys", args=[shop.slug])).content.decode()

    assert use(secret) == 200
    assert "Warehouse" in again
    assert secret.partition(".")[2] not in again


def test_the_page_with_a_key_is_never_kept_by_a_cache(shop: Workspace, alice: User, sign_in: SignIn) -> None:
    response = sign_in(alice).post(reverse("api_keys", args=[shop.slug]), {"name": "Warehouse", "scopes": ["read"]})
    assert response.headers["Cache-Control"] == "no-store"


def test_a_key_needs_a_name_and_a_scope(shop: Workspace, alice: User, sign_in: SignIn) -> None:
    client = sign_in(alice)
    url = reverse("api_keys", args=[shop.slug])
    for form in ({"name": "", "scopes": ["read"]}, {"name": "Script"}, {"name": "Script", "scopes": ["everything"]}):
        assert client.post(url, form).status_code == 200
    assert ApiKey.objects.in_workspace(shop).count() == 0


def test_nobody_can_give_a_key_more_than_their_role_may(shop: Workspace, sign_in: SignIn) -> None:
    admin = member(shop, "adam@alder-goods.example", Role.ADMIN)

    new_key(sign_in(admin), shop, Scope.READ, Scope.BILLING)
    assert ApiKey.objects.in_workspace(shop).count() == 0

    new_key(sign_in(admin), shop, Scope.READ, Scope.ADMIN)
    assert ApiKey.objects.in_workspace(shop).get().scopes == ["read", "admin"]


def test_somebody_elses_key_cannot_be_revoked(
    shop: Workspace, other_shop: Workspace, charlie: User, sign_in: SignIn
) -> None:
    key, secret = issue_key(workspace=shop, name="Script", scopes=["read"])
    assert sign_in(charlie).post(reverse("api_key_revoke", args=[other_shop.slug, key.pk])).status_code == 404
    assert use(secret) == 200


# --- Expiry and rotation ---


def rotated_on_page(client: Client, shop: Workspace, key: ApiKey, hours: int = 24) -> str:
    page = client.post(reverse("api_key_rotate", args=[shop.slug, key.pk]), {"hours": hours}).content.decode()
    return str(re.findall(r"co_[0-9a-f]{8}\.[\w-]{43}", page)[0])


def test_a_key_is_rotated_on_the_page_while_the_old_secret_goes_on(
    shop: Workspace, alice: User, sign_in: SignIn
) -> None:
    key, old = issue_key(workspace=shop, name="Script", scopes=["read"])
    client = sign_in(alice)
    new = rotated_on_page(client, shop, key)

    assert (use(old), use(new)) == (200, 200)
    listed = client.get(reverse("api_keys", args=[shop.slug])).content.decode()
    assert [words in listed for words in (f"…{new[-4:]}", f"…{old[-4:]}", "New secret", "Old secret")] == [True] * 4
    assert client.post(reverse("api_key_rotate", args=[shop.slug, key.pk]), {"hours": 1}).status_code == 409

    client.post(reverse("api_key_end_previous", args=[shop.slug, key.pk]))

    assert (use(old), use(new)) == (401, 200)


def test_an_admin_gets_no_secret_of_a_key_that_may_more(shop: Workspace, sign_in: SignIn) -> None:
    key, secret = issue_key(workspace=shop, name="Owner's", scopes=list(Scope.values))
    admin = sign_in(member(shop, "adam@alder-goods.example", Role.ADMIN))

    assert admin.post(reverse("api_key_rotate", args=[shop.slug, key.pk]), {"hours": 0}).status_code == 403
    assert use(secret) == 200


def test_a_key_expires_when_it_was_said_to(shop: Workspace, alice: User, sign_in: SignIn) -> None:
    form = {"name": "Guest", "scopes": ["read"], "days": "30"}
    sign_in(alice).post(reverse("api_keys", args=[shop.slug]), form)
    key = ApiKey.objects.in_workspace(shop).get()
    assert key.expires_at
    assert abs(key.expires_at - timezone.now() - timedelta(days=30)) < timedelta(minutes=1)

    ApiKey.objects.in_workspace(shop).update(expires_at=timezone.now())

    assert "Expired" in sign_in(alice).get(reverse("api_keys", args=[shop.slug])).content.decode()


def test_no_key_ever_has_a_previous_secret_without_an_end(shop: Workspace) -> None:
    issue_key(workspace=shop, name="Script", scopes=["read"])
    with pytest.raises(IntegrityError):
        ApiKey.objects.in_workspace(shop).update(previous_sha256="a" * 64)


# --- Limits of one key ---

DOLLAR = 1_000_000_000
NO_LIMITS = (None, None, None)


def limits_of(key: ApiKey) -> tuple[int | None, int | None, int | None]:
    key.refresh_from_db()
    return key.burst_per_minute, key.requests_per_day, key.spend_cap_nanos


def test_a_key_can_be_made_with_limits_of_its_own(shop: Workspace, alice: User, sign_in: SignIn) -> None:
    form = {"name": "Script", "scopes": ["read"], "burst_per_minute": "3", "requests_per_day": "40"}
    page = sign_in(alice).post(reverse("api_keys", args=[shop.slug]), form | {"spend_cap_nanos": "12.50"})

    assert limits_of(ApiKey.objects.in_workspace(shop).get()) == (3, 40, 12_500_000_000)
    listed = page.content.decode()
    assert [words in listed for words in ("3 a minute", "40 a day", "$12.50 a month")] == [True] * 3


def test_without_limits_a_key_has_what_the_plan_allows(shop: Workspace, alice: User, sign_in: SignIn) -> None:
    page = new_key(sign_in(alice), shop, "read")
    assert limits_of(ApiKey.objects.in_workspace(shop).get()) == NO_LIMITS
    assert "What the plan allows" in page


@pytest.mark.parametrize(
    ("given", "nanos"),
    [
        ("0", 0),
        ("0.000000001", 1),
        ("25", 25 * DOLLAR),
        ("1000000", 1_000_000 * DOLLAR),
        ("", None),
        (" 7 ", 7 * DOLLAR),
    ],
)
def test_a_cap_is_given_in_dollars(
    shop: Workspace, alice: User, sign_in: SignIn, given: str, nanos: int | None
) -> None:
    key, _ = issue_key(workspace=shop, name="Script", scopes=["read"], spend_cap_nanos=5)
    url = reverse("api_key_limits", args=[shop.slug, key.pk])
    assert sign_in(alice).post(url, {"spend_cap_nanos": given}).status_code == 302
    assert limits_of(key) == (None, None, nanos)


@pytest.mark.parametrize(
    ("field", "given", "said"),
    [
        ("spend_cap_nanos", "-1", "An amount below $0 makes no sense here."),
        ("spend_cap_nanos", "1000000.01", "At most $1,000,000."),
        ("spend_cap_nanos", "1e400", "At most $1,000,000."),
        ("spend_cap_nanos", "a lot", "Write an amount in dollars, such as 25 or 12.50."),
        ("spend_cap_nanos", "NaN", "Write an amount in dollars, such as 25 or 12.50."),
        ("spend_cap_nanos", "12,50", "Write an amount in dollars, such as 25 or 12.50."),
        ("spend_cap_nanos", "0.0000000001", "At most nine digits after the point."),
        ("burst_per_minute", "0", "greater than or equal to 1"),
        ("requests_per_day", "-5", "greater than or equal to 1"),
        ("requests_per_day", "2.5", "Enter a whole number"),
        ("burst_per_minute", "99999999999", "less than or equal to 1000000"),
    ],
)
def test_limits_that_make_no_sense_are_refused_with_the_reason(
    shop: Workspace, alice: User, sign_in: SignIn, field: str, given: str, said: str
) -> None:
    key, _ = issue_key(workspace=shop, name="Script", scopes=["read"])
    url = reverse("api_key_limits", args=[shop.slug, key.pk])

    page = sign_in(alice).post(url, {field: given})

    assert page.status_code == 200
    assert said in page.content.decode()
    assert limits_of(key) == NO_LIMITS


def test_limits_are_shown_as_they_are_and_can_be_taken_away(shop: Workspace, alice: User, sign_in: SignIn) -> None:
    key, _ = issue_key(
        workspace=shop, name="Script", scopes=["read"], burst_per_minute=3, requests_per_day=40, spend_cap_nanos=0
    )
    client, url = sign_in(alice), reverse("api_key_limits", args=[shop.slug, key.pk])
    page = client.get(url).content.decode()
    assert [f'value="{value}"' in page for value in ("3", "40", "0.00")] == [True] * 3

    client.post(url, {})

    assert limits_of(key) == NO_LIMITS


def test_a_changed_cap_holds_for_the_month_that_has_begun(shop: Workspace) -> None:
    key, _ = issue_key(workspace=shop, name="Script", scopes=["write"], spend_cap_nanos=9 * DOLLAR)
    hold(shop, key, DOLLAR)

    change_key(key, burst_per_minute=None, requests_per_day=None, spend_cap_nanos=DOLLAR)

    budget = Budget.objects.in_workspace(shop).get(scope=Budget.Scope.KEY)
    assert (budget.limit_nanos, budget.reserved_nanos) == (DOLLAR, DOLLAR)
    with pytest.raises(SpendingRefused):
        hold(shop, key, 1)


def hold(shop: Workspace, key: ApiKey, nanos: int) -> None:
    attempt = Attempt(uuid.uuid4(), uuid.uuid4(), "anthropic", "claude-haiku-5-5", "economy", "1")
    payer = Payer(shop.pk, "api", api_key_id=key.pk)
    reserve(payer, attempt, nanos, wait_seconds=0)


def test_a_revoked_key_has_no_limits_to_change(shop: Workspace, alice: User, sign_in: SignIn) -> None:
    key, _ = issue_key(workspace=shop, name="Script", scopes=["read"])
    revoke_key(key)
    url = reverse("api_key_limits", args=[shop.slug, key.pk])
    assert sign_in(alice).post(url, {"burst_per_minute": "3"}).status_code == 404
    assert limits_of(key) == NO_LIMITS


def test_editors_cannot_change_a_keys_limits(shop: Workspace, bob: User, sign_in: SignIn) -> None:
    key, _ = issue_key(workspace=shop, name="Script", scopes=["read"])
    url = reverse("api_key_limits", args=[shop.slug, key.pk])
    assert sign_in(bob).post(url, {"burst_per_minute": "3"}).status_code == 403
    assert limits_of(key) == NO_LIMITS


def test_somebody_elses_key_cannot_be_limited(
    shop: Workspace, other_shop: Workspace, charlie: User, sign_in: SignIn
) -> None:
    key, _ = issue_key(workspace=shop, name="Script", scopes=["read"])
    url = reverse("api_key_limits", args=[other_shop.slug, key.pk])
    assert sign_in(charlie).post(url, {"burst_per_minute": "3"}).status_code == 404
    assert limits_of(key) == NO_LIMITS
