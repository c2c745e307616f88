"""Free text -> ProductInput: what a person types into the box becomes title, attributes and features."""

from __future__ import annotations

import re

from generation.facts.folding import INVISIBLE
from generation.facts.product import AttributeValue, ProductInput

KINDS = r"(?:product |short |long |brief |nice |good |catchy |seo |shop |compelling |new )*"
INSTRUCTION = re.compile(
    rf"""^\s*(?:please\s+|can\ you\s+|could\ you\s+|i\ (?:need|want)\s+)*
    (?:(?:write|create|generate|compose|draft|make|give)\s+(?:me\s+|us\s+)?)?
    (?:an?\s+|the\s+|some\s+|my\s+)?{KINDS.replace(" ", chr(92) + " ")}
    (?:description|text|copy|blurb|listing)s?\s+
    (?:for|of|about|on)\s+(?:(?:an?|the|my|our|this)\s+)?
    |^\s*(?:bitte\s+)?(?:schreibe?|erstelle?)\s+(?:mir\s+|uns\s+)?(?:eine?n?\s+)?(?:kurze\s+|lange\s+)?
    (?:produktbeschreibung|beschreibung|produkttext|text)\s+(?:für|über|zu)\s+(?:eine?n?\s+|den\s+|die\s+|das\s+)?
    |^\s*(?:écris|écrivez|rédige|rédigez|crée|créez)(?:-moi)?\s+(?:une?\s+)?(?:courte\s+)?
    (?:description|fiche)(?:\ (?:de\ )?produit)?\s+(?:pour|de)\s+(?:une?\s+|le\s+|la\s+|les\s+)?
    |^\s*(?:describe|beschreibe|décris|décrivez|describa|descrivi|beschrijf)\s+(?:(?:an?|the|my|our|this|eine?n?|une?)\s+)?
    |^\s*(?:escribe|escriba|crea|genera|scrivi)(?:me)?\s+(?:una?\s+)?(?:descripción|descrizione)
    (?:\s+(?:de|del)\s+(?:producto|prodotto))?\s+(?:para|de|per|di)\s+(?:una?\s+)?
    |^\s*(?:schrijf|maak)\s+(?:een\s+)?(?:korte\s+)?(?:productbeschrijving|beschrijving|tekst)\s+(?:voor|van|over)\s+(?:een\s+|de\s+|het\s+)?""",
    re.VERBOSE | re.IGNORECASE,
)
LABELLED = re.compile(
    r"\s*[-*•]?\s*(?P<label>[^\W\d][^:\n,.!?]{0,38}[^\s:\n,.!?]|[^\W\d])\s*(?::(?!//)|\s=)\s*(?P<value>\S.*)"
)
# A comma inside a number ("0,5 l") ends nothing; a full stop ends a clause only before a space.
CLAUSE_ENDS = re.compile(r"[;\n|]+|,(?!\d)|(?<!\d),|(?<=[\w)%\"])[.!?](?:\s+|$)|(?<=\s)[–—-](?=\s)")
LABEL_WORDS = 4
TITLE_LABELS = {"title": "title", "name": "title", "product": "title", "produkt": "title", "titel": "title",
                "product name": "title", "brand": "brand", "marke": "brand", "marque": "brand", "marca": "brand",
                "category": "category", "kategorie": "category"}  # fmt: skip


def parse_prompt(prompt: str) -> ProductInput:
    """A leading instruction is dropped; `label: value` becomes an attribute; the first other clause is the title."""
    text = INSTRUCTION.sub("", INVISIBLE.sub("", prompt), count=1).strip(" \t\n:\"'“”„")
    product: ProductInput = {}
    attributes: dict[str, AttributeValue] = {}
    clauses: list[str] = []
    for clause in _clauses(text):
        match = LABELLED.fullmatch(clause)
        if match is None or len(match["label"].split()) > LABEL_WORDS:
            clauses.append(clause)
        elif match["label"].casefold() in TITLE_LABELS:
            _set_named(product, TITLE_LABELS[match["label"].casefold()], match["value"])
        else:
            _add(attributes, match["label"], match["value"])
    if "title" not in product and clauses:
        product["title"] = clauses.pop(0)
    if attributes:
        product["attributes"] = attributes
    if clauses:
        product["features"] = clauses
    return product


def _clauses(text: str) -> list[str]:
    """A labelled line keeps its commas: "Colours: red, blue" is one attribute with two values' text."""
    clauses: list[str] = []
    for line in re.split(r"[\n;|]+", text):
        match = LABELLED.fullmatch(line)
        if match and ":" not in match["value"] and len(match["label"].split()) <= LABEL_WORDS:
            clauses.append(line.strip())
        else:
            clauses += [part.strip(" \t-*•") for part in CLAUSE_ENDS.split(line)]
    return [clause for clause in clauses if clause]


def _add(attributes: dict[str, AttributeValue], label: str, value: str) -> None:
    known = attributes.get(label)
    if known is None:
        attributes[label] = value.strip()
    else:
        attributes[label] = [*(known if isinstance(known, list) else [str(known)]), value.strip()]


def _set_named(product: ProductInput, name: str, value: str) -> None:
    if name == "title":
        product["title"] = value
    elif name == "brand":
        product["brand"] = value
    else:
        product["category"] = value
