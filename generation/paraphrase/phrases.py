"""Clauses -> phrases: the product's own noun phrase, then what else is said, each with what it hangs on.

Where `clauses` brings a text to one canonical form, phrases keep the order of their words, so that `matching` can tell
"notebook, hardcover" from "hardcover, notebook pen".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import NamedTuple

from generation.paraphrase.clauses import Clause
from generation.paraphrase.item import Item
from generation.paraphrase.items import is_number, singular
from generation.paraphrase.phrasing import STANDARDS
from generation.paraphrase.vocabulary import English, english

PRODUCT = -1
# The link of what a thing is made to take, where "with" would say that it comes with it.
TAKING = "takes"
# "Upper of leather" and "surface is hammered" are a leather upper and a hammered surface.
DESCRIBING = frozenset(("", "of", "in"))
PASSED_OVER = frozenset(("for", "from", "by"))
# Behind these nothing is named that "it" could be.
NAMING_NOTHING = frozenset(("in", "by", "from"))
# "A barbecue on three legs", "a pocket at the back".
PREPOSITIONS = frozenset(("on", "at"))
# What a container holds is so much of the product.
HELD = ("quantity kg", "quantity m3", "count")
MANY = re.compile(r"\d{1,2}")
BARE_NUMBER = re.compile(r"(?P<whole>\d{1,3})(?P<rest>[.-]\d{1,3})?")
LEAST_BARE_SIZE = 16
COUNTED_CODE = re.compile(r"(\d+)-([a-z]{3,})")
LIVING = frozenset(("person", "player", "beginner", "user", "pet", "baby", "child", "horse", "family"))
# "A set of spoons" is a spoon set, "a pair of servers" servers, a pair.
GROUPS = frozenset(("set", "pair", "pack"))
INCH = Fraction("0.0254")
DECIMAL = re.compile(r"\d{1,3}(?:\.\d{1,9})?")
LAST_CHILD = 14 * 12  # months
CARED_FOR = frozenset(("skin", "hair", "scalp", "lip"))
# What is said of a thing is said of the only material it is made of: "hat, linen, natural", "bench, oak, solid".
OF_MATERIAL = frozenset(("natural", "solid"))
NATURAL_IN_NAME = frozenset(("rubber", "latex", "stone", "leather"))
# "20 sheets of paper" are paper, 20 sheets; one sheet may be of cotton and lie on a bed.
PORTIONS = frozenset(("sheet", "roll", "deck", "slice", "strip", "bundle", "skein", "ball", "spool", "stick", "block"))


class Unit(NamedTuple):
    """Words that stand together whatever is moved around them."""

    kind: str  # as an item's, without the side of a quantity
    words: tuple[str, ...]
    side: str = ""  # of a quantity: what it measures

    @property
    def is_word(self) -> bool:
        return self.kind == "word"

    @property
    def is_noun(self) -> bool:
        """May be what the others belong to; the 2027 of "wall calendar 2027" is not."""
        return self.kind == "word" and not self.words[-1].isdigit()

    @property
    def is_quantity(self) -> bool:
        return self.kind.startswith("quantity")


KIDS = Unit("audience", ("kids",))


class Phrase(NamedTuple):
    link: str
    owner: int  # the number of the phrase that it belongs to, or PRODUCT
    units: tuple[Unit, ...]
    is_name: bool = False

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(word for unit in self.units for word in unit.words)


class _Draft:
    """A phrase while phrases are made one of another."""

    def __init__(self, link: str, units: list[Unit], owner: _Draft | None = None, *, is_name: bool = False) -> None:
        self.link, self.units, self.owner, self.is_name = link, units, owner, is_name
        self.is_relative = False  # "that packs into the collar"
        self.ends_in_volume = False  # "with a rose that holds 5 l"
        self.is_made = False  # "made of bamboo"
        self.is_inside = False  # "in a jar"
        self.is_plural = False

    @property
    def head(self) -> str:
        return next((unit.words[-1] for unit in reversed(self.units) if unit.is_noun), "")

    @property
    def words(self) -> list[str]:
        return [word for unit in self.units if unit.is_word for word in unit.words]


def phrases_of(clauses: list[Clause]) -> tuple[Phrase, ...]:
    """The product's own first."""
    drafts = _drafts(clauses)
    for rule in RULES:
        drafts = rule(drafts)
    if not drafts:
        return ()
    numbers = {id(draft): number for number, draft in enumerate(drafts)} | {id(drafts[0]): PRODUCT}
    return tuple(
        Phrase(draft.link, numbers.get(id(draft.owner), PRODUCT), tuple(draft.units), draft.is_name) for draft in drafts
    )


def hard_words(phrases: tuple[Phrase, ...]) -> Iterator[str]:
    """Those that every wording of the same facts has: numbers, quantities, codes, colours and materials."""
    values = english().hard_values
    for phrase in phrases:
        for word in phrase.words:
            if word in values or any(char.isdigit() for char in word):
                yield word.removeprefix("count ")


def _drafts(clauses: list[Clause]) -> list[_Draft]:
    """Those of the product are of nothing else: their owner is None."""
    found: dict[int, _Draft] = {}
    counted: list[_Draft] = []
    for index, clause in enumerate(clauses):
        if index == 0:
            counted = [_Draft("", _units(item)) for item in _counted_behind(clause)]
        units = [unit for item in _with_grades(clause.items) for unit in _units(item)]
        is_name = clause.items[0].written[:1].isupper() and all(_may_name(item) for item in clause.items)
        units = _with_glass(_counted(units, clause) if index == 0 else units)
        draft = _Draft(_link(clause), units, is_name=is_name)
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
        units = _as_count(units)
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


def _as_count(units: list[Unit]) -> list[Unit]:
    first = units[0]
    is_number = first.is_word and first.words[0].isdigit()
    return [Unit("count", (f"count {first.words[0]}",)), *units[1:]] if is_number else units


def _as_word(unit: Unit) -> Unit:
    """ "Three pairs of socks" are socks, three pairs."""
    return Unit("word", (unit.words[0].removeprefix("count "),)) if unit.kind == "count" else unit


def _rehang(drafts: list[_Draft], gone: _Draft, owner: _Draft | None) -> None:
    for draft in drafts:
        if draft.owner is gone:
            draft.owner = owner


def _without_it(drafts: list[_Draft]) -> list[_Draft]:
    """ "It is not dishwasher-safe" speaks of the product; a detachable "it" may be the hood named last."""
    for draft in drafts[1:]:
        values = [unit for unit in draft.units if not unit.is_word]
        said = values + [unit for each in drafts if each.owner is draft for unit in each.units]
        others = {each.link for each in drafts[1 : drafts.index(draft)]}
        is_whole = all(unit.words[-1] == "safe" for unit in said) or others <= NAMING_NOTHING
        if is_whole and draft.words == ["it"] and draft.owner is None and draft.link == "":
            drafts[0].units += values
            _rehang(drafts, draft, None)
            drafts = [each for each in drafts if each is not draft]
    return drafts


def _with_prepositions(drafts: list[_Draft]) -> list[_Draft]:
    found: list[_Draft] = []
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
                _behind_number(draft.units)
                if is_place
                else next((index for index, unit in enumerate(draft.units) if unit.is_word), 0)
            )
            draft.units[at:at] = units
        else:
            found.append(_Draft(link, units, None if draft is drafts[0] else draft))
    return found


def _with_own(drafts: list[_Draft]) -> list[_Draft]:
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
        if _is_passed_over(owner, draft) or (is_packed_once and (_is_container(owner) or is_packed)):
            draft.owner = None
    return drafts


def _may_be_own(draft: _Draft, owner: _Draft) -> bool:
    if draft.link == "on":
        return owner.link == "in"
    return draft.link == "with" or (draft.link == "from" and all(unit.is_quantity for unit in draft.units))


def _is_passed_over(owner: _Draft, draft: _Draft) -> bool:
    tables = english()
    if owner.link == "not":
        return draft.head in tables.containers and any(unit.kind in HELD for unit in draft.units)
    is_plain = len(owner.units) == 1 and owner.head not in tables.containers | tables.holders | tables.accessories
    is_manner = owner.is_made or (owner.link == "in" and (owner.head in tables.manners or is_plain))
    return owner.link in PASSED_OVER or is_manner


def _with_descriptions(drafts: list[_Draft]) -> list[_Draft]:
    product, kept = drafts[:1], []
    for draft in drafts:
        owner = draft.owner
        if owner is not None and owner not in product and owner.link != "not" and _describes(draft):
            # "A hood that packs into the collar."
            at = len(owner.units) if draft.is_relative else _behind_number(owner.units)
            owner.units[at:at] = draft.units
            _rehang(drafts, draft, owner)
        else:
            kept.append(draft)
    return kept


def _behind_number(units: list[Unit]) -> int:
    """ "One roll of tape" is one tape roll."""
    return int(len(units) > 1 and units[0].is_word and (units[0].words[0].isdigit() or units[0].words == ("one",)))


def _with_purposes(drafts: list[_Draft]) -> list[_Draft]:
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


def _describes(draft: _Draft) -> bool:
    """ "Charges in 2 h" tells when."""
    if draft.link == "for":
        return all(unit.words[0].split()[1:2] == ["max"] for unit in draft.units)
    return draft.link in DESCRIBING and not (draft.link == "in" and all(unit.is_quantity for unit in draft.units))


def _with_held(drafts: list[_Draft]) -> list[_Draft]:
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


def _with_content(drafts: list[_Draft]) -> list[_Draft]:
    """ "In a 500 g jar" there are 500 g of the product; a backpack with a 1 l bottle holds more."""
    tables = english()
    is_content = bool(drafts) and drafts[0].head in tables.consumed
    holding = [draft for draft in drafts[1:] if _is_container(draft) and (is_content or draft.is_inside)]
    if len(holding) == 1:
        container = holding[0]
        if container.units[0].is_word and container.units[0].words[0].isdigit() and len(container.units) == 2:
            container.units[0] = Unit("count", (f"count {container.units[0].words[0]}",))
        held = [unit for unit in container.units if unit.kind in HELD]
        if not {unit.kind for unit in held} & {unit.kind for unit in drafts[0].units}:
            drafts[0].units += held
            container.units = [unit for unit in container.units if unit.kind not in HELD]
    return drafts


def _is_container(draft: _Draft) -> bool:
    # "With a 20 g chocolate bar" something else is eaten.
    is_own = draft.head != "bar" or draft.words == ["bar"]
    return draft.owner is None and draft.link in ("", "with") and draft.head in english().containers and is_own


def _turned_around(drafts: list[_Draft]) -> list[_Draft]:
    """ "A jar of honey" is honey in a jar, "a set of spoons" spoons in a set."""
    if not drafts or (drafts[0].head not in english().containers | GROUPS and not _is_portioned(drafts[0])):
        return drafts
    container, *others = drafts
    content = next((draft for draft in others if draft.link == "of" and draft.owner is None and draft.words), None)
    if content is None or (container.head in GROUPS and content.head in english().consumed):
        return drafts
    _rehang(drafts, content, None)
    content.link, container.link, container.is_inside = "", "with", True
    content.units = _as_count(content.units)
    container.units = [_as_word(unit) for unit in container.units]
    place = max(index for index, unit in enumerate(container.units) if unit.is_word) + 1
    content.units += container.units[place:]
    container.units = container.units[:place]
    return [content, container, *(draft for draft in others if draft is not content)]


def _is_portioned(draft: _Draft) -> bool:
    return draft.head in PORTIONS and draft.units[0].kind == "count"


def _with_group(drafts: list[_Draft]) -> list[_Draft]:
    """The head of "screwdriver set" as a phrase of its own."""
    if drafts and drafts[0].head in GROUPS and len(drafts[0].words) > 1:
        product = drafts[0]
        at = max(index for index, unit in enumerate(product.units) if unit.is_word)
        if product.units[at - 1].is_word and product.units[at - 1].words[-1] not in english().consumed:
            drafts.insert(1, _Draft("with", [product.units.pop(at)]))
    return drafts


def _with_number(drafts: list[_Draft]) -> list[_Draft]:
    """Of so many it is no news that they are a set; "5 brushes" of a brush set count the product."""
    product = drafts[0] if drafts else None
    for draft in drafts[1:]:
        is_counted = len(draft.units) == 2 and draft.units[0].words[0].isdigit() and draft.words[1:] == [draft.head]
        if product and is_counted and draft.owner is None and draft.link in ("", "with") and draft.head == product.head:
            product.units += _as_count(draft.units[:1])
            drafts = [each for each in drafts if each is not draft]
    has_count = product is not None and any(unit.kind == "count" for unit in product.units)
    return [draft for draft in drafts if not (has_count and draft.words == ["set"] and len(draft.units) == 1)]


def _with_product_values(drafts: list[_Draft]) -> list[_Draft]:
    """Phrases of nothing but values, and those that name the product again: "in oiled oak", "ring size 54"."""
    if not drafts:
        return []
    product, kept = drafts[0], drafts[:1]
    _with_own_values(product, drafts[1:])
    owners = {id(draft.owner) for draft in drafts}
    for draft in drafts[1:]:
        is_plain = draft.owner is None and id(draft) not in owners
        is_matter = _describes(draft) or (draft.link == "with" and _is_grade(draft.units[-1]))
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


def _is_named_again(draft: _Draft, product: _Draft) -> bool:
    """ "Knife set, three knives" counts them."""
    return product.words == [product.head] and not draft.units[0].words[0].isdigit()


def _with_own_values(product: _Draft, drafts: list[_Draft]) -> None:
    """What a phrase ends in and only the product can have: "with a zip in L", "with SPF 50 (150 ml)", "in linen
    measuring 2 x 3 m". Only where one such value is named, or two could be exchanged."""
    named = [unit.kind for draft in (product, *drafts) for unit in draft.units]
    for draft in drafts:
        last = draft.units[-1]
        is_free = draft.owner is None and draft.link != "not" and len(draft.units) > 1
        if is_free and named.count(last.kind) == 1 and _is_of_product(last, draft, product):
            product.units.append(draft.units.pop())


def _is_of_product(unit: Unit, draft: _Draft, product: _Draft) -> bool:
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


def _with_bare_number(drafts: list[_Draft]) -> list[_Draft]:
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


def _with_standard_once(drafts: list[_Draft]) -> list[_Draft]:
    """ "USB stick, USB 3.0"."""
    for draft in drafts[:1]:
        named = {unit.words[0] for unit in draft.units if unit.kind == "code" and len(unit.words) > 1} & STANDARDS
        draft.units = [unit for unit in draft.units if not (unit.is_word and unit.words[0] in named)]
    return drafts


def _with_origins(drafts: list[_Draft]) -> list[_Draft]:
    """ "Chocolate, Peru" is from there."""
    tables = english()
    for draft in drafts[1:]:
        is_alone = draft.link == "" and draft.owner is None and all(unit.is_word for unit in draft.units)
        if is_alone and drafts[0].head in tables.consumed and " ".join(draft.words) in tables.origins:
            draft.link = "from"
    return drafts


def _with_natural(drafts: list[_Draft]) -> list[_Draft]:
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


def _without_told(drafts: list[_Draft]) -> list[_Draft]:
    """What the ages tell already: whoever begins at 3 is a child."""
    product = drafts[0] if drafts else None
    if product is None:
        return drafts
    first = [draft for draft in drafts if draft.link == "from" and draft.owner is None]
    ages = [unit for draft in [product, *first] for unit in draft.units if unit.kind == "quantity month"]
    is_aged = any(" to " in unit.words[0] or unit not in product.units for unit in ages)
    if is_aged and all(_is_child(unit) for unit in ages):
        product.units = [unit for unit in product.units if unit != KIDS]
    return drafts


def _is_child(unit: Unit) -> bool:
    *_, last = unit.words[0].split()
    return last.isdigit() and int(last) <= LAST_CHILD


def _without_pattern(drafts: list[_Draft]) -> list[_Draft]:
    """ "In a herringbone pattern" is "herringbone"."""
    tables = english()
    for draft in drafts:
        for index in range(len(draft.units) - 1, 0, -1):
            is_said = draft.units[index - 1].words[-1] in tables.patterned
            if is_said and draft.units[index].words == ("pattern",):
                del draft.units[index]
    return drafts


def _with_sizes_of_others(drafts: list[_Draft]) -> list[_Draft]:
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


def _with_named_devices(drafts: list[_Draft]) -> list[_Draft]:
    """ "A case with MagSafe for iPhone 15": the case is."""
    for draft in drafts[1:]:
        if draft.link == "for" and not english().named_devices.isdisjoint(draft.words):
            draft.owner = None
    return drafts


def _with_taken(drafts: list[_Draft]) -> list[_Draft]:
    """ "A toaster for two slices" and "a toaster, two slices", but not "with two slices"."""
    for draft in drafts[1:]:
        takers = english().takes.get(draft.head, frozenset())
        is_counted = len(draft.units) == 2 and draft.units[0].words[0].isdigit()
        if draft.link == "for" and is_counted and drafts[0].head in takers:
            draft.link, draft.owner = TAKING, None
    return drafts


def _with_bodies(drafts: list[_Draft]) -> list[_Draft]:
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


RULES: tuple[Callable[[list[_Draft]], list[_Draft]], ...] = (
    _without_it,
    _with_prepositions,
    _turned_around,
    _with_bodies,
    _with_own,
    _with_held,
    _with_descriptions,
    _with_purposes,
    _with_content,
    _with_group,
    _with_product_values,
    _with_number,
    _with_bare_number,
    _with_standard_once,
    _with_sizes_of_others,
    _with_named_devices,
    _with_taken,
    _with_origins,
    _with_natural,
    _without_told,
    _without_pattern,
)
