"""One brief -> one text that passed the check: look-up, single flight, quota, model, output check, store.

Page, API, run items and the terminal all come through `write`. Whatever is free comes before whatever may be refused.
"""

from __future__ import annotations

import itertools
import time
import uuid
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction

from accounts import metering, quotas
from accounts.budgets import BudgetInFlight, Payer, SpendingRefused
from accounts.quotas import Taken
from contentopt import connections
from contentopt.errors import DomainError
from generation import health
from generation.caching import exact, inflight, templates
from generation.caching.asking import Ask
from generation.caching.entries import Entry
from generation.engine import batching, layers, outcomes, postponing
from generation.engine.batching import Company, PartLost
from generation.engine.calls import Answer, Prepared, close_call, prepare, send_alone
from generation.engine.checking import complaints_about
from generation.engine.layers import Trail
from generation.engine.listening import Listener, Telling
from generation.engine.postponing import Postponed, Start, Waiting
from generation.engine.refusing import Failed, ProviderUnavailable, TextRefused, WishDeclined, refusal_of
from generation.engine.routes import NOTHING_ON, Router
from generation.facts import Brief
from generation.families import CannotFill, Family, template_faults
from generation.llm.batches import TIER
from generation.llm.errors import LlmError
from generation.llm.replies import compose_missing, declined, split_reply
from generation.llm.types import ModelSpec
from generation.models import CachedText, LlmCall, RunItem
from generation.routing import Stage, asked_of

log = structlog.get_logger()

# The first text and one more, written with the check's complaints in hand.
CHECKED_ATTEMPTS = 2
retry_budget = health.RetryBudget()
NIGHT = "night"  # the endpoint of what is written before anybody asks


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
    text_id: UUID  # the id the text is to be stored under; the ledger knows it by that
    entry: Entry
    source: str  # as in Text.Source
    fingerprint: str
    cache_key: str
    explanation: list[dict[str, str]]
    spent: Spent = field(default_factory=Spent)


def write(
    brief: Brief,
    *,
    payer: Payer,
    product_key: str | None = None,
    variation: int = 0,
    renew: bool = False,
    is_public: bool = False,
    run_item: RunItem | None = None,
    company: Company | None = None,
    later: Waiting | None = None,
    listener: Listener | None = None,
) -> Written:
    """A text for the brief. `variation` above 0 asks for another wording, past the cache and without changing it;
    `renew` writes anew what is known already, and its family's text, and keeps it in the old one's place; `is_public`
    gives it to the public pool. `product_key` is what counts in the month's quota. `later` is an item that can wait
    for a batch: nothing is asked of a model now, but Postponed raised, until the answer is in hand. A `listener` hears
    what a model writes as it is written; of a text that is known or shared it hears nothing.

    Raises TextRefused when no model wrote a text that holds, ProviderUnavailable when none answered, SpendingRefused
    and QuotaExceeded when it may not be written anew. What is known already is served all the same.
    """
    job = _prepare(
        brief,
        payer,
        product_key,
        variation=variation,
        renew=renew,
        is_public=is_public,
        run_item=run_item,
        company=company,
        later=later,
        listener=listener,
    )
    if variation:
        job.trail.note("exact", "none", "Another wording was asked for, past the cache.")
        return job.write_anew()
    if renew:
        job.trail.note("exact", "none", "It was to be written anew.")
        return job.write_once()
    return job.look_up() or job.write_once()


def look_up(brief: Brief, *, payer: Payer, product_key: str | None = None) -> Written | None:
    """A text that is known already, counted as given."""
    return _prepare(brief, payer, product_key).look_up()


def _prepare(brief: Brief, payer: Payer, product_key: str | None, **more: Any) -> _Job:
    router = router_of(payer)
    if not router.offer.specs:
        raise ProviderUnavailable(NOTHING_ON, retry_after=60)
    return _Job(router.ask(brief), router, payer, product_key, **more)


def router_of(payer: Payer) -> Router:
    """At night nobody waits for the text: one that economy models fail with is not worth a dearer call."""
    return Router(payer.workspace_id, escalates=payer.endpoint != NIGHT)


def climbed(refused: TextRefused | None, failed: Collection[str]) -> str:
    """Why a text was not written where its route began."""
    if refused:
        return " One tier up from there, since those texts failed the check."
    return " One tier up from there, since no such model could be reached." if failed else ""


def shared_reason(answer: Answer) -> str:
    others = "1 other request" if answer.others == 1 else f"{answer.others} other requests"
    return f"Sent with {others} in one call; waited {answer.waited_ms} ms for them."


@contextmanager
def place_in_quota(workspace_id: UUID, product_key: str | None, seconds: int | None = None) -> Iterator[Taken | None]:
    """A place in the month for the product, given back when no text comes of it. `accept` confirms it."""
    taken = quotas.take(workspace_id, product_key, seconds=seconds) if product_key else None
    try:
        yield taken
    except Postponed:  # it keeps its place for so many seconds
        raise
    except BaseException:
        if taken:
            quotas.give_back(taken)
        raise


@dataclass(slots=True)
class _Job:
    """The steps of one `write`, sharing what is asked, who may serve it and what came of each step."""

    ask: Ask
    router: Router
    payer: Payer
    product_key: str | None
    variation: int = 0
    renew: bool = False
    is_public: bool = False
    run_item: RunItem | None = None
    company: Company | None = None
    later: Waiting | None = None
    listener: Listener | None = None
    text_id: UUID = field(default_factory=uuid.uuid4)
    trail: Trail = field(default_factory=Trail)
    spent: Spent = field(default_factory=Spent)
    taken: Taken | None = None
    complaints: list[str] = field(default_factory=list)  # about the last text that failed the check
    until: float = field(default_factory=lambda: time.monotonic() + settings.TEXT_DEADLINE_SECONDS)
    start: Start | None = None
    flight: str = ""

    @property
    def brief(self) -> Brief:
        return self.ask.brief

    def look_up(self) -> Written | None:
        """A free text, counted as such."""
        found = layers.look_up(self.ask, self.trail)
        return self.give(found.entry, found.source) if found else None

    def give(self, entry: Entry, source: str) -> Written:
        if self.is_ahead:
            return self.written(entry, source)  # nobody got it yet
        if source == "precomputed" and self.product_key:
            quotas.count_used(self.ask.workspace_id, self.product_key)
        metering.record_free(
            self.payer,
            text_id=self.text_id,
            source=source,
            provider=entry.provider,
            model_id=entry.model_id,
            tier=entry.tier,
            saved_nanos=entry.cost_nanos,
        )
        return self.written(entry, source)

    def written(self, entry: Entry, source: str) -> Written:
        steps = self.trail.steps
        return Written(self.text_id, entry, source, self.ask.fingerprint, self.ask.key, steps, self.spent)

    @property
    def is_ahead(self) -> bool:
        """Written overnight, before anybody asks."""
        return self.payer.endpoint == NIGHT

    def write_once(self) -> Written:
        """Lead the flight for this brief, or for its family while that has no text; or share what the leader wrote."""
        while True:
            is_family = self.is_template_wanted()
            self.flight = flight = self.ask.template_key if is_family else self.ask.key
            if lead := inflight.take_off(self.ask.workspace_id, flight):
                # That one member of a family could not be written says nothing of its siblings.
                with inflight.leading(lead, shared=ProviderUnavailable if is_family else DomainError):
                    # Another flight may have landed between our look-up and our take-off.
                    return (None if self.renew else self.look_up_again()) or self.write_anew()
            if self.company and self.run_item:
                self.company.leave(self.run_item.pk)
            inflight.follow(self.ask.workspace_id, flight, until=self.until)
            if landed := self.look_up_again():
                return landed

    def look_up_again(self) -> Written | None:
        """What a flight brought meanwhile. The exact layer's is one that was shared."""
        trail = Trail()
        found = layers.look_up_landed(self.ask, trail)
        if found is None:
            self.trail.template, self.trail.has_template = trail.template, trail.has_template
            return None
        self.trail = trail
        return self.give(found.entry, "coalesced" if found.source == "exact" else found.source)

    def is_template_wanted(self) -> bool:
        """Whether to write for the whole family: it has slots, and was not found to be written one by one."""
        if self.variation or self.is_public or not self.ask.template_key:
            return False
        template = layers.template_of(self.ask, self.trail)
        return template is None or (self.renew and not template.refusal)

    def write_anew(self) -> Written:
        return self.write_later(self.later) if self.later else self.write_now()

    def write_now(self) -> Written:
        with place_in_quota(self.ask.workspace_id, self.product_key) as self.taken:
            retry_budget.earn()
            route = self.router.route(self.ask)
            if not route.stages:
                raise ProviderUnavailable(
                    f"{route.reason} No such model is connected. Nothing was charged.", retry_after=60
                )
            entry = self.climb(route.stages, route.reason)
        return self.written(entry, "model")

    def write_later(self, item: Waiting) -> Written:
        """At the batch price: ask for the next batch, or judge what came back. Raises Postponed."""
        with place_in_quota(self.ask.workspace_id, self.product_key, settings.BATCH_HOLD_SECONDS) as self.taken:
            route = self.router.route(self.ask)
            self.start = postponing.start_of(item, self.flight, route)
            self.complaints = list(self.start.complaints)
            if self.start.text_id:
                self.text_id = self.start.text_id
                self.spent = Spent(**postponing.spent_before(self.text_id, self.ask.workspace_id))
            try:
                entry = self.climb(postponing.stages_from(self.start.spec, route), route.reason)
            except BudgetInFlight:  # by what waits as well, for hours
                raise Postponed(None) from None
        return self.written(entry, "model")

    def climb(self, stages: Iterable[Stage], reason: str) -> Entry:
        """Stage by stage: the next one when all texts of this one failed the check; or, for whoever waits for the text,
        when no model could be reached. An item of a run comes back when one can."""
        failed: dict[str, Failed] = {}
        refused: TextRefused | None = None
        for stage in stages:
            try:
                outcome = self.write_checked(stage.specs[0]) if self.start else self.try_stage(stage)
            except WishDeclined:  # a dearer model has the same facts
                raise
            except TextRefused as error:
                refused = error
                self.learn(stage, passed=False)
                continue
            if isinstance(outcome, Entry):
                self.learn(stage, passed=True)
                chosen = f"{outcome.model_id}, {stage.tier}{', by batch' if self.start else ''}."
                self.trail.note("model", "chosen", f"{chosen} {reason}{climbed(refused, failed)}")
                return outcome
            failed |= outcome
            # What there is no money for at this tier, there is none for above.
            if self.run_item or any(isinstance(failure.error, SpendingRefused) for failure in outcome.values()):
                break
        if refused:
            raise self.refused(refused)
        raise refusal_of([failure.error for failure in failed.values()], self.spent.cost_nanos)

    def try_stage(self, stage: Stage) -> Entry | dict[str, Failed]:
        """Its models in turn; then, after a pause, those that may answer yet.

        What may have been paid for is not asked for again here: no text costs more than its estimate.
        """
        specs, failed = stage.specs, dict[str, Failed]()
        for retry in itertools.count():
            outcome = self.ask_each(specs)
            if isinstance(outcome, Entry):
                return outcome
            failed |= outcome
            again = [failure for failure in outcome.values() if failure.may_answer_yet]
            if not again or retry == settings.MODEL_RETRIES or not self.wait_before(retry, again):
                break
            specs = tuple(failure.spec for failure in again)
        return failed

    def ask_each(self, specs: Iterable[ModelSpec]) -> Entry | dict[str, Failed]:
        failed: dict[str, Failed] = {}
        for spec in specs:
            spent = self.spent.cost_nanos
            try:
                return self.write_checked(spec)
            except LlmError as error:
                log.warning("model_failed", model=spec.model_id, kind=error.kind)
                self.trail.note("model", "unreachable", f"{spec.model_id}: {error.kind.replace('_', ' ')}.")
                failed[health.model_key(spec)] = Failed(spec, error, is_free=self.spent.cost_nanos == spent)
            except SpendingRefused as refusal:  # the next model may be cheaper
                failed[health.model_key(spec)] = Failed(spec, refusal)
        return failed

    def learn(self, stage: Stage, *, passed: bool) -> None:
        """Of economy models, and of texts for facts alone: what was wished in a conversation says nothing of others."""
        if stage.tier == "economy" and not self.router.offer.is_offline and not self.brief.turns:
            outcomes.record(asked_of(self.brief, self.ask.fingerprint), passed=passed)

    def wait_before(self, retry: int, again: Sequence[Failed]) -> bool:
        """False when it would take too long, or others retry enough as it is."""
        asked = min(failure.retry_after for failure in again)
        pause = asked + health.full_jitter(settings.MODEL_RETRY_SECONDS, retry)
        is_short = pause <= settings.MODEL_RETRY_LONGEST_SECONDS and time.monotonic() + pause < self.until
        if not is_short or not retry_budget.spend():
            return False
        connections.sleep(pause)
        return True

    def write_checked(self, spec: ModelSpec) -> Entry:
        """For the family first, if it has slots; then for these facts alone, with the check's complaints in hand."""
        first = self.start.attempt if self.start and self.start.spec == spec else 1
        complaints = self.complaints
        for attempt in range(first, CHECKED_ATTEMPTS + 1):
            family = self.ask.family if attempt == 1 and self.is_template_wanted() else None
            try:
                answer, fields = self.ask_model(spec, attempt, complaints, family)
            except PartLost as error:
                log.info("part_lost", model=spec.model_id, kind=error.kind)
                continue
            self.mind_declining(answer)
            template = None
            if family:
                template, fields, faults = self.as_template(fields, family)
                if faults:
                    close_call(answer.call, LlmCall.Outcome.REFUSED, faults)
                    templates.refuse(self.ask, faults[0])
                    continue
            complaints = complaints_about(fields, self.brief)
            if not complaints:
                return self.accept(answer, fields, spec, template)
            if family:
                templates.refuse(self.ask, complaints[0])
            close_call(answer.call, LlmCall.Outcome.REFUSED, complaints)
        self.complaints = complaints
        self.trail.note("model", "refused", f"{spec.model_id}, {spec.tier}: {complaints[0]}")
        raise self.refused(
            TextRefused(
                "No text was written that states only this product's facts. Last complaint: " + complaints[0],
                details={"complaints": complaints},
            )
        )

    def mind_declining(self, answer: Answer) -> None:
        """In a conversation a reply may say why a wish is not followed."""
        if self.brief.turns and (said := declined(answer.text)):
            close_call(answer.call, LlmCall.Outcome.REFUSED, [said])
            raise self.refused(WishDeclined(said))

    def refused(self, refusal: TextRefused) -> TextRefused:
        refusal.spent_nanos = self.spent.cost_nanos
        return refusal

    def ask_model(
        self, spec: ModelSpec, attempt: int, complaints: list[str], family: Family | None
    ) -> tuple[Answer, dict[str, str]]:
        """One answer and its fields. What the model sees of a family has slots for values.

        Only a first attempt may share its call: a second one has its own complaints to answer.
        """
        if self.start and self.start.answer and (self.start.spec, self.start.attempt) == (spec, attempt):
            answer = self.start.answer
            self.spent = self.spent.plus(answer.call)
            return answer, self.fields_of(answer, family)
        prepared = prepare(
            replace(self.brief, facts=family.facts) if family else self.brief,
            spec,
            payer=self.payer,
            text_id=self.text_id,
            fingerprint=self.ask.fingerprint,
            attempt=attempt,
            until=self.until,
            complaints=complaints,
            variation=self.variation,
            run_item=self.run_item,
            tier=TIER if self.start else "standard",
            is_read_along=self.listener is not None,
        )
        if self.start and self.later:
            key = self.ask.template_key if family else self.ask.key
            postponing.postpone(prepared, item=self.later, key=key, start=self.start, complaints=complaints)
        may_share = attempt == 1 and not complaints and not self.variation
        try:
            if self.listener:
                answer = self.send_aloud(prepared, self.listener, family)
            else:
                answer = batching.send(prepared, self.company) if may_share else send_alone(prepared)
        finally:
            self.spent = self.spent.plus(prepared.call)
        return answer, self.fields_of(answer, family)

    def fields_of(self, answer: Answer, family: Family | None) -> dict[str, str]:
        fields = split_reply(answer.text, self.brief.fields)
        return fields if family else compose_missing(fields, self.brief.fields, self.brief.facts)

    def send_aloud(self, prepared: Prepared, listener: Listener, family: Family | None) -> Answer:
        """Alone: texts of a shared call are written one after the other."""
        telling = Telling(listener, family, self.brief.language)
        answer = send_alone(prepared, telling.hear)
        telling.end()
        return answer

    def as_template(
        self, fields: dict[str, str], family: Family
    ) -> tuple[dict[str, str] | None, dict[str, str], list[str]]:
        """The template, the text that it makes for these facts, and what is wrong with it as a template."""
        if faults := template_faults(fields, family, self.brief.language):
            return None, fields, faults
        try:
            return fields, layers.filled(fields, self.ask), []
        except CannotFill as error:
            return None, fields, [str(error)]

    def accept(self, answer: Answer, fields: dict[str, str], spec: ModelSpec, template: dict[str, str] | None) -> Entry:
        """Text, quota, call and cost together: a text once paid for is not paid for again, wherever a crash falls."""
        evidence = layers.evidence_of(fields, self.ask)
        entry = Entry(fields, evidence, spec.provider, spec.model_id, spec.tier, self.spent.cost_nanos, self.origin)
        with transaction.atomic():
            if template:
                entry = replace(entry, donor=str(templates.store(self.ask, template, entry)))
            if not self.variation:
                exact.store(self.ask, entry, is_public=self.is_public)
            if self.taken:
                quotas.confirm(self.taken)
            close_call(answer.call, LlmCall.Outcome.ACCEPTED)
        if answer.others:
            self.trail.note("model", "shared", shared_reason(answer))
        return entry

    @property
    def origin(self) -> str:
        return CachedText.Origin.PRECOMPUTED if self.is_ahead else CachedText.Origin.MODEL
