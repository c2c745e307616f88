"""The choice of models, without a database: what decides, in which order, and what it says of itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from generation.facts import Brief, Task, extract_facts, fingerprint
from generation.llm.prices import FREE, PRICES
from generation.llm.types import ModelSpec, Tier
from generation.routing import Asked, Outcomes, Route, Rule, asked_of, category_of, choose, possible
from generation.routing.outcomes import EXPLORE_EVERY, FEWEST, explores


def model(tier: Tier, model_id: str = "") -> ModelSpec:
    return ModelSpec("acme", "openai", model_id or tier, tier, FREE, "v1", 1_000, 1_000)


ALL = [model("economy", "small"), model("economy", "small-2"), model("standard", "middle"), model("premium", "large")]
ASKED = Asked(Task.DESCRIPTION, "auto", "en", "medium", has_wishes=False, fact_count=6, category="mugs", seed="1")
FAILING = Outcomes(passed=3, failed=60)


def route(asked: Asked = ASKED, **given: Any) -> Route:
    return choose(asked, **{"highest": "premium", "rules": [], "models": ALL, **given})


def ids(found: Route) -> list[list[str]]:
    return [[spec.model_id for spec in stage.specs] for stage in found.stages]


def test_economy_comes_first_and_one_tier_up_after_a_failed_check() -> None:
    assert ids(route()) == [["small", "small-2"], ["middle"]]


@pytest.mark.parametrize(
    ("tier", "expected"),
    [("economy", [["small", "small-2"], ["middle"]]), ("standard", [["middle"], ["large"]]), ("premium", [["large"]])],
)
def test_a_tier_that_is_asked_for_is_where_it_starts(tier: str, expected: list[list[str]]) -> None:
    found = route(replace(ASKED, tier=tier), rules=[Rule("All", "premium")], outcomes=FAILING)

    assert ids(found) == expected
    assert f"{tier} tier was asked for" in found.reason


@pytest.mark.parametrize(
    ("highest", "expected"), [("economy", [["small", "small-2"]]), ("standard", [["middle"]]), ("premium", [["large"]])]
)
def test_nothing_goes_above_the_plan(highest: Tier, expected: list[list[str]]) -> None:
    for found in (
        route(highest=highest, rules=[Rule("All", "premium")]),
        route(replace(ASKED, tier="premium"), highest=highest),
    ):
        assert ids(found) == expected


@pytest.mark.parametrize(
    ("conditions", "asked", "matches"),
    [
        ({}, {}, True),
        ({"tasks": ("translate",)}, {}, False),
        ({"tasks": ("translate",)}, {"task": Task.TRANSLATE}, True),
        ({"languages": ("de", "fr")}, {"language": "fr"}, True),
        ({"languages": ("de", "fr")}, {"language": "en"}, False),
        ({"lengths": ("long",)}, {"length": "long"}, True),
        ({"has_wishes": True}, {}, False),
        ({"has_wishes": False}, {}, True),
        ({"fewest_facts": 7}, {}, False),
        ({"fewest_facts": 6, "most_facts": 6}, {}, True),
        ({"most_facts": 5}, {}, False),
        ({"fewest_facts": 7}, {"fact_count": None}, None),
        ({"fewest_facts": 7, "lengths": ("long",)}, {"fact_count": None}, False),
    ],
)
def test_a_rule_holds_when_all_its_conditions_do(
    conditions: dict[str, Any], asked: dict[str, Any], matches: bool | None
) -> None:
    assert Rule("Some", "standard", **conditions).matches(replace(ASKED, **asked)) is matches


def test_the_first_rule_that_matches_counts_and_is_named() -> None:
    rules = [
        Rule("German", "premium", languages=("de",)),
        Rule("Plain", "standard", model_id="middle-2"),
        Rule("All", "premium"),
    ]
    found = route(rules=rules, models=[*ALL, model("standard", "middle-2")])

    assert ids(found) == [["middle-2", "middle"], ["large"]]
    assert "“Plain”" in found.reason


def test_models_that_are_down_are_left_out_unless_all_of_their_tier_are() -> None:
    found = route(down={ALL[0]})

    assert ids(found) == [["small-2"], ["middle"]]
    assert "small" in found.reason
    assert route(down=ALL[:3]) == route(down=ALL[2:]) == route()


def test_with_no_model_of_the_tier_a_cheaper_one_stands_in_unless_the_tier_was_asked_for() -> None:
    to_premium = [Rule("All", "premium")]
    assert ids(route(rules=to_premium, models=ALL[:2])) == [["small", "small-2"]]
    assert ids(route(models=ALL[2:3])) == [["middle"]]
    assert ids(route(models=ALL[2:3], highest="economy")) == []
    assert ids(route(replace(ASKED, tier="premium"), models=ALL[:2])) == []


# --- What is learned --------------------------------------------------------------------------------------------------


def test_a_kind_that_mostly_fails_starts_one_tier_up() -> None:
    found = route(outcomes=FAILING)

    assert ids(found) == [["middle"]]
    assert "mostly fail" in found.reason


@pytest.mark.parametrize(
    ("outcomes", "fails_mostly"),
    [
        (Outcomes(), False),
        (Outcomes(0, FEWEST - 1), False),
        (Outcomes(0, FEWEST), True),
        (Outcomes(10, 12), False),  # more than half, but it may be chance
        (Outcomes(100, 200), True),
        (Outcomes(300, 100), False),
    ],
)
def test_a_kind_counts_as_failing_only_when_that_is_sure(outcomes: Outcomes, fails_mostly: bool) -> None:
    assert outcomes.fails_mostly is fails_mostly


def test_wilsons_upper_end_is_that_of_the_tables() -> None:
    """Newcombe (1998), table I, method 3: 81 of 263 is 0.2553 to 0.3662, 15 of 148 is 0.0624 to 0.1605."""
    assert Outcomes(81, 263 - 81).most_likely_passing == pytest.approx(0.3662, abs=5e-5)
    assert Outcomes(15, 148 - 15).most_likely_passing == pytest.approx(0.1605, abs=5e-5)


def test_some_of_a_failing_kind_are_tried_at_economy_again() -> None:
    prints = [fingerprint(Brief(extract_facts({"title": f"Mug {n}"}))) for n in range(2_000)]
    tried = [seed for seed in prints if explores(seed)]

    assert 0.5 < len(tried) / len(prints) * EXPLORE_EVERY < 1.5
    assert ids(route(replace(ASKED, seed=tried[0]), outcomes=FAILING)) == ids(route())


def test_neither_health_nor_learning_makes_a_route_dearer() -> None:
    usual = set(route().specs)
    for given in ({"outcomes": FAILING}, {"down": ALL[:1]}, {"down": ALL[:2], "outcomes": FAILING}):
        assert set(route(**given).specs) <= usual


# --- Before the facts are known ---------------------------------------------------------------------------------------


def test_every_route_that_facts_may_lead_to_is_possible() -> None:
    rules = [
        Rule("Many facts", "premium", fewest_facts=20),
        Rule("Long", "standard", lengths=("long",)),
        Rule("All", "economy"),
        Rule("Never reached", "premium"),
    ]
    for length in ("medium", "long"):
        asked = replace(ASKED, length=length)
        found = possible(replace(asked, fact_count=None), highest="premium", rules=rules, models=ALL)
        met = [route(replace(asked, fact_count=count), rules=rules) for count in (1, 19, 20, 100)]
        assert {str(ids(each)) for each in found} == {str(ids(each)) for each in met}


# --- What is read from a brief ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("category", "known"),
    [("Home > Kitchen > Mugs", "mugs"), ("Home/Kitchen/MUGS", "mugs"), ("Mugs", "mugs"), ("", "")],
)
def test_the_kind_of_a_product_is_the_narrowest_of_its_categories(category: str, known: str) -> None:
    assert category_of(extract_facts({"title": "Fjord", "category": category})) == known


def test_the_facts_and_wishes_of_a_brief_decide() -> None:
    facts = extract_facts(
        {"title": "Fjord Mug", "category": "Mugs", "attributes": {"Color": "blue", "Weight": "300 g"}}
    )
    brief = Brief(facts, language="de", length="long", voice="Plain words.", tier="standard")

    asked = asked_of(brief, "f3-1")

    assert (asked.language, asked.length, asked.tier, asked.category) == ("de", "long", "standard", "mugs")
    assert asked.has_wishes
    assert asked.fact_count == len(facts.facts)


def test_every_tier_has_a_model_in_the_price_table() -> None:
    assert {spec.tier for spec in PRICES} == {"economy", "standard", "premium"}
