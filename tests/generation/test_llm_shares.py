"""What several texts of one call cost: shares that add up to the call's own bill."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generation.engine.calls import request_ceiling
from generation.facts import Brief, extract_facts
from generation.llm.prices import PRICES, cost_nanos
from generation.llm.replies import split_reply, split_shared_reply
from generation.llm.shares import divide, share_out
from generation.llm.types import ModelSpec, Usage
from generation.prompts import build_request, build_shared_request

AMOUNTS = st.integers(0, 10**12)
COUNTS = st.integers(0, 5_000)
FIELDS = ("description", "seo_title", "meta_description")


@given(st.data(), AMOUNTS, st.lists(st.tuples(st.integers(0, 10**6), AMOUNTS), min_size=1, max_size=9))
def test_parts_add_up_and_keep_within_their_bounds(data: st.DataObject, total: int, parts: list[Any]) -> None:
    weights, bounds = [weight for weight, _ in parts], [bound for _, bound in parts]

    free, bounded = divide(total, weights), divide(total, weights, bounds)

    assert sum(free) == sum(bounded) == total
    whole = sum(weights)
    assert all(abs(part * whole - total * weight) <= whole for part, weight in zip(free, weights, strict=True) if whole)
    if total <= sum(bounds):
        assert all(0 <= part <= bound for part, bound in zip(bounded, bounds, strict=True))


@given(
    spec=st.sampled_from(PRICES),
    usage=st.builds(
        Usage, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS, st.sampled_from(["standard", "batch", "priority"])
    ),
    parts=st.lists(st.tuples(st.integers(1, 9_000), st.integers(0, 2_000), AMOUNTS), min_size=2, max_size=8),
)
@settings(max_examples=100, deadline=None)
def test_shares_of_a_call_are_its_tokens_and_its_cost_to_the_nano(spec: ModelSpec, usage: Usage, parts: Any) -> None:
    prompts, replies, ceilings = map(list, zip(*parts, strict=True))

    shares = share_out(usage, spec.price, prompts=prompts, replies=replies, ceilings=ceilings)

    for name in (field.name for field in fields(Usage) if field.name != "tier"):
        assert sum(getattr(share.usage, name) for share in shares) == getattr(usage, name)
    cost = cost_nanos(usage, spec.price)
    assert sum(share.cost_nanos for share in shares) == cost
    if cost <= sum(ceilings):
        assert all(share.cost_nanos <= ceiling for share, ceiling in zip(shares, ceilings, strict=True))


BRIEFS = st.builds(
    lambda wishes, products: [Brief(extract_facts(product), **wishes) for product in products],
    st.fixed_dictionaries(
        {
            "length": st.sampled_from(["short", "medium", "long"]),
            "fields": st.sampled_from([("description",), FIELDS]),
            "voice": st.text(max_size=60),
        }
    ),
    st.lists(
        st.fixed_dictionaries({"title": st.text("Mugé ", min_size=1, max_size=40).map(lambda title: f"Mug {title}")}),
        min_size=2,
        max_size=8,
    ),
)


@given(spec=st.sampled_from(PRICES), briefs=BRIEFS)
@settings(max_examples=60, deadline=None)
def test_what_the_parts_hold_covers_all_that_their_call_can_cost(spec: ModelSpec, briefs: list[Brief]) -> None:
    """Each holds what it would hold alone, so it may be refused or sent alone without another reckoning."""
    identifiers: dict[str, Any] = {"workspace_id": UUID(int=0), "call_id": UUID(int=1), "deadline_seconds": 60}
    alone = [request_ceiling(build_request(brief, **identifiers), spec) for brief in briefs]

    together = request_ceiling(build_shared_request(briefs, **identifiers), spec)

    assert together <= sum(alone)


def entry(number: str, **values: Any) -> dict[str, Any]:
    return {"id": number, "description": f"The Mug {number}.", **values}


def reply(*entries: Any) -> str:
    return json.dumps({"texts": entries})


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (reply(entry("2"), entry("1")), {"1", "2"}),
        ("Here you are:\n```json\n" + reply(entry("1"), entry("2")) + "\n```", {"1", "2"}),
        (reply(entry("1"), entry("3")), {"1"}),
        (reply(entry("1"), entry("2"), entry("2", description="Another.")), {"1"}),
        (reply(entry("1", description="  "), entry("2")), {"2"}),
        (reply(entry("1", description=["x"]), entry("2", seo_title=7)), set()),
        (reply(entry("1"), "2"), set()),
        (reply(entry("1"))[:-4], set()),
        ('{"texts": null}', set()),
        ("[]", set()),
        ("The Mug 1. The Mug 2.", set()),
    ],
)
def test_only_parts_that_can_be_told_for_certain_are_taken_from_a_shared_reply(text: str, found: set[str]) -> None:
    assert set(split_shared_reply(text, ["1", "2"], FIELDS)) == found


def test_fields_of_a_part_are_read_as_those_of_a_reply_of_its_own() -> None:
    told = {"description": "The Mug.\n\n- Blue", "seo_title": "Mug", "meta_description": "A blue mug."}

    assert split_reply(split_shared_reply(reply({"id": "1", **told}), ["1"], FIELDS)["1"], FIELDS) == told
