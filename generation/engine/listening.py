"""Somebody reads along while a text is being written."""

from __future__ import annotations

from typing import Protocol

from generation.families import CannotFill, Family
from generation.families.filling import Filling
from generation.llm.pieces import DescriptionPieces


class Listener(Protocol):
    """Hears of a description before it is checked. Neither call may raise or take long."""

    def begin(self) -> None:
        """An attempt begins; whatever was told before is void."""

    def tell(self, piece: str) -> None:
        """The text goes on like this."""


class Telling:
    """One attempt's reply on its way to the listener: the description alone, a family's slots filled."""

    def __init__(self, listener: Listener, family: Family | None, language: str) -> None:
        self._listener = listener
        self._pieces = DescriptionPieces()
        self._filling = Filling(family, language) if family else None
        self._has_begun = self._is_over = False
        listener.begin()

    def hear(self, piece: str) -> None:
        self._tell(self._pieces.feed(piece), is_last=False)

    def end(self) -> None:
        self._tell(self._pieces.close(), is_last=True)

    def _tell(self, piece: str, *, is_last: bool) -> None:
        if self._is_over:
            return
        if self._filling:
            try:
                piece = self._filling.feed(piece) + (self._filling.close() if is_last else "")
            except CannotFill:  # the engine will find it too, and write this product by itself
                self._is_over = True
                return
        piece = piece if self._has_begun else piece.lstrip()
        if piece:
            self._has_begun = True
            self._listener.tell(piece)
