"""The package's nouns: what is known, what is asked for, and what the check says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

TONES = ("neutral", "friendly", "luxurious", "playful", "technical", "persuasive")
LENGTHS = ("short", "medium", "long")
LANGUAGES = ("en", "de", "fr", "es", "it", "nl")
CHANNELS = ("web", "amazon", "google", "ebay")
ASKED_TIERS = ("auto", "economy", "standard", "premium")  # auto: the cheapest that may pass the check
FIELDS = ("description", "seo_title", "meta_description", "bullets")

# Words of a description: fewest and most.
WORD_BUDGETS = {"short": (25, 60), "medium": (60, 130), "long": (130, 260)}


class Task(StrEnum):
    """What a request asks a model to do; what it costs and how hard it is differ by that."""

    DESCRIPTION = "description"  # and whatever further fields, in one go
    TITLE = "title"
    META = "meta"
    BULLETS = "bullets"
    REWRITE = "rewrite"  # a text of the shop's own, or one of ours as somebody wishes it changed
    TRANSLATE = "translate"


class FactsError(ValueError):
    """The input holds nothing to write about. `code` is for programs, `message` for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Fact:
    label: str  # canonical: "color"
    display_label: str  # as the shop wrote it: "Colour"
    value: str  # as written, trimmed
    canonical: str  # typed: "quantity:0.0005 m3", "text:red", "not:bpa", "number:3", "bool:yes"


Variant = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Facts:
    title: str
    facts: tuple[Fact, ...]
    source: str  # all facts as text, a line each
    variants: tuple[Variant, ...] = ()  # (label, canonical) pairs: which options belong together

    @property
    def option_labels(self) -> tuple[str, ...]:
        """Canonical labels of the options that variants choose between, e.g. ("color", "size")."""
        return tuple(dict.fromkeys(label for variant in self.variants for label, _ in variant))


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a conversation: a text that was written for the brief, and what is wished of the next."""

    text: str
    wish: str


@dataclass(frozen=True, slots=True)
class Brief:
    """Facts and wishes: one request for one text. Keywords, instructions and voice are wishes, never facts; nor is
    `original`, the text to rewrite or translate. What was said about earlier texts (`turns`, oldest first) is not part
    of what is asked: it has no say in fingerprints and is not kept with the brief."""

    facts: Facts
    tone: str = "neutral"
    language: str = "en"
    length: str = "medium"
    channel: str = "web"
    voice: str = ""
    keywords: tuple[str, ...] = ()
    instructions: str = ""
    fields: tuple[str, ...] = ("description",)
    task: Task = Task.DESCRIPTION
    original: str = ""
    turns: tuple[Turn, ...] = ()
    tier: str = "auto"


@dataclass(frozen=True, slots=True)
class Complaint:
    """Why a text may not be published. `start` and `end` are offsets into it, both 0 when it is about all of it."""

    kind: str
    start: int
    end: int
    words: str
    message: str


@dataclass(frozen=True, slots=True)
class Sentence:
    start: int
    end: int
    labels: tuple[str, ...]  # the facts it stands on
