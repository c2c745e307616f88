"""Both vendors' batches through their real SDKs, and the loopback server held to the SDKs' own types."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx2
import pytest
from anthropic.types.messages import MessageBatch, MessageBatchIndividualResponse
from django.utils import timezone
from openai.types import Batch, FileObject
from pydantic import TypeAdapter

from generation.llm.batches import BatchApi, Line, Result, Status
from generation.llm.errors import LlmError
from generation.llm.prices import cost_nanos
from generation.llm.providers import batch_api
from generation.llm.types import Completion, Endpoint, ModelSpec
from tests.generation.llm_calls import ANTHROPIC, OPENAI, TEXT, Api, make_request
from tests.servers import KEY, Provider


@dataclass(frozen=True)
class Vendor:
    api: Api
    server: Provider

    @property
    def batches(self) -> BatchApi:
        return batch_api(self.api.spec.kind)

    @property
    def spec(self) -> ModelSpec:
        return self.api.spec

    @property
    def endpoint(self) -> Endpoint:
        return self.api.endpoint(self.server)

    def lines(self, count: int = 3) -> list[Line]:
        return [self.batches.build_line(make_request(call_id=f"call-{n}"), self.spec) for n in range(count)]

    def create(self, count: int = 3) -> Status:
        return self.batches.create("batch-1", self.lines(count), self.endpoint)

    def outcomes(self, vendor_id: str) -> dict[str, Completion | LlmError]:
        results: list[Result] = self.batches.results(vendor_id, self.endpoint)
        return {result.call_id: result.outcome for result in results}

    def find(self, since: datetime, *, lines: int = 3, others: tuple[str, ...] = ()) -> Status | None:
        return self.batches.find("batch-1", lines, self.endpoint, since=since, others=others)


@pytest.fixture(params=[ANTHROPIC, OPENAI], ids=["anthropic", "openai"])
def vendor(request: pytest.FixtureRequest, provider: Provider) -> Vendor:
    return Vendor(request.param, provider)


def long_ago() -> datetime:
    return timezone.now() - timedelta(minutes=5)


def test_each_line_comes_back_as_a_text_at_the_batch_price(vendor: Vendor) -> None:
    status = vendor.create()

    assert vendor.batches.poll(status.vendor_id, vendor.endpoint).is_ended
    outcomes = vendor.outcomes(status.vendor_id)
    assert set(outcomes) == {"call-0", "call-1", "call-2"}
    for outcome in outcomes.values():
        assert isinstance(outcome, Completion)
        assert outcome.text == TEXT
        assert outcome.usage is not None
        assert outcome.usage.tier == "batch"
    served = {each["call_id"]: each for each in vendor.server.meter()["batched"]}
    usage = outcomes["call-0"].usage
    assert usage is not None
    price = vendor.spec.price
    assert (
        cost_nanos(usage, price)
        == (served["call-0"]["input_uncached"] * price.batch_input + served["call-0"]["output"] * price.batch_output)
        // 1_000_000
    )


def test_batch_that_is_under_way_is_not_ended(vendor: Vendor) -> None:
    vendor.server.treat_batches(hold=True)

    status = vendor.create()

    assert not status.is_ended
    assert not vendor.batches.poll(status.vendor_id, vendor.endpoint).is_ended


def test_lines_that_the_vendor_refused_or_never_began_cost_nothing(vendor: Vendor) -> None:
    vendor.server.treat_batches(errored=1, expired=1)

    outcomes = vendor.outcomes(vendor.batches.poll(vendor.create().vendor_id, vendor.endpoint).vendor_id)

    errors = {call_id: outcome for call_id, outcome in outcomes.items() if isinstance(outcome, LlmError)}
    assert {call_id: (error.kind, error.retryable) for call_id, error in errors.items()} == {
        "call-1": ("bad_request", False),
        "call-2": ("expired", True),
    }
    assert not any(error.may_have_been_charged or error.usage for error in errors.values())
    assert not any("product_facts" in error.message for error in errors.values())


def test_overloaded_line_of_anthropics_may_be_asked_again(provider: Provider) -> None:
    vendor = Vendor(ANTHROPIC, provider)
    vendor.server.treat_batches(errored=1, error_type="overloaded_error")

    status = vendor.batches.poll(vendor.create(1).vendor_id, vendor.endpoint)

    outcome = vendor.outcomes(status.vendor_id)["call-0"]
    assert isinstance(outcome, LlmError)
    assert (outcome.kind, outcome.retryable, outcome.may_have_been_charged) == ("overloaded", True, False)


@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [({"stop": "cut"}, "cut"), ({"text": ""}, "empty"), ({"stop": None}, "malformed")],
)
def test_reply_that_is_no_text_is_paid_for_at_the_batch_price(
    vendor: Vendor, behaviour: dict[str, Any], kind: str
) -> None:
    if behaviour.get("stop") == "cut":
        behaviour = {"stop": vendor.api.cut_stop}
    vendor.server.behave(behaviour)

    status = vendor.batches.poll(vendor.create(1).vendor_id, vendor.endpoint)

    outcome = vendor.outcomes(status.vendor_id)["call-0"]
    assert isinstance(outcome, LlmError)
    assert outcome.kind == kind
    assert outcome.usage is not None
    assert outcome.usage.tier == "batch"


def test_cancelled_batch_ends_with_what_was_served(vendor: Vendor) -> None:
    vendor.server.treat_batches(hold=True, served_before_cancel=1)
    status = vendor.create()

    vendor.batches.cancel(status.vendor_id, vendor.endpoint)
    ended = vendor.batches.poll(status.vendor_id, vendor.endpoint)
    vendor.batches.cancel(status.vendor_id, vendor.endpoint)  # once more is no harm

    outcomes = vendor.outcomes(status.vendor_id)
    assert ended.is_ended
    assert [call_id for call_id, outcome in outcomes.items() if isinstance(outcome, Completion)] == ["call-0"]
    unserved = [*outcomes.values(), ended.absent]  # a line of its own each, or none
    assert {error.kind for error in unserved if isinstance(error, LlmError)} == {"cancelled"}


def test_batch_whose_reply_was_lost_is_found_by_what_is_known_of_it(vendor: Vendor) -> None:
    vendor.server.treat_batches(loses=True)
    with pytest.raises(LlmError) as failure:
        vendor.create()
    assert failure.value.may_have_been_charged

    found = vendor.find(long_ago())

    assert found is not None
    assert vendor.find(long_ago(), others=(found.vendor_id,)) is None
    assert vendor.find(timezone.now() + timedelta(minutes=5)) is None


def test_batch_of_another_size_is_not_taken_for_a_lost_one_of_anthropics(provider: Provider) -> None:
    vendor = Vendor(ANTHROPIC, provider)
    vendor.create(2)

    assert vendor.find(long_ago(), lines=3) is None


def test_batch_of_another_name_is_not_taken_for_a_lost_one_of_openais(provider: Provider) -> None:
    vendor = Vendor(OPENAI, provider)
    vendor.batches.create("batch-2", vendor.lines(), vendor.endpoint)

    assert vendor.find(long_ago()) is None


def test_batch_that_openai_refuses_as_a_whole_has_failed(provider: Provider) -> None:
    provider.treat_batches(fails=True)
    vendor = Vendor(OPENAI, provider)

    status = vendor.batches.poll(vendor.create().vendor_id, vendor.endpoint)

    assert status.is_ended
    assert status.failure is not None
    assert "invalid_json_line" in status.failure.message
    assert not status.failure.may_have_been_charged


@pytest.mark.parametrize("status", [401, 404, 429, 503])
def test_refusal_to_create_is_one_of_ours(vendor: Vendor, status: int) -> None:
    vendor.server.treat_batches(create_status=status)

    with pytest.raises(LlmError) as failure:
        vendor.create()

    assert failure.value.retryable == (status in (429, 503))
    assert not failure.value.may_have_been_charged


def test_server_speaks_as_the_sdks_types_have_it(provider: Provider) -> None:
    """Nobody else vouches for it."""
    provider.treat_batches(errored=1, expired=1)
    for vendor in (Vendor(ANTHROPIC, provider), Vendor(OPENAI, provider)):
        vendor.batches.poll(vendor.create(3).vendor_id, vendor.endpoint)
    headers = {"x-api-key": KEY}

    def told(path: str) -> Any:
        return httpx2.get(f"{provider.url}/v1/{path}", headers=headers).json()

    (anthropic,) = told("messages/batches")["data"]
    strictly(MessageBatch, anthropic)
    lines = httpx2.get(f"{provider.url}{anthropic['results_url']}", headers=headers).text.splitlines()
    for line in lines:
        TypeAdapter(MessageBatchIndividualResponse).validate_json(line, strict=True)
    assert len(lines) == 3
    (openai,) = told("batches")["data"]
    strictly(Batch, openai)
    assert {openai["output_file_id"], openai["error_file_id"]} != {None}
    files: Any = {"file": ("a.jsonl", b"{}"), "purpose": (None, "batch")}
    strictly(FileObject, httpx2.post(f"{provider.url}/v1/files", headers=headers, files=files).json())


def strictly(model: Any, body: dict[str, Any]) -> None:
    """All that the type demands is there and of its kind, and nothing is there that it does not know."""
    checked = model.model_validate(body)
    assert set(body) <= set(model.model_fields), set(body) - set(model.model_fields)
    assert checked.id == body["id"]
