"""English turns of phrase that say what a shorter one says: "lined with silk" is "silk lining"."""

from __future__ import annotations

import re
from itertools import groupby, pairwise

from generation.paraphrase.english import english
from generation.paraphrase.item import Item

# Before a number these make one name with it: "HDMI 2.1 cable", "cable with HDMI 2.1".
STANDARDS = frozenset(("hdmi", "bluetooth", "usb", "displayport", "thunderbolt", "wi fi"))
# What a thing is so made with, by the participle that says it.
NOUNS = {
    "lined": "lining", "filled": "filling", "framed": "frame", "coated": "coating", "trimmed": "trim",
    "wrapped": "wrap", "edged": "edge", "bordered": "border",
    "padded": "padding", "backed": "backing", "insulated": "insulation", "inlaid": "inlay", "soled": "sole",
    "printed": "print", "scented": "scent", "smelling": "scent", "smells": "scent", "flavored": "flavor",
    "tasting": "flavor",
}  # fmt: skip
HANDMADE = re.compile(
    r"hand(knitted|woven|sewn|stitched|painted|carved|cut|dyed|spun|blown|thrown|tied|forged|finished|poured|printed"
    r"|embroidered|crocheted|tufted|rolled|picked|selected|polished|glazed|loomed|dipped|engraved|hammered|knotted"
    r"|turned|built)"
)
# What moves or steers a thing, and the participles that say so.
POWERS = frozenset(
    ("battery", "batteries", "mains", "solar", "gas", "petrol", "wind", "pedal", "crank", "app", "voice", "remote",
     "motion", "touch", "foot")
)  # fmt: skip
OPERATED = {
    "powered": "powered", "operated": "powered", "driven": "powered", "controlled": "controlled",
    "controllable": "controlled", "activated": "activated",
}  # fmt: skip
SO_MADE = frozenset(("with", "in", "of"))
# "Printed in Italy", "printed in blue" say something else.
WITH_ONLY = frozenset(("printed",))
END = Item("break", "")
SHORT_PARTICIPLES = frozenset(("rated", "lined", "oiled", "aged", "sized"))
LONGEST_RUN = 2
SHORTEST_PARTICIPLE = 6
NO_PARTICIPLES = frozenset(("infrared", "hundred", "sacred", "included", "limited", "united"))
LIMITS = frozenset(("max", "min", "about"))
LOADS = frozenset(("load", "capacity"))
BEARS = frozenset(("holds", "hold", "holding", "supports", "support", "carries", "bears", "takes"))
MEASURED = ("quantity", "count")
# "Burn for 40 minutes" is "burn 40 minutes", "cold for 24 h" "cold 24 h".
GOING_ON = frozenset(
    ("burn", "burns", "glow", "glows", "run", "runs", "work", "works", "play", "plays", "fly", "flies", "shine",
     "shines", "aged", "cold", "hot", "warm", "cool", "fresh", "warranty", "guarantee", "light", "power", "charge")
)  # fmt: skip
TIMES = ("quantity month", "quantity s")
PLACES = frozenset(("inside", "outside"))


def with_standards(items: list[Item]) -> list[Item]:
    """ "HDMI 2.1" and "Wi-Fi 6 router", but not "USB 3 ports", which may be three."""
    found: list[Item] = []
    for index, item in enumerate(items):
        length = _standard_before(found)
        if length and _is_number(item) and not (index + 1 < len(items) and _may_be_counted(items[index + 1])):
            name = " ".join(word.value for word in found[-length:])
            del found[-length:]
            found.append(Item("code", f"{name} {item.value[1:]}"))
        else:
            found.append(item)
    return found


def _standard_before(found: list[Item]) -> int:
    """How many words name it."""
    for length in (2, 1):
        words = found[-length:]
        is_name = len(words) == length and all(word.kind == "word" for word in words)
        if is_name and " ".join(word.value for word in words) in STANDARDS:
            return length
    return 0


def _is_number(item: Item) -> bool:
    return item.kind == "word" and item.value.startswith("#")


def _may_be_counted(item: Item) -> bool:
    return item.is_fact or (item.kind == "word" and item.value.endswith("s"))


def with_ranges(items: list[Item]) -> list[Item]:
    """ "35 to 42 cm" and "from 35 to 42 cm" are one fact; "up to 5 kg", "holds max 5 kg" and "max load 5 kg" are."""
    found: list[Item] = []
    for item in items:
        before = found[-1] if found else Item("break", "")
        if item.kind == "word" and item.value in LIMITS and before.kind.startswith(MEASURED):
            found[-1] = Item(before.kind, f"{item.value} {before.value}")
        elif not item.kind.startswith(MEASURED):
            found.append(item)
        elif before.value == "to" and len(found) > 1 and found[-2].kind == item.kind:
            found[-2:] = [Item(item.kind, f"{found[-2].value} to {item.value}")]
            if len(found) > 1 and found[-2] == Item("link", "from", found[-2].written):
                del found[-2]
        else:
            limit = _limit_taken(found)
            found.append(Item(item.kind, f"{limit} {item.value}") if limit else item)
    return found


def _limit_taken(found: list[Item]) -> str:
    """Takes off the words before a quantity that make it the least or the most of what a thing bears."""
    end = len(found)
    while end and found[end - 1].kind == "word" and found[end - 1].value in LOADS:
        end -= 1
    if end and found[end - 1].value in LIMITS:
        limit, end = found[end - 1].value, end - 1
    elif len(found) > 1 and end == len(found) and (found[-2].value, found[-1].value) == ("up", "to"):
        limit, end = "max", end - 2
    elif end < len(found) and "load" in (found[-1].value, found[end].value):
        # "Load 8 kg".
        limit = "max"
    else:
        return ""
    while end and found[end - 1].kind == "word" and found[end - 1].value in BEARS | LOADS:
        end -= 1
    del found[end:]
    return limit


def with_shares(items: list[Item]) -> list[Item]:
    """ "70 % merino": which share is of what."""
    found: list[Item] = []
    for item in items:
        before = found[-1] if found else Item("break", "")
        shared = {"quantity %": ("word", "material", "color"), "share": ("word",)}.get(before.kind, ())
        if item.kind in shared:
            found[-1] = Item("share", f"{before.value} {item.value}")
        else:
            found.append(item)
    return found


def with_room(items: list[Item]) -> list[Item]:
    """ "Holds 12 bottles" is "for 12 bottles"."""
    return [
        Item("link", "for", "for") if item.value in ("holds", "holding", "hold") and _is_number(after) else item
        for item, after in pairwise([*items, END])
    ]


def with_codes(items: list[Item]) -> list[Item]:
    """ "Battery type CR2032" is a CR2032 battery."""
    return [
        item
        for item, after in pairwise([*items, END])
        if not (after.kind == "code" and item.value in ("type", "model", "reference", "size"))
    ]


def with_hands(items: list[Item]) -> list[Item]:
    """ "Dipped by hand" is "hand-dipped", "powered by battery" is "battery-powered"."""
    found: list[Item] = []
    for item in items:
        if item.value.startswith("hand") and (handmade := HANDMADE.fullmatch(item.value)):
            found.append(Item("property", f"hand {handmade[1]}"))
        elif item.value in POWERS and _is_operated(found):
            found[-2:] = [Item("property", f"{_power(item.value)} {OPERATED[found[-2].value]}")]
        elif item.value in OPERATED and found and found[-1].value in POWERS:
            found[-1] = Item("property", f"{_power(found[-1].value)} {OPERATED[item.value]}")
        elif item.value == "hand" and len(found) > 1 and found[-1] == Item("link", "by", found[-1].written):
            found[-2:] = [Item("property", f"hand {found[-2].value}")]
        elif item.kind in ("word", "property") and found and found[-1].value == "hand" and is_participle(item):
            found[-1] = Item("property", f"hand {item.value}")
        else:
            found.append(item)
    return found


def _is_operated(found: list[Item]) -> bool:
    """Whether it ends in "powered by", "controlled via"."""
    return (
        len(found) > 1 and found[-2].value in OPERATED and found[-1].value in ("by", "with", "via", "from", "through")
    )


def _power(word: str) -> str:
    return "battery" if word == "batteries" else word


def with_time(items: list[Item]) -> list[Item]:
    """ "Matured for 12 months" is "matured 12 months", "battery lasts 7 days" "battery 7 days"."""
    return [
        item
        for index, item in enumerate(items)
        if not (item.value == "lasts" and items[index + 1 :] and items[index + 1].kind in TIMES)
        and not (
            item.kind == "link"
            and item.value == "for"
            and index
            and (is_participle(items[index - 1]) or items[index - 1].value in GOING_ON)
            and items[index + 1 :]
            and items[index + 1].kind in TIMES
        )
    ]


def statement_apart(items: list[Item]) -> list[Item]:
    """ "Sleeping bag rated to 5 °C" and "blanket woven in Wales": what is stated of the title's thing stands apart."""
    for index, item in enumerate(items):
        if item.kind in ("link", "break"):
            break
        if index and is_stated(item) and _states(items[index + 1 :]):
            return [*items[:index], Item("break", ","), *items[index:]]
    return items


def is_stated(item: Item) -> bool:
    return is_participle(item) or item.value in SHORT_PARTICIPLES or item.value in english().verbs


def _states(after: list[Item]) -> bool:
    return bool(after) and (
        after[0].kind.startswith("quantity")
        or after[0].value in ("in", "by", "for", "from", "with", "to", "at", "on", "down", "through", "via")
    )


def with_place(items: list[Item]) -> list[Item]:
    """ "Blue on the inside" is "blue inside"."""
    return [item for item, after in pairwise([*items, END]) if not (item.value == "on" and after.value in PLACES)]


def with_lining(items: list[Item]) -> list[Item]:
    """ "Lined with cotton" is "with cotton lining", "framed in brass" is "with brass frame"."""
    found: list[Item] = []
    index = 0
    while index < len(items):
        item, noun = items[index], NOUNS.get(items[index].value, "")
        end = _end_of_run(items, index + 2)
        is_linked = index + 1 < len(items) and items[index + 1].kind == "link" and items[index + 1].value in SO_MADE
        is_bound = bool(found) and found[-1].kind in ("material", "color")
        is_linked = is_linked and (item.value not in WITH_ONLY or items[index + 1].value == "with")
        if noun and is_linked and end > index + 2 and (not is_bound or items[index + 1].value == "with"):
            found += [Item("link", "with"), *items[index + 2 : end], Item("word", noun, noun)]
            index = end
        else:
            found.append(item)
            index += 1
    return found


def _end_of_run(items: list[Item], start: int) -> int:
    """Behind the words and values that begin there."""
    end = start
    while end < len(items) and items[end].kind in ("word", "material", "color", "property"):
        end += 1
    return end


def with_inclusion(items: list[Item]) -> list[Item]:
    """ "Cable included" is "with cable", "cable not included" is "without cable"; each is a clause of its own."""
    found: list[Item] = []
    for is_break, group in groupby(items, key=lambda item: item.kind == "break"):
        clause = list(group)
        found += clause if is_break else _included(clause)
    return found


def _included(clause: list[Item]) -> list[Item]:
    *thing, last = clause
    if last.kind != "word" or last.value != "included":
        return clause
    is_denied = bool(thing) and thing[-1].kind == "link" and thing[-1].value == "not"
    thing = thing[:-1] if is_denied else thing
    if thing and thing[-1].kind == "link" and thing[-1].value == "is":
        thing = thing[:-1]
    # "Bow and case included".
    if not is_denied and thing and [item.value for item in thing if item.kind == "link"][-1:] == ["with"]:
        # "With two batteries included".
        return thing if thing[-1].kind != "link" else clause
    if not thing or any(item.kind == "link" and item.value != "and" for item in thing) or thing[0].kind == "link":
        return clause
    return [Item("link", "not" if is_denied else "with"), *thing]


def with_participles(items: list[Item]) -> list[Item]:
    """ "Braided cable" and "cable, braided"; that of "oiled oak table" may be said of the oak."""
    found: list[Item] = []
    for is_word, group in groupby(enumerate(items), key=lambda pair: pair[1].kind == "word"):
        run = list(group)
        words = [item for _, item in run]
        if is_word and len(words) <= LONGEST_RUN:
            following = items[run[-1][0] + 1 :][:1]
            is_end = not following or following[0].kind == "break"
            words = _with_participle(words, is_end=is_end)
        found += words
    return found


def _with_participle(words: list[Item], *, is_end: bool) -> list[Item]:
    *before, last = words
    if before and is_participle(before[0]) and not is_participle(last):
        return [Item("property", before[0].value), last]
    return [*before, Item("property", last.value)] if is_end and is_participle(last) else words


def is_participle(item: Item) -> bool:
    word = item.value
    return (
        len(word) >= SHORTEST_PARTICIPLE
        and word.endswith("ed")
        and not word.endswith("eed")
        and not (word.endswith("bed") and not word.endswith("bbed"))
        and word not in NO_PARTICIPLES
    )


def _ends(items: list[Item], index: int) -> bool:
    return index + 1 == len(items) or items[index + 1].kind in ("break", "link")
