"""Drafts of phrases, and what rules of every kind ask of them and do to them."""

from __future__ import annotations

from generation.paraphrase.english import english
from generation.paraphrase.phrase import Unit

# "Upper of leather" and "surface is hammered" are a leather upper and a hammered surface.
DESCRIBING = frozenset(("", "of", "in"))
# "A set of spoons" is a spoon set, "a pair of servers" servers, a pair.
GROUPS = frozenset(("set", "pair", "pack"))
# What a container holds is so much of the product.
HELD = ("quantity kg", "quantity m3", "count")


class Draft:
    """A phrase while phrases are made one of another."""

    def __init__(self, link: str, units: list[Unit], owner: Draft | None = None, *, is_name: bool = False) -> None:
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

    @property
    def is_container(self) -> bool:
        # "With a 20 g chocolate bar" something else is eaten.
        is_own = self.head != "bar" or self.words == ["bar"]
        return self.owner is None and self.link in ("", "with") and self.head in english().containers and is_own

    @property
    def is_description(self) -> bool:
        """ "Charges in 2 h" tells when."""
        if self.link == "for":
            return all(unit.words[0].split()[1:2] == ["max"] for unit in self.units)
        return self.link in DESCRIBING and not (self.link == "in" and all(unit.is_quantity for unit in self.units))


def rehang(drafts: list[Draft], gone: Draft, owner: Draft | None) -> None:
    for draft in drafts:
        if draft.owner is gone:
            draft.owner = owner


def behind_number(units: list[Unit]) -> int:
    """ "One roll of tape" is one tape roll."""
    return int(len(units) > 1 and units[0].is_word and (units[0].words[0].isdigit() or units[0].words == ("one",)))


def as_count(units: list[Unit]) -> list[Unit]:
    first = units[0]
    is_number = first.is_word and first.words[0].isdigit()
    return [Unit("count", (f"count {first.words[0]}",)), *units[1:]] if is_number else units
