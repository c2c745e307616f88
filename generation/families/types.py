from __future__ import annotations

from dataclasses import dataclass

from generation.facts import Facts

# Part of every family's key: raise it whenever masking, filling or the rules for templates change.
FAMILY_VERSION = 2


class CannotFill(ValueError):
    """A template that these values would make ungrammatical, or that holds what is no slot of theirs."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Family:
    key: str  # "t1-<64 hex>": of everything but the values
    facts: Facts  # what a model is shown: values replaced by "{{color}}"-like slots
    values: tuple[tuple[str, str], ...]  # slot name -> its words in the brief's language, by name
