"""What a text is made of once its words are looked up."""

from __future__ import annotations

from typing import NamedTuple


class Item(NamedTuple):
    # word, link, break, gap (between what was said apart), or the kind of a fact: color, material, property, audience,
    # size, code, count, set, "quantity m3", "quantity m@width"
    kind: str
    value: str
    written: str = ""  # of a word: before its plural was folded

    @property
    def is_fact(self) -> bool:
        return self.kind not in ("word", "link", "break", "gap")
