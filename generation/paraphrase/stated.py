"""Free clauses that state a labelled value: "The condition is new", "colour sand", "gears 8", "hood no".

"The <label> is <value>" may name any label. Without the verb only a commonly used label tells where its value begins.
"""

from __future__ import annotations

import re
from functools import lru_cache

from generation.facts import Fact, extract_facts
from generation.facts.labels import read_label
from generation.paraphrase.items import singular

COMMON_LABELS = frozenset(
    ("brand", "color", "material", "size", "pattern", "country of origin", "warranty", "pack size", "model", "shape")
)
# Of these a value may hold digits.
NUMBERED = frozenset(("size", "warranty", "pack size", "model"))
# "Made of oak" is read as free text is.
VERBS = frozenset(("made", "manufactured", "produced"))
MOST_LABEL_WORDS = 3
HAS_DIGIT = re.compile(r"\d")
LONGEST_STATEMENT = 120
LABEL = r"(?P<label>[^\W\d_][^,:;.()]{0,38}?)"
STATEMENT = re.compile(rf"(?:and )?(?:the|its) {LABEL} (?:is|are) (?P<value>\S.*)", re.IGNORECASE)
DECIDED = re.compile(rf"{LABEL} (?P<value>yes|no)", re.IGNORECASE)
# "Gears 8" are 8 gears; "AirPods 3" and "category 3" are names.
COUNTED = re.compile(r"(?P<label>[a-z][a-z -]{1,38}) (?P<value>\d+)")
# "Filling Foam" and "case Not included" as rows of a table are pasted: whoever writes a sentence writes it small.
CAPITALIZED = re.compile(r"(?P<label>[a-z][a-z-]*(?: [a-z][a-z-]*){0,2}) (?P<value>[A-Z][^,:;.()]*)")
MEASURED = re.compile(r"(?P<label>[a-z]+(?: [a-z]+){0,2}) (?P<value>\d\S*(?: [^\s,:;.()]+){1,5})")
LINKING = re.compile(
    r"\b(?:by|via|through|over|using|from|in|of|for|with|without|to|on|at|and|or|is|are|the|a|an|no|not|made|fits|holds?"
    r"|holding|weighs?|weighing|measur(?:es|ing)|burns|lasts?|runs|keeps|takes|makes|serves|seats|sleeps|covers|reaches"
    r"|plays|works|glows|flies|up|about|under|over|size|like|[a-z]+ed|[a-z]+able|as|than|our|your|its)\b"
)
# "It is 20 cm high" is rarely said of what a thing has; "it is 2 m long" may be said of a cable.
BEGINS = re.compile(r"[Ii]t (?P<verb>has|weighs|measures)\b|[Ii]t(?: is|'s) (?=\d[\d.,]* ?[a-z]+ (?:tall|high)$)")
# "It has a hood, it's detachable": the hood is. What a sentence goes on to say with "and" is said of the same thing.
GOES_ON = re.compile(
    r"and it (?P<verb>has|holds|weighs|measures)\b|(?:and )?it(?: (?=is)|(?='))(?P<state>'s|is)(?= \w+[- ]safe\b)"
)
LISTED = re.compile(r",\s+")
# With these the clause goes on to something else, or takes it back.
OPEN = re.compile(r"[,;:()]|\b(?:and|or|but|with|without|that|which|not|no|is|are|than|in|for|by|when|if)\b")

# What is pasted from a table may hold any of them but these.
CLAUSE = re.compile(r"[,;:()]|\b(?:is|are|that|which|when|if)\b")


@lru_cache(maxsize=4096)
def stated(text: str) -> Fact | None:
    """The fact that a clause of free text states under a label, None when it may say anything else."""
    clause = text.strip(" .!")
    if len(clause) > LONGEST_STATEMENT:
        return None
    if match := STATEMENT.fullmatch(clause):
        return _fact(match["label"], match["value"])
    if match := DECIDED.fullmatch(clause):
        return _fact(match["label"], match["value"])
    if (match := COUNTED.fullmatch(clause)) and is_plural(match["label"]):
        return _fact(match["label"], match["value"])
    return _commonly_labelled(clause)


def is_plural(label: str) -> bool:
    last = label.split()[-1]
    return singular(last) != last


def _commonly_labelled(clause: str) -> Fact | None:
    words = clause.split()
    for length in range(min(MOST_LABEL_WORDS, len(words) - 1), 0, -1):
        label, value = " ".join(words[:length]), " ".join(words[length:])
        if (known := read_label(label).canonical) in COMMON_LABELS and words[0].casefold() not in VERBS:
            # "Pack of 6" is free text; "brand new" names no brand, "colour temperature 2700 K" no colour.
            if words[length].casefold() == "of":
                return None
            is_name = value[0].isupper() if known == "brand" else not HAS_DIGIT.search(value)
            return _fact(label, value) if known in NUMBERED or is_name else None
    if (match := CAPITALIZED.fullmatch(clause) or MEASURED.fullmatch(clause)) and not LINKING.search(match["label"]):
        return _fact(match["label"], match["value"])
    return None


def _fact(label: str, value: str) -> Fact | None:
    is_decision = value.casefold() in ("yes", "no")
    is_pasted = value[0].isupper() and not CLAUSE.search(value)
    if OPEN.search(value.casefold()) and not is_decision and not is_pasted:
        return None
    facts = extract_facts({"attributes": {label: value}}).facts
    return facts[0] if len(facts) == 1 else None


def about_product(clauses: list[str]) -> list[str]:
    """Without the "it" of "It has a zip", and of what the same sentence goes on to say: ", it is washable"."""
    found: list[str] = []
    is_sentence = False
    for text in clauses:
        clause = text
        match = BEGINS.match(clause) or (GOES_ON.match(clause) if is_sentence else None)
        is_sentence = match is not None and (is_sentence or clause[0].isupper())
        if match:
            clause = f"{match['verb'] or 'is'} {clause[match.end() :].lstrip()}"
        found.append(clause)
    return found


def without_lists(labelled: list[Fact], option_labels: tuple[str, ...]) -> tuple[list[Fact], list[str]]:
    """ "Sides: long side 280 cm, short side 180 cm" as a prompt has it: a fact and a clause that nothing labels."""
    kept: list[Fact] = []
    listed: list[str] = []
    for fact in labelled:
        first, *others = LISTED.split(fact.value) if fact.label not in option_labels else [fact.value]
        is_list = bool(others) and all(" " in part for part in (first, *others))
        if is_list and (begun := _fact(fact.display_label, first)):
            kept.append(begun)
            listed += others
        else:
            kept.append(fact)
    return kept, listed
