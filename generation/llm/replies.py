"""A reply's layout: the description, then one labelled line for each further field; or several texts as JSON."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from generation.facts import Facts
from generation.families import has_slots, without_slots

SEO_TITLE_CHARS = 70
META_DESCRIPTION_CHARS = 160
# A reply that begins so says in words why a wish was not followed: the facts do not hold what it needs, or this writer
# does not understand it.
NOT_IN_FACTS, NOT_FOLLOWED = "Not in the facts:", "Not followed:"
MOST_SAID = 300  # characters
MOST_BULLETS = 5
BULLET_CHARS = 250
LINE_LABELS = {"seo_title": "SEO title", "meta_description": "Meta description"}
LIST_LABEL = "Benefit bullets"

_LABELLED_LINE = re.compile(
    r"^[\s>#*_`-]*(?P<label>seo[ _-]?title|meta[ _-]?description|benefit[ _-]?bullets)[\s*_`]*[:：][\s*_`]*"
    r"(?P<value>.*?)[\s*_`]*$",
    re.IGNORECASE,
)
_FENCE = re.compile(r"^\s*```[\w-]*\s*$")
_DESCRIPTION_LABEL = re.compile(r"^[\s#*_]*description[\s*_]*:[\s*_]*", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.!?…](?=\s|$)")
_LIST_MARK = re.compile(r"[-*•]\s+")
_NOT_IN_BULLETS = ("title", "brand", "category", "description", "sku", "ean", "gtin", "mpn", "price", "tags")
_LINE_BREAKS = re.compile(r"\s*[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]\s*")
# What nobody sees and a reader's machine obeys; joiners and variation selectors stay, since emoji are made of them.
_HIDDEN = re.compile("[\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\U000e0000-\U000e0fff]")
_QUOTES = "\"'“”„«»"


def split_reply(text: str, fields: Sequence[str]) -> dict[str, str]:
    """The fields that a reply holds, "description" always among them.

    Tolerates code fences, bold markers and absent lines; a labelled line that was not asked for is dropped, and so is
    what cannot be seen.
    """
    description: list[str] = []
    found: dict[str, str] = {}
    waiting = ""
    for line in _HIDDEN.sub("", text).splitlines():
        if match := _LABELLED_LINE.match(line):
            waiting = _field_name(match["label"])
            found[waiting] = _unquoted(match["value"])
        elif waiting == "bullets" and _LIST_MARK.match(line.strip()):
            found[waiting] = f"{found[waiting]}\n{line.strip()}".strip()
        elif waiting and not found[waiting] and line.strip():
            # The label stood on a line of its own.
            found[waiting] = _unquoted(line.strip())
        elif not _FENCE.match(line):
            description.append(line)
    asked = {name: value for name, value in found.items() if name in fields and value}
    return {"description": _tidy("\n".join(description)), **asked}


def join_reply(values: Mapping[str, str], fields: Sequence[str]) -> str:
    """The inverse of `split_reply`."""
    lines = [
        f"{label}: {_LINE_BREAKS.sub(' ', values[name].strip())}"
        for name, label in LINE_LABELS.items()
        if name in fields and values.get(name)
    ]
    if "bullets" in fields and values.get("bullets"):
        lines += [f"{LIST_LABEL}:", *(f"- {bullet}" for bullet in bullets_in(values["bullets"]))]
    return "\n\n".join(part for part in (values["description"], "\n".join(lines)) if part)


def bullets_in(text: str) -> list[str]:
    """One a line, with or without a mark before it."""
    return [bullet for line in text.splitlines() if (bullet := _LIST_MARK.sub("", line.strip(), count=1).strip())]


def declined(text: str) -> str | None:
    """Why a wish was not followed, in one line of the writer's words; None for a text."""
    line = next((line.strip(' *"') for line in text.splitlines() if line.strip()), "")
    for beginning in (NOT_IN_FACTS, NOT_FOLLOWED):
        if line.casefold().startswith(beginning.casefold()):
            return f"{beginning} {line[len(beginning) :].strip()[:MOST_SAID]}".strip()
    return None


def plain_reply(text: str, fields: Sequence[str]) -> str | None:
    """A reply of `{"description": …, "seo_title": …}` as a plain one; None when it is no such object, or one without
    words."""
    entry = _json_object(text)
    return join_reply(entry, fields) if entry and _has_words(entry, fields) else None


def split_shared_reply(text: str, ids: Sequence[str], fields: Sequence[str]) -> dict[str, str]:
    """A reply of `{"texts": [{"id": …, "description": …}]}` as one plain reply for each id.

    What cannot be told for certain is absent: an id that is missing, unknown or there twice, an entry without words,
    everything when it is no such object at all.
    """
    try:
        entries = _json_object(text)["texts"]
        told = Counter(entry["id"] for entry in entries)
        found = {entry["id"]: entry for entry in entries if entry["id"] in ids and told[entry["id"]] == 1}
    except (KeyError, TypeError):
        return {}
    return {key: join_reply(entry, fields) for key, entry in found.items() if _has_words(entry, fields)}


def _json_object(text: str) -> dict[str, Any]:
    """The one in the reply, whatever stands around it; empty when there is none."""
    try:
        found = json.loads(text[text.find("{") : text.rfind("}") + 1])
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _has_words(entry: Mapping[str, object], fields: Sequence[str]) -> bool:
    values = [entry.get(name) or "" for name in {"description", *fields}]
    return all(isinstance(value, str) for value in values) and bool(str(entry.get("description") or "").strip())


def compose_missing(values: Mapping[str, str], fields: Sequence[str], facts: Facts) -> dict[str, str]:
    """`values` with every asked-for field filled and within its length; what is made up stands on the facts.

    A field with slots keeps its length until they are filled (`within_lengths`).
    """
    complete = dict(values)
    if "seo_title" in fields:
        complete["seo_title"] = complete.get("seo_title") or seo_title(facts)
    if "meta_description" in fields:
        wanted = complete.get("meta_description") or _prose(values["description"]) or facts.title
        complete["meta_description"] = " ".join(wanted.split())
    if "bullets" in fields:
        complete["bullets"] = complete.get("bullets") or labelled_bullets(facts)
    return within_lengths(complete)


def labelled_bullets(facts: Facts) -> str:
    """What the shop says of the product, label and value."""
    told = [fact for fact in facts.facts if fact.label not in _NOT_IN_BULLETS and len(fact.value) <= BULLET_CHARS // 2]
    return "\n".join(
        fact.value if fact.label == "feature" else f"{fact.display_label}: {fact.value}" for fact in told[:MOST_BULLETS]
    )


def within_lengths(values: Mapping[str, str]) -> dict[str, str]:
    """Every field cut to its length, but for those that hold slots."""
    cut = dict(values)
    for name, limit, cut_at in (
        ("seo_title", SEO_TITLE_CHARS, cut_at_word),
        ("meta_description", META_DESCRIPTION_CHARS, cut_at_sentence),
    ):
        if name in cut and not has_slots(cut[name]):
            cut[name] = cut_at(cut[name], limit)
    if "bullets" in cut:
        bullets = bullets_in(cut["bullets"])[:MOST_BULLETS]
        cut["bullets"] = "\n".join(each if has_slots(each) else cut_at_word(each, BULLET_CHARS) for each in bullets)
    return cut


def seo_title(facts: Facts) -> str:
    """ "Title | Brand", without the brand where the title has it already or there is no room."""
    brand = next((fact.value for fact in facts.facts if fact.label == "brand"), "")
    named = f"{facts.title} | {brand}"
    if not brand or brand.casefold() in facts.title.casefold() or len(without_slots(named)) > SEO_TITLE_CHARS:
        return facts.title
    return named


def cut_at_word(text: str, limit: int) -> str:
    line = " ".join(text.split())
    if len(line) <= limit:
        return line
    head = line[: limit + 1]
    cut = head.rsplit(" ", 1)[0] if " " in head else line[:limit]
    return cut.rstrip(" ,;:–-|&(/")


def cut_at_sentence(text: str, limit: int) -> str:
    """Whole sentences where at least one fits, else whole words."""
    line = " ".join(text.split())
    if len(line) <= limit:
        return line
    ends = [match.end() for match in _SENTENCE_END.finditer(line) if match.end() <= limit]
    return line[: ends[-1]] if ends else cut_at_word(line, limit)


def _prose(description: str) -> str:
    """Without its list, which reads badly on one line; the list's own words where there is nothing else."""
    lines = [line.strip() for line in description.splitlines() if line.strip()]
    sentences = [line for line in lines if not _LIST_MARK.match(line)]
    return " ".join(sentences) or ". ".join(_LIST_MARK.sub("", line) for line in lines)


def _unquoted(value: str) -> str:
    """Without quotation marks around it; one at the end alone is an inch mark."""
    return value[1:-1].strip() if len(value) > 1 and value[0] in _QUOTES and value[-1] in _QUOTES else value


def _field_name(label: str) -> str:
    return {"seo": "seo_title", "met": "meta_description", "ben": "bullets"}[label.casefold()[:3]]


def _tidy(text: str) -> str:
    plain = _DESCRIPTION_LABEL.sub("", text.strip()).replace("**", "")
    return re.sub(r"\n{3,}", "\n\n", plain).strip()
