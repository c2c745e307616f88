"""Circuits, retries and alarms: what a failing provider is spared, and what the shop is."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts.budgets import Payer
from accounts.emails import send_notice
from accounts.models import PLATFORM_WORKSPACE_ID, Notice, User, Workspace
from contentopt.errors import DomainError
from generation import health
from generation.engine import items, writing
from generation.engine.writing import Written, write
from generation.facts import Brief, extract_facts
from generation.health import breakers
from generation.health.breakers import Circuits, LocalCircuits, SharedCircuits
from generation.models import LlmCall, LlmModel, Run
from generation.services.runs import delay_of
from tests.factories import make_catalogue, make_file, make_run, numbered_rows
from tests.servers import KEY, Provider

pytestmark = pytest.mark.django_db

MODEL = "anthropic/claude-haiku-5-5"


@pytest.fixture
def vendor(provider: Provider, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Provider:
    settings.ANTHROPIC_API_KEY, settings.ANTHROPIC_BASE_URL = KEY, provider.url
    settings.MODEL_RETRY_SECONDS = 0.01
    monkeypatch.setattr(writing, "retry_budget", health.RetryBudget())
    LlmModel.objects.exclude(tier="economy").update(is_enabled=False)
    return provider


def mug(number: int) -> Brief:
    return Brief(extract_facts({"title": f"Mug {number:05d}", "attributes": {"Material": "stoneware"}}))


def ask(shop: Workspace, number: int = 1) -> Written | DomainError:
    try:
        return write(mug(number), payer=Payer(shop.pk, "api"))
    except DomainError as error:
        return error


# --- One circuit, in Valkey and in a process's memory ---


@pytest.fixture(params=[SharedCircuits, LocalCircuits])
def circuits(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Circuits:
    monkeypatch.setattr(breakers, "FIRST_WAIT_SECONDS", 0.3)
    made: Circuits = request.param()
    return made


def fail(circuits: Circuits, times: int) -> list[str]:
    return [circuits.report(MODEL, "failed", 1) for _ in range(times)]


def test_circuit_opens_when_enough_failed(circuits: Circuits) -> None:
    assert fail(circuits, breakers.FAILURES_TO_OPEN - 1) == [""] * (breakers.FAILURES_TO_OPEN - 1)
    assert circuits.admit(MODEL) == 0

    assert fail(circuits, 1) == ["opened"]

    assert 0 < circuits.admit(MODEL) <= 0.3
    assert 0 < circuits.down()[MODEL] <= 0.3


def test_failures_among_answers_do_not_open_it(circuits: Circuits) -> None:
    for _ in range(breakers.FAILURES_TO_OPEN * 2):
        assert circuits.report(MODEL, "ok", 1) == ""
        assert circuits.report(MODEL, "ok", 1) == ""
        assert fail(circuits, 1) == [""]

    assert circuits.admit(MODEL) == 0


def test_one_request_finds_out_and_its_answer_closes_it(circuits: Circuits) -> None:
    fail(circuits, breakers.FAILURES_TO_OPEN)
    time.sleep(0.35)

    assert [circuits.admit(MODEL) > 0 for _ in range(3)] == [False, True, True]
    assert circuits.report(MODEL, "ok", 1) == "closed"

    assert circuits.admit(MODEL) == 0
    assert MODEL not in circuits.down()


def test_wait_doubles_when_it_fails_again(circuits: Circuits) -> None:
    fail(circuits, breakers.FAILURES_TO_OPEN)
    assert fail(circuits, 3) == [""] * 3  # of those that were on their way
    time.sleep(0.35)
    assert circuits.admit(MODEL) == 0

    assert fail(circuits, 1) == ["opened"]

    assert 0.3 < circuits.admit(MODEL) <= 0.6


def test_refused_key_opens_it_at_once(circuits: Circuits) -> None:
    assert circuits.report(MODEL, "misconfigured", 1) == "opened"

    assert circuits.admit(MODEL) > 10


def test_too_many_requests_only_rest_it(circuits: Circuits) -> None:
    assert circuits.report(MODEL, "limited", 0.3) == ""
    assert 0 < circuits.admit(MODEL) <= 0.3
    time.sleep(0.35)

    assert [circuits.admit(MODEL) for _ in range(3)] == [0, 0, 0]


# --- A request ---


def test_model_that_is_down_is_not_asked(shop: Workspace, vendor: Provider) -> None:
    vendor.behave({"status": 529})
    for number in range(breakers.FAILURES_TO_OPEN):
        ask(shop, number)

    error = ask(shop, 99)

    assert isinstance(error, DomainError)
    assert (error.status, error.code) == (503, "provider_unavailable")
    assert error.retry_after is not None
    assert 0 < error.retry_after <= breakers.FIRST_WAIT_SECONDS
    assert vendor.meter()["requests"] == breakers.FAILURES_TO_OPEN
    assert health.down_models() == {MODEL}


def test_route_goes_past_a_model_that_is_down(shop: Workspace, vendor: Provider, settings: Any) -> None:
    settings.OPENAI_API_KEY, settings.OPENAI_BASE_URL = KEY, f"{vendor.url}/v1"
    SharedCircuits().report(MODEL, "misconfigured", 1)

    assert isinstance(ask(shop), Written)

    (call,) = LlmCall.objects.in_workspace(shop)
    assert (call.provider, call.outcome) == ("openai", "accepted")


def test_what_is_known_is_served_while_everything_is_down(shop: Workspace, vendor: Provider) -> None:
    assert isinstance(ask(shop), Written)
    SharedCircuits().report(MODEL, "misconfigured", 1)

    again = ask(shop)

    assert isinstance(again, Written)
    assert again.source == "exact"


def test_circuits_hold_without_valkey(shop: Workspace, vendor: Provider, settings: Any) -> None:
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:9/0"}}
    vendor.behave({"status": 529})
    for number in range(breakers.FAILURES_TO_OPEN):
        ask(shop, number)

    ask(shop, 99)

    assert vendor.meter()["requests"] == breakers.FAILURES_TO_OPEN


def test_short_failure_is_not_noticed(shop: Workspace, vendor: Provider, settings: Any) -> None:
    settings.MODEL_RETRIES = 2
    vendor.behave({"status": 529}, {"status": 500}, {})

    assert isinstance(ask(shop), Written)

    calls = LlmCall.objects.in_workspace(shop).order_by("created_at")
    assert [(call.outcome, call.cost_nanos > 0) for call in calls] == [
        ("failed", False),
        ("failed", False),
        ("accepted", True),
    ]


def test_what_may_be_paid_for_is_not_asked_for_twice(shop: Workspace, vendor: Provider, settings: Any) -> None:
    settings.MODEL_RETRIES = 2
    vendor.behave({"fault": "drop"}, {})

    error = ask(shop)

    assert isinstance(error, DomainError)
    assert error.details == {"retryable": True, "charged": True}
    assert "What was sent may cost $0." in error.message
    assert vendor.meter()["requests"] == 1


def test_long_wait_is_told_and_not_waited_for(shop: Workspace, vendor: Provider, settings: Any) -> None:
    settings.MODEL_RETRIES = 2
    vendor.behave({"status": 429, "retry_after": "30"}, {})

    error = ask(shop)

    assert isinstance(error, DomainError)
    assert error.retry_after == 30
    assert vendor.meter()["requests"] == 1


def test_outage_is_not_multiplied(shop: Workspace, vendor: Provider, settings: Any, monkeypatch: Any) -> None:
    settings.MODEL_RETRIES = 2
    monkeypatch.setattr(writing, "retry_budget", health.RetryBudget(share=0.2, most=3))
    monkeypatch.setattr(breakers, "FAILURES_TO_OPEN", 1000)
    vendor.behave({"status": 503})

    for number in range(20):
        ask(shop, number)

    assert vendor.meter()["requests"] <= 20 + 3 + 20 * 0.2


# --- A run ---


def test_run_outlasts_an_outage(shop: Workspace, vendor: Provider) -> None:
    run = make_run(make_catalogue(shop, make_file(numbered_rows(2))))
    vendor.behave({"status": 529})
    for _ in range(3):
        for item in run.items.all():
            run.items.filter(pk=item.pk).update(next_run_at=timezone.now())
            assert items.write_item(item.pk, publish_next=False) == "queued"
    assert {(item.attempt, item.failure.split(":")[0]) for item in run.items.all()} == {
        (0, "No model could write this just now")
    }
    assert not items.finish_run(run.pk)
    delay = delay_of(run)
    assert delay is not None
    assert (delay.items, delay.reason.split(":")[0]) == (2, "No model could write this just now")

    vendor.behave({})
    SharedCircuits().report(MODEL, "ok", 1)
    breakers.known.forget()
    for item in run.items.all():
        run.items.filter(pk=item.pk).update(next_run_at=timezone.now())
        assert items.write_item(item.pk, publish_next=False) == "done"

    run.refresh_from_db()
    assert run.state == Run.State.FINISHED
    assert delay_of(run) is None
    assert vendor.cost_nanos() == sum(LlmCall.objects.in_workspace(shop).values_list("cost_nanos", flat=True))


def test_run_does_not_wait_for_ever(shop: Workspace, vendor: Provider) -> None:
    run = make_run(make_catalogue(shop, make_file(numbered_rows(1))))
    run.items.update(created_at=timezone.now() - items.OUTAGE - timedelta(hours=1), attempt=99)
    vendor.behave({"status": 529})
    run.items.update(attempt=4)

    assert items.write_item(run.items.get().pk, publish_next=False) == "failed"

    assert "No model could write this just now: it is overloaded." in run.items.get().failure


# --- The staff ---


def test_refused_key_is_marked_and_mailed_once(shop: Workspace, vendor: Provider, staff: Client) -> None:
    vendor.behave({"status": 401, "error_code": "authentication_error"})
    ask(shop, 1)
    ask(shop, 2)
    SharedCircuits().report(MODEL, "ok", 1)
    breakers.known.forget()
    ask(shop, 3)

    notice = Notice.objects.in_workspace(PLATFORM_WORKSPACE_ID).get()
    send_notice(notice.pk)

    (message,) = mail.outbox
    assert message.to == [User.objects.get(is_staff=True).email]
    assert message.subject == "ContentOpt: claude-haiku-5-5 refuses us"
    assert "The provider answered 401 (authentication_error)." in message.body
    assert KEY not in message.body
    page = staff.get("/staff/generation/llmmodel/").content.decode()
    assert "Refuses us since" in page
    assert f"/staff/generation/llmmodel/{LlmModel.objects.get(model_id='claude-haiku-5-5').pk}/change/" in message.body


def test_mark_goes_when_the_model_answers_again(shop: Workspace, vendor: Provider, monkeypatch: Any) -> None:
    monkeypatch.setattr(breakers, "LONGEST_WAIT_SECONDS", 0.2)
    vendor.behave({"status": 401}, {})
    ask(shop, 1)
    assert LlmModel.objects.filter(refused_at__isnull=False).count() == 1
    time.sleep(0.25)

    assert isinstance(ask(shop, 2), Written)

    assert not LlmModel.objects.filter(refused_at__isnull=False).exists()


def test_staff_see_which_model_is_down_and_take_the_mark_away(shop: Workspace, vendor: Provider, staff: Client) -> None:
    vendor.behave({"status": 400})
    ask(shop)
    model = LlmModel.objects.get(refused_at__isnull=False)
    assert health.down_models() == frozenset()

    staff.post("/staff/generation/llmmodel/", {"action": "mark_as_seen_to", "_selected_action": [model.pk]})

    model.refresh_from_db()
    assert model.refused_at is None
    SharedCircuits().report(MODEL, "misconfigured", 1)
    breakers.known.forget()
    assert "Down, asked again in" in staff.get("/staff/generation/llmmodel/").content.decode()
