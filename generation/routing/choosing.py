"""A request, a plan, rules, models and their health -> stages of models, and the reason in words."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from generation.llm.types import ModelSpec, Tier
from generation.routing.asked import Asked
from generation.routing.outcomes import Outcomes, explores
from generation.routing.rules import Rule
from generation.routing.tiers import AUTO, TIERS, above, at_most, is_above, named


@dataclass(frozen=True, slots=True)
class Stage:
    """Models of one tier. The next one serves when one cannot be reached; a text that fails the check leaves the
    stage, for all of them were shown the same facts."""

    tier: Tier
    specs: tuple[ModelSpec, ...]


@dataclass(frozen=True, slots=True)
class Route:
    """The stage to begin with and, at most, one that a failed check escalates to. Empty when nothing may serve."""

    stages: tuple[Stage, ...] = ()
    reason: str = ""

    @property
    def specs(self) -> tuple[ModelSpec, ...]:
        return tuple(spec for stage in self.stages for spec in stage.specs)


@dataclass(frozen=True, slots=True)
class _Wish:
    tier: Tier
    model_id: str
    reason: str


def choose(
    asked: Asked,
    *,
    highest: Tier,
    rules: Sequence[Rule],
    models: Sequence[ModelSpec],
    down: Collection[ModelSpec] = (),
    outcomes: Outcomes | None = None,
    escalates: bool = True,
) -> Route:
    """The cheapest models that may do.

    `highest` is the plan's tier, `models` all that are on, in the order of preference, `down` those that do not
    answer at the moment, `outcomes` what is learned of this kind of product. Neither health nor learning makes a
    route dearer than it is without them: both only leave out.
    """
    route = _stages(asked, _wish(asked, rules), highest, models, escalates=escalates)
    return _healthy(_learned(route, asked, outcomes), down)


def possible(
    asked: Asked, *, highest: Tier, rules: Sequence[Rule], models: Sequence[ModelSpec], escalates: bool = True
) -> list[Route]:
    """Every route that facts which are not known yet may lead to, the likeliest first."""
    wishes = list(_possible_wishes(asked, rules))
    return [_stages(asked, wish, highest, models, escalates=escalates) for wish in reversed(wishes)]


def _possible_wishes(asked: Asked, rules: Sequence[Rule]) -> Iterator[_Wish]:
    """The last one holds whatever the facts are."""
    if asked.tier == AUTO:
        for rule in rules:
            matches = rule.matches(asked)
            if matches is not False:
                yield _by_rule(rule)
            if matches:
                return
    yield _otherwise(asked)


def _wish(asked: Asked, rules: Sequence[Rule]) -> _Wish:
    if asked.tier == AUTO:
        for rule in rules:
            if rule.matches(asked):
                return _by_rule(rule)
    return _otherwise(asked)


def _by_rule(rule: Rule) -> _Wish:
    return _Wish(rule.tier, rule.model_id, f"By the rule “{rule.name}”, {rule.tier}.")


def _otherwise(asked: Asked) -> _Wish:
    if asked.tier == AUTO:
        return _Wish("economy", "", "The cheapest tier, since no rule says otherwise.")
    return _Wish(named(asked.tier), "", f"The {asked.tier} tier was asked for.")


def _stages(asked: Asked, wish: _Wish, highest: Tier, models: Sequence[ModelSpec], *, escalates: bool) -> Route:
    tier, reason = at_most(wish.tier, highest), wish.reason
    if tier != wish.tier:
        reason += f" The plan goes up to {highest}."
    first = _of_tier(models, tier, wish.model_id)
    if not first and asked.tier == AUTO:
        tier = _nearest(models, tier, highest) or tier
        first = _of_tier(models, tier, "")
        reason += f" No model of that tier is connected, so {tier}."
    if not first:
        return Route((), reason)
    stages = [Stage(tier, first)]
    higher = above(tier, highest) if escalates else None
    if higher and (dearer := _of_tier(models, higher, "")):
        stages.append(Stage(higher, dearer))
    return Route(tuple(stages), reason)


def _of_tier(models: Sequence[ModelSpec], tier: Tier, first: str) -> tuple[ModelSpec, ...]:
    found = (spec for spec in models if spec.tier == tier)
    return tuple(sorted(found, key=lambda spec: spec.model_id != first)) if first else tuple(found)


def _nearest(models: Sequence[ModelSpec], tier: Tier, highest: Tier) -> Tier | None:
    """A cheaper tier rather than a dearer one."""
    known = {spec.tier for spec in models}
    position = TIERS.index(tier)
    in_order = (*reversed(TIERS[:position]), *TIERS[position + 1 :])
    return next((each for each in in_order if each in known and not is_above(each, highest)), None)


def _learned(route: Route, asked: Asked, outcomes: Outcomes | None) -> Route:
    """Without the economy stage where that would mostly be paid for nothing. Never against a tier that is asked for."""
    is_open = asked.tier == AUTO and len(route.stages) > 1 and route.stages[0].tier == "economy"
    if not (is_open and outcomes and outcomes.fails_mostly):
        return route
    if explores(asked.seed):
        return Route(route.stages, f"{route.reason} Tried there again, though such texts mostly failed the check.")
    reason = f"{route.stages[1].tier.capitalize()}, since economy models mostly fail the check on products like this."
    return Route(route.stages[1:], reason)


def _healthy(route: Route, down: Collection[ModelSpec]) -> Route:
    """Without models that do not answer. A stage of which none does stays: somebody has to find out how they do."""
    stages = [Stage(stage.tier, tuple(spec for spec in stage.specs if spec not in down)) for stage in route.stages]
    left = tuple(up if up.specs else stage for up, stage in zip(stages, route.stages, strict=True))
    missing = set(route.specs) - {spec for stage in left for spec in stage.specs}
    if not missing:
        return route
    named = ", ".join(sorted(spec.model_id for spec in missing))
    return Route(left, f"{route.reason} Without {named}, which cannot be reached at the moment.")
