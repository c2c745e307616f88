"""How models do, as staff see it and as Prometheus reads it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from accounts.models import Reservation, Workspace
from generation import health
from generation.llm.errors import LlmError
from generation.llm.prices import PRICES
from generation.models import LlmCall
from generation.services import performance
from generation.services.performance import SPANS
from tests.factories import make_catalogue, make_run

pytestmark = pytest.mark.django_db

TOKEN = "a-long-random-token"
SPECS = {spec.model_id: spec for spec in PRICES}


def make_call(shop: Workspace, ago: timedelta = timedelta(0), **columns: Any) -> LlmCall:
    """A call that brought an accepted text, unless told otherwise."""
    usual: dict[str, Any] = {
        "provider": "anthropic",
        "model_id": "claude-haiku-5-5",
        "tier": "economy",
        "attempt": 1,
        "outcome": "accepted",
        "input_tokens": 100,
        "output_tokens": 50,
        "cost_nanos": 35_000,
        "latency_ms": 800,
        "finished_at": timezone.now() - ago,
    }
    return LlmCall.objects.create(workspace=shop, **{**usual, **columns})


def total_of(span: str = "day") -> performance.Performance:
    return performance.in_all(performance.finished_since(performance.start_of(SPANS[span])))


# --- Figures ----------------------------------------------------------------------------------------------------------


def test_rates_are_of_what_they_can_be_of(shop: Workspace) -> None:
    make_call(shop)
    make_call(shop, cached_tokens=300)
    make_call(shop, outcome="refused")
    make_call(shop, outcome="failed", error_kind="timeout", input_tokens=0, output_tokens=0, latency_ms=0)

    total = total_of()

    assert (total.calls, total.error_percent) == (4, 25.0)
    assert total.refused_percent == pytest.approx(100 / 3)  # of three texts
    assert total.cached_percent == 50.0  # 300 of 600
    assert total.cost_nanos == 4 * 35_000


def test_times_are_of_calls_that_brought_a_text(shop: Workspace) -> None:
    for latency_ms in (100, 200, 300):
        make_call(shop, latency_ms=latency_ms)
    make_call(shop, outcome="failed", latency_ms=0)

    total = total_of()

    assert total.median_ms == 200
    assert total.slow_ms == pytest.approx(290)


def test_nothing_is_said_of_times_where_no_text_came(shop: Workspace) -> None:
    make_call(shop, outcome="unknown", latency_ms=0)

    assert total_of().median_ms is None


def test_models_are_told_apart_by_task_the_dearest_first(shop: Workspace) -> None:
    make_call(shop)
    make_call(shop, task="translate", cost_nanos=90_000)

    rows = performance.by_model_and_task(performance.finished_since(timezone.now() - timedelta(hours=1)))

    assert [(row.task, row.performance.cost_nanos) for row in rows] == [("translate", 90_000), ("description", 35_000)]


def test_calls_still_on_their_way_are_not_counted(shop: Workspace) -> None:
    make_call(shop, outcome="dispatched", finished_at=None)

    assert total_of().calls == 0


@pytest.mark.parametrize(("span", "steps", "first"), [("day", 24, 23), ("week", 28, 6 * 27), ("month", 30, 24 * 29)])
def test_every_step_of_a_span_is_there_and_holds_its_own_calls(
    shop: Workspace, span: str, steps: int, first: int
) -> None:
    chosen = SPANS[span]
    start = performance.start_of(chosen)
    make_call(shop, finished_at=start)  # the first moment that counts
    make_call(shop, finished_at=start - timedelta(seconds=1))
    make_call(shop, cost_nanos=1)

    found = performance.by_step(performance.finished_since(start), chosen, start)

    assert [step.performance.calls for step in found] == [1] + [0] * (steps - 2) + [1]
    assert found[-1].begins <= timezone.now() < found[-1].begins + chosen.step
    assert found[-1].begins - found[0].begins == timedelta(hours=first)


def test_steps_begin_on_the_hour_and_at_midnight() -> None:
    moment = datetime(2026, 3, 1, 14, 35, tzinfo=UTC)

    assert SPANS["day"].start(moment) == datetime(2026, 2, 28, 15, tzinfo=UTC)
    assert SPANS["week"].start(moment) == datetime(2026, 2, 22, 18, tzinfo=UTC)
    assert SPANS["month"].start(moment) == datetime(2026, 1, 31, tzinfo=UTC)


# --- The page ---------------------------------------------------------------------------------------------------------


def test_page_draws_and_lists_what_models_did(staff: Client, shop: Workspace) -> None:
    make_call(shop, cost_nanos=2_000_000_000)
    make_call(shop, outcome="failed", latency_ms=0, cost_nanos=0)

    page = staff.get(reverse("staff_models")).content.decode()

    assert "claude-haiku-5-5" in page
    assert "50.0 %" in page
    assert "$2.00" in page
    assert page.count('role="img"') == 4
    assert re.search(r"1 accepted, 1 failed", page)


def test_page_of_one_model_leaves_the_others_out_of_its_sums(staff: Client, shop: Workspace) -> None:
    make_call(shop, cost_nanos=2_000_000_000)
    make_call(shop, provider="router", model_id="meta/llama-5", cost_nanos=3_000_000_000)

    page = staff.get(reverse("staff_models"), {"model": "router/meta/llama-5"}).content.decode()

    assert "router/meta/llama-5 alone" in page
    assert re.search(r"<dt>Calls</dt><dd>1</dd>", page)
    assert re.search(r"<dt>Cost</dt><dd>\$3.00</dd>", page)


def test_page_of_a_span_holds_no_older_calls(staff: Client, shop: Workspace) -> None:
    make_call(shop, timedelta(days=5))

    assert "No model was called in this time." in staff.get(reverse("staff_models")).content.decode()
    week = staff.get(reverse("staff_models"), {"span": "week"}).content.decode()
    assert "claude-haiku-5-5" in week


def test_page_takes_as_many_queries_for_many_models_as_for_one(staff: Client, shop: Workspace) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert staff.get(reverse("staff_models")).status_code == 200
        return len(queries)

    make_call(shop)
    few = count()
    for number in range(20):
        make_call(shop, model_id=f"model-{number}")

    assert count() == few


# --- Metrics ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def scrape(settings: Any) -> Any:
    settings.METRICS_TOKEN = TOKEN

    def read() -> dict[tuple[str, tuple[str, ...]], float]:
        response = Client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        assert response.status_code == 200
        families = text_string_to_metric_families(response.content.decode())
        return {
            (sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value
            for family in families
            for sample in family.samples
        }

    return read


def test_metrics_are_closed_without_a_token(client: Client) -> None:
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


@pytest.mark.parametrize("header", ["", "Bearer ", "Bearer wrong", f"Basic {TOKEN}", TOKEN])
def test_metrics_are_closed_to_whoever_has_not_the_token(client: Client, settings: Any, header: str) -> None:
    settings.METRICS_TOKEN = TOKEN

    response = client.get("/metrics", headers={"Authorization": header})

    assert (response.status_code, response.content) == (401, b"")


def test_staff_who_are_signed_in_need_the_token_all_the_same(staff: Client, settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN

    assert staff.get("/metrics").status_code == 401


def test_metrics_are_never_stored(client: Client, settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN

    response = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})

    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Content-Type"].startswith("text/plain; version=")


def test_calls_tokens_cost_and_times_of_today_are_counted(shop: Workspace, scrape: Any) -> None:
    model = ("claude-haiku-5-5", "anthropic")  # labels in the order of their names
    make_call(shop, latency_ms=700)
    make_call(shop, latency_ms=3_000, cached_tokens=900, outcome="refused")
    make_call(shop, outcome="failed", error_kind="timeout", latency_ms=0, input_tokens=0, output_tokens=0)
    make_call(shop, timedelta(days=1, minutes=1))

    found = scrape()

    calls = {key[1][1]: value for key, value in found.items() if key[0] == "contentopt_model_calls_total"}
    assert calls == {"accepted": 1, "refused": 1, "failed": 1}
    assert found["contentopt_model_errors_total", ("timeout", *model)] == 1
    assert found["contentopt_model_tokens_total", ("cached", *model)] == 900
    assert found["contentopt_model_tokens_total", ("input", *model)] == 200
    assert found["contentopt_model_cost_usd_total", model] == pytest.approx(3 * 0.000035)
    assert found["contentopt_model_latency_seconds_bucket", ("1.0", *model)] == 1
    assert found["contentopt_model_latency_seconds_bucket", ("+Inf", *model)] == 2
    assert found["contentopt_model_latency_seconds_sum", model] == pytest.approx(3.7)


def test_what_waits_and_what_is_held_are_there_to_alarm(shop: Workspace, scrape: Any) -> None:
    assert scrape()["contentopt_jobs_waiting", ("runitem",)] == 0
    run = make_run(make_catalogue(shop))
    run.items.update(created_at=timezone.now() - timedelta(hours=2))
    expired = timezone.now() - timedelta(minutes=1)
    Reservation.objects.create(workspace=shop, amount_nanos=5_000_000, budget_ids=[], entry={}, expires_at=expired)

    found = scrape()

    assert found["contentopt_jobs_waiting", ("runitem",)] == 3
    assert found["contentopt_oldest_job_seconds", ("runitem",)] == pytest.approx(7_200, abs=60)
    assert (found["contentopt_holds_open", ()], found["contentopt_holds_expired", ()]) == (1, 1)
    assert found["contentopt_holds_open_usd", ()] == 0.005
    assert found["contentopt_spending_stopped", ()] == 0


def test_model_that_is_left_alone_is_seen_on_the_page_and_in_the_metrics(
    staff: Client, scrape: Any, request: pytest.FixtureRequest
) -> None:
    haiku = SPECS["claude-haiku-5-5"]
    request.addfinalizer(lambda: health.report(haiku))
    assert scrape()["contentopt_circuit_open", ("claude-haiku-5-5", "anthropic")] == 0

    for _ in range(20):
        health.report(haiku, LlmError("overloaded", "The provider answered 529.", retryable=True))

    found = scrape()
    assert found["contentopt_circuit_open", ("claude-haiku-5-5", "anthropic")] == 1
    assert found["contentopt_circuit_open", ("gpt-6-luna", "openai")] == 0
    assert "anthropic/claude-haiku-5-5" in staff.get(reverse("staff_models")).content.decode()


def test_a_scrape_takes_as_many_queries_however_much_there_is(shop: Workspace, scrape: Any) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            scrape()
        return len(queries)

    few = count()
    for number in range(20):
        make_call(shop, model_id=f"model-{number}")
    make_run(make_catalogue(shop))

    assert count() == few


def test_no_workspace_is_named_in_the_metrics(shop: Workspace, client: Client, settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN
    make_call(shop)

    said = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).content.decode()

    assert shop.slug not in said
    assert str(shop.pk) not in said
