"""A shop's feature notes, as English sentences: "Fits most cup holders" -> "It fits most cup holders."."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from generation.llm.providers.offline.grammar import lower_first, noun_phrase
from generation.llm.providers.offline.wording import Chooser, listed, sentence

# Third person -> plural.
_VERBS = {
    f"{verb}s": verb
    for verb in (
        "adapt adjust attach begin clean clip close come connect contain convert cover cool dissolve fasten feature feel fit"
        " float fold glow hang heat hold include insulate keep last lather leave lie lock make measure melt mount need offer"
        " open pack play prevent protect provide recline reduce release remain resist rest roll rotate run seal secure seat"
        " serve sit sleep slide snap stack stay stop store suit support swivel take tell tie tilt turn use wear weigh work"
    ).split()
} | {"has": "have", "is": "are", "does": "do", "dries": "dry", "carries": "carry", "stretches": "stretch", "washes": "wash",
     "attaches": "attach", "latches": "latch", "can": "can", "matches": "match", "reaches": "reach"}  # fmt: skip
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
    r"(?:[\w-]+ly )?(?:[\w-]*(?:ed|woven|made|sewn|cut|built|sold|spun|knit|thrown|grown|blown|wound|bound|ground|drawn|set))"
    r"(?:$| (?:as|with|in|for|to|from|by|of|on|at|up|without|and|individually|flat) )",
    re.IGNORECASE,
)
_CLAUSE = re.compile(r"\w+ (?:is|are|has|have|can|closes?|locks?|opens?|stays?|remains?|folds?|fits?|comes?|holds?|\w+ included)\b")
_GROUP = 3


def feature_sentences(features: Sequence[str], *, subject: str, are: bool, chooser: Chooser, leads: Sequence[str]) -> Iterator[str]:
    """`subject` is "It" or "They"; `leads` are the tone's ways to begin a list of parts, each ending before the list."""
    parts: list[str] = []
    notes: list[str] = []
    predicates: list[str] = []
    statements: list[str] = []
    for feature in features:
        if verb := _verb_phrase(feature, are=are):
            statements.append(f"{subject} {verb}")
        elif _is_describing(feature):
            predicates.append(lower_first(feature))
        elif _CLAUSE.match(feature):
            statements.append(feature)
        elif part := noun_phrase(feature):
            parts.append(part)
        else:
            notes.append(lower_first(feature))
    yield from (sentence(f"{chooser.pick(f'lead {n}', leads)} {group}") for n, group in enumerate(_groups(parts)))
    be = "are" if are else "is"
    yield from (sentence(f"{subject} {be} {group}") for group in _groups(predicates))
    yield from _paired(statements, subject)
    if notes:
        yield sentence(f"{chooser.pick('notes', NOTE_LEADS)}: {listed(notes, 'and')}")


NOTE_LEADS = ("Details", "Good to know", "Also noted")


def _groups(phrases: Sequence[str]) -> Iterator[str]:
    """Up to three phrases a sentence; one that has an "and" or a comma of its own stands alone."""
    simple = [phrase for phrase in phrases if " and " not in phrase and "," not in phrase]
    for start in range(0, len(simple), _GROUP):
        yield listed(simple[start : start + _GROUP], "and")
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


def _verb_phrase(feature: str, *, are: bool) -> str:
    first, _, rest = feature.partition(" ")
    plural = _VERBS.get(first.casefold())
    if plural is None or not rest and plural not in ("float", "glow", "rotate", "swivel", "fold", "recline"):
        return ""
    return f"{plural if are else first.lower()} {rest}".strip()


def _is_describing(feature: str) -> bool:
    words = re.sub(r"^(?:not|fully|also) ", "", feature, flags=re.IGNORECASE)
    if re.match(r"(?:for|suitable for|safe for) ", words, re.IGNORECASE):
        return True
    if _PARTICIPLE.match(words):
        return True
    return bool(_DESCRIBING.match(words) and _DESCRIBING_ENDS.match(words))
