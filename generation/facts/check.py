"""The output check: what a text states must stand in the facts. Rules without a model, the same answer every time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from generation.facts.compounds import unlisted_claims, unlisted_extracts
from generation.facts.form import form_complaints
from generation.facts.known import Known, grades_in, known_from
from generation.facts.lexicon.small_words import (
    FREE_AFTER,
    FREE_BEFORE,
    LETTER_SIZES,
    NO_WORDS,
    SIZE_WORDS,
    STOP_WORDS,
)
from generation.facts.mentions import Mention, find_mentions, negators_of
from generation.facts.names import unknown_names
from generation.facts.parts import is_misplaced
from generation.facts.phrases import phrase_claims
from generation.facts.quantities import Quantities
from generation.facts.sentences import split_sentences
from generation.facts.types import Brief, Complaint
from generation.facts.units import measures
from generation.facts.vocabulary import STATED_BY_ABSENCE, text_vocabulary
from generation.facts.words import Reading, Word, covered, stem

# Part of cache keys: a stricter check retires the texts that an older one let pass.
CHECK_VERSION = 2

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
SHOWN_KINDS = {"substance": "claim", "origin": "claim", "damage": "claim", "food": "ingredient"}
# "foldable" is said by facts that say "folds".
ABLE = re.compile(r"(.{4,}?)(?:able|ible|ive|bare?[nrms]?|baar)")
DECIMALS = re.compile(r"[.,]\d")
CLAUSE_MARK = re.compile(r"[,;]| - |\n")
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
            self.of_quantities,
            self.of_mentions,
            self.of_compounds,
            self.of_sizes,
            self.of_grades,
            self.of_denials,
            self.of_phrases,
            self.of_names,
        )
        found: dict[int, Complaint] = {}
        for of_kind in kinds:
            for complaint in of_kind():
                found.setdefault(complaint.start, complaint)
        return (self._placed(complaint) for complaint in found.values())

    def of_quantities(self) -> Iterator[Complaint]:
        quantities = Quantities(self.reading, self.measures, self.known, self.language)
        for fault in (*quantities.of_measures(), *quantities.of_words()):
            if fault.start not in self.code_parts:
                yield self._complaint(*fault)

    def of_mentions(self) -> Iterator[Complaint]:
        for mention in self.mentions:
            start, end = self._first(mention).start, self._last(mention).end
            if mention.concept in (self.known.denied if mention.negated else self.known.stated):
                if is_misplaced(self.reading, mention, self.known.parts):
                    yield self._complaint(mention.kind, start, end)
            elif self._is_harmless(mention):
                continue
            elif mention.concept in (self.known.stated if mention.negated else self.known.denied):
                yield self._complaint("negation", start, end)
            else:
                yield self._complaint(SHOWN_KINDS.get(mention.kind, mention.kind), start, end)

    def _is_harmless(self, mention: Mention) -> bool:
        """A substance that is present claims nothing; a claim in the facts' very words is one of them."""
        kind = mention.kind
        if kind in STATED_BY_ABSENCE:
            return not mention.negated and (kind == "damage" or mention.concept not in self.known.denied)
        if kind == "food" and not self.known.has_ingredients:
            return True
        if kind in ("color", "material"):
            base, _, surface = mention.concept.rpartition(" ")
            return surface == "look" and base in self.known.stated
        if mention.negated or mention.concept in self.known.denied:
            return False
        words = self.reading.words[mention.first : mention.last + 1]
        content = [word for word in words if word.key not in STOP_WORDS]
        return all(self._is_said(word) for word in content or words)

    def _is_said(self, word: Word) -> bool:
        """Whether the facts hold that word in any form: "foldable" of "folds"."""
        if stem(word.key) in self.known.stems:
            return True
        able = ABLE.fullmatch(word.key)
        return able is not None and any(known.startswith(able[1]) for known in self.known.words)

    def of_compounds(self) -> Iterator[Complaint]:
        """ "tear-resistant" and "reißfest": claims made with a word that no table holds."""
        for start, end in unlisted_claims(self.reading, self.known, self.language, self.listed):
            yield self._complaint("claim", start, end)
        for start, end in unlisted_extracts(self.reading, self.known, self.language, self.listed):
            yield self._complaint("ingredient", start, end)

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

    def of_grades(self) -> Iterator[Complaint]:
        for grade in grades_in(self.reading.text):
            if grade[1].upper() not in self.known.grades:
                yield self._complaint("certificate", grade.start(), grade.end())

    def of_denials(self) -> Iterator[Complaint]:
        """A sentence that states, without a negation, what the facts deny in so many words."""
        if not self.known.denied_words:
            return
        undoing = negators_of(self.language) | NO_WORDS | FREE_BEFORE | FREE_AFTER
        for span in split_sentences(self.reading.text):
            words = [self.reading.words[position] for position in sorted(covered(self.reading.words, [span]))]
            stems = {stem(word.key): word for word in words}
            for denied in self.known.denied_words:
                hit = stems.get(denied[-1])
                if hit is None or hit.key in self.known.stated or not stems.keys() >= set(denied):
                    continue
                if undoing.isdisjoint(word.key for word in self._clause(words, hit)):
                    yield self._complaint("negation", hit.start, hit.end)

    def _clause(self, words: list[Word], hit: Word) -> Iterator[Word]:
        """The words around it that no punctuation parts from it."""
        for word in words:
            first, last = (word, hit) if word.start < hit.start else (hit, word)
            if not CLAUSE_MARK.search(self.reading.text, first.end, last.start):
                yield word

    def of_phrases(self) -> Iterator[Complaint]:
        for kind, start, end in phrase_claims(self.reading, self.known, self.language):
            yield self._complaint(kind, start, end)

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
            is_whole = not DECIMALS.match(self.reading.text, following.end)
            if is_near and is_whole and word.key + following.key in self.known.models:
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
