"""A filled template reads as if it had been written for the variant."""

from __future__ import annotations

import pytest

from generation.facts import Facts, extract_facts
from generation.families import CannotFill, Family, family_of, fill


def filled(template: str, value: str, language: str = "en") -> str:
    family = Family("t1-", Facts("", (), ""), (("x", value),))
    return fill({"description": template}, family, language)["description"]


@pytest.mark.parametrize(
    ("template", "value", "text"),
    [
        ("A {{x}} bottle.", "8 cm", "An 8 cm bottle."),
        ("A {{x}} bottle.", "18 cm", "An 18 cm bottle."),
        ("A {{x}} bottle.", "180 cm", "A 180 cm bottle."),
        ("an {{x}} shirt", "XL", "an XL shirt"),
        ("an {{x}} shirt", "S", "an S shirt"),
        ("an {{x}} shirt", "2XL", "a 2XL shirt"),
        ("an {{x}} cable", "USB-C", "a USB-C cable"),
        ("a {{x}} mug", "orange", "an orange mug"),
        ("an {{x}} mug", "blue", "a blue mug"),
        ("a {{x}} print", "unicorn pink", "a unicorn pink print"),
        ("a {{x}} lamp", "hour", "an hour lamp"),
        ("{{x}} mug. {{x}} lid.\n- {{x}} handle", "blue", "Blue mug. Blue lid.\n- Blue handle"),
        ("Color: {{x}}", "blue", "Color: blue"),
        ("Meet the Linen Apron {{x}} by Alder.", "blue", "Meet the Linen Apron Blue by Alder."),
        ("The mug in {{x}} by Alder.", "blue", "The mug in blue by Alder."),
        ("Set of {{x}} pieces", "3 pieces", "Set of 3 pieces"),
        ("in size {{x}}.", "Size M", "in size M."),
    ],
)
def test_english(template: str, value: str, text: str) -> None:
    assert filled(template, value) == text


@pytest.mark.parametrize(
    ("language", "template", "value", "text"),
    [
        ("fr", "un ton de {{x}}", "orange", "un ton d’orange"),
        ("fr", "un ton d’{{x}}", "rouge", "un ton de rouge"),
        ("fr", "un poids de {{x}}", "11 kg", "un poids de 11 kg"),
        ("es", "blanco y {{x}}", "índigo", "blanco e índigo"),
        ("es", "blanco e {{x}}", "rojo", "blanco y rojo"),
        ("es", "rojo o {{x}}", "ocre", "rojo u ocre"),
        ("de", "mit {{x}} Garantie", "2 Jahre", "mit 2 Jahren Garantie"),
        ("de", "Die Garantie beträgt {{x}}.", "2 Jahre", "Die Garantie beträgt 2 Jahre."),
        ("it", "nero e {{x}}", "rosso", "nero e rosso"),
        ("nl", "in {{x}}", "blauw", "in blauw"),
    ],
)
def test_other_languages(language: str, template: str, value: str, text: str) -> None:
    assert filled(template, value, language) == text


@pytest.mark.parametrize(
    ("language", "template"),
    [("en", "in {{y}}"), ("en", "in {{x}"), ("en", "in {{ x }}"), ("fr", "l’{{x}}"), ("it", "dell'{{x}}")],
    ids=["unknown", "not closed", "misspelt", "French article", "Italian article"],
)
def test_what_cannot_be_filled_is_refused(language: str, template: str) -> None:
    with pytest.raises(CannotFill):
        filled(template, "blue", language)


@pytest.mark.parametrize("name", ["Petrol", "Sand", "Moss", "Ecru", "Slate"])
def test_a_shops_own_colour_word_is_never_replaced_in_its_own_language(name: str) -> None:
    family = family_of(extract_facts({"title": "Pen", "attributes": {"Colour": name, "Length": "14 cm"}}), "en")

    assert family
    assert dict(family.values).get("color", name).lower() == name.lower()
