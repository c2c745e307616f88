"""What other rules would have done with the traffic of the last days. Reads only.

An estimate: what a rule sends elsewhere is priced with the tokens that it used, at the price of the model that would
have been asked first. Whether that one's text would have passed the check, nobody knows; so no escalation is counted.
What both sets of rules treat alike stays as it was, with whatever it cost.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import cast
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from generation.engine.routes import read_offer, rule_of
from generation.facts import Task
from generation.llm.prices import cost_nanos
from generation.llm.types import ModelSpec, Tier, Usage
from generation.models import LlmCall, RoutingRule, Text
from generation.routing import Asked, Route, choose, narrowest

DAYS = 7
MOST_TEXTS = 5_000
MOST_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Change:
    """A text that would have been asked of another model. Nano-dollars: what it cost, and what it would have."""

    text: Text
    before: str
    after: str
    before_nanos: int
    after_nanos: int
    reason: str


@dataclass(slots=True)
class Share:
    """Of one model: texts and their cost, as it was and as it would have been."""

    model_id: str
    before: int = 0
    after: int = 0
    before_nanos: int = 0
    after_nanos: int = 0


@dataclass(slots=True)
class Comparison:
    """`texts` were written by models; when `is_cut`, these are only the newest."""

    texts: int = 0
    is_cut: bool = False
    shares: dict[str, Share] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)

    @property
    def before_nanos(self) -> int:
        return sum(share.before_nanos for share in self.shares.values())

    @property
    def after_nanos(self) -> int:
        return sum(share.after_nanos for share in self.shares.values())

    @property
    def models(self) -> list[Share]:
        """The most used first."""
        return sorted(self.shares.values(), key=lambda share: (-share.before - share.after, share.model_id))

    @property
    def shown(self) -> list[Change]:
        """Those that would change the bill most."""
        return sorted(self.changes, key=lambda change: -abs(change.after_nanos - change.before_nanos))[:MOST_SHOWN]

    def count(self, before: str, after: str, before_nanos: int, after_nanos: int) -> None:
        was, would_be = (self.shares.setdefault(model_id, Share(model_id)) for model_id in (before, after))
        was.before += 1
        was.before_nanos += before_nanos
        would_be.after += 1
        would_be.after_nanos += after_nanos


def compare(rows: Iterable[RoutingRule]) -> Comparison:
    """The present rules beside these, which need not be saved."""
    offer = read_offer()
    in_order = sorted((row for row in rows if row.is_enabled), key=lambda row: (row.position, row.name))
    proposed = tuple(rule_of(row) for row in in_order)
    texts = list(_texts()[: MOST_TEXTS + 1])
    comparison = Comparison(texts=min(len(texts), MOST_TEXTS), is_cut=len(texts) > MOST_TEXTS)
    calls = _accepted([text.pk for text in texts[:MOST_TEXTS]])
    for text in texts[:MOST_TEXTS]:
        asked, highest = _asked(text), cast(Tier, text.workspace.plan.highest_tier)
        routes = [choose(asked, highest=highest, rules=rules, models=offer.specs) for rules in (offer.rules, proposed)]
        _count(comparison, text, calls.get(text.pk), *routes)
    return comparison


def _count(comparison: Comparison, text: Text, call: LlmCall | None, present: Route, proposed: Route) -> None:
    cost = text.cost_nanos
    if call is None or not proposed.stages or present.stages == proposed.stages:
        comparison.count(text.model_id, text.model_id, cost, cost)
        return
    spec = proposed.stages[0].specs[0]
    would_cost = _priced(call, spec)
    comparison.count(text.model_id, spec.model_id, cost, would_cost)
    if spec.model_id != text.model_id:
        comparison.changes.append(Change(text, text.model_id, spec.model_id, cost, would_cost, proposed.reason))


def _texts() -> QuerySet[Text]:
    texts = Text.objects.across_workspaces().filter(
        source=Text.Source.MODEL, created_at__gte=timezone.now() - timedelta(days=DAYS)
    )
    return texts.exclude(provider="offline").select_related("workspace__plan", "product").order_by("-created_at")


def _accepted(ids: list[UUID]) -> dict[UUID, LlmCall]:
    calls = LlmCall.objects.across_workspaces().filter(text_id__in=ids, outcome=LlmCall.Outcome.ACCEPTED)
    return {call.text_id: call for call in calls if call.text_id}


def _asked(text: Text) -> Asked:
    wishes = text.brief
    return Asked(
        task=Task(wishes.get("task", Task.DESCRIPTION)),
        tier=wishes.get("tier", "auto"),
        language=wishes["language"],
        length=wishes["length"],
        has_wishes=bool(wishes["instructions"] or wishes["voice"]),
        fact_count=len(text.facts),
        category=narrowest(next((fact["value"] for fact in text.facts if fact["label"] == "category"), "")),
    )


def _priced(call: LlmCall, spec: ModelSpec) -> int:
    usage = Usage(
        input_uncached=call.input_tokens,
        input_cached=call.cached_tokens,
        cache_write_short=call.cache_write_tokens,
        output=call.output_tokens,
    )
    return cost_nanos(usage, spec.price)
