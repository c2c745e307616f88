from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client, RequestFactory
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.models import LimitStep, Plan, User, Workspace
from accounts.services.keys import issue_key
from accounts.services.workspaces import create_workspace
from accounts.throttling import Allowance, limit_visitor, take
from accounts.windows import Subject
from contentopt.errors import RateLimited
from tests.conftest import ApiClient, SignIn
from tests.factories import first_product, make_catalogue


@pytest.fixture
def who() -> str:
    """Somebody who has used nothing yet."""
    return str(uuid.uuid4())


def take_one(who: str, **limits: int | None) -> Allowance:
    return take(who, [Subject("workspace", who, "the Small plan", **limits)])  # type: ignore[arg-type]


def take_at_once(who: str, count: int, **limits: int) -> list[Allowance]:
    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(lambda _: take_one(who, **limits), range(count)))


def test_forty_at_once_with_a_burst_of_ten_are_exactly_ten(who: str) -> None:
    taken = take_at_once(who, 40, burst=10)
    assert sum(allowance.allowed for allowance in taken) == 10
    left = sorted(str(allowance.remaining()["minute"]) for allowance in taken if allowance.allowed)
    assert left == [str(number) for number in range(10)]


def test_forty_at_once_with_ten_a_day_are_exactly_ten(who: str) -> None:
    taken = take_at_once(who, 40, daily=10)
    assert sum(allowance.allowed for allowance in taken) == 10


def test_a_refusal_by_the_burst_limit_uses_up_nothing_of_the_day(who: str) -> None:
    for _ in range(5):
        refused = take_one(who, burst=1, daily=10)
    assert not refused.allowed
    assert refused.remaining() == {"minute": 0, "day": 9}


def test_without_limits_everything_is_allowed_and_nothing_is_asked(who: str, settings: Settings) -> None:
    settings.CACHES = {"default": {"BACKEND": "nowhere"}}
    taken = [take_one(who, burst=None, daily=None) for _ in range(50)]
    assert all(allowance.allowed for allowance in taken)
    assert taken[-1].headers() == {}
    assert taken[-1].remaining() == {"minute": None, "day": None}


def test_one_does_not_use_up_anothers_allowance(who: str) -> None:
    take_one(who, burst=1, daily=1)
    assert take_one(f"{who}-other", burst=1, daily=1).allowed


# --- Workspaces and keys, over the API ---

NewShop = Callable[..., Workspace]


@pytest.fixture
def new_shop(alice: User) -> NewShop:
    """A workspace on a plan of its own."""

    def make(steps: dict[int, int] | None = None, **limits: int) -> Workspace:
        # Below everything that is for sale.
        plan = Plan.objects.create(slug="small", name="Small", is_public=False, position=0, **limits)
        for requests, percent in (steps or {}).items():
            LimitStep.objects.create(plan=plan, requests_in_hour=requests, burst_percent=percent)
        return create_workspace(owner=alice, name="Small", plan="small")

    return make


def with_key(shop: Workspace, **limits: int) -> Client:
    _, secret = issue_key(workspace=shop, name="Tests", scopes=["read", "write"], **limits)  # type: ignore[arg-type]
    return Client(headers={"Authorization": f"Bearer {secret}"})


def write(client: Client) -> Any:
    """Counts in full and writes nothing: the body is not right."""
    return client.post("/api/v1/descriptions", {}, content_type="application/json")


def read(client: Client) -> Any:
    return client.get("/api/v1/usage")


def refusal(response: Any) -> dict[str, Any]:
    assert response.status_code == 429
    error: dict[str, Any] = response.json()["error"]
    assert error["code"] == "rate_limited"
    assert error["details"]["retry_after"] == int(response["Retry-After"]) > 0
    return error


def test_two_keys_share_their_workspaces_allowance(new_shop: NewShop, api: ApiClient) -> None:
    shop = new_shop(burst_per_minute=1)
    assert [write(api(shop)).status_code for _ in range(2)] == [422, 429]


def test_a_keys_own_limit_holds_below_the_plans_and_leaves_the_rest_to_others(new_shop: NewShop) -> None:
    shop = new_shop(burst_per_minute=5, requests_per_day=50)
    narrow, wide = with_key(shop, burst_per_minute=2, requests_per_day=20), with_key(shop)
    answers = [write(narrow) for _ in range(4)]

    error = refusal(answers[-1])

    assert [answer.status_code for answer in answers] == [422, 422, 429, 429]
    assert answers[0]["RateLimit-Policy"] == (
        '"burst";q=5;w=60, "day";q=50;w=86400, "key-burst";q=2;w=60, "key-day";q=20;w=86400'
    )
    assert (error["details"]["limit"], error["details"]["scope"]) == ("burst", "key")
    assert error["details"]["lifted_by"] is None
    assert error["message"].startswith("This API key allows 2 requests a minute, and they are used. Try again in ")
    assert [write(wide).status_code for _ in range(4)] == [422, 422, 422, 429]


def test_a_refusal_says_which_plan_would_allow_more(new_shop: NewShop) -> None:
    client = with_key(new_shop(burst_per_minute=5, requests_per_day=1_000))
    answers = [write(client) for _ in range(6)]

    error = refusal(answers[-1])

    assert error["details"] | {"retry_after": 0, "resets_at": ""} == {
        "limit": "burst",
        "scope": "workspace",
        "retry_after": 0,
        "resets_at": "",
        "lifted_by": "pro",  # the free plan has no more than five
    }
    assert error["message"].endswith("The Pro plan allows 30.")
    resets_at = datetime.fromisoformat(error["details"]["resets_at"])
    assert timedelta(0) < resets_at - datetime.now(UTC) <= timedelta(seconds=60)


def test_a_refusal_by_the_day_says_when_the_next_one_is_free(new_shop: NewShop) -> None:
    client = with_key(new_shop(requests_per_day=1))
    write(client)

    error = refusal(write(client))

    assert (error["details"]["limit"], error["details"]["lifted_by"]) == ("day", "free")
    assert error["message"].startswith("The Small plan allows 1 request in 24 hours, and they are used. The next one ")
    wait = timedelta(seconds=error["details"]["retry_after"])
    # A quarter of an hour that is partly inside counts whole.
    assert timedelta(hours=24) <= wait <= timedelta(hours=24, minutes=15)


def test_no_plan_is_named_where_none_has_more(new_shop: NewShop) -> None:
    Plan.objects.exclude(slug="free").update(is_public=False)
    client = with_key(new_shop(burst_per_minute=6))
    for _ in range(6):
        write(client)
    assert refusal(write(client))["details"]["lifted_by"] is None


def test_after_much_use_in_an_hour_the_burst_is_smaller_and_the_refusal_says_why(new_shop: NewShop) -> None:
    client = with_key(new_shop(steps={4: 50}, burst_per_minute=8))
    answers = [write(client) for _ in range(5)]

    error = refusal(answers[-1])

    assert [answer["RateLimit-Policy"] for answer in answers] == ['"burst";q=8;w=60'] * 3 + ['"burst";q=4;w=60'] * 2
    assert error["message"].startswith(
        "There were 4 requests in the last hour, so the Small plan allows 4 requests a minute for now instead of 8. "
    )


def test_steps_cost_no_query_a_request(new_shop: NewShop, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    client = with_key(new_shop(steps={100: 50}, burst_per_minute=50))
    write(client)
    with django_assert_num_queries(1):  # the key, with its workspace and plan
        answer = write(client)
    assert answer["RateLimit-Policy"] == '"burst";q=50;w=60'


def test_reads_leave_the_plans_day_alone_and_show_it(new_shop: NewShop) -> None:
    client = with_key(new_shop(burst_per_minute=2, requests_per_day=3))
    write(client)

    answers = [read(client) for _ in range(20)]

    assert {answer.status_code for answer in answers} == {200}
    assert answers[-1]["RateLimit-Policy"] == '"burst";q=2;w=60, "day";q=3;w=86400, "reads";q=20;w=60'
    left = [item.rpartition(";t=")[0] for item in answers[-1]["RateLimit"].split(", ")]
    assert left == ['"burst";r=1', '"day";r=2', '"reads";r=0']
    assert write(client).status_code == 422


def test_reads_have_ten_times_the_burst(new_shop: NewShop) -> None:
    client = with_key(new_shop(burst_per_minute=1))
    answers = [read(client) for _ in range(11)]

    error = refusal(answers[-1])

    assert {answer.status_code for answer in answers[:-1]} == {200}
    assert (error["details"]["limit"], error["details"]["lifted_by"]) == ("reads", "free")
    assert error["message"].startswith("The Small plan allows 10 reads a minute, and they are used.")
    assert error["message"].endswith("The Free plan allows 50.")


def test_a_used_up_day_does_not_stop_reads(new_shop: NewShop) -> None:
    client = with_key(new_shop(requests_per_day=1))
    write(client)
    assert (write(client).status_code, read(client).status_code) == (429, 200)


@pytest.mark.parametrize(
    ("path", "status", "headers"),
    [
        ("usage", 200, {}),
        ("usage?days=x", 422, {}),
        ("texts/00000000-0000-4000-8000-000000000009", 404, {}),
        ("usage", 406, {"Accept": "image/png"}),
    ],
)
def test_every_reply_to_a_key_says_what_is_left(
    new_shop: NewShop, path: str, status: int, headers: dict[str, str]
) -> None:
    response = with_key(new_shop(burst_per_minute=3)).get(f"/api/v1/{path}", headers=headers)
    assert response.status_code == status
    assert response["RateLimit"].startswith('"burst";r=3;t=0, "reads";r=29;t=')


def test_what_a_key_may_not_do_is_counted_too(new_shop: NewShop, api: ApiClient) -> None:
    client = api(new_shop(burst_per_minute=3), ["read"])
    forbidden = write(client)
    assert forbidden.status_code == 403
    assert forbidden["RateLimit"].startswith('"burst";r=2;t=')


def test_pages_that_write_count_and_explain(new_shop: NewShop, alice: User, sign_in: SignIn) -> None:
    shop = new_shop(burst_per_minute=1)
    product, client = first_product(make_catalogue(shop)), sign_in(alice)
    url = f"/w/{shop.slug}/products/{product.pk}/rewrite/"
    assert client.post(url).status_code == 302

    refused = client.post(url)

    assert refused.status_code == 429
    assert int(refused["Retry-After"]) > 0
    assert "The Small plan allows 1 request a minute" in refused.content.decode()


# --- Without Redis ---


@pytest.fixture
def _redis_is_down(settings: Settings) -> None:
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}}
    settings.WEB_WORKERS = 2


@pytest.mark.usefixtures("_redis_is_down")
def test_without_redis_each_process_admits_its_share(who: str) -> None:
    taken = take_at_once(who, 40, burst=9, daily=100)

    assert sum(allowance.allowed for allowance in taken) == 5
    assert taken[-1].headers()["RateLimit-Policy"] == '"burst";q=5;w=60, "day";q=50;w=86400'
    assert min(str(allowance.remaining()["minute"]) for allowance in taken) == "0"


@pytest.mark.django_db
@pytest.mark.usefixtures("_redis_is_down")
def test_without_redis_the_api_answers_and_says_what_holds(new_shop: NewShop) -> None:
    client = with_key(new_shop(burst_per_minute=4))
    body = {"prompt": "Oak board, 30 cm"}
    answers = [client.post("/api/v1/descriptions", body, content_type="application/json") for _ in range(3)]

    error = refusal(answers[-1])

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[0].json()["remaining"] == {"minute": 1, "day": None}
    assert error["message"].startswith("Our counter is away, so for now the Small plan allows a share")


# --- Visitors ---


def new_address() -> str:
    return f"2001:db8:{uuid.uuid4().hex[:4]}:{uuid.uuid4().hex[:4]}::1"


def visit(address: str, forwarded: str = "", *, burst: int = 1) -> None:
    request = RequestFactory().post("/try/", REMOTE_ADDR=address, headers={"X-Forwarded-For": forwarded})
    limit_visitor(request, burst=burst, daily=burst)


@pytest.mark.django_db
def test_a_visitor_is_told_what_to_do() -> None:
    address = new_address()
    visit(address)
    with pytest.raises(RateLimited) as refused:
        visit(address)
    assert refused.value.status == 429
    assert refused.value.retry_after
    assert refused.value.details["scope"] == "visitor"
    assert refused.value.message.startswith("Trying without an account allows 1 request in 24 hours")


@pytest.mark.django_db
def test_a_visitor_cannot_claim_another_address() -> None:
    address = new_address()
    visit(address, new_address())
    with pytest.raises(RateLimited):
        visit(address, new_address())


@pytest.mark.django_db
def test_a_visitor_with_a_whole_network_is_one_visitor() -> None:
    address = new_address()
    visit(address)
    with pytest.raises(RateLimited):
        visit(f"{address}234")


@pytest.mark.django_db
def test_behind_a_trusted_proxy_each_visitor_has_an_allowance(settings: Settings) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    proxy, visitor = new_address(), new_address()
    visit(proxy, visitor)
    visit(proxy, new_address())
    with pytest.raises(RateLimited):
        visit(proxy, f"{new_address()}, {visitor}")
