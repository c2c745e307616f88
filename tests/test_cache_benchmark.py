"""The judge of the cache: it must see what is wrong, and the pairs must be those that were dealt."""

from __future__ import annotations

import random

import pytest

from benchmarks.cache.catalogue import Variant, choose, load_families
from benchmarks.cache.oracle import find_changed_fact, find_fault, upper_bound
from benchmarks.cache.stream import WORDINGS, Request, make_stream, worded
from benchmarks.cache.widen import FOLDER, make_halves

FAMILIES = load_families()


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: str(family[0].title))
def test_oracle_knows_a_variant_in_every_wording_and_tells_it_from_its_siblings(family: list[Variant]) -> None:
    asked, *siblings = random.Random(1).sample(family, 6)

    for wording in range(WORDINGS):
        assert find_fault(Request(asked, worded(asked, wording)).words, asked) == ""
        assert all(find_fault(Request(sibling, worded(sibling, wording)).words, asked) for sibling in siblings)


@pytest.mark.parametrize(
    ("text", "was", "now", "is_true"),
    [
        ("Holds 0.75 L. Navy.", "500 ml", "750 ml", True),
        ("Holds 500 ml. Navy.", "500 ml", "750 ml", False),
        ("Rain jacket, not waterproof.", "not waterproof", "waterproof", False),
        ("Front: silver. Back: onyx.", "Onyx; Silver", "Silver; Onyx", True),
        ("Front: onyx. Back: silver.", "Onyx; Silver", "Silver; Onyx", False),
    ],
)
def test_oracle_sees_the_fact_that_changed(text: str, was: str, now: str, is_true: bool) -> None:
    assert (find_changed_fact(text, was=was, now=now, asked=now) == "") is is_true


def test_bound_is_that_of_clopper_and_pearson() -> None:
    assert upper_bound(0, 300) == pytest.approx(1 - 0.05 ** (1 / 300))
    assert upper_bound(2, 50) == pytest.approx(0.1207, abs=1e-4)  # R: binom.test(2, 50, alternative = "less")


def test_stream_is_the_same_for_the_same_seed() -> None:
    variants = choose(FAMILIES, 633, random.Random(1))

    streams = [[request.body for request in make_stream(variants, 50, seed)] for seed in (1, 1, 2)]

    assert len(set(variants)) == 633
    assert streams[0] == streams[1] != streams[2]


def test_halves_are_those_that_were_dealt() -> None:
    assert {half: (FOLDER / f"{half}.jsonl").read_text() for half in ("dev", "held_out")} == make_halves()
