"""The noun phrases of a text: words that stand together, and what each phrase hangs on."""

from __future__ import annotations

from typing import NamedTuple

PRODUCT = -1
# The link of what a thing is made to take, where "with" would say that it comes with it.
TAKING = "takes"


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


class Phrase(NamedTuple):
    link: str
    owner: int  # the number of the phrase that it belongs to, or PRODUCT
    units: tuple[Unit, ...]
    is_name: bool = False

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(word for unit in self.units for word in unit.words)
