"""Product -> Facts: every value becomes one typed fact under its canonical label."""

from __future__ import annotations

from collections.abc import Iterator

from generation.facts.canonical import canonical_number, canonical_text, number_text
from generation.facts.folding import clean, fold
from generation.facts.free_text import parse_prompt
from generation.facts.labels import Label, read_label
from generation.facts.product import AttributeValue, ProductInput
from generation.facts.types import Fact, Facts, FactsError, Variant
from generation.facts.units import COUNT, find_unit, measures

# A fact shows this much of a value; its canonical form still covers all of it.
MAX_VALUE_CHARS = 5_000
LONGEST_MEASURE = 40
NOTHING_KNOWN = "Nothing is known about this product. Give it a title or at least one attribute."


def extract_facts(product: ProductInput) -> Facts:
    """Raises FactsError with code "no_facts" when no field holds a letter or a digit."""
    if clean(product.get("prompt", "")):
        product = _merged(parse_prompt(product["prompt"]), product)
    found: dict[tuple[str, str], Fact] = {}
    for fact in _facts(product):
        found.setdefault((fact.label, fact.canonical), fact)
    facts = tuple(found.values())
    if not any(character.isalnum() for fact in facts for character in fact.value):
        raise FactsError("no_facts", NOTHING_KNOWN)
    return Facts(
        title=_title(product, facts),
        facts=facts,
        source="\n".join(f"{fact.display_label}: {fact.value}" for fact in facts),
        variants=tuple(sorted({_variant(variant) for variant in product.get("variants", ())} - {()})),
    )


def _merged(parsed: ProductInput, product: ProductInput) -> ProductInput:
    """Fields given beside a prompt win over what was read from it."""
    given: ProductInput = {**product}
    del given["prompt"]
    return {**parsed, **given}


def _title(product: ProductInput, facts: tuple[Fact, ...]) -> str:
    title = clean(product.get("title", ""))[:MAX_VALUE_CHARS]
    return title or next((fact.value for fact in facts if fact.label == "category"), facts[0].value)


def _facts(product: ProductInput) -> Iterator[Fact]:
    for label, display, text in (
        ("title", "Title", product.get("title", "")),
        ("brand", "Brand", product.get("brand", "")),
        ("category", "Category", product.get("category", "")),
    ):
        yield from _text_facts(Label(label, display, "", False), text)
    for attribute, given in zip(_labels(product), product.get("attributes", {}).values(), strict=True):
        yield from _attribute_facts(attribute, given)
    for feature in product.get("features", ()):
        yield from _text_facts(Label("feature", "Feature", "", False), feature)
    for variant in product.get("variants", ()):
        for label, value in variant.items():
            yield from _text_facts(read_label(label), value)
    yield from _text_facts(Label("description", "Description", "", False), product.get("description", ""))


def _labels(product: ProductInput) -> list[Label]:
    """One for each attribute. Where two of them would be one label ("Brand" and "Manufacturer"), each keeps its own
    name: which of them had which value is a fact."""
    labels = [read_label(label) for label in product.get("attributes", {})]
    own = {"title": product.get("title"), "brand": product.get("brand"), "category": product.get("category")}
    spoken = [(name, name) for name, value in own.items() if value]
    names: dict[str, set[str]] = {}
    for canonical, name in [*spoken, *((label.canonical, _own_name(label)) for label in labels)]:
        names.setdefault(canonical, set()).add(name)
    return [
        label._replace(canonical=_own_name(label)) if len(names[label.canonical]) > 1 else label for label in labels
    ]


def _own_name(label: Label) -> str:
    return fold(label.display)


def _attribute_facts(label: Label, value: AttributeValue) -> Iterator[Fact]:
    if isinstance(value, bool):
        word = "yes" if value else "no"
        yield Fact(label.canonical, label.display, word, f"bool:{word}")
    elif isinstance(value, int | float):
        yield _number_fact(label, value)
    elif isinstance(value, list):
        for each in value:
            yield from _text_facts(label, str(each))
    else:
        yield from _text_facts(label, str(value))


def _number_fact(label: Label, value: int | float) -> Fact:
    text = number_text(value)
    if label.is_code:
        return Fact(label.canonical, label.display, text, canonical_text(text, is_code=True))
    if label.unit:
        return Fact(label.canonical, label.display, f"{text} {label.unit}", canonical_text(f"{text} {label.unit}"))
    return Fact(label.canonical, label.display, text, _counted(label, canonical_number(value)))


def _text_facts(label: Label, text: str) -> Iterator[Fact]:
    value = clean(text)
    if value:
        value = _with_unit(value, label.unit)
        canonical = _counted(label, canonical_text(value, is_code=label.is_code))
        yield Fact(label.canonical, label.display, value[:MAX_VALUE_CHARS], canonical)


def _counted(label: Label, canonical: str) -> str:
    """ "Pieces: 6" is "Pieces: 6 pcs"."""
    is_count = canonical.startswith("number:") and find_unit(label.canonical) is COUNT
    return f"count:{canonical.removeprefix('number:')}" if is_count else canonical


def _with_unit(value: str, unit: str) -> str:
    """The unit that a label states belongs to a value that names none itself."""
    if not unit or len(value) > LONGEST_MEASURE:
        return value
    found = measures(value)
    is_bare = bool(found) and found[-1].end == len(value) and all(measure.unit is None for measure in found)
    return f"{value} {unit}" if is_bare else value


def _variant(options: dict[str, str]) -> Variant:
    return tuple(
        sorted(
            (fact.label, fact.canonical)
            for label, value in options.items()
            for fact in _text_facts(read_label(label), value)
        )
    )
