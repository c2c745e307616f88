"""A product's facts as the labelled block of data that a model sees, no longer than the task needs."""

from __future__ import annotations

import json

from generation.facts import Facts
from generation.facts.sentences import split_sentences

# Characters of the shop's own prose (a present description in the file) that a text of that length can make use of.
# Labelled facts are never cut.
PROSE_CHARS = {"short": 1_000, "medium": 2_000, "long": 4_000}


def facts_block(facts: Facts, *, most_prose: int | None = None) -> str:
    """With at most so many characters of prose; without a limit it is as large as it can be for these facts."""
    shown = [
        {"label": fact.display_label, "value": _prose(fact.value, most_prose) if _is_prose(fact.label) else fact.value}
        for fact in facts.facts
        if fact.label != "title"
    ]
    return block("product_facts", {"title": facts.title, "facts": shown})


def block(name: str, content: object) -> str:
    """ "<" is escaped, so that no value can close the block."""
    data = json.dumps(content, ensure_ascii=False).replace("<", "\\u003c")
    return f"<{name}>\n{data}\n</{name}>"


def _is_prose(label: str) -> bool:
    return label == "description"


def _prose(text: str, most: int | None) -> str:
    """Whole sentences, the first ones; a first one that is longer than all is cut."""
    if most is None or len(text) <= most:
        return text
    ends = [end for _, end in split_sentences(text) if end <= most]
    return text[: ends[-1] if ends else most].rstrip()
