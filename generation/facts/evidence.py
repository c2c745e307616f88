"""Which facts each sentence of a text stands on."""

from __future__ import annotations

from functools import lru_cache

from generation.facts.lexicon.small_words import STOP_WORDS
from generation.facts.mentions import find_mentions
from generation.facts.sentences import split_sentences
from generation.facts.statements import statement
from generation.facts.types import Fact, Facts, Sentence
from generation.facts.units import measures
from generation.facts.vocabulary import facts_vocabulary
from generation.facts.words import Reading, covered

# A word counts by its first letters, so that "mugs" is "mug" and "gewebt" is "gewebte".
STEM = 6
# Of a long value a sentence need not hold half: so many of its words are enough.
ENOUGH_SHARED = 4
ANY_LANGUAGE = "en"

Marks = frozenset[str]


def find_evidence(text: str, facts: Facts) -> list[Sentence]:
    """Every sentence with the labels of the facts whose words, quantities or concepts it holds."""
    sentences = []
    for start, end in split_sentences(text):
        marks = _marks(text[start:end])
        labels = dict.fromkeys(label for label, wanted in _wanted(facts) if _supports(marks, wanted))
        sentences.append(Sentence(start, end, tuple(labels)))
    return sentences


@lru_cache(maxsize=32)
def _wanted(facts: Facts) -> tuple[tuple[str, Marks], ...]:
    return tuple((fact.label, _marks(_content(fact))) for fact in facts.facts)


def _content(fact: Fact) -> str:
    return statement(fact) if fact.canonical.startswith("bool:") else fact.value


def _supports(marks: Marks, wanted: Marks) -> bool:
    shared = len(marks & wanted)
    return shared > 0 and shared >= min((len(wanted) + 1) // 2, ENOUGH_SHARED)


def _marks(text: str) -> Marks:
    """What can be recognised again: stems of content words, numbers with their units, concepts in any language."""
    reading = Reading(text)
    found = measures(reading.text)
    mentions = list(find_mentions(reading, facts_vocabulary(ANY_LANGUAGE), None))
    # What is denied counts by its concept alone; what is affirmed also by its words, which another sentence may
    # use without the concept being plain ("sand" is a colour, and not in every sentence).
    denied = (mention for mention in mentions if mention.negated)
    spoken = {position for mention in denied for position in range(mention.first, mention.last + 1)}
    concepts = {f"{'no ' if mention.negated else ''}{mention.concept}*" for mention in mentions}
    spoken |= covered(reading.words, ((measure.start, measure.end) for measure in found))
    stems = {
        word.key[:STEM]
        for position, word in enumerate(reading.words)
        if position not in spoken and word.key not in STOP_WORDS
    }
    return frozenset({measure.canonical for measure in found} | concepts | stems)
