from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.test import Client, RequestFactory
from pytest_django import Settings

from accounts.models import Plan, User
from accounts.services.workspaces import create_workspace
from accounts.throttling import Allowance, limit_visitor, take
from contentopt.errors import RateLimited
from tests.conftest import ApiClient


@pytest.fixture
def who() -> str:
    """Somebody who has used nothing yet."""
    return f"test:{uuid.uuid4()}"


def take_at_once(who: str, count: int, *, burst: int | None = None, daily: int | None = None) -> list[Allowance]:
    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(lambda _: take(who, burst=burst, daily=daily), range(count)))


def test_forty_at_once_with_a_burst_of_ten_are_exactly_ten(who: str) -> None:
    taken = take_at_once(who, 40, burst=10)
    assert sum(allowance.allowed for allowance in taken) == 10
    assert sorted(a.burst_left for a in taken if a.allowed and a.burst_left is not None) == list(range(10))


def test_forty_at_once_with_ten_a_day_are_exactly_ten(who: str) -> None:
    taken = take_at_once(who, 40, daily=10)
    assert sum(allowance.allowed for allowance in taken) == 10


def test_a_refusal_by_the_burst_limit_uses_up_nothing_of_the_day(who: str) -> None:
    for _ in range(5):
        refused = take(who, burst=1, daily=10)
    assert not refused.allowed
    assert (refused.burst_left, refused.daily_left) == (0, 9)
    assert 0 < refused.retry_after <= 60


def test_without_limits_everything_is_allowed(who: str) -> None:
    taken = [take(who, burst=None, daily=None) for _ in range(50)]
    assert all(allowance.allowed for allowance in taken)
    assert taken[-1].headers() == {}
    assert taken[-1].remaining() == {"minute": None, "day": None}


def test_one_does_not_use_up_anothers_allowance(who: str) -> None:
    take(who, burst=1, daily=1)
    assert take(f"{who}-other", burst=1, daily=1).allowed


@pytest.mark.django_db
def test_two_keys_share_their_workspaces_allowance(alice: User, api: ApiClient) -> None:
    Plan.objects.create(slug="small", name="Small", burst_per_minute=1)
    shop = create_workspace(owner=alice, name="Small", plan="small")
    assert [api(shop).get("/api/v1/usage").status_code for _ in range(2)] == [200, 429]


@pytest.fixture
def _redis_is_down(settings: Settings) -> None:
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}}


@pytest.mark.usefixtures("_redis_is_down")
def test_without_redis_requests_are_served_uncounted(who: str) -> None:
    assert [take(who, burst=1, daily=1).allowed for _ in range(3)] == [True, True, True]


@pytest.mark.django_db
@pytest.mark.usefixtures("_redis_is_down")
def test_without_redis_the_api_answers(alice: User, api: ApiClient) -> None:
    client: Client = api(create_workspace(owner=alice, name="Small", plan="free"))
    response = client.post("/api/v1/descriptions", {"prompt": "Oak board"}, content_type="application/json")
    assert response.status_code == 200
    assert response.json()["remaining"] == {"minute": None, "day": None}
    assert "RateLimit" not in response.headers


def test_a_visitor_is_told_what_to_do() -> None:
    request = RequestFactory().post("/try/", REMOTE_ADDR=f"2001:db8::{uuid.uuid4().hex[:4]}")
    limit_visitor(request, burst=1, daily=5)
    with pytest.raises(RateLimited) as refused:
        limit_visitor(request, burst=1, daily=5)
    assert refused.value.status == 429
    assert refused.value.retry_after


def visit(address: str, forwarded: str) -> None:
    request = RequestFactory().post("/try/", REMOTE_ADDR=address, headers={"X-Forwarded-For": forwarded})
    limit_visitor(request, burst=1, daily=1)


def new_address() -> str:
    return f"2001:db8:{uuid.uuid4().hex[:4]}:{uuid.uuid4().hex[:4]}::1"


def test_a_visitor_cannot_claim_another_address() -> None:
    address = new_address()
    visit(address, new_address())
    with pytest.raises(RateLimited):
        visit(address, new_address())


def test_behind_a_trusted_proxy_each_visitor_has_an_allowance(settings: Settings) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    proxy, visitor = new_address(), new_address()
    visit(proxy, visitor)
    visit(proxy, new_address())
    with pytest.raises(RateLimited):
        visit(proxy, f"{new_address()}, {visitor}")
