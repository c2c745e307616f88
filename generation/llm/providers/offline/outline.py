"""Facts, sorted by the part they play in a description."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from generation.facts import Brief, Fact
from generation.llm.providers.offline.quoting import factual_sentences, is_quotable, plain, without_tags

# What a shop keeps about a product but does not tell its customers in a description.
UNTOLD = re.compile(
    r"\b(?:tags?|sku|ean|gtin|upc|isbn|asin|mpn|barcode|handle|slug|status|published|stock|inventory|price|cost|currency"
    r"|tax\w*|vendor|supplier|url|link|image|img|photo|video|id|code|preis|lager\w*|bestand|bild|prix|precio|prezzo|prijs)\b"
)
TITLE_CHARS = 70
NAME_CHARS = 120
MANY_CHOICES = 12

# "900.0 g" is said as "900 g".
_WHOLE_DECIMAL = re.compile(r"(?<=\d)\.0+(?=\s|$)")
_TIMES = re.compile(r"(?<=\d)\s?x\s?(?=\d)")


@dataclass(frozen=True, slots=True)
class Attribute:
    """One label with all its values, as the shop wrote them; `canonical` is the first value's."""

    label: str
    display: str
    values: tuple[str, ...]
    canonical: str

    @property
    def is_quantity(self) -> bool:
        return self.canonical.startswith("quantity:") and len(self.values) == 1


@dataclass(slots=True)
class Outline:
    title: str
    brand: str = ""
    category: str = ""
    attributes: dict[str, Attribute] = field(default_factory=dict)
    features: list[str] = field(default_factory=list)
    choices: list[Attribute] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)

    @property
    def is_thin(self) -> bool:
        """Nothing but a name is known."""
        return not (self.attributes or self.features or self.choices or self.sentences)

    def take(self, *labels: str) -> list[Attribute]:
        """The attributes of these labels, which are then no longer left to tell."""
        return [self.attributes.pop(label) for label in labels if label in self.attributes]


def outline_of(brief: Brief) -> Outline:
    facts = brief.facts
    outline = Outline(title=short_title(facts.title))
    grouped: dict[str, list[Fact]] = {}
    for fact in facts.facts:
        grouped.setdefault(fact.label, []).append(fact)
    options = _options(brief)
    for label, group in grouped.items():
        _place(outline, label, group, is_option=label in options)
    outline.sentences = factual_sentences(
        "\n".join(fact.value for fact in grouped.get("description", [])), brief.language
    )
    return outline


def short_title(title: str) -> str:
    """A title stuffed with everything is named by its first part."""
    name = plain(without_tags(title)) or plain(title) or title
    if len(name) <= TITLE_CHARS:
        return name
    first = re.split(r"[,;|]| [–—-] | with ", name)[0]
    if len(first) <= NAME_CHARS and len(first.split()) > 1:
        return first.rstrip()
    return name[:NAME_CHARS].rsplit(" ", 1)[0].rstrip(" ,;:-–—")


def _options(brief: Brief) -> set[str]:
    """Labels under which variants differ."""
    values: dict[str, set[str]] = {}
    for variant in brief.facts.variants:
        for label, value in variant:
            values.setdefault(label, set()).add(value)
    return {label for label, different in values.items() if len(different) > 1}


def _place(outline: Outline, label: str, group: list[Fact], *, is_option: bool) -> None:
    if label in ("title", "description") or UNTOLD.search(label):
        return
    values = tuple(dict.fromkeys(_values(group)))
    if not values:
        return
    attribute = Attribute(label, plain(group[0].display_label) or label, values, group[0].canonical)
    if label == "brand":
        outline.brand = values[0]
    elif label == "category":
        outline.category = re.split(r"\s*[>/]\s*", values[0])[-1]
    elif label == "feature":
        outline.features = list(values)
    elif is_option:
        outline.choices.append(attribute)
    elif not group[0].canonical.startswith("code:"):
        outline.attributes[label] = attribute


def _values(group: list[Fact]) -> Iterator[str]:
    for fact in group:
        for part in fact.value.split(";"):
            value = plain(part).strip(" .,:-•*")
            if is_quotable(value) and is_quotable(fact.display_label):
                is_quantity = fact.canonical.startswith("quantity:")
                yield _TIMES.sub(" × ", _WHOLE_DECIMAL.sub("", value) if is_quantity else value)
