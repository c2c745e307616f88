from __future__ import annotations

import re
from collections.abc import Sequence

from generation.catalogues.generic_names import GENERIC_RANKS, GENERIC_ROLES, NOT_FACTS
from generation.catalogues.mapping import Role

_LOCALE = re.compile(r"[-_ ](?:[a-z]{2}[-_][a-z]{2}|en|de|fr|es|it|nl)(?:[-_][a-z_]+)?$")
_NOTE = re.compile(r"\s*[(\[][^()\[\]]*[)\]]?.*$|\s*[*€$£:]+$")
_WORDS = re.compile(r"[\W_]+")
_NUMBERED = re.compile(r"(?<=\D)[ _]?\d+$")
_HASHES = re.compile(r"(?:[0-9a-f]{32,64}|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})(?:[|,; ]+|$)", re.IGNORECASE)
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d.*)?|\d{1,2}[./]\d{1,2}[./]\d{2,4}(?: \d\d:\d\d.*)?")
_URL = re.compile(r"(?:https?:)?//|www\.|gid://|[\w/.-]+\.(?:jpe?g|png|gif|webp|svg|pdf|mp4)$", re.IGNORECASE)
_NUMBER = re.compile(r"[-+]?[\d.,' ]*\d(?: ?[%€$£])?")
_UNIQUE: tuple[Role, ...] = (
    "key",
    "title",
    "description",
    "short_description",
    "seo_title",
    "meta_description",
    "brand",
    "category",
    "tags",
    "sku",
    "parent",
)


def plain_name(name: str) -> Role | None:
    """The role that a column name means in any of the known languages: "Preis €", "name-en_US", "bullet_point3"."""
    for candidate in _candidates(name):
        if role := GENERIC_ROLES.get(candidate):
            return role
    return None


def is_fact(value: str) -> bool:
    """False for what says nothing to a shopper: addresses, hashes, identifiers, dates, JSON."""
    if _URL.match(value) or _DATE.fullmatch(value) or _HASHES.match(value):
        return False
    return not (value[:1] in ("{", "[") and value[-1:] in ("}", "]"))


def names_no_fact(name: str) -> bool:
    return not NOT_FACTS.isdisjoint(_WORDS.split(name.casefold()))


def generic_roles(names: Sequence[str], sample: Sequence[Sequence[str]]) -> tuple[Role, ...]:
    roles: list[Role] = [
        _role(name, [row[index] for row in sample if index < len(row)]) for index, name in enumerate(names)
    ]
    for role in _UNIQUE:
        _keep_best(roles, role, names)
    if "key" not in roles and "sku" in roles:
        roles[roles.index("sku")] = "key"
    return tuple(roles)


def _role(name: str, values: Sequence[str]) -> Role:
    role = plain_name(name)
    if role is not None and role != "attribute":
        return role
    filled = [value.strip() for value in values if value.strip()]
    if role == "attribute":
        return role
    if names_no_fact(name) or not name:
        return "ignore"
    return "attribute" if _is_textual(filled) or (filled and "(" in name) else "ignore"


def _is_textual(filled: Sequence[str]) -> bool:
    """At least half of the filled cells are words about the product. An empty column is left out."""
    words = sum(is_fact(value) and not _NUMBER.fullmatch(value) for value in filled)
    return bool(filled) and words * 2 >= len(filled)


def _keep_best(roles: list[Role], role: Role, names: Sequence[str]) -> None:
    claims = [index for index, claimed in enumerate(roles) if claimed == role]
    best = min(claims, key=lambda index: (_rank(names[index]), index), default=None)
    for index in claims:
        if index != best:
            roles[index] = "ignore"


def _rank(name: str) -> tuple[int, int]:
    """An exact name before one with a note or locale, an earlier synonym before a later one."""
    for distance, candidate in enumerate(_candidates(name)):
        if candidate in GENERIC_RANKS:
            return distance, GENERIC_RANKS[candidate]
    return 99, 99


def _candidates(name: str) -> list[str]:
    """From the name itself to what is left without its locale, note in brackets and number."""
    spaced = _spaced(name)
    without_locale = _spaced(_LOCALE.sub("", name))
    without_note = _spaced(_NOTE.sub("", name))
    without_number = _spaced(_NUMBERED.sub("", without_note))
    return [spaced, without_locale, without_note, without_number]


def _spaced(name: str) -> str:
    return " ".join(_WORDS.sub(" ", name).split())
