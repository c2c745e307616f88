"""Tokens -> items: typed facts, words in canonical form, and the links between them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from generation.facts.lexicon.small_words import LETTER_SIZES
from generation.paraphrase.english import English, english
from generation.paraphrase.item import Item
from generation.paraphrase.lexicon.tables import ENGLISH
from generation.paraphrase.phrasing import (
    with_codes,
    with_hands,
    with_inclusion,
    with_lining,
    with_participles,
    with_place,
    with_ranges,
    with_room,
    with_shares,
    with_standards,
    with_time,
)
from generation.paraphrase.tokens import Token
from generation.paraphrase.vocabulary import Entry, Vocabulary, spoken_words, vocabulary

SHORTEST_PLURAL = 4
SHORTEST_ADJECTIVE = 7
LONGEST_ARTICLE = 3
NOT_PLURAL = ("ss", "us", "is", "as", "os")
SIBILANT_PLURAL = ("sses", "shes", "ches", "xes", "zes")
NAMED_SIZES = {"small": "s", "medium": "m", "large": "l"}
BARE_SIZES = LETTER_SIZES - {"S", "M", "L"}
METALS = frozenset(("gold", "silver", "bronze", "copper", "rose gold", "brass", "chrome"))
# "EU 42" is no UK 42, and no 42 of an unknown system.
REGIONS = frozenset(("eu", "uk", "us"))
VALUES = ("color", "material")
WORN = frozenset(("belt", "hat"))
GOING_ON = frozenset(("salt", "light", "card", "label", "board", "star", "line"))
RANKS = frozenset(("white", "yellow", "orange", "green", "blue", "purple", "brown", "black", "red"))
COLOR_WORDS = frozenset(("color", "colored", "colors"))
SINGULAR_AUDIENCE = frozenset(
    ("woman", "lady", "man", "kid", "child", "girl", "boy", "baby", "adult", "teen", "teenager", "senior", "him", "her")
)
END = Item("break", "")
LENGTH = "quantity m"
VOLUME = "quantity m3"
# What a jug, a disk and a battery hold.
CAPACITIES = (VOLUME, "quantity byte", "quantity C")
PLAIN_SIDES = frozenset(("capacity", "size", "power", "voltage"))
# Side -> the kinds of quantities that it may measure, a length where none is named.
MEASURES: dict[str, tuple[str, ...]] = {
    "": (),
    "weight": ("quantity kg",),
    "size": (LENGTH, "quantity K"),
    "capacity": CAPACITIES,
    "power": ("quantity W",),
    "voltage": ("quantity V",),
}
MEASURED_OUT = ("quantity", "count", "set")
HOLDING = frozenset(("holds", "holding"))
PACKS = frozenset(("pack", "packs", "package"))
PIECES = PACKS | {"piece", "pieces", "pcs"}
FREE = frozenset(("free", "frei", "vrij"))


def language_of(tokens: list[Token]) -> str:
    """By its small words; English when nothing speaks for another."""
    votes: Counter[str] = Counter()
    for token in tokens:
        languages = spoken_words().get(token.value, ()) if token.kind == "word" else ()
        if ENGLISH in languages or not _may_be_name(token):
            votes.update(languages)
    best = max(votes.values(), default=0)
    return ENGLISH if votes[ENGLISH] == best else max(sorted(votes), key=lambda language: votes[language])


def _may_be_name(token: Token) -> bool:
    """ "Le Creuset", "Die Hard", "EN 1078"."""
    return (token.raw.istitle() or token.raw.isupper()) and len(token.raw) <= LONGEST_ARTICLE


def items_of(tokens: list[Token], language: str) -> list[Item]:
    words = vocabulary(language)
    items = _looked_up(_with_names(tokens, words), words)
    for refine in ENGLISH_RULES if language == ENGLISH else COMMON_RULES:
        items = refine(items)
    return items


def _with_names(tokens: list[Token], words: Vocabulary) -> list[Token]:
    """ "Kestrel & Pine" is one name, "Black & White" two colours."""
    found: list[Token] = []
    for token in tokens:
        first = found[-2] if len(found) > 1 and found[-1].raw == "&" else token
        is_known = token.value in words.phrases and first.value in words.phrases
        if first is not token and _may_be_named(first) and _may_be_named(token) and not is_known:
            found[-2:] = [Token("word", f"{first.value}&{token.value}", f"{first.raw}&{token.raw}", token.possessive)]
        else:
            found.append(token)
    return found


def _may_be_named(token: Token) -> bool:
    return token.kind == "word" and len(token.raw) > 1 and token.raw[:1].isupper()


def singular(word: str) -> str:
    tables = english()
    if word in tables.irregular:
        return tables.irregular[word]
    if (
        len(word) < SHORTEST_PLURAL
        or not word.endswith("s")
        or word.endswith(NOT_PLURAL)
        or word in tables.kept_plurals
    ):
        return word
    if word.endswith("ies") and len(word) > SHORTEST_PLURAL:
        return word[:-3] + "y"
    return word[:-2] if word.endswith(SIBILANT_PLURAL) else word[:-1]


def _looked_up(tokens: list[Token], words: Vocabulary) -> list[Item]:
    items: list[Item] = []
    position = 0
    while position < len(tokens):
        length, entry = _entry_at(tokens, position, words)
        items += _items(tokens[position : position + length], entry, words, before=items)
        position += length
    return items


def _entry_at(tokens: list[Token], position: int, words: Vocabulary) -> tuple[int, Entry | None]:
    token, is_letter = tokens[position], _is_letter(tokens, position)
    for rest, entry in words.phrases.get(token.value, ()):
        end = position + 1 + len(rest)
        if is_letter and not rest:
            break
        if end <= len(tokens) and all(t.value == key for t, key in zip(tokens[position + 1 : end], rest, strict=True)):
            return 1 + len(rest), entry
    return 1, None


def _is_letter(tokens: list[Token], position: int) -> bool:
    """The A of "vitamin A" is no article; that of "A mug" is."""
    token = tokens[position]
    if len(token.raw) > 1 or not token.raw.isupper():
        return False
    return position + 1 == len(tokens) or (position > 0 and tokens[position - 1].kind != "break")


def _items(tokens: list[Token], entry: Entry | None, words: Vocabulary, before: list[Item]) -> list[Item]:
    token = tokens[0]
    if entry is None:
        return _unlisted(token, words)
    if entry.kind == "filler":
        return []
    if entry.kind == "keep":
        return [_word(each) for each in tokens]
    if entry.kind == "word":
        return [Item("word", word, word) for word in entry.value.split()]
    if entry.kind == "audience" and not _is_audience(tokens[-1], before):
        return [_word(each) for each in tokens]
    return [Item(entry.kind, entry.value, " ".join(each.value for each in tokens))]


def _is_audience(token: Token, before: list[Item]) -> bool:
    last = before[-1] if before else Item("break", "")
    if last.kind == "word" and last.value.startswith("#"):
        return False
    return token.value not in SINGULAR_AUDIENCE or token.possessive or last == ("link", "for", last.written)


def _unlisted(token: Token, words: Vocabulary) -> list[Item]:
    if token.kind == "word":
        if token.value in words.numbers:
            return [Item("word", f"#{words.numbers[token.value]}", f"#{words.numbers[token.value]}")]
        if token.raw in BARE_SIZES:
            return [Item("size", token.value)]
        return [_word(token)]
    if token.kind == "number":
        return [Item("word", f"#{token.value}", f"#{token.value}")]
    if token.kind == "symbol":
        # The canonical form has its own use for "<".
        symbol = token.value.replace("<", "less")
        return [Item("word", symbol, symbol)]
    return [Item(token.kind, token.value)]


def _word(token: Token) -> Item:
    return Item("word", token.value, token.raw)


# What follows rewrites the list of items once each; every rule reads from left to right.


def _with_sides(items: list[Item]) -> list[Item]:
    """ "180 x 90 cm" is one fact."""
    found: list[Item] = []
    for item in items:
        if len(found) > 1 and item.kind.startswith("quantity") and _is_times(found[-1]) and found[-2].kind == item.kind:
            found.pop()
            found.append(Item(item.kind, f"{found.pop().value} x {item.value}"))
        else:
            found.append(item)
    return found


def _is_times(item: Item) -> bool:
    return (item.kind == "word" and item.value in ("x", "*")) or (item.kind == "link" and item.value == "by")


def _with_sizes(items: list[Item]) -> list[Item]:
    """ "size M", "size: 42", "in M", "L/XL"."""
    items = _with_size_pairs(items)
    if len(items) == 1 and items[0].written in LETTER_SIZES:
        return [Item("size", items[0].value)]
    found: list[Item] = []
    for index, item in enumerate(items):
        before = found[-1] if found else Item("break", "")
        if before.kind == "break" and before.value == ":" and len(found) > 1 and found[-2].value == "size":
            found.pop()
            before = found[-1]
        size = _size(item)
        if before.value in REGIONS and item.value == "size":
            continue
        if before.value in REGIONS and is_number(item) and _ends(items, index):
            found.pop()
            if found and found[-1].value == "size":
                found.pop()
            found.append(Item("size", f"{before.value} {size}"))
        elif before.value == "size" and size:
            found[-1] = Item("size", size)
        elif before == ("link", "in", before.written) and item.written in LETTER_SIZES and _ends(items, index):
            found.append(Item("size", item.value))
        else:
            found.append(item)
    return found


def _with_size_pairs(items: list[Item]) -> list[Item]:
    found: list[Item] = []
    for item in items:
        if _is_letter_size(item) and len(found) > 1 and found[-1].value == "/" and _is_letter_size(found[-2]):
            found[-2:] = [Item("size", f"{found[-2].value}/{item.value}")]
        else:
            found.append(item)
    return found


def _is_letter_size(item: Item) -> bool:
    return item.written in LETTER_SIZES or (item.kind == "size" and item.value.upper() in LETTER_SIZES)


def _size(item: Item) -> str:
    if item.kind == "size" or item.written.upper() in LETTER_SIZES:
        return item.value
    if item.value.startswith("#"):
        return item.value[1:]
    return NAMED_SIZES.get(item.value, "")


def _ends(items: list[Item], index: int) -> bool:
    return index + 1 == len(items) or items[index + 1].kind in ("break", "link")


def _with_modifiers(items: list[Item]) -> list[Item]:
    """ "matte black", "solid oak", "gold plated": a value with the words that change it."""
    tables = english()
    found: list[Item] = []
    for index, item in enumerate(items):
        if item.kind in ("color", "material") and not _is_noun(items, index, tables):
            modifiers = tables.color_modifiers if item.kind == "color" else tables.material_modifiers
            value = tables.materials.get(item.value, item.value)
            while found and _modifies(found[-1], item.kind) and found[-1].value in modifiers:
                value = f"{found.pop().value} {value}"
            found.append(Item(item.kind, value))
        elif item.kind in ("color", "material"):
            found.append(Item("word", item.written, item.written))
        elif item.value == "lined" and items[index + 1 : index + 2] == [Item("link", "with", "with")]:
            found.append(item)
        elif found and found[-1].kind == "color" and found[-1].value in METALS and item.value == "color":
            found[-1] = Item("color", f"{found[-1].value} colored")
        elif found and found[-1].kind in ("color", "material") and item.value in tables.surfaces:
            if item.value in COLOR_WORDS and found[-1].value not in METALS:
                continue
            found[-1] = Item(found[-1].kind, f"{found[-1].value} {item.value}")
        elif item.kind == "word" and item.value == "color" and _color_beside(items, index):
            continue
        else:
            found.append(item)
    return found


def _with_generic(items: list[Item]) -> list[Item]:
    """ "Suede leather" is suede, "beech wood" beech, and a wooden set of beech is one of beech."""
    tables = english()
    found: list[Item] = []
    for item in items:
        before = found[-1] if found else END
        if item.kind != "material":
            found.append(item)
        elif before.kind == "material" and before.value in tables.generic.get(item.value, frozenset()):
            continue
        else:
            found.append(Item("material", _specific(item.value)))
    return found


def _specific(value: str) -> str:
    first, _, last = value.rpartition(" ")
    return first if first in english().generic.get(last, frozenset()) else value


def _modifies(before: Item, kind: str) -> bool:
    """ "Stone grey" is a grey; of "steel mesh" either is a material."""
    return before.kind in ("word", "property") or (before.kind == "material" and kind == "color")


def _with_joined_values(items: list[Item]) -> list[Item]:
    """ "Grey and black trousers", where "trousers in grey and black lid" goes on to something else; "black/white"."""
    found: list[Item] = []
    is_taken = False
    for index, item in enumerate(items):
        is_first = _is_first_value(found)
        after = items[index + 1] if index + 1 < len(items) else Item("break", "")
        is_whole = (
            len(found) > 1
            and found[-2].value in ("of", "in")
            and (len(items) < index + 3 or items[index + 2].kind in ("break", "link"))
        )
        is_joint = item.value == "/" or ((is_first or is_whole) and item == Item("link", "and", item.written))
        if is_joint and found and found[-1].kind in VALUES and after.kind == found[-1].kind:
            joined = sorted((found[-1].value, after.value))
            found[-1] = Item(after.kind, " + ".join(joined))
            is_taken = True
            continue
        if is_taken:
            is_taken = False
            continue
        found.append(item)
    return found


def _is_first_value(found: list[Item]) -> bool:
    """Whether nothing but properties stands before it: "reversible black and white rug"."""
    before = next((item for item in reversed(found[:-1]) if item.kind not in ("property", "audience")), END)
    return bool(found) and before.kind == "break"


def _is_noun(items: list[Item], index: int, tables: English) -> bool:
    """ "Red wine" paints nothing red, and a wine glass is not made of wine."""
    nouns = tables.nouns if items[index].kind == "color" else tables.material_nouns
    following = items[index + 1 : index + 3]
    if following and following[0].kind == "word" and following[0].value in nouns:
        # A black belt is a belt; a black belt bag need not be black, but a lilac one is lilac.
        is_followed = len(following) > 1 and following[1].kind == "word"
        if is_followed and items[index].kind == "material" and following[0].value in GOING_ON:
            # "Leather card holder", "acrylic salt grinder".
            return False
        return following[0].value not in WORN or (is_followed and items[index].value in RANKS)
    is_last = _ends(items, index)
    before = items[index - 1] if index else Item("break", "")
    if before.kind == "color" and items[index].value in tables.fabrics:
        return False
    is_named = before.kind not in ("link", "break") and before.value not in tables.material_modifiers
    return is_last and is_named and items[index].value in tables.things


def _color_beside(items: list[Item], index: int) -> bool:
    beside = items[max(index - 2, 0) : index] + items[index + 1 : index + 2]
    return any(item.kind == "color" and item.value not in METALS for item in beside)


def _with_measured(items: list[Item]) -> list[Item]:
    """ "30 cm wide", "width 30 cm", "with a width of 30 cm": the side belongs to the quantity."""
    found: list[Item] = []
    index = 0
    while index < len(items):
        if items[index].kind.startswith("quantity"):
            side = _side_before(found, items[index])
            length, after = (0, "") if side else _side_behind(items, index)
            if not side and not after and (after := _side_of_part(items, index)):
                found.append(items[index + 1])
                length = 2
            found.append(_measured(items[index], side or after))
            index += length
        else:
            found.append(items[index])
        index += 1
    return found


def _side_before(found: list[Item], quantity: Item) -> str:
    """Takes the words off what was found."""
    offset = 1 if found and found[-1].kind == "link" and found[-1].value in ("of", "is") else 0
    at = len(found) - 1 - offset
    side = english().measured_before.get(found[at].value, "") if at >= 0 and found[at].kind == "word" else ""
    if not measures(side, quantity):
        return ""
    speaks_of_product = found[at].value in HOLDING
    del found[at:]
    links = [item.value for item in found if item.kind in ("link", "break")]
    if speaks_of_product and links and links[-1] == "for":
        # "A fountain for pets holding 2 l".
        found.append(Item("break", ","))
    return side


def _side_behind(items: list[Item], index: int) -> tuple[int, str]:
    """How many items say it; none when they speak of the next quantity: "30 cm, width 20 cm"."""
    for length in (2, 1):
        words = items[index + 1 : index + 1 + length]
        side = english().measured_behind.get(tuple(word.value for word in words), "")
        if side and measures(side, items[index]):
            following = items[index + 1 + length : index + 2 + length]
            return (0, "") if following and following[0].kind.startswith("quantity") else (length, side)
    return 0, ""


def _side_of_part(items: list[Item], index: int) -> str:
    """ "80 mm cutting depth" is "cutting depth 80 mm"."""
    part, *words = items[index + 1 : index + 3] or [Item("break", "")]
    side = english().measured_behind.get(tuple(word.value for word in words), "") if words else ""
    return side if part.kind == "word" and side not in PLAIN_SIDES and measures(side, items[index]) else ""


def measures(side: str, quantity: Item) -> bool:
    return quantity.kind in MEASURES.get(side, (LENGTH,))


def _measured(item: Item, side: str) -> Item:
    return Item(f"{item.kind}@{side}", item.value) if side and side not in PLAIN_SIDES else item


def _with_counts(items: list[Item]) -> list[Item]:
    """ "set of six", "pack of six", "six-pack", "2 to 4", and "8 GB of RAM" as "8 GB RAM"."""
    found: list[Item] = []
    for item in items:
        before = found[-1] if found else Item("break", "")
        container = found[-2].value if len(found) > 1 and before.value == "of" else ""
        if is_number(item) and (container == "set" or container in PACKS):
            del found[-2:]
            found.append(Item("set" if container == "set" else "count", item.value[1:]))
        elif item.value in PIECES and is_number(before):
            found[-1] = Item("count", before.value[1:])
        elif is_number(item) and before.value == "to" and len(found) > 1 and is_number(found[-2]):
            found.pop()
            spelled = f"{found.pop().value}-{item.value[1:]}"
            found.append(Item("word", spelled, spelled))
        elif item.kind != "link" or item.value != "of" or not before.kind.startswith(MEASURED_OUT):
            found.append(item)
    return found


def is_number(item: Item) -> bool:
    return item.kind == "word" and item.value.startswith("#")


def _with_freedom(items: list[Item]) -> list[Item]:
    """ "BPA-free" as "not BPA" in a clause of its own."""
    found: list[Item] = []
    for item in items:
        if item.kind == "word" and item.value in FREE and found and found[-1].kind not in ("link", "break"):
            freed = [found.pop()]
            if len(items) == len(found) + 2 == 3 and _names_one(found[0], freed[0]):
                freed.insert(0, found.pop())
            is_joined = bool(found) and found[-1].kind == "link" and found[-1].value == "and"
            if is_joined:
                found.append(Item("word", "all"))
            found += [Item("break", "free"), Item("link", "not"), *freed, Item("break", "free")]
        else:
            found.append(item)
    return found


def _names_one(before: Item, substance: Item) -> bool:
    """ "Palm oil free" alone, where "muesli sugar free" is muesli."""
    consumed = english().consumed
    return before.kind == substance.kind == "word" and substance.value in consumed and before.value not in consumed


def _with_non(items: list[Item]) -> list[Item]:
    """ "Non-alcoholic gin" is gin: what "non" denies is the next word alone."""
    found: list[Item] = []
    for index, item in enumerate(items):
        before = items[index - 1] if index else END
        if before == Item("link", "not", "non") and item.kind not in ("link", "break"):
            found[-1:] = [Item("break", "free"), before, item, Item("break", "free")]
        else:
            found.append(item)
    return found


def _with_adjectives(items: list[Item]) -> list[Item]:
    """ "Refillable", "stain resistant" and "anti theft" are properties without being listed."""
    tables = english()
    found: list[Item] = []
    for item in items:
        before = found[-1] if found else Item("break", "")
        if item.kind == before.kind == "word" and (
            item.value in tables.adjectives_behind or before.value in tables.adjectives_before
        ):
            found[-1] = Item("property", f"{before.value} {item.value}")
        elif item.kind == "word" and len(item.value) >= SHORTEST_ADJECTIVE and _is_adjective(item.value, tables):
            found.append(Item("property", item.value))
        else:
            found.append(item)
    return found


def _is_adjective(word: str, tables: English) -> bool:
    return word.endswith(tables.adjective_ends) and word not in tables.no_adjectives


def _with_singulars(items: list[Item]) -> list[Item]:
    return [
        Item("word", singular(item.value), item.written or item.value) if item.kind == "word" else item
        for item in items
    ]


Rule = Callable[[list[Item]], list[Item]]
COMMON_RULES: tuple[Rule, ...] = (_with_sides, _with_counts, _with_freedom)
ENGLISH_RULES: tuple[Rule, ...] = (
    _with_sides,
    _with_counts,
    with_standards,
    _with_sizes,
    _with_modifiers,
    _with_generic,
    _with_joined_values,
    with_ranges,
    _with_measured,
    with_shares,
    _with_freedom,
    _with_non,
    with_codes,
    with_room,
    with_hands,
    _with_adjectives,
    with_time,
    with_place,
    with_lining,
    with_inclusion,
    with_participles,
    _with_singulars,
)
