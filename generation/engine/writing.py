"""One brief -> one text that passed the check: look-up, single flight, model, output check, store.

Page, API, run items and the terminal all come through `write`.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction

from contentopt.errors import DomainError
from generation.caching import exact, inflight
from generation.engine.calls import call_model, close_call
from generation.engine.routes import Route, choose_route
from generation.facts import Brief, check_text, find_evidence, fingerprint
from generation.llm.errors import LlmError
from generation.llm.replies import compose_missing, split_reply
from generation.llm.types import ModelSpec
from generation.models import LlmCall, RunItem

log = structlog.get_logger()

# The first text and one more, written with the check's complaints in hand.
CHECKED_ATTEMPTS = 2
RETRY_AFTER_SECONDS = 10


class ProviderUnavailable(DomainError):
    code = "provider_unavailable"
    status = 503


class TextRefused(DomainError):
    code = "text_refused"
    status = 422


@dataclass(frozen=True, slots=True)
class Spent:
    """What the upstream attempts behind one text cost together."""

    cost_nanos: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0

    def plus(self, call: LlmCall) -> Spent:
        return Spent(
            self.cost_nanos + call.cost_nanos,
            self.input_tokens + call.input_tokens,
            self.cached_tokens + call.cached_tokens,
            self.output_tokens + call.output_tokens,
        )


@dataclass(frozen=True, slots=True)
class Written:
    entry: exact.Entry
    source: str  # model | exact | coalesced
    fingerprint: str
    spent: Spent = field(default_factory=Spent)


def write(brief: Brief, *, workspace_id: UUID, variation: int = 0, run_item: RunItem | None = None) -> Written:
    """A text for the brief. `variation` above 0 asks for another wording and replaces the known one.

    Raises TextRefused when no model wrote a text that holds, ProviderUnavailable when none answered.
    """
    route = choose_route()
    if not route.specs:
        raise ProviderUnavailable("Every model is switched off at the moment. Nothing was charged.", retry_after=60)
    job = _Job(brief, route, workspace_id, variation, run_item)
    if variation:
        return job.write_anew()
    return job.look_up("exact") or job.write_once()


class _Job:
    """The steps of one `write`, sharing the brief, its key and its route."""

    def __init__(
        self, brief: Brief, route: Route, workspace_id: UUID, variation: int, run_item: RunItem | None
    ) -> None:
        self.brief = brief
        self.route = route
        self.workspace_id = workspace_id
        self.variation = variation
        self.run_item = run_item
        self.fingerprint = fingerprint(brief)
        self.key = exact.cache_key(self.fingerprint, route.model_ids)
        self.spent = Spent()

    def look_up(self, source: str) -> Written | None:
        entry = exact.look_up(self.workspace_id, self.key)
        return Written(entry, source, self.fingerprint) if entry else None

    def write_once(self) -> Written:
        """Lead the flight for this brief, or share the result of whoever does."""
        until = time.monotonic() + settings.MODEL_DEADLINE_SECONDS * CHECKED_ATTEMPTS
        while True:
            if lead := inflight.take_off(self.workspace_id, self.key):
                with inflight.leading(lead):
                    # Another flight may have landed between our look-up and our take-off.
                    return self.look_up("coalesced") or self.write_anew()
            inflight.follow(self.workspace_id, self.key, until=until)
            if landed := self.look_up("coalesced"):
                return landed

    def write_anew(self) -> Written:
        failures: list[LlmError] = []
        for spec in self.route.specs:
            try:
                entry = self.write_checked(spec)
            except LlmError as error:
                log.warning("model_failed", model=spec.model_id, kind=error.kind)
                failures.append(error)
                continue
            return Written(entry, "model", self.fingerprint, self.spent)
        raise self.unavailable(failures)

    def write_checked(self, spec: ModelSpec) -> exact.Entry:
        complaints: list[str] = []
        for attempt in range(1, CHECKED_ATTEMPTS + 1):
            call, completion = call_model(
                self.brief,
                spec,
                workspace_id=self.workspace_id,
                fingerprint=self.fingerprint,
                attempt=attempt,
                complaints=complaints,
                variation=self.variation,
                run_item=self.run_item,
            )
            self.spent = self.spent.plus(call)
            fields = self.split(completion.text)
            complaints = complaints_about(fields, self.brief)
            if not complaints:
                return self.accept(call, fields, spec)
            close_call(call, LlmCall.Outcome.REFUSED, complaints)
        raise TextRefused(
            "No text was written that states only this product's facts. Last complaint: " + complaints[0],
            details={"complaints": complaints},
        )

    def accept(self, call: LlmCall, fields: dict[str, str], spec: ModelSpec) -> exact.Entry:
        """Call and text together: a text once paid for is not paid for again, wherever a crash falls."""
        evidence = [asdict(sentence) for sentence in find_evidence(fields["description"], self.brief.facts)]
        entry = exact.Entry(fields, evidence, spec.provider, spec.model_id)
        with transaction.atomic():
            close_call(call, LlmCall.Outcome.ACCEPTED)
            exact.store(self.workspace_id, self.key, entry)
        return entry

    def split(self, reply: str) -> dict[str, str]:
        fields = split_reply(reply, self.brief.fields)
        return compose_missing(fields, self.brief.fields, self.brief.facts)

    def unavailable(self, failures: list[LlmError]) -> ProviderUnavailable:
        waits = [failure.retry_after for failure in failures if failure.retry_after]
        retry_after = int(max(waits, default=RETRY_AFTER_SECONDS))
        kinds = ", ".join(dict.fromkeys(failure.kind.replace("_", " ") for failure in failures))
        return ProviderUnavailable(
            f"No model could be reached just now ({kinds}). Nothing was stored; try again in {retry_after} s.",
            retry_after=retry_after,
            details={"retryable": any(failure.retryable for failure in failures)},
        )


def complaints_about(fields: dict[str, str], brief: Brief) -> list[str]:
    """The output check's words on every field; the description's length rule does not hold for the short ones."""
    found = [complaint.message for complaint in check_text(fields["description"], brief)]
    for name in brief.fields:
        if name != "description" and fields.get(name):
            found += [c.message for c in check_text(fields[name], brief) if c.kind not in ("too_short", "too_long")]
    return found
