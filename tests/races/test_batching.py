"""Requests that come at the same moment share a call: real threads, the real engine, a provider on loopback."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection

from accounts.budgets import Payer
from accounts.models import ApiKey, Reservation, UsageEntry, User, Workspace
from accounts.reconciling import check_accounts, compare, default_since
from accounts.services.keys import issue_key
from contentopt.errors import DomainError
from contentopt.tenancy import entering
from generation.engine.items import items_per_task, write_items
from generation.engine.writing import Written, write
from generation.facts import Brief, extract_facts
from generation.models import Flight, LlmCall, Run
from generation.reconciling import CALLS
from tests.factories import make_catalogue, make_file, make_run, numbered_rows
from tests.races.product import eventually
from tests.races.watching import WATCH
from tests.servers import KEY, RATES, Provider

pytestmark = pytest.mark.processes

FIRST = 1  # the number of the mug that keeps the provider busy while others gather


@pytest.fixture
def vendor(provider: Provider, settings: Any) -> Provider:
    settings.ANTHROPIC_API_KEY = KEY
    settings.ANTHROPIC_BASE_URL = provider.url
    settings.MICRO_BATCH_SECONDS = 10
    settings.BUDGET_WAIT_SECONDS = 0.1
    return provider


def mug(number: int, **wishes: Any) -> Brief:
    return Brief(extract_facts({"title": f"Mug {number:05d}", "attributes": {"Material": "stoneware"}}), **wishes)


def write_mug(payer: Payer, number: int, **wishes: Any) -> Written | DomainError:
    try:
        with entering(payer.workspace_id):
            return write(mug(number, **wishes), payer=payer)
    except DomainError as error:
        return error
    finally:
        connection.close()


@contextmanager
def busy(provider: Provider, payer: Payer, *then: dict[str, Any]) -> Iterator[None]:
    """One call is in flight while the block runs; how the next ones are answered."""
    provider.behave({"barrier": True}, *(then or ({},)))
    with ThreadPoolExecutor(1) as thread:
        first = thread.submit(write_mug, payer, FIRST)
        assert eventually(lambda: provider.meter()["requests"] == 1, pause=0.01)
        try:
            yield
        finally:
            provider.release()
        assert isinstance(first.result(), Written)


def gather(payers: list[Payer], settings: Any, **wishes: Any) -> list[Written | DomainError]:
    """So many mugs asked for while a call is in flight: they leave when the last one has come."""
    settings.MICRO_BATCH_MOST = len(payers)
    with ThreadPoolExecutor(len(payers)) as threads:
        asked = enumerate(payers, start=FIRST + 1)
        return list(threads.map(lambda pair: write_mug(pair[1], pair[0], **wishes), asked))


def assert_each_has_its_own_text(texts: list[Written | DomainError]) -> None:
    for number, text in enumerate(texts, start=FIRST + 1):
        assert isinstance(text, Written), text
        assert text.entry.fields["description"] == f"The Mug {number:05d}. Material: stoneware."


def assert_books_are_the_providers(shop: Workspace, provider: Provider) -> None:
    served = provider.meter()["served"]
    calls = LlmCall.objects.in_workspace(shop)
    for call in served:
        parts = [part for part in calls if str(part.batch_id or part.pk) == call["call_id"]]
        assert sum(part.input_tokens for part in parts) == call["input_uncached"]
        assert sum(part.output_tokens for part in parts) == call["output"]
        assert sum(part.cost_nanos for part in parts) == sum(call[name] * rate for name, rate in RATES.items())
    assert all(call.cost_nanos <= call.ceiling_nanos for call in calls)
    lines = UsageEntry.objects.in_workspace(shop)
    assert {line.reservation_id: line.cost_nanos for line in lines if line.reservation_id} == {
        call.pk: call.cost_nanos for call in calls
    }
    with connection.cursor() as cursor:
        cursor.execute(WATCH)
        assert [row for row in cursor.fetchall() if row[3] != row[4] or row[3]] == []
    findings = [*check_accounts(default_since()), compare(CALLS, default_since())]
    assert [difference for finding in findings for difference in finding.differences] == []


def test_texts_that_come_together_are_one_call_and_share_its_cost(
    shop: Workspace, vendor: Provider, settings: Any
) -> None:
    payer = Payer(shop.pk, "api")
    with busy(vendor, payer):
        texts = gather([payer] * 4, settings)

    assert_each_has_its_own_text(texts)
    assert vendor.meter()["requests"] == 2
    assert_books_are_the_providers(shop, vendor)
    assert Counter(LlmCall.objects.in_workspace(shop).values_list("batch_id", flat=True)).most_common(1)[0][1] == 4
    for text in texts:
        assert isinstance(text, Written)
        step = next(step for step in text.explanation if step["outcome"] == "shared")
        assert step["layer"] == "model"
        assert step["reason"].startswith("Sent with 3 other requests in one call; waited ")
        assert text.spent.cost_nanos == LlmCall.objects.in_workspace(shop).get(text_id=text.text_id).cost_nanos > 0


@pytest.mark.parametrize(
    ("fault", "sent_alone"),
    [
        ({"shared": "missing"}, 1),
        ({"shared": "twice"}, 2),
        ({"shared": "swapped"}, 2),
        ({"shared": "cut_json"}, 3),
        ({"stop": "max_tokens"}, 3),
        ({"status": 400}, 3),
    ],
    ids=str,
)
def test_part_that_came_back_wrong_is_tried_again_alone(
    shop: Workspace, vendor: Provider, settings: Any, fault: dict[str, Any], sent_alone: int
) -> None:
    payer = Payer(shop.pk, "api")
    with busy(vendor, payer, fault, {}):
        texts = gather([payer] * 3, settings)

    assert_each_has_its_own_text(texts)
    assert vendor.meter()["requests"] == 2 + sent_alone
    assert_books_are_the_providers(shop, vendor)


@pytest.mark.parametrize(("fault", "is_charged"), [({"status": 529}, False), ({"fault": "drop"}, True)], ids=str)
def test_failed_call_is_each_ones_own_failure(
    shop: Workspace, vendor: Provider, settings: Any, fault: dict[str, Any], is_charged: bool
) -> None:
    payer = Payer(shop.pk, "api")
    with busy(vendor, payer, fault):
        replies = gather([payer] * 3, settings)

    assert [reply.code for reply in replies if isinstance(reply, DomainError)] == ["provider_unavailable"] * 3
    failed = LlmCall.objects.in_workspace(shop).filter(outcome=LlmCall.Outcome.FAILED, tier="economy")
    assert [call.cost_nanos == call.ceiling_nanos for call in failed] == [is_charged] * 3
    assert_books_are_the_providers(shop, vendor)


def test_whoever_may_not_spend_is_refused_and_the_others_go(
    shop: Workspace, alice: User, vendor: Provider, settings: Any
) -> None:
    key, _ = issue_key(workspace=shop, name="Script", scopes=["write"])
    ApiKey.objects.in_workspace(shop).filter(pk=key.pk).update(spend_cap_nanos=1)
    payer, poor = Payer(shop.pk, "api", user_id=alice.pk), Payer(shop.pk, "api", api_key_id=key.pk)
    with busy(vendor, payer):
        with ThreadPoolExecutor(1) as thread:
            refused = thread.submit(write_mug, poor, 99)
            assert refused.result().code == "budget_exhausted"  # type: ignore[union-attr]
        texts = gather([payer, payer], settings)

    assert_each_has_its_own_text(texts)
    assert vendor.meter()["requests"] == 2
    assert_books_are_the_providers(shop, vendor)


def test_those_who_wait_for_company_hold_no_money(shop: Workspace, vendor: Provider, settings: Any) -> None:
    payer = Payer(shop.pk, "api")
    settings.MICRO_BATCH_MOST = 4
    with ThreadPoolExecutor(3) as threads:
        with busy(vendor, payer):
            asked = [threads.submit(write_mug, payer, number) for number in (2, 3, 4)]
            assert eventually(lambda: Flight.objects.in_workspace(shop).count() == 4, pause=0.01)
            assert not Reservation.objects.in_workspace(shop).filter(state=Reservation.State.HELD).exists()
        replies = [each.result() for each in asked]

    assert_each_has_its_own_text(replies)
    assert_books_are_the_providers(shop, vendor)


def test_only_the_same_wishes_of_one_workspace_share(
    shop: Workspace, other_shop: Workspace, vendor: Provider, settings: Any
) -> None:
    payer, stranger = Payer(shop.pk, "api"), Payer(other_shop.pk, "api")
    settings.MICRO_BATCH_SECONDS = 0.5
    with busy(vendor, payer), ThreadPoolExecutor(4) as threads:
        asked = [
            threads.submit(write_mug, payer, 2),
            threads.submit(write_mug, payer, 3),
            threads.submit(write_mug, payer, 4, tone="playful"),
            threads.submit(write_mug, stranger, 5),
        ]
        steps = [reply.result().explanation for reply in asked]  # type: ignore[union-attr]
        shared = [any(step["outcome"] == "shared" for step in each) for each in steps]

    assert shared == [True, True, False, False]
    assert vendor.meter()["requests"] == 4


def test_request_waits_for_nobody_when_no_call_is_in_flight(shop: Workspace, vendor: Provider) -> None:
    began = time.monotonic()

    assert isinstance(write_mug(Payer(shop.pk, "api"), 2), Written)
    assert isinstance(write_mug(Payer(shop.pk, "api"), 3), Written)

    assert time.monotonic() - began < 5


def test_nothing_is_shared_when_sharing_is_off(shop: Workspace, vendor: Provider, settings: Any) -> None:
    settings.MICRO_BATCH_SECONDS = 0
    payer = Payer(shop.pk, "api")
    with busy(vendor, payer):
        texts = gather([payer] * 3, settings)

    assert_each_has_its_own_text(texts)
    assert vendor.meter()["requests"] == 4
    assert items_per_task() == 1


# --- Runs -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def run_of(shop: Workspace, vendor: Provider) -> Callable[[list[str]], Run]:
    return lambda rows: make_run(make_catalogue(shop, make_file(rows)))


def write_all(run: Run) -> None:
    ids = list(run.items.order_by("position").values_list("pk", flat=True))
    for first in range(0, len(ids), items_per_task()):
        write_items(ids[first : first + items_per_task()], publish_next=False)
    run.refresh_from_db()


def test_run_is_complete_with_a_quarter_of_the_calls(
    shop: Workspace, vendor: Provider, run_of: Callable[[list[str]], Run]
) -> None:
    run = run_of(numbered_rows(12))

    write_all(run)

    assert run.state == Run.State.FINISHED
    texts = [item.product.text.description for item in run.items.select_related("product__text")]  # type: ignore[union-attr]
    assert all(f"Mug {number:05d}" in text for number, text in enumerate(texts, start=1))
    assert vendor.meter()["requests"] == 3
    assert_books_are_the_providers(shop, vendor)


def test_equal_products_of_a_task_are_written_once(vendor: Provider, run_of: Callable[[list[str]], Run]) -> None:
    run = run_of(["A-1,Mug,stoneware,blue,", "A-2,Mug,stoneware,blue,", "A-3,Plate,stoneware,blue,"])

    write_all(run)

    assert run.state == Run.State.FINISHED
    assert vendor.meter()["requests"] == 1
    sources = run.items.values_list("product__text__source", flat=True)
    assert Counter(sources) == {"model": 2, "coalesced": 1}


def test_item_that_fails_is_the_only_one(shop: Workspace, vendor: Provider, run_of: Callable[[list[str]], Run]) -> None:
    run = run_of(numbered_rows(4))
    vendor.behave({"shared": "empty"}, {"status": 400})

    write_all(run)

    assert sorted(run.items.values_list("state", flat=True)) == ["done", "done", "done", "failed"]
    assert_books_are_the_providers(shop, vendor)
