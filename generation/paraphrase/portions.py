"""Rules for how much of the product there is: what containers hold, sets and what is counted."""

from __future__ import annotations

from generation.paraphrase.draft import GROUPS, HELD, Draft, as_count, rehang
from generation.paraphrase.english import english
from generation.paraphrase.phrase import Unit

# "20 sheets of paper" are paper, 20 sheets; one sheet may be of cotton and lie on a bed.
PORTIONS = frozenset(("sheet", "roll", "deck", "slice", "strip", "bundle", "skein", "ball", "spool", "stick", "block"))


def turned_around(drafts: list[Draft]) -> list[Draft]:
    """ "A jar of honey" is honey in a jar, "a set of spoons" spoons in a set."""
    if not drafts or (drafts[0].head not in english().containers | GROUPS and not _is_portioned(drafts[0])):
        return drafts
    container, *others = drafts
    content = next((draft for draft in others if draft.link == "of" and draft.owner is None and draft.words), None)
    if content is None or (container.head in GROUPS and content.head in english().consumed):
        return drafts
    rehang(drafts, content, None)
    content.link, container.link, container.is_inside = "", "with", True
    content.units = as_count(content.units)
    container.units = [_as_word(unit) for unit in container.units]
    place = max(index for index, unit in enumerate(container.units) if unit.is_word) + 1
    content.units += container.units[place:]
    container.units = container.units[:place]
    return [content, container, *(draft for draft in others if draft is not content)]


def _is_portioned(draft: Draft) -> bool:
    return draft.head in PORTIONS and draft.units[0].kind == "count"


def _as_word(unit: Unit) -> Unit:
    """ "Three pairs of socks" are socks, three pairs."""
    return Unit("word", (unit.words[0].removeprefix("count "),)) if unit.kind == "count" else unit


def with_held(drafts: list[Draft]) -> list[Draft]:
    """ "A can with a brass rose that holds 5 l" holds them itself, and of six glasses "each holds 250 ml"."""
    tables, product = english(), drafts[0] if drafts else None
    for draft in drafts[1:]:
        held = [unit for unit in draft.units if unit.kind == "quantity m3"]
        is_each = draft.words == ["each"] and product is not None and product.head in tables.vessels
        is_rose = draft.head not in tables.holders and product is not None and product.head in tables.holders
        if (
            product is not None
            and held
            and draft.link in ("", "with")
            and (is_each or (is_rose and draft.ends_in_volume))
        ):
            product.units += held
            draft.units = [unit for unit in draft.units if unit not in held and unit.words != ("each",)]
    return [draft for draft in drafts if draft.units]


def with_content(drafts: list[Draft]) -> list[Draft]:
    """ "In a 500 g jar" there are 500 g of the product; a backpack with a 1 l bottle holds more."""
    tables = english()
    is_content = bool(drafts) and drafts[0].head in tables.consumed
    holding = [draft for draft in drafts[1:] if draft.is_container and (is_content or draft.is_inside)]
    if len(holding) == 1:
        container = holding[0]
        if container.units[0].is_word and container.units[0].words[0].isdigit() and len(container.units) == 2:
            container.units[0] = Unit("count", (f"count {container.units[0].words[0]}",))
        held = [unit for unit in container.units if unit.kind in HELD]
        if not {unit.kind for unit in held} & {unit.kind for unit in drafts[0].units}:
            drafts[0].units += held
            container.units = [unit for unit in container.units if unit.kind not in HELD]
    return drafts


def with_group(drafts: list[Draft]) -> list[Draft]:
    """The head of "screwdriver set" as a phrase of its own."""
    if drafts and drafts[0].head in GROUPS and len(drafts[0].words) > 1:
        product = drafts[0]
        at = max(index for index, unit in enumerate(product.units) if unit.is_word)
        if product.units[at - 1].is_word and product.units[at - 1].words[-1] not in english().consumed:
            drafts.insert(1, Draft("with", [product.units.pop(at)]))
    return drafts


def with_number(drafts: list[Draft]) -> list[Draft]:
    """Of so many it is no news that they are a set; "5 brushes" of a brush set count the product."""
    product = drafts[0] if drafts else None
    for draft in drafts[1:]:
        is_counted = len(draft.units) == 2 and draft.units[0].words[0].isdigit() and draft.words[1:] == [draft.head]
        if product and is_counted and draft.owner is None and draft.link in ("", "with") and draft.head == product.head:
            product.units += as_count(draft.units[:1])
            drafts = [each for each in drafts if each is not draft]
    has_count = product is not None and any(unit.kind == "count" for unit in product.units)
    return [draft for draft in drafts if not (has_count and draft.words == ["set"] and len(draft.units) == 1)]
