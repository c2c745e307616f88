"""A shop's feature notes, as English sentences: "Fits most cup holders" -> "It fits most cup holders."."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from generation.llm.providers.offline import english_words as words
from generation.llm.providers.offline.english_lexicon import ALSO_NOUNS, LONE_VERBS, VERBS
from generation.llm.providers.offline.grammar import lower_first, noun_phrase
from generation.llm.providers.offline.wording import Chooser, is_negated, listed, sentence

_DESCRIBING = re.compile(
    r"(?:vegan|freestanding|reversible|unscented|undyed|unlined|undated|organic|handmade|biodegradable|cruelty|compostable"
    r"|waterproof|windproof|shockproof|stain|leak|heat|rust|scratch|water|dishwasher|oven|microwave|machine|freezer|fade"
    r"|\w+able|\w+ible|[\w-]+-(?:free|proof|safe|resistant|repellent))\b",
    re.IGNORECASE,
)
_DESCRIBING_ENDS = re.compile(
    r"^[\w-]+(?: (?:free|proof|safe|resistant|repellent|washable|dry|friendly|sealed))?"
    r"(?:$|,| \(| (?:to|up|for|at|by|in|with|and|from|on|when|until|without|or) )",
    re.IGNORECASE,
)
_PARTICIPLE = re.compile(
    r"(?!set of)(?:[\w-]+ly )?[\w-]*"
    r"(?:ed|woven|made|sewn|cut|built|sold|spun|knit|thrown|blown|wound|bound|ground|drawn|set)"
    r"(?:$| (?:as|with|in|for|to|from|by|of|on|at|up|without|and|individually|flat) )",
    re.IGNORECASE,
)
_CLAUSE = re.compile(
    r"\w+ (?:is|are|has|have|can|closes?|locks?|opens?|stays?|remains?|folds?|fits?|comes?|holds?) \w"
    r"|.+ (?:not )?included$"
)
_GROUP = 3


def feature_sentences(
    features: Sequence[str], subject: str, leads: Sequence[str], chooser: Chooser, *, are: bool
) -> Iterator[str]:
    """`subject` is "It" or "They"; `leads` are the tone's ways to begin a list of parts."""
    parts: list[str] = []
    lacking: list[str] = []
    notes: list[str] = []
    predicates: list[str] = []
    statements: list[str] = []
    for feature in features:
        if verb := verb_phrase(feature, are=are):
            statements.append(f"{subject} {verb}")
        elif _is_describing(feature):
            predicates.append(lower_first(feature))
        elif _CLAUSE.match(feature):
            statements.append(feature)
        elif part := noun_phrase(feature):
            (lacking if part.startswith("no ") else parts).append(part)
        else:
            notes.append(lower_first(feature))
    yield from (sentence(f"{chooser.pick(f'lead {n}', leads)} {group}") for n, group in enumerate(_groups(parts)))
    be, have = ("are", "have") if are else ("is", "has")
    yield from (sentence(f"{subject} {have} {group}") for group in _groups(lacking))
    statements = [*(f"{subject} {be} {group}" for group in _groups(predicates)), *statements]
    yield from _paired(statements, subject)
    if notes:
        yield sentence(f"{chooser.pick('notes', words.NOTE_LEADS)}: {listed(notes, 'and')}")


def _groups(phrases: Sequence[str]) -> Iterator[str]:
    """Up to three phrases a sentence, never a "not" beside what is so; one with an "and" or a comma stands alone."""
    simple = [phrase for phrase in phrases if " and " not in phrase and "," not in phrase]
    for group in ([p for p in simple if not is_negated(p)], [p for p in simple if is_negated(p)]):
        for start in range(0, len(group), _GROUP):
            yield listed(group[start : start + _GROUP], "and")
    yield from (phrase for phrase in phrases if phrase not in simple)


def _paired(statements: Sequence[str], subject: str) -> Iterator[str]:
    """Two short statements about the same subject share a sentence."""
    waiting = ""
    for statement in statements:
        is_short = statement.startswith(f"{subject} ") and " and " not in statement and "," not in statement
        if waiting and is_short:
            yield sentence(f"{waiting} and {statement.removeprefix(f'{subject} ')}")
            waiting = ""
            continue
        if waiting:
            yield sentence(waiting)
        waiting = statement if is_short else ""
        if not is_short:
            yield sentence(statement)
    if waiting:
        yield sentence(waiting)


def verb_phrase(feature: str, *, are: bool) -> str:
    """ "Fits most cup holders" as "fits most cup holders" or "fit …"; "" for what does not begin with a verb."""
    first, _, rest = feature.partition(" ")
    plural = VERBS.get(first.casefold())
    if plural is None or (not rest and plural not in LONE_VERBS):
        return ""
    if plural in ALSO_NOUNS and rest.split()[0] in ("and", "for", "of", "with"):
        return ""
    return f"{plural if are else first.lower()} {rest}".strip()


def _is_describing(feature: str) -> bool:
    bare = re.sub(r"^(?:not|fully|also) ", "", feature, flags=re.IGNORECASE)
    if re.match(r"(?:for|suitable for|safe for) ", bare, re.IGNORECASE) or _PARTICIPLE.match(bare):
        return True
    return bool(_DESCRIBING.match(bare) and _DESCRIBING_ENDS.match(bare))
