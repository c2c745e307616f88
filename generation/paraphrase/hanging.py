"""Rules for what each phrase hangs on: the product, a part of it, or what was named last."""

from __future__ import annotations

from generation.paraphrase.draft import HELD, Draft, behind_number, rehang
from generation.paraphrase.english import english
from generation.paraphrase.phrase import TAKING

PASSED_OVER = frozenset(("for", "from", "by"))
# Behind these nothing is named that "it" could be.
NAMING_NOTHING = frozenset(("in", "by", "from"))
# "A barbecue on three legs", "a pocket at the back".
PREPOSITIONS = frozenset(("on", "at"))
LIVING = frozenset(("person", "player", "beginner", "user", "pet", "baby", "child", "horse", "family"))
CARED_FOR = frozenset(("skin", "hair", "scalp", "lip"))


def without_it(drafts: list[Draft]) -> list[Draft]:
    """ "It is not dishwasher-safe" speaks of the product; a detachable "it" may be the hood named last."""
    for draft in drafts[1:]:
        values = [unit for unit in draft.units if not unit.is_word]
        said = values + [unit for each in drafts if each.owner is draft for unit in each.units]
        others = {each.link for each in drafts[1 : drafts.index(draft)]}
        is_whole = all(unit.words[-1] == "safe" for unit in said) or others <= NAMING_NOTHING
        if is_whole and draft.words == ["it"] and draft.owner is None and draft.link == "":
            drafts[0].units += values
            rehang(drafts, draft, None)
            drafts = [each for each in drafts if each is not draft]
    return drafts


def with_prepositions(drafts: list[Draft]) -> list[Draft]:
    found: list[Draft] = []
    for draft in drafts:
        found.append(draft)
        at = next((index for index, unit in enumerate(draft.units) if index and unit.words[0] in PREPOSITIONS), 0)
        if not at or at + 1 == len(draft.units) or draft.link == "not":
            continue
        link, units = draft.units[at].words[0], draft.units[at + 1 :]
        words = [index for index, unit in enumerate(units) if unit.is_word]
        end = words[-1] + 1 if words else len(units)
        draft.units = draft.units[:at] + (units[end:] if draft is drafts[0] else [])
        units = units[:end] if draft is drafts[0] else units
        if [unit.words for unit in units] == [("it",)]:
            continue
        is_place = all(unit.words[-1] in english().places for unit in units)
        if is_place or (draft is not drafts[0] and link == "on" and all(unit.is_word for unit in units)):
            at = (
                behind_number(draft.units)
                if is_place
                else next((index for index, unit in enumerate(draft.units) if unit.is_word), 0)
            )
            draft.units[at:at] = units
        else:
            found.append(Draft(link, units, None if draft is drafts[0] else draft))
    return found


def with_own(drafts: list[Draft]) -> list[Draft]:
    """ "Mount for the car with a clip": the clip is the mount's. "Soap in a bottle with pump" has one somewhere."""
    is_packed_once = sum(draft.head in english().containers for draft in drafts[1:]) == 1
    for draft in drafts:
        owner = draft.owner
        if draft.is_inside and owner is not None and draft.head == "box" and "gift" in draft.words:
            # "A knife with an oak handle in a gift box".
            draft.owner = owner = None
        if owner is None or not _may_be_own(draft, owner) or owner.owner is not None:
            continue
        is_packed = draft.is_inside and drafts[0].head in english().consumed and owner.link in ("", "with")
        if _is_passed_over(owner, draft) or (is_packed_once and (owner.is_container or is_packed)):
            draft.owner = None
    return drafts


def _may_be_own(draft: Draft, owner: Draft) -> bool:
    if draft.link == "on":
        return owner.link == "in"
    return draft.link == "with" or (draft.link == "from" and all(unit.is_quantity for unit in draft.units))


def _is_passed_over(owner: Draft, draft: Draft) -> bool:
    tables = english()
    if owner.link == "not":
        return draft.head in tables.containers and any(unit.kind in HELD for unit in draft.units)
    is_plain = len(owner.units) == 1 and owner.head not in tables.containers | tables.holders | tables.accessories
    is_manner = owner.is_made or (owner.link == "in" and (owner.head in tables.manners or is_plain))
    return owner.link in PASSED_OVER or is_manner


def with_descriptions(drafts: list[Draft]) -> list[Draft]:
    product, kept = drafts[:1], []
    for draft in drafts:
        owner = draft.owner
        if owner is not None and owner not in product and owner.link != "not" and draft.is_description:
            # "A hood that packs into the collar."
            at = len(owner.units) if draft.is_relative else behind_number(owner.units)
            owner.units[at:at] = draft.units
            rehang(drafts, draft, owner)
        else:
            kept.append(draft)
    return kept


def with_purposes(drafts: list[Draft]) -> list[Draft]:
    """ "A loop for a hammer" is a hammer loop, whatever has it; "a strap for dogs" may be the product's."""
    tables = english()
    for draft in drafts[1:]:
        owner = draft.owner
        if owner is None or draft.link != "for" or owner.link not in ("", "with") or owner.head in tables.consumed:
            continue
        is_thing = all(unit.kind in ("word", "property") and not unit.words[0][0].isdigit() for unit in draft.units)
        is_living = draft.head in tables.animals or draft.head in LIVING
        has_own = any(each.owner is draft for each in drafts)
        if is_thing and not is_living and not has_own and owner.units[-1].is_noun:
            owner.units[-1:-1] = draft.units
            drafts = [each for each in drafts if each is not draft]
    return drafts


def with_origins(drafts: list[Draft]) -> list[Draft]:
    """ "Chocolate, Peru" is from there."""
    tables = english()
    for draft in drafts[1:]:
        is_alone = draft.link == "" and draft.owner is None and all(unit.is_word for unit in draft.units)
        if is_alone and drafts[0].head in tables.consumed and " ".join(draft.words) in tables.origins:
            draft.link = "from"
    return drafts


def with_named_devices(drafts: list[Draft]) -> list[Draft]:
    """ "A case with MagSafe for iPhone 15": the case is."""
    for draft in drafts[1:]:
        if draft.link == "for" and not english().named_devices.isdisjoint(draft.words):
            draft.owner = None
    return drafts


def with_taken(drafts: list[Draft]) -> list[Draft]:
    """ "A toaster for two slices" and "a toaster, two slices", but not "with two slices"."""
    for draft in drafts[1:]:
        takers = english().takes.get(draft.head, frozenset())
        is_counted = len(draft.units) == 2 and draft.units[0].words[0].isdigit()
        if draft.link == "for" and is_counted and drafts[0].head in takers:
            draft.link, draft.owner = TAKING, None
    return drafts


def with_bodies(drafts: list[Draft]) -> list[Draft]:
    """ "Cream with aloe for dry skin (50 ml)": the cream is for it, and fills so much."""
    tables, product = english(), drafts[0] if drafts else None
    for draft in drafts[1:]:
        owner = draft.owner
        if product is None or draft.head not in tables.bodies:
            continue
        if draft.link == "" and owner is None and draft.head in CARED_FOR and len(draft.words) > 1:
            # "Shaving foam, sensitive skin".
            draft.link = "for" if product.head in tables.cosmetics else ""
        if draft.link != "for":
            continue
        if product.head not in tables.cosmetics:
            continue
        if owner is not None and owner.link in ("", "with"):
            draft.owner = None
        if draft.owner is None:
            filled = [unit for unit in draft.units if unit.kind == "quantity m3"]
            product.units += filled
            draft.units = [unit for unit in draft.units if unit not in filled]
    return drafts
