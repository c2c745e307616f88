"""A value -> its typed canonical form. Two values get one form only when they surely state the same."""

from __future__ import annotations

import hashlib
import math
import re
from fractions import Fraction

from generation.facts.folding import compose, fold_word
from generation.facts.units import Measure, decimal_text, measures

# A longer canonical form is replaced by its digest, so that one huge cell cannot fill caches and indexes.
MAX_CANONICAL_CHARS = 400

# Beyond that a value is no statement of a shop's; it is compared as it is spelled.
LONGEST_READ = 20_000

YES = frozenset(["yes", "true", "ja", "oui", "sí", "si", "sì", "vrai", "verdadero", "vero", "wahr", "waar"])
NO = frozenset(["no", "false", "nein", "non", "nee", "faux", "falso", "falsch", "onwaar"])
NEGATED = re.compile(
    r"(?P<before>[^\W\d_]\w*)[- ](?:free|frei|vrij)"
    r"|(?:free (?:of|from)|frei von|vrij van|without|ohne|sans|sin|senza|zonder|not|nicht|niet|non|kein|keine|geen|no)"
    r" (?P<after>[^\W\d_]\w*)"
)
WORDS = re.compile(r"\w+")
LIST_MARK = re.compile(r"^(?:[-*•·–]\s+|\d+[.)]\s+)")
BETWEEN_SIDES = re.compile(r"(?<=\w)(?:\s*[x*]\s*|\s+by\s+)(?=quantity:|\d)")
LEADING_ZERO = re.compile(r"0\d")
AROUND_PUNCTUATION = re.compile(r"\s*([,;:/|()+&\"])\s*")


def canonical_text(text: str, *, is_code: bool = False) -> str:
    composed = LIST_MARK.sub("", compose(text)).strip(" .,;")
    folded = WORDS.sub(lambda match: fold_word(match[0]), composed)
    if is_code:
        return bounded("code", folded)
    if folded in YES or folded in NO:
        return "bool:yes" if folded in YES else "bool:no"
    if match := NEGATED.fullmatch(folded):
        return f"not:{match['before'] or match['after']}"
    found = measures(composed) if len(composed) <= LONGEST_READ else []
    if len(found) == 1 and found[0].start == 0 and found[0].end == len(composed):
        return _lone_measure(found[0], folded)
    return bounded("text", _with_measures(composed, found) if found else _tight(folded))


def canonical_number(number: int | float) -> str:
    """A JSON number, exactly; a float counts as its shortest decimal spelling."""
    if isinstance(number, float) and not math.isfinite(number):
        return f"text:{number}"
    return f"number:{decimal_text(Fraction(str(number)))}"


def number_text(number: int | float) -> str:
    """3.0 as "3", 0.18 as "0.18"."""
    return str(int(number)) if isinstance(number, float) and number.is_integer() else str(number)


def bounded(kind: str, text: str) -> str:
    if len(text) <= MAX_CANONICAL_CHARS:
        return f"{kind}:{text}"
    return f"{kind}:sha256 {hashlib.sha256(text.encode(errors='surrogatepass')).hexdigest()}"


def _lone_measure(measure: Measure, folded: str) -> str:
    """A bare number is a number unless its spelling says that it is a code: "007", "1.2.3"."""
    if measure.unit is None and (LEADING_ZERO.match(measure.literal) or not measure.values):
        return bounded("code", folded)
    return measure.canonical


def _with_measures(composed: str, found: list[Measure]) -> str:
    """Folded words in their order, quantities in SI; bare numbers keep their spelling ("USB 3.0")."""
    parts: list[str] = []
    position = 0
    for measure in found:
        parts.append(_fold_words(composed[position : measure.start]))
        written = measure.literal if measure.unit is None else f" {measure.canonical} "
        parts.append(written)
        position = measure.end
    parts.append(_fold_words(composed[position:]))
    return _tight("".join(parts))


def _fold_words(text: str) -> str:
    return WORDS.sub(lambda match: fold_word(match[0]), text)


def _tight(text: str) -> str:
    """Spaces around punctuation and between "20 x 30" say nothing."""
    return " ".join(AROUND_PUNCTUATION.sub(r"\1", BETWEEN_SIDES.sub(" x ", text)).split())
