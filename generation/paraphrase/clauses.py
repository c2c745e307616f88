"""Items -> clauses: which values and words stand together, and on what each clause hangs.

"A knife with a steel blade" and "a steel knife with a blade" hold the same words and are different knives, so every
value belongs to one clause: to the product's own, to that of a part, or to one that denies it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from generation.facts.canonical import bounded
from generation.paraphrase.english import english
from generation.paraphrase.item import Item
from generation.paraphrase.items import METALS
from generation.paraphrase.spelling import fold_spelling

# Links that say no more than that the following belongs to what stands before.
PLAIN_LINKS = frozenset(("with", "is", "that", "and"))
# A value alone behind these is a value of what stands before: "in blue", "made of oak", "is waterproof".
ATTACHING = {
    "": ("*",),
    "in": ("color", "size", "material", "quantity m", "quantity m3", "quantity kg", "count"),
    "of": ("material", "quantity", "count", "share"),
    "da": ("quantity",),
    "de": ("color", "material", "quantity"),
    "for": ("audience",),
    "with": ("quantity", "size", "share", "count", "set"),
}
# Behind a value with such a link a new thing begins: "made of oak and a brass knob".
OF_VALUES = frozenset(("in", "of", "de", "da"))
# "On castors" a thing has them.
STOOD_ON = frozenset(("leg", "foot", "wheel", "castor", "caster", "base", "runner", "pedestal"))
# "In amber glass": no glass of a set.
MATTER = frozenset(("glass", "wax"))
SURFACED = frozenset(("in", "of"))
# Whatever its place in the product's own clause, it can only be the product's.
FLOATING = ("property", "code", "audience", "size", "count", "set", "share")
# A value of a part is bound to its place, but for these.
LOOSE = ("property", "quantity", "count", "size", "code", "audience", "set", "share")
# "With USB4" a thing has what "USB4" alone says that it has; "with CR2032" it has a battery.
INTERFACE = re.compile(r"(?:usb|hdmi|wi fi|bluetooth|displayport|thunderbolt|ipx?\d)")
ABILITIES = frozenset(("noise cancelling", "crew neck", "v neck", "roll neck"))
COUNTED_LENGTH = 2
FIELD = "field"
SENTENCE_ENDS = frozenset((".", "!", FIELD))


@dataclass(slots=True)
class Clause:
    links: tuple[str, ...] = ()
    boundary: str = ""  # what stands before it: ",", "and", ".", or nothing
    items: list[Item] = field(default_factory=list)
    parent: Clause | None = None  # None: the product
    is_made: bool = False  # hangs by "made of"
    is_inside: bool = False  # "in a jar", not "with a jar"

    @property
    def words(self) -> list[Item]:
        return [item for item in self.items if item.kind == "word"]

    @property
    def has_words(self) -> bool:
        return any(item.kind == "word" for item in self.items)

    @property
    def link(self) -> str:
        """What it hangs by, as far as that changes what is said."""
        if "not" in self.links:
            return "+".join(link for link in self.links if link not in PLAIN_LINKS)
        plain = "+".join(link for link in self.links if link not in PLAIN_LINKS)
        return plain or ("with" if "with" in self.links else "")


def clauses_of(fields: list[list[Item]]) -> list[Clause]:
    """The product's own clause first, then the others in the order of the text."""
    clauses = _split(fields)
    if not clauses:
        return []
    main = _main(clauses)
    _hang(clauses, main)
    rest = [clause for clause in clauses if clause is not main and not _merged(clause, main)]
    return [main, *rest, *_counted_parts(main)]


def _counted_parts(main: Clause) -> list[Clause]:
    """ "A 6-string guitar" is a guitar with 6 strings."""
    found: list[Clause] = []
    for item in [item for item in main.items if item.kind == "code"]:
        number, _, noun = item.value.partition("-")
        if number.isdigit() and noun in english().parts and main.has_words:
            main.items.remove(item)
            found.append(Clause(items=[Item("word", f"#{number}"), Item("word", noun)]))
    words = main.words
    # "Three door mats" are three mats.
    is_counted = len(words) > COUNTED_LENGTH and not words[-1].written.endswith("s")
    if is_counted and words[0].value.startswith("#") and words[1].value in english().parts:
        main.items = [item for item in main.items if item is not words[0] and item is not words[1]]
        found.append(Clause(items=words[:COUNTED_LENGTH]))
    return found


def _split(fields: list[list[Item]]) -> list[Clause]:
    clauses: list[Clause] = []
    for items in fields:
        clause = Clause(boundary=FIELD)
        for item in [*items, Item("break", FIELD)]:
            if item.value in ("it", "they") and not clause.items and _speaks_of_product(item, clause, clauses):
                continue
            if item.kind == "break":
                clause = _closed(clauses, clause, Clause(boundary=item.value))
            elif item.kind == "link":
                clause = _linked(clauses, clause, item.value)
                clause.is_made = item.value == "of" and item.written != "of"
            else:
                clause.items.append(item)
    return clauses


def _speaks_of_product(item: Item, clause: Clause, clauses: list[Clause]) -> bool:
    """Only where nothing else was named; "they" are things named in the plural."""
    if clause.boundary not in SENTENCE_ENDS or sum(each.has_words for each in clauses) != 1:
        return False
    words = next(each.words for each in clauses if each.has_words)
    return item.value == "it" or words[-1].written.casefold().endswith("s")


def _closed(clauses: list[Clause], clause: Clause, following: Clause) -> Clause:
    if clause.items:
        clauses.append(_at_hand(clause))
        return following
    # Of several breaks in a row the strongest counts. "Without: sugar" goes on, "Washable: no" ends the field.
    if clause.links and following.boundary == FIELD:
        clauses.append(_with_something(clause))
        return following
    following.links = clause.links
    if clause.boundary in SENTENCE_ENDS:
        following.boundary = clause.boundary
    return following


def _at_hand(clause: Clause) -> Clause:
    """ "In a metal housing" is "with a metal housing", "on a blister card" is "with" it."""
    if clause.links == () and clause.items[0].value == "on" and len(clause.items) > 1:
        if clause.items[-1].value in english().containers | STOOD_ON:
            clause.links, clause.items = ("with",), clause.items[1:]
    elif clause.links == ("in",) and clause.items[-1].value in english().containers:
        clause.links, clause.is_inside = ("with",), True
    elif clause.links in (("in",), ("of",)) and _is_matter(clause):
        clause.links = ("with",)
    return clause


def _is_matter(clause: Clause) -> bool:
    """ "In oiled oak", "of grey felt", and the same alone: no part, so nothing hangs on it."""
    last = clause.items[-1]
    return (
        len(clause.items) > 1
        and clause.has_words
        and (last.kind == "material" or last.value in english().fabrics or last.value in MATTER)
    )


def _with_something(clause: Clause) -> Clause:
    """No link is lost for want of words behind it: "with and without lid"."""
    clause.items = clause.items or [Item("word", "nothing")]
    return clause


def _linked(clauses: list[Clause], clause: Clause, link: str) -> Clause:
    if link in ("and", "or", "but"):
        if clause.items or clause.links:
            clauses.append(_at_hand(_with_something(clause)))
        return Clause((), link)
    if clause.items:
        clauses.append(_at_hand(clause))
        return Clause((link,))
    clause.links = (*clause.links, link)
    return clause


def _main(clauses: list[Clause]) -> Clause:
    """The first that hangs on nothing; a title of one value ("Iron") only where no such clause has words."""
    plain = list(_plain(clauses))
    return next((clause for clause in plain if clause.has_words), plain[0] if plain else clauses[0])


def _plain(clauses: list[Clause]) -> Iterator[Clause]:
    """Those that hang on nothing and stand beside none that does: of "no lid and handle" neither."""
    is_plain = True
    for clause in clauses:
        is_plain = not clause.link and clause.boundary != "or" and (clause.boundary != "and" or is_plain)
        if is_plain:
            yield clause


def _hang(clauses: list[Clause], main: Clause) -> None:
    """Sets `parent` and inherited links; "lid and handle" hang on the same."""
    before: Clause | None = None
    target: Clause | None = None  # what a value behind `before` would be a value of
    first: Clause | None = None  # of the sentence: what "is" speaks of
    for clause in clauses:
        if clause.boundary in SENTENCE_ENDS:
            target = first = None
        if clause is not main:
            clause.links = _inherited(clause, before)
            parent = _parent(clause, before, target, first)
            clause.parent = None if parent is main else parent
        is_thing = clause is main or (clause.has_words and not _is_absorbed(clause, main))
        is_subject = first is None or (clause.has_words and _begins_statement(clause, before))
        before, target = clause, clause if is_thing else (clause.parent or main)
        first = target if is_subject else first


def _is_absorbed(clause: Clause, main: Clause) -> bool:
    return _is_tint(clause, main) or _is_purpose(clause, main) or _repeats_head(clause, main) or _is_matter(clause)


def _is_tint(clause: Clause, main: Clause) -> bool:
    """ "Mug, cream, with a blue rim": no cream has a rim."""
    is_alone = clause.link in ("", "in") and len(clause.items) == 1 and main.has_words
    tables = english()
    return (
        is_alone
        and clause.items[0].value in tables.context_colors
        and tables.consumed.isdisjoint(word.value for word in main.words)
    )


def _begins_statement(clause: Clause, before: Clause | None) -> bool:
    """ "The blade is oak and the handle is steel": two subjects."""
    if clause.boundary == "and":
        return before is not None and "is" in before.links
    return clause.boundary != "" and not clause.link


def _inherited(clause: Clause, before: Clause | None) -> tuple[str, ...]:
    """ "For dogs and cats" is for both; whether "for dogs, cats" is stays open, and so differs from either."""
    if before is None or (clause.links and clause.boundary != "or"):
        return clause.links
    if before.link in OF_VALUES and not before.has_words and clause.has_words:
        return ()
    if before.is_made and clause.boundary == "and" and clause.has_words and len(clause.items) > 1:
        # "Handles made of bog oak and a blade 20 cm long".
        return ()
    if clause.boundary == "and":
        return before.links
    if clause.boundary == "or":
        return ("or", *(clause.links or before.links))
    is_open = clause.boundary in (",", FIELD) and before.link not in ("", "with") and before.has_words
    if not is_open or not clause.has_words or len(clause.items) > 1:
        return ()
    # "For trail running, whistle": nothing is for a whistle.
    purposes = english().purposes
    is_purpose = before.link == "for" and before.items[-1].value in purposes and clause.items[0].value not in purposes
    return () if is_purpose and clause.boundary == FIELD else ("?", *before.links)


def _parent(clause: Clause, before: Clause | None, target: Clause | None, first: Clause | None) -> Clause | None:
    if before is None or target is None:
        return None
    if clause.boundary in ("and", "or"):
        return before.parent if before.has_words or not clause.has_words else target.parent
    if clause.boundary == "(" and not clause.has_words:
        return target
    if clause.boundary != "":
        return None
    if target.link == "for" and clause.link in SURFACED and _is_of_values(clause) and _is_named(target):
        # "A case for iPhone 15 in black leather".
        return None
    if "is" not in clause.links or "that" in clause.links:
        return target
    if before.boundary in ("and", "or") and before is not first:
        # "The lid and the handle are blue": of which of them stays open.
        clause.links = ("?", *clause.links)
    return first


def _is_of_values(clause: Clause) -> bool:
    return all(item.kind in ("color", "material", "property") for item in clause.items)


def _is_named(clause: Clause) -> bool:
    tables, last = english(), clause.items[-1]
    if any(item.kind in ("code", "audience") for item in clause.items):
        return True
    return last.value in tables.consumed | tables.animals | tables.bodies | tables.devices | tables.purposes


def _merged(clause: Clause, main: Clause) -> bool:
    """Whether another clause took all that it says."""
    target = main if _is_region_size(clause) else clause.parent or main
    if _is_purpose(clause, main):
        first = next(index for index, item in enumerate(main.items) if item.kind == "word")
        if main.words[0].value != clause.items[0].value:
            main.items[first:first] = clause.items
        return True
    if _repeats_head(clause, main):
        return True
    if clause.has_words or "not" in clause.links:
        return False
    allowed = ATTACHING.get(clause.link, ())
    if clause.link in SURFACED and any(item.kind == "material" for item in clause.items):
        # "In washed linen", "of oiled oak".
        allowed = (*allowed, "property")
    if "*" in allowed or all(_may_hang(item, clause.link, allowed) for item in clause.items):
        target.items += [Item("gap", ""), *clause.items]
        return True
    return False


def _may_hang(item: Item, link: str, allowed: tuple[str, ...]) -> bool:
    if link == "with" and ((item.kind == "code" and INTERFACE.match(item.value)) or item.value in ABILITIES):
        return True
    if link == "with" and item.kind == "material" and item.value in english().inserts:
        return True
    kind = "material" if link == "of" and item.kind == "color" and item.value in METALS else item.kind
    return kind.partition("@")[0] in allowed or kind.split()[0] in allowed


def _is_region_size(clause: Clause) -> bool:
    """ "In EU size 42" is said of boots, whatever part of them stands before."""
    return all(item.kind == "size" and " " in item.value for item in clause.items)


def _repeats_head(clause: Clause, main: Clause) -> bool:
    """ "Hiking boots. The boots are waterproof." """
    if clause.link or clause.boundary not in SENTENCE_ENDS or len(clause.items) != 1 or not main.has_words:
        return False
    return clause.items[0].kind == "word" and clause.items[0].value == main.words[-1].value


def _is_purpose(clause: Clause, main: Clause) -> bool:
    """ "For hiking" of boots is hiking boots; "by Bosch" of a drill is a Bosch drill."""
    if clause.parent is not None or len(clause.items) != len(clause.words) or not main.has_words:
        return False
    if clause.link == "by":
        is_name = len(clause.items) == 1 and clause.items[0].written[:1].isupper()
        return is_name and main.words[-1].value not in english().accessories
    if clause.link != "for":
        return False
    tables, last = english(), clause.items[-1].value
    if last in tables.animals:
        return main.words[-1].value in tables.animal_gear
    return last in tables.purposes


def typed_facts(clause: Clause) -> list[str]:
    """Its facts without what they are bound to; words that are denied are as good as a fact."""
    if "not" in clause.links:
        return [f"not {' '.join(item.value for item in clause.items)}"]
    return [f"{item.kind} {item.value}" for item in clause.items if item.is_fact]


def canonical_forms(clauses: list[Clause]) -> list[str]:
    """ "product: mug | color blue", ": lid | material steel": equal for clauses that say the same."""
    forms: dict[int, str] = {}
    for index, clause in enumerate(clauses):
        parent = f" < {forms[id(clause.parent)]}" if id(clause.parent) in forms else ""
        role = "product " if index == 0 else ""
        link = "" if clause.link == "with" else clause.link
        forms[id(clause)] = bounded(f"{role}{link}".strip(), _content(clause, is_main=index == 0) + parent)
    return list(forms.values())


def _content(clause: Clause, *, is_main: bool) -> str:
    if "not" in clause.links:
        return " ".join(item.value for item in clause.items)
    words = [word.value for word in clause.words]
    if is_main and words:
        words[-1] = fold_spelling(clause.words[-1].written)
    return " | ".join((" ".join(words), *_facts(clause, is_main=is_main)))


def _facts(clause: Clause, *, is_main: bool) -> list[str]:
    """Values by kind, those of one kind in the order of the text."""
    by_kind: dict[str, list[str]] = {}
    total, before = len(clause.words), 0
    for item in clause.items:
        before += item.kind == "word"
        if item.is_fact:
            values = by_kind.setdefault(f"{item.kind}{_place(item, before, total, is_main=is_main)}", [])
            if item.value not in values or item.kind.startswith("quantity"):
                values.append(item.value)
    facts = [
        f"{kind} {', '.join(sorted(values) if kind == 'property' else values)}"
        for kind, values in sorted(by_kind.items())
    ]
    return [*facts, *_groups(clause, by_kind)]


def _groups(clause: Clause, by_kind: dict[str, list[str]]) -> list[str]:
    """What goes together where there are several values of several kinds: "2 m black, 1 m white"."""
    several = [kind for kind, values in by_kind.items() if len(values) > 1 and kind != "property"]
    if len(several) < 2:
        return []
    groups: list[list[str]] = [[]]
    for item in clause.items:
        if item.kind == "gap":
            groups.append([])
        elif item.is_fact and item.kind != "property":
            groups[-1].append(item.value)
    return [f"together {' / '.join(' '.join(sorted(group)) for group in groups if group)}"]


def _place(item: Item, before: int, total: int, *, is_main: bool) -> str:
    """A value between two words of one clause may belong to either."""
    is_inside = 0 < before < total
    if is_main:
        return f"#{before}" if is_inside and not item.kind.startswith(FLOATING) else ""
    if total < 2 or item.kind.startswith(LOOSE):
        return ""
    return f"#{before}"
