"""Clauses -> a draft of a phrase each: items become the units that stay together."""

from __future__ import annotations

import re

from generation.paraphrase.clauses import Clause
from generation.paraphrase.draft import GROUPS, Draft, as_count
from generation.paraphrase.english import English, english
from generation.paraphrase.item import Item
from generation.paraphrase.items import is_number, singular
from generation.paraphrase.phrase import Unit

MANY = re.compile(r"\d{1,2}")
COUNTED_CODE = re.compile(r"(\d+)-([a-z]{3,})")


def drafts_of(clauses: list[Clause]) -> list[Draft]:
    """Those of the product are of nothing else: their owner is None."""
    found: dict[int, Draft] = {}
    counted: list[Draft] = []
    for index, clause in enumerate(clauses):
        if index == 0:
            counted = [Draft("", _units(item)) for item in _counted_behind(clause)]
        units = [unit for item in _with_grades(clause.items) for unit in _units(item)]
        is_name = clause.items[0].written[:1].isupper() and all(_may_name(item) for item in clause.items)
        units = _with_glass(_counted(units, clause) if index == 0 else units)
        draft = Draft(_link(clause), units, is_name=is_name)
        owner = found.get(id(clause.parent))
        draft.is_relative = "that" in clause.links
        draft.is_made, draft.is_inside = clause.is_made, clause.is_inside
        draft.ends_in_volume = [item.kind for item in clause.items[-2:]] == ["gap", "quantity m3"]
        draft.is_plural = bool(clause.words) and clause.words[-1].written.endswith("s")
        draft.owner = owner
        if draft.link == "for" and len(units) == 1 and MANY.fullmatch(" ".join(units[0].words)):
            # "A tent for three"; a calendar is for 2027.
            draft.units.append(Unit("word", ("person",)))
        found[id(clause)] = draft
    return [*found.values(), *counted]


def _counted_behind(clause: Clause) -> list[Item]:
    """Takes "7-zone" off "mattress topper, 7-zone": nothing that it could be the head of."""
    behind = [
        item
        for index, item in enumerate(clause.items)
        if item.kind == "code" and COUNTED_CODE.fullmatch(item.value) and _stands_behind(clause.items[:index])
    ]
    clause.items = [item for item in clause.items if item not in behind]
    return behind


def _stands_behind(before: list[Item]) -> bool:
    return any(item.kind == "word" for item in before) and before[-1].kind != "word"


def _link(clause: Clause) -> str:
    """Whether "for dogs, felt" goes on to what the felt is for stays open only where such things have purposes."""
    link = "" if clause.is_made and clause.link == "of" else clause.link
    if link.startswith("?+") and not _has_purpose(clause.items, english()):
        return ""
    return link


def _has_purpose(items: list[Item], tables: English) -> bool:
    return any(
        item.kind == "audience" or item.value in tables.purposes or item.value in tables.animals for item in items
    )


def _may_name(item: Item) -> bool:
    return item.kind == "code" or is_number(item) or (item.kind == "word" and item.written[:1].isupper())


def _with_grades(items: list[Item]) -> list[Item]:
    """ "SPF 50" and "UPF 50+" are one code each."""
    found: list[Item] = []
    for item in items:
        before = found[-1] if found else Item("gap", "")
        is_grade = is_number(item) and before.kind == "word" and _counts_up(before)
        if is_grade or (before.kind == "code" and item.value == "+"):
            found[-1] = Item("code", f"{before.value} {item.value.lstrip('#')}")
        elif item.kind != "gap":
            found.append(item)
    return found


def _counts_up(item: Item) -> bool:
    return (item.written.isupper() and len(item.written) > 1) or item.value in english().numbered


def _units(item: Item) -> list[Unit]:
    tables = english()
    kind, _, side = item.kind.partition("@")
    if kind.startswith("quantity"):
        return [Unit(kind, (f"{kind.removeprefix('quantity ')} {item.value}",), side)]
    if kind in ("count", "set"):
        return [Unit("count", (f"count {item.value}",))]
    if kind in ("size", "share"):
        return [Unit(kind, (item.value,))]
    if is_number(item):
        return [Unit("word", (item.value[1:],))]
    if kind == "code" and (match := COUNTED_CODE.fullmatch(item.value)):
        return [Unit("word", (match[1],)), Unit("word", (_noun(match[2], tables),))]
    kind = "word" if item.value in tables.verbs else kind
    value = singular(item.value) if kind == "material" else item.value
    return [Unit(kind, tuple(_noun(word, tables) for word in value.split()))]


def _noun(word: str, tables: English) -> str:
    return tables.derived.get(word) or tables.derived.get(singular(word), word)


def _counted(units: list[Unit], clause: Clause) -> list[Unit]:
    """ "Two mugs" are a set of two mugs; "a vacuum cleaner" is a vacuum."""
    nouns = [word for word in clause.words if not is_number(word)]
    if nouns and nouns[-1].written.endswith("s"):
        units = as_count(units)
        if len(nouns) > 1 and nouns[-1].value in GROUPS:
            # "Five knife sets" are no set of five knives.
            plural = Unit("word", (f"{nouns[-1].value}s",))
            units = [plural if unit.words == (nouns[-1].value,) else unit for unit in units]
    places = [index for index, unit in enumerate(units) if unit.is_word]
    if len(places) > 1 and (short := english().heads.get(tuple(units[place].words[0] for place in places[-2:]))):
        units[places[-2] : places[-1] + 1] = [Unit("word", (short,))]
    return units


def _with_glass(units: list[Unit]) -> list[Unit]:
    """ "Whisky glasses" are no spectacles."""
    words = [index for index, unit in enumerate(units) if unit.is_word]
    if len(words) > 1 and units[words[-1]].words == ("glasses",) and units[words[-2]].words[-1] in english().drinks:
        units[words[-1]] = Unit("word", ("glass",))
    return units
