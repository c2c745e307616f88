"""Whether two texts say the same in other words: the same words, and each bound to the same thing.

Every rule is an equivalence of turns of phrase. A word that one text has and the other has not is a difference.
"""

from __future__ import annotations

import re
from collections import Counter

from generation.paraphrase.phrases import PRODUCT, Phrase, Unit
from generation.paraphrase.vocabulary import english

YEAR = re.compile(r"(?:19|20)\d\d")
Phrases = tuple[Phrase, ...]
Units = tuple[Unit, ...]
# Bound to their place among the words of a part; of the product they are said before its noun or apart.
PLACED = ("color", "material")
ANYWHERE = ("property", "share", "code", "audience")


def say_the_same(mine: Phrases, theirs: Phrases) -> bool:
    if not mine or not theirs or _main_link(mine) != _main_link(theirs):
        return False
    my_rest, their_rest = _said_once(mine, theirs)
    # "A cup holder for the car" and "a car holder for the cup".
    if all(any(phrase.link for phrase in rest) for rest in (my_rest, their_rest)):
        return False
    own = _without(mine[0].units, their_rest)
    other = _without(theirs[0].units, my_rest)
    return own is not None and other is not None and _agree(own, other, is_product=True)


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
        _link(first) == _link(second)
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
    if phrase.link == "for" and last in ("person", "player"):
        return ""
    if phrase.link == "from" and ("to",) in (unit.words for unit in phrase.units):
        return ""
    if phrase.link == "of" and (phrase.units[-1].kind in PLACED or last in tables.fabrics):
        return ""
    return phrase.link


def _without(units: Units, phrases: list[Phrase]) -> Units | None:
    """The product's own without what the other text says in phrases; None when they are not said there."""
    left: Units | None = units
    for phrase in sorted(phrases, key=lambda phrase: -len(phrase.words)):
        if left is None or phrase.owner != PRODUCT or not _may_stand_before(phrase, left):
            return None
        left = _taken_out(left, phrase)
    return left


def _may_stand_before(phrase: Phrase, product: Units) -> bool:
    """ "Phone mount for the car" is a car phone mount; a bag with a camera is no camera bag."""
    tables, last = english(), phrase.words[-1]
    link = _link(phrase) if phrase.link in ("of", "on") else phrase.link
    if phrase.is_name and link in ("", "by") and _head(product) in tables.accessories:
        return False
    if link == "by":
        return phrase.is_name
    if link == "for":
        return _is_purpose(phrase, product)
    if link == "from":
        return last in tables.consumed or phrase.is_name
    if link == "in":
        return last not in tables.containers and not all(unit.is_quantity for unit in phrase.units)
    if link in ("with", "on"):
        return last in tables.features
    return link == ""


def _head(units: Units) -> str:
    return next((unit.words[-1] for unit in reversed(units) if unit.is_noun), "")


def _is_purpose(phrase: Phrase, product: Units) -> bool:
    """Whose name may stand before the noun: "syrup for coffee" is no coffee syrup, "brush for steel" no steel brush."""
    tables, last = english(), phrase.words[-1]
    head = _head(product)
    if last in tables.purposes or YEAR.fullmatch(last) or phrase.is_name:
        return head not in tables.consumed
    is_thing = all(unit.is_word and not _is_value(unit) for unit in phrase.units)
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
            if is_said and (end > head or _is_apart(phrase, units[end:head])):
                return units[:start] + units[end:]
    return None


def _colors(units: Units) -> list[tuple[str, ...]]:
    """ "Light blue" is no light that is blue."""
    return [unit.words for unit in units if unit.kind == "color"]


def _is_apart(phrase: Phrase, following: Units) -> bool:
    """A word alone may be said of the next noun where that is a substance, a body or an animal: "oiled oak table", "dry
    hair shampoo". A "silent wall clock" can only be a silent clock."""
    tables, word = english(), phrase.words[-1]
    if len(phrase.units) > 1 or phrase.link != "":
        return True
    if word in tables.tints:
        return not any(unit.words[0] in tables.consumed for unit in following)
    noun = next((unit for unit in following if unit.is_word or unit.kind == "material"), None)
    return noun is None or (noun.is_word and noun.words[-1] not in tables.described)


def _agree(mine: Units, theirs: Units, *, is_product: bool) -> bool:
    if _are_tangled(mine) or _are_tangled(theirs):
        return not is_product and mine == theirs
    is_placed = _placed(mine, is_product=is_product) == _placed(theirs, is_product=is_product)
    return is_placed and _measure_the_same(mine, theirs)


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
        is_bound = 0 < before < total if is_product else total > 1
        place = "word" if unit.kind in PLACED and is_bound else unit.kind
        values = ordered.setdefault(place, [])
        if not unit.is_quantity and (place == "word" or unit.words not in values):
            values.append(unit.words)
    words = [word for unit_words in ordered.pop("word", []) for word in unit_words]
    return words, {kind: sorted(values) if kind in ANYWHERE else values for kind, values in ordered.items()}


def _measure_the_same(mine: Units, theirs: Units) -> bool:
    """Of a thing that is measured in one way, a length without its name is that length."""
    usual = english().usual.get(_head(mine), ())
    first, second = (sorted((unit.words, unit.side) for unit in units if unit.is_quantity) for units in (mine, theirs))
    return len(first) == len(second) and all(
        words == others and (side == other or ("" in (side, other) and side + other in usual))
        for (words, side), (others, other) in zip(first, second, strict=True)
    )
