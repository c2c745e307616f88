"""The short way: what it costs, that it says what the ordinary way says, and that no change is missed by it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.utils import timezone
from django_redis import get_redis_connection

from accounts.metering import drain_free_answers, stream_key
from accounts.models import (
    PLATFORM_WORKSPACE_ID,
    ApiKey,
    Membership,
    Plan,
    Retirement,
    UsageEntry,
    Workspace,
)
from accounts.retiring import key_of, retire, sweep
from accounts.services.keys import change_key, revoke_key, rotate_key
from accounts.services.workspaces import change_plan
from contentopt.engines.engine import free_port
from generation.caching import exact, front, warming
from generation.caching.codec import pack, unpack
from generation.caching.entries import Entry
from generation.models import CachedText, LlmCall, Provider, Text
from tests.conftest import ApiClient, Counted

pytestmark = pytest.mark.django_db

URL = "/api/v1/descriptions"
BODY = {"product": {"title": "Linen Apron", "attributes": {"Material": "linen", "Weight": "180 g"}}}
RESPELT = {"product": {"title": "LINEN  apron", "attributes": {"weight": "0.18 kg", "material": "Linen"}}}
# Asks for the same, but in a way that only DRF understands.
ORDINARY = {"Accept": "application/json;q=0.9"}
Commit = Callable[..., Any]


@pytest.fixture
def client(shop: Workspace, api: ApiClient) -> Client:
    return api(shop)


@pytest.fixture
def key(client: Client, shop: Workspace) -> ApiKey:
    return ApiKey.objects.in_workspace(shop).get()


def ask(client: Client, body: Any = BODY, **headers: str) -> Any:
    return client.post(URL, body, content_type="application/json", headers=headers)


@pytest.fixture
def known(client: Client, django_capture_on_commit_callbacks: Commit) -> dict[str, Any]:
    """The reply that made it known, to PostgreSQL, Valkey and the process alike."""
    with django_capture_on_commit_callbacks(execute=True):
        first: dict[str, Any] = ask(client).json()
    ask(client)
    return first


@pytest.fixture
def is_short(django_assert_max_num_queries: Any) -> Callable[[Any], bool]:
    """Whether a request comes without PostgreSQL."""

    def is_short(request: Callable[[], Any]) -> bool:
        with django_assert_max_num_queries(1_000) as queries:
            assert request().status_code == 200
        return not len(queries)

    return is_short


# --- What it costs ----------------------------------------------------------------------------------------------------


def test_a_known_text_costs_one_round_trip_and_no_query(
    counted: type[Counted], client: Client, known: Any, django_assert_num_queries: Any
) -> None:
    for body in (BODY, RESPELT):
        counted.trips = 0
        with django_assert_num_queries(0):
            assert ask(client, body).json()["source"] == "exact"
        assert counted.trips == 1


# --- What it says -----------------------------------------------------------------------------------------------------


def test_reply_and_headers_are_those_of_the_ordinary_way(client: Client, known: Any) -> None:
    short, ordinary = ask(client), ask(client, **ORDINARY)

    own = ("id", "created_at")
    assert list(short.json()) == list(ordinary.json())
    assert {n: v for n, v in short.json().items() if n not in own} == {
        n: v for n, v in ordinary.json().items() if n not in own
    }
    assert short.json()["text"] == known["text"]
    headers = [dict(reply.headers.items()) for reply in (short, ordinary)]
    for reply in headers:
        assert reply.pop("X-Request-Id")
    assert headers[0] == headers[1]


def test_the_text_is_found_by_its_id_and_is_as_the_ordinary_way_stores_it(
    client: Client, shop: Workspace, known: Any
) -> None:
    short, ordinary = ask(client).json(), ask(client, **ORDINARY).json()

    found = client.get(f"/api/v1/texts/{short['id']}").json()

    assert found == {name: value for name, value in short.items() if name != "remaining"}
    rows = Text.objects.in_workspace(shop).filter(pk__in=[short["id"], ordinary["id"]])
    ours, theirs = (
        {name: value for name, value in row.items() if name not in ("id", "created_at", "updated_at")}
        for row in rows.values()
    )
    assert ours == theirs


def test_each_answer_is_a_line_of_the_ledger_and_a_hit_of_the_entry(
    client: Client, shop: Workspace, key: ApiKey, known: Any
) -> None:
    ApiKey.objects.in_workspace(shop).update(last_used_at=None)
    drain_free_answers()
    before = CachedText.objects.in_workspace(shop).get().hits

    ids = {ask(client).json()["id"] for _ in range(3)}
    lines = get_redis_connection("default").xrange(stream_key())
    assert drain_free_answers() == 3
    for _, line in lines:  # a drain that died before it could take them out
        get_redis_connection("default").xadd(stream_key(), line)
    drain_free_answers()

    entries = UsageEntry.objects.in_workspace(shop).filter(text_id__in=ids)
    assert [(e.source, e.basis, e.api_key_id, e.provider, e.cost_nanos) for e in entries] == [
        ("exact", "free", key.pk, "offline", 0)
    ] * 3
    assert Text.objects.in_workspace(shop).filter(pk__in=ids).count() == 3
    entry = CachedText.objects.in_workspace(shop).get()
    assert entry.hits == before + 3
    assert entry.last_hit_at == max(e.occurred_at for e in entries)
    key.refresh_from_db()
    assert key.last_used_at is not None


def test_text_is_stored_as_it_was_given_even_if_the_entry_is_gone_by_then(
    client: Client, shop: Workspace, known: Any
) -> None:
    given = ask(client).json()
    CachedText.objects.in_workspace(shop).delete()

    drain_free_answers()

    assert Text.objects.in_workspace(shop).get(pk=given["id"]).description == given["text"]


def test_answers_go_straight_to_postgresql_when_no_line_has_room(
    client: Client, shop: Workspace, known: Any, settings: Any
) -> None:
    settings.FREE_ANSWERS_WAITING = 0

    given = ask(client).json()

    assert Text.objects.in_workspace(shop).get(pk=given["id"]).description == given["text"]
    assert UsageEntry.objects.in_workspace(shop).filter(text_id=given["id"], source="exact").count() == 1


def test_an_idempotency_key_stores_at_once(client: Client, shop: Workspace, known: Any) -> None:
    given = ask(client, **{"Idempotency-Key": "once"}).json()

    assert Text.objects.in_workspace(shop).filter(pk=given["id"]).exists()
    assert ask(client, **{"Idempotency-Key": "once"}).json()["id"] == given["id"]


# --- Limits -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def limited(shop: Workspace, known: Any, django_capture_on_commit_callbacks: Commit) -> Workspace:
    """With a plan of three a minute, of which none is used."""
    plan = Plan.objects.create(slug="three", name="Three", burst_per_minute=3, requests_per_day=100)
    with django_capture_on_commit_callbacks(execute=True):
        change_plan(workspace=shop, plan=plan)
    return shop


def test_limits_count_each_request_once_whichever_way_it_takes(client: Client, limited: Workspace) -> None:
    others = {"prompt": "Oak board, oiled"}

    replies = [ask(client), ask(client, others), ask(client)]
    refused = ask(client)

    assert [reply.json()["remaining"] for reply in replies] == [
        {"minute": left, "day": 97 + left} for left in (2, 1, 0)
    ]
    assert refused.status_code == 429
    assert refused.json()["error"]["details"]["limit"] == "burst"
    assert '"burst";r=0' in refused["RateLimit"]
    assert int(refused["Retry-After"]) > 0


# --- Changes ----------------------------------------------------------------------------------------------------------


def revoke(key: ApiKey) -> None:
    revoke_key(key)


def save_as_revoked(key: ApiKey) -> None:
    key.revoked_at = timezone.now()
    key.save()


def delete(key: ApiKey) -> None:
    key.delete()


@pytest.mark.parametrize("change", [revoke, save_as_revoked, delete])
def test_a_key_that_is_revoked_is_refused_at_once(
    client: Client,
    key: ApiKey,
    known: Any,
    change: Callable[[ApiKey], None],
    django_capture_on_commit_callbacks: Commit,
) -> None:
    assert ask(client).status_code == 200

    with django_capture_on_commit_callbacks(execute=True):
        change(key)

    assert ask(client).status_code == 401


def expire_soon(key: ApiKey) -> None:
    change_key(key, expires_at=timezone.now() + timedelta(seconds=1.5))


def rotate(key: ApiKey) -> None:
    rotate_key(key, old_lasts=timedelta(seconds=1.5))


@pytest.mark.parametrize("change", [expire_soon, rotate])
def test_a_secret_is_refused_from_the_moment_it_ends(
    client: Client,
    key: ApiKey,
    known: Any,
    change: Callable[[ApiKey], None],
    django_capture_on_commit_callbacks: Commit,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        change(key)
    assert [ask(client).status_code for _ in range(2)] == [200, 200]

    time.sleep(1.6)

    assert ask(client).status_code == 401


def test_while_a_key_has_two_secrets_it_is_noted_which_is_used(
    client: Client, key: ApiKey, known: Any, django_capture_on_commit_callbacks: Commit
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        new = rotate_key(key, old_lasts=timedelta(hours=1))
    ApiKey.objects.in_workspace(key.workspace_id).update(previous_used_at=None)

    for _ in range(2):
        assert ask(Client(headers={"Authorization": f"Bearer {new}"})).json()["source"] == "exact"

    key.refresh_from_db()
    assert (key.secret_used_at is None, key.previous_used_at is None) == (False, True)


def test_what_a_key_may_is_what_it_may_now(
    client: Client, key: ApiKey, known: Any, django_capture_on_commit_callbacks: Commit
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        change_key(key, burst_per_minute=1, requests_per_day=None, spend_cap_nanos=None)
    assert [ask(client).status_code for _ in range(2)] == [200, 429]

    key.scopes = ["read"]
    with django_capture_on_commit_callbacks(execute=True):
        key.save()
    assert ask(client).status_code == 403


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE accounts_plan SET burst_per_minute = 1",
        "UPDATE accounts_apikey SET burst_per_minute = 1",
        "UPDATE accounts_workspace SET plan_id = 'tight'",
        "INSERT INTO accounts_limitstep (plan_id, requests_in_hour, burst_percent) VALUES ('internal', 1, 1)",
    ],
)
def test_a_change_by_any_statement_is_noticed_by_the_clock(client: Client, known: Any, statement: str) -> None:
    Plan.objects.create(slug="tight", name="Tight", burst_per_minute=1)
    Plan.objects.filter(slug="internal").update(burst_per_minute=100)
    sweep()
    ask(client)
    ask(client)

    with connection.cursor() as cursor:
        cursor.execute(statement)
    sweep()

    assert 429 in [ask(client).status_code for _ in range(4)]


def test_use_of_a_key_changes_nothing_that_is_remembered(shop: Workspace, key: ApiKey) -> None:
    Retirement.objects.all().delete()

    ApiKey.objects.in_workspace(shop).update(last_used_at=timezone.now())
    assert not Retirement.objects.exists()

    Membership.objects.in_workspace(shop).update(wants_weekly_summary=False)
    assert [row.name for row in Retirement.objects.all()] == [f"account:{shop.pk}"]


def test_switching_the_models_off_is_noticed_at_once(
    client: Client, known: Any, django_capture_on_commit_callbacks: Commit
) -> None:
    offline = Provider.objects.get(kind="offline")
    offline.is_enabled = False
    with django_capture_on_commit_callbacks(execute=True):
        offline.save()

    assert ask(client).status_code == 503


def test_valkey_that_comes_back_with_an_old_stamp_is_told_again(
    client: Client, shop: Workspace, key: ApiKey, known: Any
) -> None:
    """As after a crash that cost its last second: the stamp is deleted, and is there again."""
    stamp = key_of(f"account:{shop.pk}")
    before = get_redis_connection("default").get(stamp)
    revoke_key(key)
    retire()
    get_redis_connection("default").set(stamp, before)

    sweep()

    assert ask(client).status_code == 401
    assert Retirement.objects.exists()
    Retirement.objects.update(changed_at=timezone.now() - timedelta(minutes=1))
    sweep()
    assert not Retirement.objects.exists()


def test_a_forgotten_text_is_not_given_again(
    client: Client, shop: Workspace, known: Any, django_capture_on_commit_callbacks: Commit
) -> None:
    (row,) = CachedText.objects.in_workspace(shop)
    with django_capture_on_commit_callbacks(execute=True):
        exact.forget(shop.pk, row.key)

    assert ask(client).json()["source"] == "template"  # its family has a text still


def test_a_replaced_text_is_served_from_then_on_and_the_old_one_is_not_put_back(
    client: Client, shop: Workspace, known: Any, django_capture_on_commit_callbacks: Commit
) -> None:
    (row,) = CachedText.objects.in_workspace(shop)
    slow_reader = (exact.entry_of(row), row.expires_at)
    row.fields = {**row.fields, "description": "An apron of linen. It weighs 180 g."}
    row.expires_at += timedelta(seconds=1)
    with django_capture_on_commit_callbacks(execute=True):
        row.save()

    front.put(shop.pk, row.key, *slow_reader)

    assert [ask(client).json()["text"] for _ in range(3)] == ["An apron of linen. It weighs 180 g."] * 3


def test_a_purged_text_is_not_put_back_by_whoever_read_it_before(
    shop: Workspace, known: Any, django_capture_on_commit_callbacks: Commit
) -> None:
    (row,) = CachedText.objects.in_workspace(shop)
    with django_capture_on_commit_callbacks(execute=True):
        exact.forget(shop.pk, row.key)

    front.put(shop.pk, row.key, exact.entry_of(row), row.expires_at)

    assert front.get_first([(shop.pk, row.key)]) is None


# --- Others -----------------------------------------------------------------------------------------------------------


def test_another_workspace_does_not_get_it(client: Client, known: Any, other_shop: Workspace, api: ApiClient) -> None:
    assert ask(api(other_shop)).json()["source"] == "model"


def test_a_text_of_the_public_pool_is_known_to_all_until_it_is_not_public_any_more(
    client: Client,
    shop: Workspace,
    known: Any,
    other_shop: Workspace,
    api: ApiClient,
    is_short: Any,
    django_capture_on_commit_callbacks: Commit,
) -> None:
    CachedText.objects.in_workspace(shop).update(workspace=PLATFORM_WORKSPACE_ID, is_public=True)
    stranger = api(other_shop)
    ask(stranger)

    assert is_short(lambda: ask(stranger))

    with django_capture_on_commit_callbacks(execute=True):
        CachedText.objects.in_workspace(PLATFORM_WORKSPACE_ID).update(is_public=False)
        exact.forget(other_shop.pk, "nothing")  # whoever changes something next
    assert ask(stranger).json()["source"] == "model"


def test_wrong_secret_of_a_remembered_key_is_refused(client: Client, key: ApiKey, known: Any) -> None:
    assert ask(client, Authorization=f"Bearer {key.prefix}.wrong").status_code == 401
    assert ask(client, Authorization=f"Basic {key.prefix}").status_code == 401


# --- Valkey away, empty, full -----------------------------------------------------------------------------------------


def test_without_valkey_it_is_served_all_the_same(client: Client, known: Any, settings: Any) -> None:
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": f"redis://127.0.0.1:{free_port()}/0"}}

    reply = ask(client)

    assert (reply.status_code, reply.json()["source"]) == (200, "exact")


def test_after_a_flush_it_comes_from_postgresql_once_and_then_from_valkey(
    client: Client, shop: Workspace, known: Any, is_short: Any
) -> None:
    for name in get_redis_connection("default").keys(key_of("*")):
        get_redis_connection("default").delete(name)

    assert [is_short(lambda: ask(client)) for _ in range(3)] == [False, False, True]
    assert LlmCall.objects.in_workspace(shop).count() == 1


def test_most_used_texts_are_put_back_after_a_flush(client: Client, shop: Workspace, known: Any, settings: Any) -> None:
    drain_free_answers()
    (row,) = CachedText.objects.in_workspace(shop)
    get_redis_connection("default").delete(key_of(front.name_of(shop.pk, row.key)), key_of("warm"))
    assert warming.is_cold()

    settings.WARM_BYTES = 1
    assert warming.warm() == 0
    settings.WARM_BYTES = 10_000
    assert warming.warm() == 1

    assert not warming.is_cold()
    assert front.get_first([(shop.pk, row.key)]) == exact.entry_of(row)


def test_a_text_that_is_asked_for_does_not_expire_before_its_row(client: Client, shop: Workspace, known: Any) -> None:
    (row,) = CachedText.objects.in_workspace(shop)
    redis, name = get_redis_connection("default"), key_of(front.name_of(shop.pk, row.key))
    redis.expire(name, 60)
    ask(client)
    assert redis.ttl(name) > 23 * 3600

    soon = timezone.now() + timedelta(minutes=5)
    redis.delete(name)
    front.put(shop.pk, row.key, exact.entry_of(row), soon)
    ask(client)
    assert 290 <= redis.ttl(name) <= 300


def test_raising_the_version_retires_all_texts_and_no_lines(
    client: Client, shop: Workspace, known: Any, settings: Any
) -> None:
    (row,) = CachedText.objects.in_workspace(shop)
    waiting = get_redis_connection("default").xlen(stream_key())

    settings.CACHE_VERSION += 1

    assert front.get_first([(shop.pk, row.key)]) is None
    assert get_redis_connection("default").xlen(stream_key()) == waiting > 0


@pytest.mark.parametrize("length", [10, 5_000])
def test_entries_come_out_as_they_went_in_and_long_ones_are_compressed(length: int) -> None:
    entry = Entry({"description": "ä" * length}, [], "openai", "m", "economy", 12, "template", str(uuid.uuid4()))

    value = pack(entry, 1_795_701_400_128)

    assert unpack(value) == entry
    assert len(value) < 1024
    assert unpack(b"\x80\x05pickled by an older version") is None
    assert replace(entry, origin="precomputed").source == "precomputed"


def test_all_that_may_be_lost_has_an_end_and_what_may_not_has_none(client: Client, limited: Workspace) -> None:
    ask(client)
    redis = get_redis_connection("default")

    for name in redis.keys(cache.make_key("*")):
        assert (redis.ttl(name) == -1) == (name.decode() == stream_key()), name
