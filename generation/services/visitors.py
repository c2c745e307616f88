"""One text without an account. The platform pays for it, so its caps are not the visitor's to hear of."""

from __future__ import annotations

from uuid import UUID

from accounts.budgets import BudgetExhausted, BudgetInFlight, Payer, SpendingRefused
from accounts.models import PLATFORM_WORKSPACE_ID, Workspace
from contentopt.errors import DomainError
from generation.engine.routes import read_offer
from generation.engine.writing import Written, look_up, write
from generation.facts import Brief, FactsError, extract_facts
from generation.models import Stream
from generation.services.streams import start_stream
from generation.streams.writing import VISITOR

OUR_CAPS = (BudgetExhausted.code, BudgetInFlight.code)


def brief_of_visitor(*, prompt: str, tone: str) -> Brief:
    if not Workspace.objects.filter(pk=PLATFORM_WORKSPACE_ID).exists():
        raise DomainError("Trying without an account is switched off. Sign up; it takes ten seconds.", status=404)
    try:
        facts = extract_facts({"prompt": prompt})
    except FactsError as error:
        raise DomainError(error.message, code=error.code) from error
    return Brief(facts, tone=tone, length="short")


def describe_for_visitor(brief: Brief) -> Written:
    try:
        return write(brief, payer=_payer())
    except SpendingRefused as refusal:
        raise paused() from refusal


def describe_aloud_for_visitor(brief: Brief) -> Written | Stream:
    """Without waiting for a text that a model must write first."""
    if read_offer().is_offline:
        return describe_for_visitor(brief)
    return look_up(brief, payer=_payer()) or start_stream(_payer(), brief)


def find_stream(pk: UUID) -> Stream | None:
    """Whoever knows its id may read it."""
    streams = Stream.objects.in_workspace(PLATFORM_WORKSPACE_ID).filter(endpoint=VISITOR)
    return streams.select_related("text").filter(pk=pk).first()


def refusal_of(stream: Stream) -> DomainError:
    """Why there is no text, as a visitor may hear it."""
    refusal = DomainError(**stream.refusal) if stream.refusal else DomainError(stream.failure)
    return paused() if refusal.code in OUR_CAPS else refusal


def paused() -> DomainError:
    return DomainError(
        "So many people are trying this that we pause it for a while. Sign up; it takes ten seconds and is free.",
        code="provider_unavailable",
        status=503,
    )


def _payer() -> Payer:
    return Payer(PLATFORM_WORKSPACE_ID, VISITOR)
