"""Rules for values that the product itself has, whatever they are said beside."""

from __future__ import annotations

import re
from fractions import Fraction

from generation.paraphrase.draft import Draft
from generation.paraphrase.english import english
from generation.paraphrase.phrase import Unit

BARE_NUMBER = re.compile(r"(?P<whole>\d{1,3})(?P<rest>[.-]\d{1,3})?")
LEAST_BARE_SIZE = 16
INCH = Fraction("0.0254")
DECIMAL = re.compile(r"\d{1,3}(?:\.\d{1,9})?")
# What is said of a thing is said of the only material it is made of: "hat, linen, natural", "bench, oak, solid".
OF_MATERIAL = frozenset(("natural", "solid"))
NATURAL_IN_NAME = frozenset(("rubber", "latex", "stone", "leather"))


def with_product_values(drafts: list[Draft]) -> list[Draft]:
    """Phrases of nothing but values, and those that name the product again: "in oiled oak", "ring size 54"."""
    if not drafts:
        return []
    product, kept = drafts[0], drafts[:1]
    _with_own_values(product, drafts[1:])
    owners = {id(draft.owner) for draft in drafts}
    for draft in drafts[1:]:
        is_plain = draft.owner is None and id(draft) not in owners
        is_matter = draft.is_description or (draft.link == "with" and _is_grade(draft.units[-1]))
        values = [unit for unit in draft.units if not unit.is_word]
        if (
            is_plain
            and is_matter
            and values
            and draft.words in ([], [product.head], ["composition"], ["material"], ["set"])
        ):
            product.units += values
        elif is_plain and draft.link == "" and draft.head == product.head and _is_named_again(draft, product):
            # "Our honey. It's lime blossom honey."
            product.units = draft.units + [unit for unit in product.units if not unit.is_word]
        else:
            kept.append(draft)
    return kept


def _is_named_again(draft: Draft, product: Draft) -> bool:
    """ "Knife set, three knives" counts them."""
    return product.words == [product.head] and not draft.units[0].words[0].isdigit()


def _with_own_values(product: Draft, drafts: list[Draft]) -> None:
    """What a phrase ends in and only the product can have: "with a zip in L", "with SPF 50 (150 ml)", "in linen
    measuring 2 x 3 m". Only where one such value is named, or two could be exchanged."""
    named = [unit.kind for draft in (product, *drafts) for unit in draft.units]
    for draft in drafts:
        last = draft.units[-1]
        is_free = draft.owner is None and draft.link != "not" and len(draft.units) > 1
        if is_free and named.count(last.kind) == 1 and _is_of_product(last, draft, product):
            product.units.append(draft.units.pop())


def _is_of_product(unit: Unit, draft: Draft, product: Draft) -> bool:
    """Clothes have sizes and their parts none, nothing is filled into a grade, and a thing is as large as its cloth."""
    if unit.kind == "size":
        return product.head in english().worn
    if unit.kind == "quantity m3":
        return draft.link == "with" and not draft.words and any(_is_grade(each) for each in draft.units)
    is_area = unit.kind == "quantity m" and " x " in unit.words[0]
    return is_area and draft.link == "in" and bool(draft.words) and draft.head not in english().features


def _is_grade(unit: Unit) -> bool:
    """ "With 70 % merino", "with UPF 50", "with quick release"."""
    return unit.kind in ("share", "property") or (unit.kind == "code" and len(unit.words) > 1)


def with_bare_number(drafts: list[Draft]) -> list[Draft]:
    """ "Gloves, leather, 9.5" are of that size, "tablets, mint, 125" so many."""
    kinds = {unit.kind for unit in drafts[0].units} if drafts else set()
    owners = {id(draft.owner) for draft in drafts}
    for draft in drafts[1:]:
        is_alone = draft.link == "" and draft.owner is None and len(draft.units) == 1 and id(draft) not in owners
        if not is_alone or not (number := BARE_NUMBER.fullmatch(" ".join(draft.units[0].words))):
            continue
        kind = "size" if drafts[0].head in english().worn else "count"
        is_size = kind == "size" and (number["rest"] or int(number["whole"]) >= LEAST_BARE_SIZE)
        is_count = kind == "count" and drafts[0].is_plural and not number["rest"]
        if (is_size or is_count) and kind not in kinds:
            value = number[0] if kind == "size" else f"count {number[0]}"
            drafts[0].units.append(Unit(kind, (value,)))
            drafts = [each for each in drafts if each is not draft]
            kinds.add(kind)
    return drafts


def with_sizes_of_others(drafts: list[Draft]) -> list[Draft]:
    """ "Sleeve for 13-inch laptops" is a 13-inch sleeve for laptops, "sheet for beds of 90 x 200 cm" of that size."""
    tables, product = english(), drafts[0] if drafts else None
    if product is None or any(_is_length(unit) for unit in product.units):
        return drafts
    for draft in drafts[1:]:
        sizes = [unit for unit in draft.units if _is_length(unit)]
        if draft.link != "for" or draft.owner is not None or len(sizes) != 1 or len(draft.units) > 2:
            continue
        is_for_device = (
            product.head in tables.device_holders and draft.head in tables.devices and _is_in_inches(sizes[0])
        )
        is_for_bed = (
            product.head in tables.bedding
            and (draft.head in tables.beds or not draft.words)
            and " x " in sizes[0].words[0]
        )
        if is_for_device or is_for_bed:
            draft.units = [unit for unit in draft.units if unit not in sizes]
            product.units += sizes
            return [each for each in drafts if each is not draft] if is_for_bed else drafts
    return drafts


def _is_in_inches(unit: Unit) -> bool:
    """As devices are: "13-inch", not "40 cm"."""
    *_, number = unit.words[0].split()
    return DECIMAL.fullmatch(number) is not None and (Fraction(number) / INCH * 10).denominator == 1


def _is_length(unit: Unit) -> bool:
    return unit.kind == "quantity m"


def with_natural(drafts: list[Draft]) -> list[Draft]:
    product = drafts[0] if drafts else None
    for draft in drafts[1:]:
        is_alone = draft.link in ("", "in") and draft.owner is None and len(draft.units) == 1
        if product is None or not is_alone or draft.head not in OF_MATERIAL:
            continue
        at = [index for index, unit in enumerate(product.units) if unit.kind == "material"]
        if len(at) == 1 and len((unit := product.units[at[0]]).words) == 1 and unit.words[0] not in NATURAL_IN_NAME:
            product.units[at[0]] = Unit("material", (draft.head, *unit.words))
            drafts = [each for each in drafts if each is not draft]
    return drafts
