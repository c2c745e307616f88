"""A brief -> what must agree exactly, and the loose form of the rest."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from generation.facts import EXTRACTOR_VERSION, Brief, Fact, Facts
from generation.facts.folding import compose, fold
from generation.paraphrase.clauses import Clause, canonical_forms, clauses_of, typed_facts
from generation.paraphrase.items import items_of, language_of
from generation.paraphrase.labelled import spoken
from generation.paraphrase.lexicon.tables import ENGLISH
from generation.paraphrase.matching import say_the_same
from generation.paraphrase.phrase import Phrase, Unit
from generation.paraphrase.phrases import hard_words, phrases_of
from generation.paraphrase.phrasing import statement_apart
from generation.paraphrase.stated import about_product, stated, without_lists
from generation.paraphrase.tokens import Token, tokens_of
from generation.paraphrase.vocabulary import Vocabulary, vocabulary

# Part of every bucket: raise it when other wordings agree than before.
PARAPHRASE_VERSION = 5
FREE_LABELS = frozenset(("title", "feature", "description"))
# A longer text agrees only with itself, so that the time taken has a bound.
LONGEST_READ = 4_000
NOT_SHOWN = frozenset(("product", "?", "instructions", "voice"))
JOINED = re.compile(r"(?<=[^\W\d_])-(?=[^\W\d_])")
UNBROKEN = re.compile(r"\S{200}")


@dataclass(frozen=True, slots=True)
class Wording:
    """What a brief asks for, whatever its words. Briefs of one bucket with the same words ask for the same."""

    bucket: str  # "p5-<64 hex>": whatever must agree exactly
    words: tuple[str, ...]  # the clauses of the free text in canonical form and order
    wishes: tuple[str, ...]
    phrases: tuple[Phrase, ...]  # the same clauses as English phrases; none of a text in another language
    masked: str  # the free text without its facts, for ranking only

    def kept(self) -> dict[str, Any]:
        """What a row keeps as JSON beside `bucket` and `masked`."""
        return {"words": self.words, "wishes": self.wishes, "phrases": self.phrases}

    @classmethod
    def from_kept(cls, bucket: str, kept: dict[str, Any], masked: str) -> Wording:
        phrases = (
            Phrase(link, owner, tuple(Unit(kind, tuple(words), side) for kind, words, side in units), is_name)
            for link, owner, units, is_name in kept["phrases"]
        )
        return cls(bucket, tuple(kept["words"]), tuple(kept["wishes"]), tuple(phrases), masked)


@dataclass(frozen=True, slots=True)
class _Reading:
    clauses: list[Clause]
    exact: list[Fact]  # facts that are not said by the clauses
    phrases: tuple[Phrase, ...] = ()


def wording_of(brief: Brief) -> Wording:
    reading = _read(brief.facts)
    said = set(canonical_forms(reading.clauses))
    return Wording(
        bucket=_bucket(brief, reading),
        words=tuple(sorted(said)),
        wishes=tuple(_wishes(brief)),
        phrases=reading.phrases,
        masked=" ".join(word.value for clause in reading.clauses for word in clause.words),
    )


def difference(asked: Wording, known: Wording) -> str | None:
    """What tells them apart, for people; None when they surely ask for the same."""
    is_said = asked.words == known.words or say_the_same(asked.phrases, known.phrases)
    if not is_said or asked.wishes != known.wishes:
        return _explained(asked, known)
    if asked.bucket != known.bucket:
        return "Facts, language, tone, length, channel, fields or keywords differ."
    return None


def _read(facts: Facts) -> _Reading:
    free = [fact for fact in facts.facts if fact.label in FREE_LABELS]
    if sum(len(fact.value) for fact in free) > LONGEST_READ or any(UNBROKEN.search(fact.value) for fact in free):
        return _Reading([], list(facts.facts))
    heads = {words[-1] for fact in free if fact.label == "title" and (words := fold(fact.value).split())}
    said_freely = {fact: said for fact in free if (said := _stated(fact, heads))}
    free = [fact for fact in free if fact not in said_freely]
    labelled = [fact for fact in facts.facts if fact.label not in FREE_LABELS]
    labelled, listed = without_lists(labelled, facts.option_labels)
    labelled += [fact for fact in said_freely.values() if not _is_among(fact, labelled)]
    texts = [tokens_of(text) for text in [*about_product([fact.value for fact in free]), *listed]]
    language = language_of([token for tokens in texts for token in tokens])
    fields = [items_of(tokens, language) for tokens in texts if not _is_instruction(tokens, language)]
    if fields and free and free[0].label == "title" and language == ENGLISH:
        fields[0] = statement_apart(fields[0])
    spoken_facts = spoken(labelled, fields, facts.option_labels, language)
    clauses = clauses_of([*fields, *spoken_facts.values()])
    phrases = phrases_of(clauses) if language == ENGLISH else ()
    return _Reading(clauses, [fact for fact in labelled if fact not in spoken_facts], phrases)


def _stated(fact: Fact, heads: set[str]) -> Fact | None:
    """What is stated of the product itself ("The boots are new") has no label."""
    found = stated(fact.value) if fact.label == "feature" else None
    return None if found is None or found.label in FREE_LABELS | heads else found


def _is_among(fact: Fact, others: list[Fact]) -> bool:
    return any((fact.label, fact.canonical) == (other.label, other.canonical) for other in others)


def _is_instruction(tokens: list[Token], language: str) -> bool:
    words = vocabulary(language)
    return all(
        token.kind == "break" or token.value in words.instruction or _is_filler(token, words) for token in tokens
    )


def _bucket(brief: Brief, reading: _Reading) -> str:
    content = [
        PARAPHRASE_VERSION,
        EXTRACTOR_VERSION,
        sorted({(fact.label, _loose(fact.canonical)) for fact in reading.exact}),
        sorted(brief.facts.variants),
        sorted(_typed(reading)),
        brief.tone,
        brief.language,
        brief.length,
        brief.channel,
        sorted(set(brief.fields)),
        sorted({fold(keyword) for keyword in brief.keywords}),
        brief.task,
        brief.original.strip(),
    ]
    text = json.dumps(content, ensure_ascii=True, separators=(",", ":"))
    return f"p{PARAPHRASE_VERSION}-{hashlib.sha256(text.encode()).hexdigest()}"


def _typed(reading: _Reading) -> set[str]:
    if reading.phrases:
        return set(hard_words(reading.phrases))
    return {typed for clause in reading.clauses for typed in typed_facts(clause)}


def _loose(canonical: str) -> str:
    """A labelled text in which "stainless-steel" and "red & blue" may be written otherwise."""
    return JOINED.sub(" ", canonical).replace("&", " and ") if canonical.startswith("text:") else canonical


def _wishes(brief: Brief) -> list[str]:
    return [
        f"{name}: {wish}"
        for name, text in (("instructions", brief.instructions), ("voice", brief.voice))
        if (wish := _wish(text))
    ]


def _wish(text: str) -> str:
    """Folded, without politeness; order is kept, for a wish is a sentence."""
    if len(text) > LONGEST_READ or UNBROKEN.search(text):
        return hashlib.sha256(compose(text).encode(errors="surrogatepass")).hexdigest()
    tokens = [token for line in text.splitlines() for token in tokens_of(line)]
    words = vocabulary(language_of(tokens))
    kept = [token.value for token in tokens if token.value not in words.polite and not _is_filler(token, words)]
    return " ".join(kept).strip(" .!")


def _is_filler(token: Token, words: Vocabulary) -> bool:
    entries = words.phrases.get(token.value, ())
    return any(not rest and entry.kind == "filler" for rest, entry in entries) and not token.raw.isupper()


def _explained(asked: Wording, known: Wording) -> str:
    mine, theirs = _tokens(asked), _tokens(known)
    parts = [
        f"{_quoted(words)} only in {where}."
        for words, where in ((mine - theirs, "this request"), (theirs - mine, "the earlier request"))
        if words
    ]
    return " ".join(parts) or "The same words belong together in another way."


def _tokens(wording: Wording) -> Counter[str]:
    return Counter(shown for form in (*wording.words, *wording.wishes) for shown in _shown(form))


def _shown(form: str) -> Iterator[str]:
    """The words and values of "not:lid | color blue | quantity m3 0.0005 < :strap" as people know them."""
    head, *facts = form.partition(" < ")[0].split(" | ")
    link, _, words = head.partition(":")
    yield from (word for word in link.replace("+", " ").split() if word not in NOT_SHOWN)
    yield from (word.lstrip("#") for word in words.split())
    for fact in facts:
        kind, _, value = fact.partition(" ")
        if kind == "quantity":
            unit, _, number = value.partition(" ")
            yield f"{number} {unit.partition('@')[0].partition('#')[0]}"
        else:
            yield from value.split(", ")


def _quoted(words: Counter[str]) -> str:
    listed = ", ".join(f"“{word}”" for word in words)
    return f"{listed} {'stands' if len(words) == 1 else 'stand'}"
