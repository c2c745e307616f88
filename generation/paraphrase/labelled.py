"""Labelled facts that say what free text can say: "Colour: blue" of a mug is "blue mug", whatever stands beside it.

Only a label with one plain value is read so; every other fact must agree exactly, label and all.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

from generation.facts import Fact
from generation.paraphrase.english import english
from generation.paraphrase.item import Item
from generation.paraphrase.items import CAPACITIES, PLAIN_SIDES, items_of, measures
from generation.paraphrase.phrasing import is_stated
from generation.paraphrase.stated import is_plural
from generation.paraphrase.tokens import tokens_of

# Their values speak of the product as a whole, and say so without the label.
OF_THE_PRODUCT = {"color": ("color",), "material": ("material",), "capacity": CAPACITIES, "volume": CAPACITIES}
AUDIENCE_LABELS = frozenset(("gender", "audience", "for"))
SIDES = frozenset(("length", "width", "height", "depth", "thickness", "diameter", "weight"))
# What these consist of is said in shares, each with its own material.
COMPOSED = frozenset(("composition", "material", "ingredients"))
MOST_LABEL_WORDS = 3
LONGEST_VALUE = 60


def spoken(
    labelled: list[Fact], free: list[list[Item]], option_labels: tuple[str, ...], language: str
) -> dict[Fact, list[Item]]:
    """The facts that can be said in the free text's own terms, each as the items it would be there."""
    if not any(item.kind == "word" for items in free for item in items):
        return {}
    counts = Counter(fact.label for fact in labelled)
    said = {(item.kind, item.value) for items in free for item in items if item.is_fact}
    found: dict[Fact, list[Item]] = {}
    for fact in sorted(labelled, key=lambda fact: fact.label):
        if counts[fact.label] > 1 or fact.label in option_labels or len(fact.value) > LONGEST_VALUE:
            continue
        items = _spoken(fact, language)
        # What keeps its label can stand for nothing else.
        has_label = any(item.kind == "word" for item in items)
        if items and (has_label or not any(_contradicts(item, said) for item in items)):
            found[fact] = items
            if len(items) == 1:
                # Without its label a second value of that kind ("Volume", "Capacity") could stand for the first.
                said.add((items[0].kind, items[0].value))
    return found


def _contradicts(item: Item, said: set[tuple[str, str]]) -> bool:
    return (
        item.is_fact
        and item.kind not in ("property", "share", "audience")
        and any(kind == item.kind and value != item.value for kind, value in said)
    )


@lru_cache(maxsize=4096)
def _spoken(fact: Fact, language: str) -> list[Item]:
    if fact.canonical.startswith("code:"):
        return []
    if fact.label == "brand":
        name = _words(fact.value, language)
        return [Item("link", "by"), *name] if name else []
    if fact.label == "country of origin":
        origin = _words(fact.value, language)
        return [Item("link", "made in"), *origin] if origin else []
    if fact.label == "size" and not fact.canonical.startswith(("bool:", "quantity:")):
        # "Size 75C" is "75C".
        return _alone(items_of(tokens_of(f"size {fact.value}"), language), ("size", "code"))
    if fact.canonical.startswith(("bool:", "number:", "count:", "not:included")):
        return _stated(fact, language)
    value = items_of(tokens_of(fact.value), language)
    if fact.label in COMPOSED and (shares := _shares(value)):
        return shares
    if fact.label in OF_THE_PRODUCT:
        return _of_the_product(fact.label, value)
    if fact.label in AUDIENCE_LABELS:
        return _alone(value, ("audience",)) or _purpose(fact, language)
    if fact.label in SIDES:
        is_measure = len(value) == 1 and measures(fact.label, value[0])
        return [Item(f"{value[0].kind}@{fact.label}", value[0].value)] if is_measure else _read_on(fact, language)
    return _read_on(fact, language)


def _of_the_product(label: str, value: list[Item]) -> list[Item]:
    """Cream and sand are words as well, so they stay what they are in the free text."""
    if label == "color" and len(value) == 1 and value[0].value in english().context_colors:
        return value
    return _alone(value, OF_THE_PRODUCT[label])


def _purpose(fact: Fact, language: str) -> list[Item]:
    """ "For: large dogs"."""
    items = items_of(tokens_of(f"{fact.label} {fact.value}"), language)
    is_plain = fact.label == "for" and all(
        item.kind in ("word", "property") or item.kind.startswith("quantity") for item in items[1:]
    )
    return items if is_plain else []


def _shares(value: list[Item]) -> list[Item]:
    shares = [item for item in value if item.kind != "break"]
    return shares if all(item.kind == "share" for item in shares) else []


def _read_on(fact: Fact, language: str) -> list[Item]:
    """ "Condition: new" as the clause "condition new"; "Light: blue" is nothing light blue."""
    label, value = (items_of(tokens_of(text), language) for text in (fact.label, fact.value))
    items = items_of(tokens_of(f"{fact.label} {fact.value}"), language)
    is_said = any(item.kind in ("word", "link") for item in label) and all(item.kind != "break" for item in items)
    if len(items) == 1 and (items[0].value.startswith("max ") or (items == value and _is_plain(label))):
        return items
    if is_said and (items == [*label, *value] or _names_what_is_measured(items, label, value)):
        return items
    if _is_adjective(label) and value and (value[0].kind == "link" or value[0].kind.startswith("quantity")):
        # "Matured: 12 months", "washable: by hand".
        return items if all(item.kind != "break" for item in items) else []
    # "Lid: glass" where "lid glass" would be a glass.
    is_part = all(item.kind == "word" for item in label) and [item.kind in ("color", "material") for item in value] == [
        True
    ]
    return [*label, *value] if is_part else []


def _is_adjective(label: list[Item]) -> bool:
    return len(label) == 1 and (label[0].kind == "property" or is_stated(label[0]))


def _is_plain(label: list[Item]) -> bool:
    """ "Dimensions" and "capacity" say no more of a quantity than it says itself."""
    return len(label) == 1 and english().measured_before.get(label[0].value) in PLAIN_SIDES


def _names_what_is_measured(items: list[Item], label: list[Item], value: list[Item]) -> bool:
    """The last word of "cable length: 2 m" and of "lid colour: blue" went into the value."""
    *owner, _ = label
    is_owned = bool(owner) and [item.value for item in items[:-1]] == [item.value for item in owner]
    return len(value) == 1 and is_owned and items[-1].value == value[0].value


def _stated(fact: Fact, language: str) -> list[Item]:
    """ "Waterproof: yes", "Card slots: 8", "Pack size: 3"."""
    kind, _, number_of = fact.canonical.partition(":")
    if fact.canonical == "not:included":
        return [Item("link", "not"), *label] if (label := _words(fact.label, language)) else []
    if fact.label == "pack size" and kind in ("number", "count"):
        return [Item("count", number_of)]
    if kind == "count":
        return _read_on(fact, language)
    if fact.canonical.startswith("number:"):
        number = Item("word", f"#{fact.canonical.removeprefix('number:')}", f"#{fact.value}")
        label = items_of(tokens_of(fact.label), language)
        if not label or any(item.kind not in ("word", "property") for item in label):
            return []
        return [number, *label] if is_plural(fact.label) else [*label, number]
    label = items_of(tokens_of(fact.display_label), language)
    if not label or any(item.kind in ("link", "break") for item in label):
        return []
    return label if fact.canonical == "bool:yes" else [Item("link", "not"), *label]


def _alone(items: list[Item], kinds: tuple[str, ...]) -> list[Item]:
    return items if len(items) == 1 and items[0].kind in kinds else []


def _words(text: str, language: str) -> list[Item]:
    """Empty when it is not plain words, or too many."""
    items = items_of(tokens_of(text), language)
    is_plain = len(items) <= MOST_LABEL_WORDS and all(item.kind == "word" for item in items)
    return items if is_plain else []
