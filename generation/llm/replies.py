"""A reply's layout: the description, then one labelled line for each further field."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from generation.facts import Facts

SEO_TITLE_CHARS = 70
META_DESCRIPTION_CHARS = 160
LINE_LABELS = {"seo_title": "SEO title", "meta_description": "Meta description"}

_LABELLED_LINE = re.compile(
    r"^[\s>#*_`-]*(?P<label>seo[ _-]?title|meta[ _-]?description)[\s*_`]*[:：][\s*_`]*(?P<value>.*?)[\s*_`]*$",
    re.IGNORECASE,
)
_FENCE = re.compile(r"^\s*```[\w-]*\s*$")
_DESCRIPTION_LABEL = re.compile(r"^[\s#*_]*description[\s*_]*:[\s*_]*", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.!?…](?=\s|$)")
_LIST_MARK = re.compile(r"[-*•]\s+")
_QUOTES = "\"'“”„«»"


def split_reply(text: str, fields: Sequence[str]) -> dict[str, str]:
    """The fields that a reply holds, "description" always among them.

    Tolerates code fences, bold markers and absent lines; a labelled line that was not asked for is dropped.
    """
    description: list[str] = []
    found: dict[str, str] = {}
    waiting = ""
    for line in text.splitlines():
        if match := _LABELLED_LINE.match(line):
            waiting = _field_name(match["label"])
            found[waiting] = _unquoted(match["value"])
        elif waiting and not found[waiting] and line.strip():
            # The label stood on a line of its own.
            found[waiting] = _unquoted(line.strip())
        elif not _FENCE.match(line):
            description.append(line)
    asked = {name: value for name, value in found.items() if name in fields and value}
    return {"description": _tidy("\n".join(description)), **asked}


def join_reply(values: Mapping[str, str], fields: Sequence[str]) -> str:
    """The inverse of `split_reply`."""
    lines = [f"{label}: {values[name]}" for name, label in LINE_LABELS.items() if name in fields and values.get(name)]
    return "\n\n".join(part for part in (values["description"], "\n".join(lines)) if part)


def compose_missing(values: Mapping[str, str], fields: Sequence[str], facts: Facts) -> dict[str, str]:
    """`values` with every asked-for field filled and within its length; what is made up stands on the facts."""
    complete = dict(values)
    if "seo_title" in fields:
        complete["seo_title"] = cut_at_word(complete.get("seo_title") or seo_title(facts), SEO_TITLE_CHARS)
    if "meta_description" in fields:
        wanted = complete.get("meta_description") or _prose(values["description"]) or facts.title
        complete["meta_description"] = cut_at_sentence(wanted, META_DESCRIPTION_CHARS)
    return complete


def seo_title(facts: Facts) -> str:
    """ "Title | Brand", without the brand where the title has it already or there is no room."""
    brand = next((fact.value for fact in facts.facts if fact.label == "brand"), "")
    named = f"{facts.title} | {brand}"
    if not brand or brand.casefold() in facts.title.casefold() or len(named) > SEO_TITLE_CHARS:
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
    return "seo_title" if label.casefold().startswith("seo") else "meta_description"


def _tidy(text: str) -> str:
    plain = _DESCRIPTION_LABEL.sub("", text.strip()).replace("**", "")
    return re.sub(r"\n{3,}", "\n\n", plain).strip()
