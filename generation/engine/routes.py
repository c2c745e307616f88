"""Which models may serve, given what staff switched on and which keys the environment holds; and which of them do.

The choice itself is generation.routing's; what it decides by is read here.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import cast
from uuid import UUID

from django.db import connection
from django.db.models import Min
from django.db.models.functions import Now
from django.utils import timezone
from redis.exceptions import RedisError

from accounts.stamps import Remembered, Stamped, are_set
from generation import health
from generation.caching.asking import Ask
from generation.engine import outcomes
from generation.engine.registry import is_any_provider_meant, specs_that_can_be_asked
from generation.facts import Brief
from generation.llm.prices import FREE
from generation.llm.types import ModelSpec, Tier
from generation.models import ModelPrice, Provider, RoutingRule
from generation.routing import Route, Rule, Stage, asked_of, at_most, choose, is_above, possible, quality_of, wishes_of

ROUTE = "route"  # its stamp: see generation/sql/retiring.sql

OFFLINE = ModelSpec(
    provider="offline",
    kind="offline",
    model_id="offline-1",
    tier="economy",
    price=FREE,
    price_version="free",
    max_input_tokens=1_000_000,
    max_output_tokens=100_000,
)


OFFLINE_ROUTE = Route((Stage("economy", (OFFLINE,)),), "No model is connected, so the offline writer.")
NOTHING_ON = "No model that may write this is switched on at the moment. Nothing was charged."


@dataclass(frozen=True, slots=True)
class Offer:
    """Every model that is on, of all tiers and in the order of preference; none when staff switched everything off. And
    staff's rules, in the order in which they are tried."""

    specs: tuple[ModelSpec, ...]
    rules: tuple[Rule, ...] = ()
    ends_at: datetime | None = None  # when another price comes into force, of one that is remembered

    @property
    def is_offline(self) -> bool:
        return self.specs == (OFFLINE,)


def read_offer() -> Offer:
    """The default models of every provider that can be asked; the offline writer if there is none.

    Where staff have switched off all that could be asked, the offline writer does not take their place.
    """
    specs = specs_that_can_be_asked(model__is_default=True)
    if specs or is_any_provider_meant():
        return Offer(specs, _enabled_rules())
    is_on = Provider.objects.filter(kind=Provider.Kind.OFFLINE, is_enabled=True).exists()
    return Offer((OFFLINE,) if is_on else ())


_offer: Remembered[str, Offer] = Remembered(1)


def remembered_offer() -> Stamped[Offer] | None:
    """For requests that must not ask PostgreSQL; they compare its stamp. Raises RedisError."""
    return _find_offer() or _offer.load(ROUTE, (ROUTE,), _read_lasting_offer)


def forget_offer() -> None:
    _offer.forget(ROUTE)


def present_offer() -> Offer:
    """The same as `read_offer`, for the most part without asking PostgreSQL. Not what a transaction has changed that is
    still open, so inside of one it is asked."""
    if not connection.in_atomic_block:
        with suppress(RedisError):
            known = _find_offer()
            if known and not are_set(known.stamps):
                forget_offer()
            if found := remembered_offer():
                return found.value
    return read_offer()


def _find_offer() -> Stamped[Offer] | None:
    known = _offer.find(ROUTE)
    if known and known.value.ends_at and known.value.ends_at <= timezone.now():
        forget_offer()
        return None
    return known


def _read_lasting_offer() -> Offer:
    """When it ends comes first: a price that comes into force meanwhile is then in it, or ends it."""
    ends_at = ModelPrice.objects.filter(valid_from__gt=Now()).aggregate(first=Min("valid_from"))["first"]
    return replace(read_offer(), ends_at=ends_at)


_HIGHEST = """
SELECT plan.highest_tier FROM accounts_workspace workspace JOIN accounts_plan plan ON plan.slug = workspace.plan_id
 WHERE workspace.id = %s
"""


class Router:
    """Who serves the requests of one workspace. What decides is read from PostgreSQL when it first matters, and once.

    Without `escalates` a text that fails the check is not tried one tier up.
    """

    def __init__(self, workspace_id: UUID, *, escalates: bool = True) -> None:
        self.workspace_id = workspace_id
        self.escalates = escalates

    @cached_property
    def offer(self) -> Offer:
        return present_offer()

    @cached_property
    def highest(self) -> Tier:
        """That the plan goes up to."""
        with connection.cursor() as cursor:
            cursor.execute(_HIGHEST, [self.workspace_id])
            tier: Tier = cursor.fetchall()[0][0]
        return tier

    @property
    def down(self) -> set[ModelSpec]:
        down = health.down_models()
        return {spec for spec in self.offer.specs if health.model_key(spec) in down}

    def ask(self, brief: Brief) -> Ask:
        """What was asked for when the plan was a higher one is asked for at the present one's best."""
        if is_above(brief.tier, "economy") and not self.offer.is_offline:
            brief = replace(brief, tier=at_most(cast(Tier, brief.tier), self.highest))
        return Ask(self.workspace_id, brief, quality_of(brief.tier, is_offline=self.offer.is_offline))

    def quality(self, brief: Brief) -> str:
        return self.ask(brief).quality

    def route(self, ask: Ask) -> Route:
        if self.offer.is_offline:
            return OFFLINE_ROUTE
        asked = asked_of(ask.brief, ask.fingerprint)
        return choose(
            asked,
            highest=self.highest,
            rules=self.offer.rules,
            models=self.offer.specs,
            down=self.down,
            outcomes=outcomes.of_kind(asked) if self.escalates and self.highest != "economy" else None,
            escalates=self.escalates,
        )

    def possible(self, brief: Brief, *, facts_are_known: bool = False) -> list[Route]:
        """What the brief's wishes may lead to, the likeliest first. None is dearer than the dearest of these."""
        if self.offer.is_offline:
            return [OFFLINE_ROUTE]
        ask = self.ask(brief)
        asked = asked_of(ask.brief, ask.fingerprint) if facts_are_known else wishes_of(ask.brief)
        found = possible(
            asked, highest=self.highest, rules=self.offer.rules, models=self.offer.specs, escalates=self.escalates
        )
        return [route for route in found if route.stages]


def _enabled_rules() -> tuple[Rule, ...]:
    """In the order in which they are tried."""
    return tuple(rule_of(row) for row in RoutingRule.objects.filter(is_enabled=True).select_related("model"))


def rule_of(row: RoutingRule) -> Rule:
    return Rule(
        name=row.name,
        tier=cast(Tier, row.tier),
        model_id=row.model.model_id if row.model else "",
        tasks=tuple(row.tasks),
        languages=tuple(row.languages),
        lengths=tuple(row.lengths),
        fewest_facts=row.fewest_facts,
        most_facts=row.most_facts,
        has_wishes=row.has_wishes,
    )
