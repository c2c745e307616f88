"""Free answers: counted without PostgreSQL while somebody waits, once, whatever is down."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone
from django_redis import get_redis_connection

from accounts.budgets import Payer
from accounts.metering import DRAIN_AT_ONCE, SET_ASIDE, STREAM, drain_free_answers, record_free
from accounts.models import Deletion, UsageEntry, User, Workspace
from contentopt.engines.engine import free_port

pytestmark = pytest.mark.django_db


def answer(payer: Payer, **changes: Any) -> None:
    known = {"source": "exact", "provider": "anthropic", "model_id": "claude-haiku-5-5", "tier": "economy"}
    record_free(payer, **{**known, "text_id": uuid.uuid4(), "saved_nanos": 700, **changes})


@pytest.fixture
def payer(shop: Workspace, alice: User) -> Payer:
    return Payer(shop.pk, "api", user_id=alice.pk, api_key_id=uuid.uuid4())


@pytest.fixture
def no_valkey(settings: Any) -> None:
    nowhere = f"redis://127.0.0.1:{free_port()}/0"
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": nowhere}}


def waiting() -> list[tuple[bytes, dict[bytes, bytes]]]:
    lines: list[tuple[bytes, dict[bytes, bytes]]] = get_redis_connection("default").xrange(cache.make_key(STREAM))
    return lines


def put_in_line(line: bytes | str) -> None:
    get_redis_connection("default").xadd(cache.make_key(STREAM), {"line": line})


def ledger(workspace: Workspace) -> list[UsageEntry]:
    return list(UsageEntry.objects.in_workspace(workspace).order_by("recorded_at"))


def test_free_answer_is_recorded_without_postgresql(payer: Payer, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        answer(payer)

    assert len(waiting()) == 1


def test_free_answer_reaches_the_ledger_whole(shop: Workspace, payer: Payer) -> None:
    text_id = uuid.uuid4()
    answer(payer, text_id=text_id, source="coalesced")

    assert drain_free_answers() == 1

    (entry,) = ledger(shop)
    assert (entry.basis, entry.source, entry.endpoint, entry.tier) == ("free", "coalesced", "api", "economy")
    assert (entry.provider, entry.model_id) == ("anthropic", "claude-haiku-5-5")
    assert (entry.user_id, entry.api_key_id, entry.run_id) == (payer.user_id, payer.api_key_id, None)
    assert (entry.text_id, entry.reservation_id) == (text_id, None)
    assert (entry.answers, entry.calls, entry.cost_nanos, entry.saved_nanos) == (1, 0, 0, 700)
    assert (entry.recorded_at - entry.occurred_at).total_seconds() < 10


def test_draining_again_counts_nothing_again(shop: Workspace, payer: Payer) -> None:
    answer(payer)
    drain_free_answers()

    assert drain_free_answers() == 0

    assert len(ledger(shop)) == 1
    assert waiting() == []


def test_line_that_reached_the_ledger_before_counts_once(shop: Workspace, payer: Payer) -> None:
    answer(payer)
    line = waiting()[0][1][b"line"]
    drain_free_answers()
    put_in_line(line)

    drain_free_answers()

    assert len(ledger(shop)) == 1


def test_more_lines_than_fit_in_a_batch_are_drained_at_once(shop: Workspace, payer: Payer) -> None:
    answer(payer)
    line = json.loads(waiting()[0][1][b"line"])
    for _ in range(DRAIN_AT_ONCE + 1):
        put_in_line(json.dumps({**line, "id": str(uuid.uuid4())}))

    assert drain_free_answers() == DRAIN_AT_ONCE + 2

    assert UsageEntry.objects.in_workspace(shop).count() == DRAIN_AT_ONCE + 2


@pytest.mark.usefixtures("no_valkey")
def test_without_valkey_the_line_goes_straight_to_the_ledger(shop: Workspace, payer: Payer) -> None:
    answer(payer)

    (entry,) = ledger(shop)
    assert (entry.basis, entry.answers, entry.saved_nanos) == ("free", 1, 700)


def test_when_too_many_wait_the_next_ones_go_straight_to_the_ledger(
    shop: Workspace, payer: Payer, settings: Any
) -> None:
    settings.FREE_ANSWERS_WAITING = 2

    for _ in range(3):
        answer(payer)

    assert (len(waiting()), len(ledger(shop))) == (2, 1)
    drain_free_answers()
    assert len(ledger(shop)) == 3


@pytest.mark.parametrize("line", ["no JSON", "[]", "{}", '{"workspace_id": 7}', '{"workspace_id": null}'])
def test_unreadable_line_is_set_aside_and_holds_up_nothing(shop: Workspace, payer: Payer, line: str) -> None:
    put_in_line(line)
    answer(payer)

    drain_free_answers()

    assert len(ledger(shop)) == 1
    assert waiting() == []
    aside = get_redis_connection("default").xrange(cache.make_key(SET_ASIDE))
    assert [fields for _, fields in aside] == [{b"line": line.encode()}]


@pytest.mark.parametrize(
    "change", [{"colour": "red"}, {"source": "x" * 200}, {"occurred_at": "yesterday"}, {"id": "1"}]
)
def test_line_that_the_ledger_would_refuse_is_set_aside(shop: Workspace, payer: Payer, change: dict[str, str]) -> None:
    answer(payer)
    line = json.loads(waiting()[0][1][b"line"])
    put_in_line(json.dumps({**line, "id": str(uuid.uuid4()), **change}))

    drain_free_answers()

    assert len(ledger(shop)) == 1
    assert get_redis_connection("default").xlen(cache.make_key(SET_ASIDE)) == 1


def test_lines_of_a_deleted_workspace_are_dropped(shop: Workspace, other_shop: Workspace, payer: Payer) -> None:
    answer(Payer(other_shop.pk, "api"))
    answer(payer)
    now = timezone.now()
    Deletion.objects.create(workspace=other_shop, state="running", erases_at=now, next_run_at=now)
    other_shop.delete()

    drain_free_answers()

    assert len(ledger(shop)) == 1
    assert waiting() == []


def test_what_waits_is_never_evicted(payer: Payer) -> None:
    """The cache's policy evicts keys that expire, and no others."""
    answer(payer)

    assert get_redis_connection("default").ttl(cache.make_key(STREAM)) == -1
