"""The spelling of slots, and what the masked facts say of each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from string import ascii_lowercase

from generation.facts import Facts
from generation.facts.folding import fold, without_accents

SLOT = re.compile(r"\{\{([a-z_]+)\}\}")
LONGEST_NAME = 24
UNSAFE = re.compile(r"[^a-z]+")
# Read by no rule of the output check as anything but an ordinary word.
NEUTRAL_WORD = "zzq"
KINDS = {
    "color": "a colour",
    "size": "a size",
    "quantity": "a number with its unit",
    "dimensions": "dimensions with their unit",
    "number": "a number, more than one",
    "number one": "the number 1",
    "count": "a number of pieces, with the word for pieces",
    "code": "a code",
    "material": "a material, such as a wood",
    "name": "a name, such as that of a scent or a country",
}
LIST = "list"
LISTED = "a list, each"


def slot(name: str) -> str:
    return f"{{{{{name}}}}}"


def has_slots(text: str) -> bool:
    return SLOT.search(text) is not None


def slot_names(labels: Iterable[str]) -> dict[str, str]:
    """Canonical label -> name; labels that spell the same get letters of their own, in the labels' order."""
    names: dict[str, str] = {}
    for label in sorted(labels):
        name = _name(label)
        taken = set(names.values())
        names[label] = name if name not in taken else next(each for each in _lettered(name) if each not in taken)
    return names


@lru_cache(maxsize=4096)
def _name(label: str) -> str:
    return UNSAFE.sub("_", without_accents(fold(label))).strip("_")[:LONGEST_NAME].strip("_") or "value"


def _lettered(name: str) -> Iterator[str]:
    return (f"{name}_{first}{second}" for first in ascii_lowercase for second in ("", *ascii_lowercase))


def slot_kinds(facts: Facts) -> dict[str, str]:
    """Slot name -> what fills it, for the writer: {"color": "a colour", "size": "a list, each a size"}.

    Empty for facts that are not masked, even where a shop's own value looks like a slot.
    """
    kinds: dict[str, str] = {}
    for fact in facts.facts:
        _, marked, told = fact.canonical.rpartition("}} ")
        if marked and (match := SLOT.fullmatch(fact.value)):
            form = told.split()
            kind = KINDS.get(" ".join(form[:2])) or KINDS.get(form[0], "words")
            kinds[match[1]] = f"{LISTED} {kind}" if form[-1] == LIST else kind
    return kinds


def without_slots(text: str) -> str:
    """Every slot as a word that states nothing, so that the output check can read what stands around it."""
    return SLOT.sub(lambda match: NEUTRAL_WORD + match[1].replace("_", ""), text)


def facts_without_slots(facts: Facts) -> Facts:
    """Masked facts to check masked texts against; how many variants there are is nothing the writer was shown."""
    plain = tuple(replace(fact, value=without_slots(fact.value)) for fact in facts.facts)
    return Facts(without_slots(facts.title), plain, without_slots(facts.source))
