"""Facts -> Family: the values that variants differ in make room for slots, wherever the facts repeat them."""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from generation.facts import EXTRACTOR_VERSION, Fact, Facts
from generation.facts.canonical import canonical_text
from generation.facts.counts import nouns_after
from generation.facts.extraction import MAX_VALUE_CHARS
from generation.facts.lexicon.small_words import ALL_NUMBER_WORDS, LETTER_SIZES, SIZE_WORDS
from generation.facts.quantities import PACK_BEFORE
from generation.facts.types import Variant
from generation.facts.units import COUNT, SIDES, Measure, measures
from generation.facts.words import Reading
from generation.families.slots import slot, slot_names
from generation.families.telling import Told, counts_packs, tell_values
from generation.families.types import FAMILY_VERSION, Family

MOST_SLOTS = 16
JOINED = re.compile(r"[\w-]")
DIGIT = re.compile(r"\d")
SEPARATED_BEFORE, SEPARATED_AFTER = re.compile(r"[-,/|(] ?\Z"), re.compile(r" ?[-,/|)]| - ")


class Hit(NamedTuple):
    """A place in a fact that says what a slot's own fact says; one that no slot can stand for keeps the value there."""

    start: int
    end: int
    label: str
    is_fillable: bool


def family_of(facts: Facts, language: str) -> Family | None:
    """None when nothing in the facts can be a slot, or when they hold braces of their own."""
    if "{{" in facts.source or "}}" in facts.source or "{{" in facts.title:
        return None
    masking = _Masking(facts, language)
    if not masking.told:
        return None
    names = slot_names(masking.told)
    masked = masking.masked(names)
    return Family(
        key=f"t{FAMILY_VERSION}-{_digest(masked)}",
        facts=masked,
        values=tuple(sorted((names[label], told.text) for label, told in masking.told.items())),
    )


class _Masking:
    def __init__(self, facts: Facts, language: str) -> None:
        self.facts = facts
        self.grouped: defaultdict[str, list[Fact]] = defaultdict(list)
        for fact in facts.facts:
            self.grouped[fact.label].append(fact)
        told = {label: tell_values(group, language) for label, group in sorted(self.grouped.items())}
        self.told = dict([(label, each) for label, each in told.items() if each][:MOST_SLOTS])
        self.hits: dict[str, list[Hit]] = {}
        self._settle()

    def _settle(self) -> None:
        """A value that the other facts repeat in words that no slot can stand for is no slot: it stays in the key."""
        finder = _Finder(self.told)
        waiting = {self.facts.title} | {fact.value for fact in self.facts.facts if fact.label not in self.told}
        while waiting:
            found = {text: list(finder.hits(text)) for text in waiting}
            self.hits |= found
            kept = {
                hit.label for hits in found.values() for hit in hits if not hit.is_fillable and not _within(hit, hits)
            }
            waiting = {fact.value for label in kept & self.told.keys() for fact in self.grouped[label]}
            self.told = {label: each for label, each in self.told.items() if label not in kept}

    def masked(self, names: dict[str, str]) -> Facts:
        found: dict[tuple[str, str], Fact] = {}
        for fact in self.facts.facts:
            masked = self._masked_fact(fact, names)
            found.setdefault((masked.label, masked.canonical), masked)
        facts = tuple(found.values())
        return Facts(
            title=self._masked_text(self.facts.title, names),
            facts=facts,
            source="\n".join(f"{fact.display_label}: {fact.value}" for fact in facts),
            variants=self._masked_variants(names),
        )

    def _masked_fact(self, fact: Fact, names: dict[str, str]) -> Fact:
        if told := self.told.get(fact.label):
            stands = slot(names[fact.label])
            prefix = told.form.split()[0]
            kind = prefix if prefix in ("quantity", "number", "code") and not told.form.endswith("list") else "text"
            return replace(fact, value=stands, canonical=f"{kind}:{stands} {told.form}")
        # Of a longer value the rest is known by its canonical form alone.
        is_whole = len(fact.value) < MAX_VALUE_CHARS
        value = self._masked_text(fact.value, names) if is_whole else fact.value
        if value == fact.value:
            return fact
        return replace(fact, value=value, canonical=canonical_text(value))

    def _masked_text(self, text: str, names: dict[str, str]) -> str:
        """The longest of overlapping places gets the slot."""
        pieces, position = [], 0
        hits = [hit for hit in self.hits[text] if hit.label in self.told]
        for hit in sorted(hits, key=lambda hit: (hit.start, -hit.end, hit.label)):
            if hit.start >= position:
                pieces += [text[position : hit.start], slot(names[hit.label])]
                position = hit.end
        return "".join(pieces) + text[position:]

    def _masked_variants(self, names: dict[str, str]) -> tuple[Variant, ...]:
        """Which labels variants choose by, and which of the values that stay belong together."""
        seen: defaultdict[str, set[str]] = defaultdict(set)
        rows: set[tuple[Variant, tuple[str, ...]]] = set()
        for variant in self.facts.variants:
            stays = tuple(pair for pair in variant if pair[0] not in self.told)
            rows.add((stays, tuple(sorted({label for label, _ in variant if label in self.told}))))
            for label, value in variant:
                seen[label].add(value)
        masked: set[Variant] = set()
        for stays, labels in rows:
            for number in (1, 2):
                slots = (
                    (label, f"text:{slot(names[label])} {number if len(seen[label]) > 1 else 1}") for label in labels
                )
                masked.add(tuple(sorted((*stays, *slots))))
        return tuple(sorted(masked))


class _Finder:
    """Where the slots' values stand in other facts, all slots in one pass."""

    def __init__(self, told: dict[str, Told]) -> None:
        self.words: defaultdict[str, list[tuple[tuple[str, ...], str, bool]]] = defaultdict(list)
        self.sizes: defaultdict[str, list[tuple[tuple[str, ...], str]]] = defaultdict(list)
        self.numbers: list[tuple[str, str, frozenset[str]]] = []
        self.tokens: dict[str, list[str]] = {}
        for label, each in told.items():
            if each.keys:
                self.words[each.keys[0]].append((each.keys, label, True))
            for keys in each.shadows:
                self.words[keys[0]].append((keys, label, False))
            if each.sizes:
                self.sizes[each.sizes[0]].append((each.sizes, label))
            if each.number:
                self.numbers.append((each.number, label, each.nouns))
            if each.token:
                self.tokens.setdefault(each.token.split()[0], []).append(label)
        self.told = told

    def hits(self, text: str) -> Iterator[Hit]:
        reading = Reading(text)
        for found in (self._of_words, self._of_tokens, self._of_measures):
            for hit in found(reading):
                start, end = reading.original_span(hit.start, hit.end)
                yield hit._replace(start=start, end=end)

    def _of_words(self, reading: Reading) -> Iterator[Hit]:
        words = reading.words
        for position, word in enumerate(words):
            for keys, label, is_fillable in self.words.get(word.key, ()):
                found = words[position : position + len(keys)]
                if tuple(each.key for each in found) == keys:
                    start, end = word.start, found[-1].end
                    yield Hit(start, end, label, is_fillable and _stands_alone(reading.text, start, end))

    def _of_tokens(self, reading: Reading) -> Iterator[Hit]:
        """ "M" and "42" are other words too: after "size" and at a title's end they are the size."""
        if not self.tokens:
            return
        for position, word in enumerate(reading.words):
            for label in self.tokens.get(word.raw, ()):
                end = word.start + len(self.told[label].token)
                if reading.text[word.start : end] == self.told[label].token:
                    yield Hit(word.start, end, label, _is_clear_size(reading, position, end))

    def _of_measures(self, reading: Reading) -> Iterator[Hit]:
        text = reading.text
        if self.numbers:
            yield from self._of_number_words(reading)
        if not DIGIT.search(text) or not (self.sizes or self.numbers):
            return
        found = measures(text)
        for position, measure in enumerate(found):
            for sizes, label in self.sizes.get(measure.canonical, ()):
                run = found[position : position + len(sizes)]
                if tuple(each.canonical for each in run) == sizes and not _goes_on(text, found, position, len(sizes)):
                    start, end = measure.start, run[-1].end
                    yield Hit(start, end, label, _stands_alone(text, start, end))
            yield from self._of_number(reading, measure)

    def _of_number(self, reading: Reading, measure: Measure) -> Iterator[Hit]:
        """A bare number stands for what its label counts only beside the word for it, or for a pack."""
        if measure.unit not in (None, COUNT):
            return
        start = measure.number_end - len(measure.literal)
        for number, label, nouns in self.numbers:
            if measure.canonical.partition(":")[2] == number:
                is_pack = measure.unit is COUNT or PACK_BEFORE.search(reading.text, 0, start)
                if (is_pack and counts_packs(nouns)) or nouns & set(nouns_after(reading, measure.number_end)):
                    yield Hit(start, measure.number_end, label, is_fillable=True)

    def _of_number_words(self, reading: Reading) -> Iterator[Hit]:
        for word in reading.words:
            if word.key in ALL_NUMBER_WORDS:
                for number, label, nouns in self.numbers:
                    is_same = number == str(ALL_NUMBER_WORDS[word.key])
                    if is_same and (counts_packs(nouns) or nouns & set(nouns_after(reading, word.end))):
                        yield Hit(word.start, word.end, label, is_fillable=False)


def _within(hit: Hit, hits: list[Hit]) -> bool:
    """The "blue" of a "navy blue" that a slot takes as a whole."""
    return any(
        each.is_fillable and each.label == hit.label and each.start <= hit.start and hit.end <= each.end
        for each in hits
    )


def _stands_alone(text: str, start: int, end: int) -> bool:
    """Not part of a longer word: "blue-grey", "500ml-bottle"."""
    return not (start and JOINED.match(text, start - 1)) and JOINED.match(text, end) is None


def _is_clear_size(reading: Reading, position: int, end: int) -> bool:
    """ "Size M", "XL", "Shirt M", "Shirt (M)" and "Shirt - M / red"."""
    word = reading.words[position]
    if not _stands_alone(reading.text, word.start, end):
        return False
    is_named = position and reading.words[position - 1].key in SIZE_WORDS
    if is_named or (word.raw in LETTER_SIZES and len(word.raw) > 1):
        return True
    is_last = end == len(reading.text)
    is_apart = SEPARATED_BEFORE.search(reading.text, 0, word.start) and SEPARATED_AFTER.match(reading.text, end)
    return position > 0 and (is_last or is_apart is not None)


def _goes_on(text: str, found: list[Measure], position: int, length: int) -> bool:
    """Whether it is one side of something longer: the 20 cm of "20 x 30 cm"."""
    after = position + length
    is_side = after < len(found) and SIDES.fullmatch(text, found[after - 1].end, found[after].start)
    was_side = position and SIDES.fullmatch(text, found[position - 1].end, found[position].start)
    return bool(is_side or was_side)


def _digest(masked: Facts) -> str:
    pairs = sorted({(fact.label, fact.canonical) for fact in masked.facts})
    content = [FAMILY_VERSION, EXTRACTOR_VERSION, canonical_text(masked.title), pairs, masked.variants]
    return hashlib.sha256(json.dumps(content, separators=(",", ":")).encode()).hexdigest()
