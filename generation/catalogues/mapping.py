from __future__ import annotations

import hashlib
import re
from collections import Counter, abc
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeGuard, get_args

Role = Literal[
    "key",
    "title",
    "description",
    "short_description",
    "seo_title",
    "meta_description",
    "brand",
    "category",
    "type",
    "tags",
    "price",
    "feature",
    "attribute",
    "option_name",
    "option_value",
    "sku",
    "parent",
    "image",
    "id",
    "ignore",
]
ROLES: tuple[Role, ...] = get_args(Role)
WRITTEN_ROLES: tuple[Role, ...] = ("description", "seo_title", "meta_description")
_ONCE: tuple[Role, ...] = ("key", "title", "short_description", *WRITTEN_ROLES, "brand", "category", "type", "parent")
MAX_LABEL = 200
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Mapping:
    """What each column means, by its place; `html` lists the columns whose cells were seen to hold tags."""

    roles: tuple[Role, ...]
    html: tuple[int, ...] = ()

    def column(self, role: Role) -> int | None:
        return self.roles.index(role) if role in self.roles else None

    def columns(self, *roles: Role) -> tuple[int, ...]:
        return tuple(index for index, role in enumerate(self.roles) if role in roles)

    @property
    def written(self) -> tuple[Role, ...]:
        """The fields that we may write and the file has columns for; the description always."""
        return tuple(role for role in WRITTEN_ROLES if role == "description" or role in self.roles)

    def to_json(self) -> dict[str, Any]:
        return {"roles": list(self.roles), "html": list(self.html)}

    @classmethod
    def from_json(cls, saved: abc.Mapping[str, Any]) -> Mapping:
        """Unknown roles become "ignore", so that an old or tampered mapping stays usable."""
        roles = tuple(role if is_role(role) else "ignore" for role in saved.get("roles", ()))
        html = tuple(index for index in saved.get("html", ()) if isinstance(index, int))
        return cls(roles, html)


def is_role(word: object) -> TypeGuard[Role]:
    return word in ROLES


def fold_header(name: str) -> str:
    return " ".join(name.strip("\ufeff\x00 \t\"'").casefold().split())


def header_labels(header: Sequence[str]) -> list[str]:
    """Column names that a database and a page can take: no NUL, no undecodable bytes, never empty."""
    labels = (" ".join(_UNSTORABLE.sub("", name).strip("\ufeff").split()) for name in header)
    return [label[:MAX_LABEL] or f"Column {place}" for place, label in enumerate(labels, start=1)]


def header_signature(header: Sequence[str]) -> str:
    """The same for files with the same columns in the same order, whatever the case and spaces."""
    names = "\x1f".join(fold_header(name) for name in header)
    return hashlib.sha256(names.encode("utf-8", "surrogatepass")).hexdigest()


def validate_mapping(mapping: Mapping, header: Sequence[str]) -> list[str]:
    """What is wrong with a mapping, in plain words; nothing when it can be used."""
    problems = []
    if len(mapping.roles) != len(header):
        problems.append(f"The file has {len(header)} columns, but {len(mapping.roles)} are described.")
    if "title" not in mapping.roles:
        problems.append("Say which column holds the product's name.")
    counts = Counter(mapping.roles)
    problems += [
        f"Only one column can be the {role.replace('_', ' ')}; {counts[role]} are."
        for role in _ONCE
        if counts[role] > 1
    ]
    if counts["option_name"] != counts["option_value"] and counts["option_name"]:
        problems.append("Every option name needs its option value, and the other way round.")
    return problems
