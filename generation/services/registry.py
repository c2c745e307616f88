"""Models and their prices as staff keep them, and one real request to see whether a model serves."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field
from enum import StrEnum

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.budgets import Payer, SpendingRefused
from accounts.models import PLATFORM_WORKSPACE_ID, Workspace
from generation.engine.calls import Answer, close_call, prepare, request_ceiling, send_alone
from generation.engine.checking import complaints_about
from generation.engine.registry import can_be_asked, spec_of
from generation.facts import Brief, ProductInput, extract_facts, fingerprint
from generation.llm.errors import LlmError
from generation.llm.replies import split_reply
from generation.llm.types import ModelSpec
from generation.models import LlmCall, LlmModel, ModelPrice
from generation.prompts import build_request

TRIAL = "trial"  # the endpoint of requests that staff make to see whether a model serves
SAMPLE: ProductInput = {
    "title": "Linen Apron",
    "attributes": {"Material": "linen", "Colour": "sand", "Length": "80 cm"},
}


@transaction.atomic
def add_price(price: ModelPrice, *, by: str) -> ModelPrice:
    """From its moment on; what came before stays. The version is the day, with a number where a day has several."""
    LlmModel.objects.select_for_update().get(pk=price.model_id)  # one after the other
    day = f"{price.valid_from:%Y-%m-%d}"
    same_day = ModelPrice.objects.filter(model=price.model_id, version__startswith=day).count()
    price.version = f"{day}.{same_day + 1}" if same_day else day
    price.added_by = by
    price.save(force_insert=True)
    return price


def price_in_force(model: LlmModel) -> ModelPrice | None:
    return ModelPrice.objects.in_force().filter(model=model).select_related("model__provider").first()


def obstacle(model: LlmModel, *, has_price: bool) -> str:
    """Why the model cannot be asked, in words; "" if it can. What is switched off can still be tried."""
    provider = model.provider
    if not has_price:
        return "No price holds by now, so what a request costs could not be held."
    if not can_be_asked(provider.access):
        return f"The environment holds no {provider.key_name}."
    return ""


class Standing(StrEnum):
    SERVES = "Serves its tier"
    READY = "Can be asked"
    RETIRING = "Retires"
    RETIRED = "Retired"
    OFF = "Switched off"
    NO_KEY = "No key"
    NO_PRICE = "No price"


def standing(model: LlmModel, *, has_price: bool) -> tuple[Standing, str]:
    """Where a model stands, and that in words."""
    found = _standing(model, has_price)
    is_dated = found in (Standing.RETIRING, Standing.RETIRED)
    return found, f"{found} {model.retires_on:%-d %b %Y}" if is_dated else str(found)


def _standing(model: LlmModel, has_price: bool) -> Standing:
    if model.retires_on and model.retires_on <= timezone.now().date():
        return Standing.RETIRED
    if not (model.is_enabled and model.provider.is_enabled):
        return Standing.OFF
    if not has_price:
        return Standing.NO_PRICE
    if not can_be_asked(model.provider.access):
        return Standing.NO_KEY
    if model.retires_on:
        return Standing.RETIRING
    return Standing.SERVES if model.is_default else Standing.READY


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of it, in words; `text` is the model's, whatever the check said of it."""

    is_good: bool
    message: str
    text: str = ""
    complaints: list[str] = field(default_factory=list)
    call: LlmCall | None = None


def sample_brief() -> Brief:
    return Brief(extract_facts(SAMPLE), length="short")


def trial_ceiling(price: ModelPrice) -> int:
    request = build_request(
        sample_brief(), workspace_id=PLATFORM_WORKSPACE_ID, call_id=uuid.uuid4(), deadline_seconds=1
    )
    return request_ceiling(request, spec_of(price))


def try_model(model: LlmModel) -> Trial:
    """One request for one short text, which the platform pays as it pays any. Not inside a transaction."""
    price = price_in_force(model)
    if words := obstacle(model, has_price=price is not None):
        return Trial(False, f"Nothing was sent. {words}")
    if price is None or not Workspace.objects.filter(pk=PLATFORM_WORKSPACE_ID).exists():
        return Trial(False, "Nothing was sent. The platform's own workspace, which would pay, is gone.")
    return _ask(spec_of(price))


def _ask(spec: ModelSpec) -> Trial:
    brief = sample_brief()
    prepared = prepare(
        brief,
        spec,
        payer=Payer(PLATFORM_WORKSPACE_ID, TRIAL),
        text_id=uuid.uuid4(),
        fingerprint=fingerprint(brief),
        attempt=1,
        until=time.monotonic() + settings.MODEL_DEADLINE_SECONDS,
    )
    try:
        answer = send_alone(prepared)
    except LlmError as error:
        return Trial(False, error.message, call=prepared.call)
    except SpendingRefused as refusal:
        return Trial(False, f"Nothing was sent. {refusal.message}")
    return _judged(answer, brief)


def _judged(answer: Answer, brief: Brief) -> Trial:
    complaints = complaints_about(split_reply(answer.text, brief.fields), brief)
    close_call(answer.call, LlmCall.Outcome.REFUSED if complaints else LlmCall.Outcome.ACCEPTED, complaints)
    if complaints:
        return Trial(False, "It answered, but the check refused its text.", answer.text, complaints, answer.call)
    return Trial(True, "It serves: the text passed the check.", answer.text, call=answer.call)
