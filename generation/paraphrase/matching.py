"""Whether two texts say the same in other words: the same words, and each bound to the same thing.

Every rule is an equivalence of turns of phrase. A word that one text has and the other has not is a difference.
"""

from __future__ import annotations

import re
from collections import Counter

from generation.paraphrase.english import english
from generation.paraphrase.phrase import PRODUCT, TAKING, Phrase, Unit

# "A poster of the moon" is a moon poster.
DEPICTING = frozenset(
    ("poster", "painting", "picture", "photo", "map", "statue", "figurine", "figure", "globe", "tapestry")
)
MOST_PASSES = 3
MOST_UNITS = 120
# What a pillow and a coat are made of as much as of wool.
FILLINGS = frozenset(("down", "feather"))
# So many of them are never part of a thing: "for 6 portions" and "6 portions".
COUNTED_FOR = ("person", "player", "portion", "serving", "guest", "wash", "use", "dose", "application")
YEAR = re.compile(r"(?:19|20)\d\d")
Phrases = tuple[Phrase, ...]
Units = tuple[Unit, ...]
# Bound to their place among the words of a part; of the product they are said before its noun or apart.
PLACED = ("color", "material")
ANYWHERE = ("property", "share", "code", "audience")
# Whoever is named by one word that does not say so itself: a baby blanket.
AUDIENCES: dict[tuple[str, ...], tuple[str, ...]] = {("babies",): ("baby",), ("toddlers",): ("toddler",)}
# "Bath robe" and "bathrobe".
BETWEEN_WORDS = re.compile(r"(?<=[a-z]) (?=[a-z])")


def say_the_same(mine: Phrases, theirs: Phrases) -> bool:
    if not mine or not theirs or _main_link(mine) != _main_link(theirs) or _are_long(mine) or _are_long(theirs):
        return False
    my_rest, their_rest = _said_once(mine, theirs)
    # "A cup holder for the car" and "a car holder for the cup".
    if all(any(phrase.link for phrase in rest) for rest in (my_rest, their_rest)):
        return False
    own = _without(mine[0].units, their_rest)
    other = _without(theirs[0].units, my_rest)
    if own is None or other is None:
        return False
    own, other = _without_said(own, other), _without_said(other, own)
    return _agree(own, other, is_product=True)


def _are_long(phrases: Phrases) -> bool:
    """Nobody describes a product in so many words; comparing them takes more than their square in time."""
    return sum(len(phrase.units) for phrase in phrases) > MOST_UNITS


def _without_said(units: Units, others: Units) -> Units:
    """ "Hammered tea light holder" where the other text has "tea light holder, hammered", "baby sleeping bag" where it
    has "sleeping bag for babies": the word as what it is there."""
    for said in others:
        word = {"property": said.words, "audience": AUDIENCES.get(said.words, ())}.get(said.kind, ())
        if word and said not in units and (left := _taken_out(units, Phrase("", PRODUCT, (Unit("word", word),)))):
            units = (*left, said)
    return units


def _main_link(phrases: Phrases) -> str:
    return "" if phrases[0].link == "with" else phrases[0].link


def _said_once(mine: Phrases, theirs: Phrases) -> tuple[list[Phrase], list[Phrase]]:
    """What only one of them says as a phrase of its own."""
    rest = list(range(1, len(theirs)))
    alone = []
    for number in range(1, len(mine)):
        same = next((each for each in rest if _same(mine, number, theirs, each)), None)
        if same is None:
            alone.append(mine[number])
        else:
            rest.remove(same)
    return alone, [theirs[number] for number in rest]


def _same(mine: Phrases, one: int, theirs: Phrases, other: int) -> bool:
    if PRODUCT in (one, other):
        return one == other
    first, second = mine[one], theirs[other]
    return (
        (_link(first) == _link(second) or {first.link, second.link} == {"", TAKING})
        and _agree(first.units, second.units, is_product=False)
        and _same(mine, first.owner, theirs, second.owner)
    )


def _link(phrase: Phrase) -> str:
    """ "With a knitted cover", "in a knitted cover" and the same alone."""
    tables, last = english(), phrase.words[-1]
    if phrase.link in ("with", "in", "by") and phrase.owner == PRODUCT:
        return ""
    if phrase.link in ("with", "on") and (phrase.link == "with" or last in tables.features):
        return ""
    if phrase.link in ("made in", "from") and len(phrase.units) == 1 and (last in tables.origins or phrase.is_name):
        return "from"
    if phrase.link == "for":
        return "" if _says_what_for(phrase) else "for"
    if phrase.link == "from" and len(phrase.words) == 1 and YEAR.fullmatch(last):
        return ""
    if phrase.link == "from" and ("to",) in (unit.words for unit in phrase.units):
        return ""
    if phrase.link == "of" and (phrase.units[-1].kind in PLACED or last in tables.fabrics):
        return ""
    return phrase.link


def _says_what_for(phrase: Phrase) -> bool:
    """Whether it says so without "for" as well: "for 6 portions", "for necks of 35 to 42 cm", "for outdoor use", "for
    iPhone 15"."""
    tables, first, last = english(), phrase.words[0], phrase.words[-1]
    return (
        (last in COUNTED_FOR and first[0].isdigit())
        or (first in tables.bodies and any(unit.is_quantity for unit in phrase.units))
        or last == "use"
        or phrase.words == ("induction",)
        or first in tables.named_devices
    )


def _without(units: Units, phrases: list[Phrase]) -> Units | None:
    """The product's own without what the other text says in phrases; None when they are not said there."""
    left = units
    waiting = sorted(phrases, key=lambda phrase: -len(phrase.words))
    for _ in range(MOST_PASSES):
        left, others = _without_each(left, waiting)
        if not others:
            return left
        if len(others) == len(waiting):
            return None
        waiting = others
    return None if waiting else left


def _without_each(units: Units, phrases: list[Phrase]) -> tuple[Units, list[Phrase]]:
    """Also those that are not said there; what stands inside may stand at the beginning once others are gone."""
    others = []
    for phrase in phrases:
        is_said = phrase.owner == PRODUCT and _may_stand_before(phrase, units)
        taken = _taken_out(units, phrase) if is_said else None
        if taken is None:
            others.append(phrase)
        else:
            units = taken
    return units, others


def _may_stand_before(phrase: Phrase, product: Units) -> bool:
    """ "Phone mount for the car" is a car phone mount; a bag with a camera is no camera bag."""
    tables, last = english(), phrase.words[-1]
    link = _link(phrase) if phrase.link in ("of", "on") else phrase.link
    if phrase.is_name and link in ("", "by") and _head(product) in tables.accessories:
        return False
    if phrase.link == "of" and _head(product) in DEPICTING:
        return True
    if link == "by":
        return phrase.is_name
    if link == "for":
        return _is_purpose(phrase, product)
    if link == "from":
        return last in tables.consumed or phrase.is_name
    if link == "in":
        return last not in tables.containers and not all(unit.is_quantity for unit in phrase.units)
    if link in ("with", "on"):
        return last in tables.features | tables.patterned or (link == "with" and _is_ingredient(phrase, product))
    return link == ""


def _is_ingredient(phrase: Phrase, product: Units) -> bool:
    """ "Shampoo with rosemary" is a rosemary shampoo; honey with rosemary is honey all the same."""
    tables = english()
    is_plain = all(unit.is_word and not _is_value(unit) for unit in phrase.units)
    return is_plain and _head(product) in tables.called_by_ingredient and phrase.words[-1] in tables.ingredients


def _head(units: Units) -> str:
    return next((unit.words[-1] for unit in reversed(units) if unit.is_noun), "")


def _is_purpose(phrase: Phrase, product: Units) -> bool:
    """Whose name may stand before the noun: "syrup for coffee" is no coffee syrup, "brush for steel" no steel brush."""
    tables, last = english(), phrase.words[-1]
    head = _head(product)
    if last in tables.purposes or YEAR.fullmatch(last) or phrase.is_name:
        return head not in tables.consumed
    if last == "person":
        return True
    is_thing = all(unit.is_word and not _is_value(unit) for unit in phrase.units)
    is_cared_for = last in tables.bodies and head in tables.cosmetics
    if is_thing and (is_cared_for or (last == "tablet" and head in tables.accessories)):
        return True
    if is_thing and head in tables.utensils and head not in tables.consumed:
        return last not in tables.animals
    return is_thing and last not in tables.animals and not {last, head} & tables.consumed


def _is_value(unit: Unit) -> bool:
    return not english().values.isdisjoint(unit.words) or any(char.isdigit() for word in unit.words for char in word)


def _taken_out(units: Units, phrase: Phrase) -> Units | None:
    """Where its words stand side by side before the noun, or among the values behind it."""
    head = max((index for index, unit in enumerate(units) if unit.is_noun), default=-1)
    words = phrase.words
    wanted = {words, words[:-1]} if len(words) > 1 and words[-1] in english().light else {words}
    for start in range(len(units)):
        for end in range(start + 1, len(units) + 1):
            found = units[start:end]
            if head in range(start, end):
                break
            is_said = tuple(word for unit in found for word in unit.words) in wanted and _colors(found) == _colors(
                phrase.units
            )
            is_inside = (
                len(phrase.units) == 1 and start > 0 and units[start - 1].is_word and found[0].is_word and end <= head
            )
            is_free = (
                end > head
                or all(unit.kind == "property" for unit in found)
                or _is_apart(phrase, units[end:head], _head(units))
            )
            is_size = found[0].kind == "size" and phrase.units[0].is_word and not _may_be_size(phrase.words[0], units)
            if is_said and is_free and not is_inside and not is_size:
                return units[:start] + units[end:]
    return None


def _may_be_size(number: str, units: Units) -> bool:
    """ "Socks, wool, 3" may be three, and gloves have such sizes."""
    return len(number) > 1 or _head(units) in ("glove", "mitten")


def _colors(units: Units) -> list[tuple[str, ...]]:
    """ "Light blue" is no light that is blue."""
    return [unit.words for unit in units if unit.kind == "color"]


def _is_apart(phrase: Phrase, following: Units, head: str) -> bool:
    """A word alone may be said of the next noun where that is a substance, a body or an animal: "oiled oak table", "dry
    hair shampoo". A "silent wall clock" can only be a silent clock, and "long flannel trousers" long trousers."""
    tables, word = english(), phrase.words[-1]
    if len(phrase.units) > 1 or phrase.link != "":
        return True
    noun = next((unit for unit in following if unit.is_word or unit.kind == "material"), None)
    if word in tables.verb_names or (word in tables.context_colors and head in tables.worn):
        return True
    if word in tables.tints:
        return _is_matter(noun) or not any(unit.words[0] in tables.consumed for unit in following)
    if noun is None or noun.words[-1] not in tables.described:
        return True
    if noun.words[-1] in tables.qualities:
        return word not in tables.qualities[noun.words[-1]]
    return _is_matter(noun) and word in tables.of_whole


def _is_matter(noun: Unit | None) -> bool:
    """ "Cream enamel bread bin": nobody bakes enamel; "long down coat"."""
    if noun is None or noun.words[-1] in english().consumed:
        return False
    return noun.kind == "material" or noun.words[-1] in FILLINGS


def _agree(mine: Units, theirs: Units, *, is_product: bool) -> bool:
    if _are_tangled(mine) or _are_tangled(theirs):
        return not is_product and mine == theirs
    if _in_same_words(mine, theirs):
        return _measure_the_same(mine, theirs)
    is_placed = _placed(mine, is_product=is_product) == _placed(theirs, is_product=is_product)
    return is_placed and _measure_the_same(mine, theirs)


def _in_same_words(mine: Units, theirs: Units) -> bool:
    """ "Zip pocket" and "zipped pocket", which differ in no more than that one of the words was read as a property."""
    plain, others = (
        [("word" if unit.kind == "property" else unit.kind, unit.words) for unit in units if not unit.is_quantity]
        for units in (mine, theirs)
    )
    return plain == others


def _are_tangled(units: Units) -> bool:
    """Several values of several kinds, which belong together in pairs, or a way from one to the other: "2 m black,
    1 m white", "HDMI to USB"."""
    several = Counter(unit.kind for unit in units if unit.kind not in ("word", "property", "share"))
    return sum(number > 1 for number in several.values()) > 1 or (
        any(unit.words == ("to",) for unit in units) and several["code"] > 1
    )


def _placed(units: Units, *, is_product: bool) -> tuple[object, ...]:
    """Properties; other values by kind in their order; words with the values bound to their place among them."""
    total, before = sum(unit.is_word for unit in units), 0
    ordered: dict[str, list[tuple[str, ...]]] = {}
    for unit in units:
        before += unit.is_word
        is_bound = 0 < before < total
        place = "word" if unit.kind in PLACED and is_bound else unit.kind
        values = ordered.setdefault(place, [])
        if not unit.is_quantity and (place == "word" or unit.words not in values):
            values.append(unit.words)
    words = BETWEEN_WORDS.sub("", " ".join(word for unit_words in ordered.pop("word", []) for word in unit_words))
    return words, {
        kind: sorted("".join(value) if kind == "property" else " ".join(value) for value in values)
        if kind in ANYWHERE
        else values
        for kind, values in ordered.items()
    }


def _areas(units: Units) -> list[tuple[str, ...]]:
    return [unit.words for unit in units if unit.is_quantity and " x " in unit.words[0]]


def _measure_the_same(mine: Units, theirs: Units) -> bool:
    """Of a thing that is measured in one way, a length without its name is that length. The first of two areas is
    that of another thing than the second: "picture, 30 x 40 cm, in linen 40 x 50 cm"."""
    if _areas(mine) != _areas(theirs):
        return False
    usual = english().usual.get(_head(mine), ())
    first, second = (sorted((unit.words, unit.side) for unit in units if unit.is_quantity) for units in (mine, theirs))
    return len(first) == len(second) and all(
        words == others and (side == other or ("" in (side, other) and side + other in usual))
        for (words, side), (others, other) in zip(first, second, strict=True)
    )
