"""The output check: what a text states must stand in the facts. Rules without a model, the same answer every time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

from generation.facts.compounds import unlisted_claims
from generation.facts.form import form_complaints
from generation.facts.known import Known, known_from
from generation.facts.lexicon.small_words import (
    FREE_AFTER,
    FREE_BEFORE,
    LETTER_SIZES,
    NEGATORS,
    NO_WORDS,
    NUMBER_WORDS,
    SIZE_WORDS,
    STOP_WORDS,
    UNCOUNTED,
)
from generation.facts.mentions import Mention, find_mentions, negators_of
from generation.facts.names import unknown_names
from generation.facts.sentences import split_sentences
from generation.facts.types import Brief, Complaint
from generation.facts.units import COUNT, Measure, measures
from generation.facts.vocabulary import text_vocabulary
from generation.facts.words import Reading, Word, covered

# Part of cache keys: a stricter check retires the texts that an older one let pass.
CHECK_VERSION = 1

MISSING = "“{}” is not among this product's facts."
MESSAGES = {
    "color": "The colour “{}” is not among this product's facts.",
    "material": "The material “{}” is not among this product's facts.",
    "size": "The size “{}” is not among this product's facts.",
    "certificate": "Nothing in this product's facts supports “{}”.",
    "claim": "Nothing in this product's facts supports “{}”.",
    "negation": "“{}” contradicts this product's facts, which say the opposite.",
    "name": "The name “{}” is not among this product's facts.",
}
# Degrees of protection against dust and water.
PROTECTION = re.compile(r"IP[X\d][X\d][A-Z]?")
WORD_SIZES = {"small": "S", "medium": "M", "large": "L"}
LIST_WORDS = frozenset(("and", "or", "to", "und", "oder", "bis", "et", "ou", "y", "o", "e", "a", "en", "of", "tot"))


def check_text(text: str, brief: Brief) -> list[Complaint]:
    """Complaints in the order of the text; none means that it may be published."""
    if not text.strip():
        return [Complaint("empty", 0, 0, "", "The text is empty.")]
    known = known_from(brief.facts, brief.language)
    reading = Reading(text)
    found = [*form_complaints(text, reading, brief, known), *_Statements(reading, known, brief.language).complaints()]
    return sorted(found, key=lambda complaint: complaint.start)


class _Statements:
    """Each kind of statement of one text against what is known."""

    def __init__(self, reading: Reading, known: Known, language: str) -> None:
        self.reading = reading
        self.known = known
        self.language = language
        self.measures = measures(reading.text)
        self.mentions = list(find_mentions(reading, text_vocabulary(language), language))
        self.listed = {place for mention in self.mentions for place in range(mention.first, mention.last + 1)}
        self.code_parts = set(self._code_parts())

    def complaints(self) -> Iterator[Complaint]:
        """At most one for each place."""
        kinds = (
            self.of_measures,
            self.of_number_words,
            self.of_mentions,
            self.of_compounds,
            self.of_sizes,
            self.of_denials,
            self.of_names,
        )
        found: dict[int, Complaint] = {}
        for of_kind in kinds:
            for complaint in of_kind():
                found.setdefault(complaint.start, complaint)
        return (self._placed(complaint) for complaint in found.values())

    def of_measures(self) -> Iterator[Complaint]:
        for measure in self.measures:
            if measure.start in self.code_parts or self._is_list_mark(measure):
                continue
            if kind := self._fault(measure):
                yield self._complaint(kind, measure.start, measure.end)

    def _fault(self, measure: Measure) -> str:
        has_number = not self.known.numbers.isdisjoint(measure.values)
        if measure.unit is None or measure.unit is COUNT:
            return "" if has_number or re.sub(r"\W", "", measure.literal) in self.known.codes else "number"
        base = measure.unit.base
        if any((base, value) in self.known.quantities for value in measure.in_si()):
            return ""
        return "unit" if has_number else "number"

    def _is_list_mark(self, measure: Measure) -> bool:
        """ "1." or "2)" at the head of a line."""
        before = self.reading.text[: measure.start].rpartition("\n")[2]
        after = self.reading.text[measure.end : measure.end + 2]
        return measure.unit is None and not before.strip() and after in (". ", ") ")

    def of_number_words(self) -> Iterator[Complaint]:
        values = NUMBER_WORDS[self.language]
        for position, word in enumerate(self.reading.words):
            if word.key in values and self._counts_something(position):
                value, first = self._number_at(position)
                if Fraction(value) not in self.known.numbers:
                    yield self._complaint("number", self.reading.words[first].start, word.end)

    def _counts_something(self, position: int) -> bool:
        """Whether a noun follows: not in "the two of you", "two ways", "no two alike", nor inside "twenty-four"."""
        words = self.reading.words
        if position + 1 == len(words) or self.reading.between(words[position], words[position + 1]) not in (" ", "-"):
            return False
        if position and words[position - 1].key in NEGATORS[self.language]:
            return False
        following = words[position + 1].key
        return (
            following not in UNCOUNTED and following not in STOP_WORDS and following not in NUMBER_WORDS[self.language]
        )

    def _number_at(self, position: int) -> tuple[int, int]:
        """The number that ends there and the position where it begins: "twenty-four", "two hundred"."""
        words, values = self.reading.words, NUMBER_WORDS[self.language]
        value = values[words[position].key]
        before = values.get(words[position - 1].key) if position else None
        if before is None:
            return value, position
        return (before * value if value >= 100 else before + value), position - 1

    def of_mentions(self) -> Iterator[Complaint]:
        for mention in self.mentions:
            contradicts = mention.concept in (self.known.stated if mention.negated else self.known.denied)
            if mention.concept in (self.known.denied if mention.negated else self.known.stated):
                continue
            start, end = self._first(mention).start, self._last(mention).end
            if contradicts:
                yield self._complaint("negation", start, end)
            elif not self._is_harmless(mention):
                yield self._complaint("claim" if mention.kind in ("substance", "origin") else mention.kind, start, end)

    def _is_harmless(self, mention: Mention) -> bool:
        """A substance that is present claims nothing; a claim in the facts' very words is one of them."""
        if mention.kind == "substance":
            return not mention.negated
        if mention.kind in ("color", "material"):
            base, _, surface = mention.concept.rpartition(" ")
            return surface == "look" and base in self.known.stated
        words = self.reading.words[mention.first : mention.last + 1]
        return not mention.negated and all(word.key in self.known.words for word in words)

    def of_compounds(self) -> Iterator[Complaint]:
        """ "tear-resistant" and "reißfest": claims made with a word that no table holds."""
        for start, end in unlisted_claims(self.reading, self.known, self.language, self.listed):
            yield self._complaint("claim", start, end)

    def of_sizes(self) -> Iterator[Complaint]:
        words = self.reading.words
        for index, word in enumerate(words):
            size = word.raw if word.raw in LETTER_SIZES else WORD_SIZES.get(word.key, "")
            if not size or size in self.known.sizes or not self._is_size(index, word):
                continue
            if word.raw in LETTER_SIZES or word.key not in self.known.words:
                yield self._complaint("size", word.start, word.end)

    def _is_size(self, index: int, word: Word) -> bool:
        """ "XL" always; "M" after "size" or beside another size; "medium" only after "size"."""
        words = self.reading.words
        before = words[index - 1] if index else None
        if before and before.key in SIZE_WORDS:
            return True
        if word.raw not in LETTER_SIZES:
            return False
        if len(word.raw) > 1:
            return True
        return any(self._neighbour(index, step) in LETTER_SIZES for step in (-1, 1))

    def _neighbour(self, index: int, step: int) -> str:
        words = self.reading.words
        index += step
        if 0 <= index < len(words) and words[index].key in LIST_WORDS:
            index += step
        return words[index].raw if 0 <= index < len(words) else ""

    def of_denials(self) -> Iterator[Complaint]:
        """A sentence that states, without a negation, what the facts deny in so many words."""
        if not self.known.denied_words:
            return
        undoing = negators_of(self.language) | NO_WORDS | FREE_BEFORE | FREE_AFTER
        for span in split_sentences(self.reading.text):
            words = [self.reading.words[position] for position in sorted(covered(self.reading.words, [span]))]
            keys = {word.key for word in words}
            if not keys.isdisjoint(undoing):
                continue
            for denied in self.known.denied_words:
                if keys.issuperset(denied) and denied[-1] not in self.known.stated:
                    hit = next(word for word in words if word.key == denied[-1])
                    yield self._complaint("negation", hit.start, hit.end)

    def of_names(self) -> Iterator[Complaint]:
        judged = self.listed | covered(self.reading.words, ((measure.start, measure.end) for measure in self.measures))
        for word in unknown_names(self.reading, self.known, self.language, judged):
            if word.start not in self.code_parts:
                kind = "certificate" if PROTECTION.fullmatch(word.raw) else "name"
                yield self._complaint(kind, word.start, word.end)

    def _code_parts(self) -> Iterator[int]:
        """Where the words of a known code begin that the text writes apart: "X-200" for "X200"."""
        for word, following in pairwise(self.reading.words):
            is_near = following.raw.isdigit() and self.reading.between(word, following) in (" ", "-")
            if is_near and word.key + following.key in self.known.codes:
                yield from (word.start, following.start)

    def _first(self, mention: Mention) -> Word:
        return self.reading.words[mention.first]

    def _last(self, mention: Mention) -> Word:
        return self.reading.words[mention.last]

    def _complaint(self, kind: str, start: int, end: int) -> Complaint:
        words = self.reading.text[start:end]
        return Complaint(kind, start, end, words, MESSAGES.get(kind, MISSING).format(words))

    def _placed(self, complaint: Complaint) -> Complaint:
        """The same complaint with offsets into the text as it came in."""
        start, end = self.reading.original_span(complaint.start, complaint.end)
        return replace(complaint, start=start, end=end)
