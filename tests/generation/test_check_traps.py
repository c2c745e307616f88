"""The output check's promise: planted inventions are caught, honest texts pass."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict

import pytest

from generation.facts import Brief, Facts, ProductInput, check_text, extract_facts

CAUGHT_AT_LEAST = 0.99
FALSE_ALARMS_BELOW = 0.03


class Case(TypedDict):
    product: ProductInput
    texts: dict[str, list[str]]  # honest ones, by language


HERE = Path(__file__).parent
CASES: dict[str, Case] = tomllib.loads((HERE / "check_cases.toml").read_text(encoding="utf-8"))
# Language -> kind of complaint -> false sentences.
TRAPS: dict[str, dict[str, list[str]]] = tomllib.loads((HERE / "check_traps.toml").read_text(encoding="utf-8"))
FACTS: dict[str, Facts] = {name: extract_facts(case["product"]) for name, case in CASES.items()}


def honest_texts() -> Iterator[tuple[str, str, str]]:
    for name, case in CASES.items():
        for language, texts in case["texts"].items():
            yield from ((name, language, text) for text in texts)


def planted_traps() -> Iterator[tuple[str, str, str, str]]:
    """Each honest text with one false sentence after its first one."""
    for name, language, text in honest_texts():
        first, stop, rest = text.partition(". ")
        for kind, sentences in TRAPS.get(language, {}).items():
            for trap in sentences:
                yield name, language, kind, f"{first}{stop or ' '}{trap} {rest}"


def passes(name: str, language: str, text: str) -> bool:
    return not check_text(text, Brief(FACTS[name], language=language, length="short"))


def test_the_sets_are_large_enough_to_mean_something() -> None:
    assert len(CASES) >= 15
    assert len(list(honest_texts())) >= 60
    assert len(list(planted_traps())) >= 150


def test_planted_inventions_are_caught() -> None:
    traps = list(planted_traps())

    missed = [trap for trap in traps if passes(trap[0], trap[1], trap[3])]

    assert len(missed) <= len(traps) * (1 - CAUGHT_AT_LEAST), missed


def test_honest_texts_pass() -> None:
    texts = list(honest_texts())

    alarms = [
        (
            name,
            [
                (complaint.kind, complaint.words)
                for complaint in check_text(text, Brief(FACTS[name], language=language))
            ],
        )
        for name, language, text in texts
        if not passes(name, language, text)
    ]

    assert len(alarms) < len(texts) * FALSE_ALARMS_BELOW, alarms


@pytest.mark.parametrize("language", ["en", "de", "fr"])
def test_a_trap_is_reported_as_what_it_is(language: str) -> None:
    """On a product whose facts hold none of it, each trap's own kind is among the complaints."""
    facts = extract_facts({"title": "Plain thing", "attributes": {"Shape": "round"}})

    wrong = [
        (kind, sentence)
        for kind, sentences in TRAPS[language].items()
        for sentence in sentences
        if not {kind, "unit" if kind == "number" else "number"}
        & {complaint.kind for complaint in check_text(f"Plain thing. {sentence}", Brief(facts, language=language))}
    ]

    assert wrong == []
