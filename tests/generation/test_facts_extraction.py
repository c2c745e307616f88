from __future__ import annotations

import pytest

from generation.facts import Fact, FactsError, ProductInput, extract_facts


def fact(value: str | int | float | bool, label: str = "Value") -> Fact:
    """The one fact of an attribute."""
    [found] = extract_facts({"attributes": {label: value}}).facts
    return found


def canonical(value: str | int | float | bool, label: str = "Value") -> str:
    return fact(value, label).canonical


@pytest.mark.parametrize(
    "spellings",
    [
        ("500 ml", "0.5 L", "0,5 l", "500ml", "½ l", "500 Milliliter", "５００ ｍｌ", "500-ml", "50 cl"),
        ("180 g", "0.18 kg", "0,18 KG", "180 Gramm", "180\u00a0g", "180\u200b g"),
        ("20x30cm", "20 x 30 cm", "20 cm × 30 cm", "20cm x 30cm", "200 X 300 mm", "20*30 cm"),
        ("12 in", '12"', "12 inches", "12″", "30.48 cm", "1 ft"),
        ("1 1/2 in", "1½ in", "1.5 inch", "3,81 cm"),
        ("pack of 3", "3-pack", "3 pcs", "3 Stück", "3er-Pack"),
        ("BPA-free", "free of BPA", "without bpa", "BPA frei", "ohne BPA", "sans BPA"),
        ("RED", "red", " Red "),
        ("grey", "GRAY"),
        ("Aluminium frame", "aluminum  frame"),
        ("it’s steel", "it's steel"),
        ("yes", "true", "Ja", True),
        ("no", "FALSE", "nein", False),
        (3, 3.0, "3", "3.0", "3,0"),
        (0.18, "0.18", "0,18", "0.1800"),
        ("1,234.5 mm", "1.234,5 mm", "1234.5 mm", "1.2345 m"),
        ("-5 °C", "23 °F", "−5°C", "268.15 kelvin"),
        ("2 years", "24 months", "2 Jahre"),
        ("1 kWh", "3600 kJ", "1000 Wh"),
        ("10 - 12 h", "10-12 h", "10 – 12 hours"),
        ("1,000 pieces", "1000 pcs"),
    ],
)
def test_spellings_of_one_value_are_one_fact(spellings: tuple[str | int | float | bool, ...]) -> None:
    assert len({canonical(spelling) for spelling in spellings}) == 1


@pytest.mark.parametrize(
    "values",
    [
        ("500 ml", "500 g", "500", "500 l", "50 ml", "5000 ml"),
        ("gold", "gold-plated", "rose gold", "gold look"),
        ("steel blade, oak handle", "oak blade, steel handle"),
        ("waterproof", "not waterproof", "water-resistant"),
        ("BPA-free", "BPA", "contains BPA"),
        ("with sugar", "without sugar"),
        ("treated", "untreated"),
        ("0123", "123", "00123"),
        ("1234567890123", "1234567890124"),
        ("1.2.3", "1.23", "12.3"),
        ("10² cm", "102 cm", "10 cm"),
        ("5 g", "5G"),
        ("39 in", "39 in blue", "39"),
        ("10 in", "10 in a box"),
        ("20 in", "20 in A4"),
        ("1.500 g", "1500 g", "1.5 g"),
        ("1.500 g", "1.500 kg"),
        ("3 x 500 ml", "500 ml x 2", "1500 ml"),
        ("5 nm", "5 Nm"),
        ("5 mW", "5 MW"),
        ("pack of 3", "pack of 4", "3 kg"),
        ("20 x 30 cm", "30 x 20 cm", "20 x 30 mm"),
        ("yes", "no"),
        ("café", "cafe"),
        ("A-12", "A-21"),
    ],
)
def test_different_values_stay_different(values: tuple[str, ...]) -> None:
    assert len({canonical(value) for value in values}) == len(values)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("500 ml", "quantity:0.0005 m3"),
        ("red", "text:red"),
        ("BPA-free", "not:bpa"),
        (3, "number:3"),
        ("pack of 3", "count:3"),
        (True, "bool:yes"),
        ("007", "code:007"),
        ("1/3", "number:1/3"),
    ],
)
def test_canonical_forms_are_typed(value: str | int | bool, expected: str) -> None:
    assert canonical(value) == expected


def test_a_unit_in_the_label_belongs_to_the_value() -> None:
    for label in ("Weight (kg)", "Weight [kg]", "Weight, kg", "Weight in kg", "weight_kg", "Gewicht (kg)", "Weight"):
        value = "180 g" if label == "Weight" else 0.18
        assert (fact(value, label).label, canonical(value, label)) == ("weight", "quantity:0.18 kg"), label


def test_a_unit_in_the_value_beats_the_one_in_the_label() -> None:
    assert canonical("180 g", "Weight (kg)") == "quantity:0.18 kg"


def test_the_unit_of_the_label_is_shown_with_the_value() -> None:
    found = fact(0.18, "Weight (kg)")

    assert (found.display_label, found.value) == ("Weight", "0.18 kg")


@pytest.mark.parametrize("label", ["Colour", "color", "COLOR:", "Farbe", "couleur", " Colore ", "kleur"])
def test_label_synonyms_fold(label: str) -> None:
    assert fact("red", label).label == "color"


def test_an_unknown_label_keeps_its_name() -> None:
    found = fact("7", "Stitch  Pitch")

    assert (found.label, found.display_label) == ("stitch pitch", "Stitch Pitch")


def test_article_numbers_are_codes() -> None:
    assert canonical("1,500", "Model number") != canonical("1500", "Model number")
    assert canonical(" AB-1 ", "SKU") == "code:ab-1"
    assert canonical(1500, "EAN") == canonical("1500", "EAN") == "code:1500"


def test_every_value_is_one_fact() -> None:
    product: ProductInput = {
        "title": "Mug",
        "brand": "Pott",
        "category": "Cups",
        "attributes": {"Colour": ["Red", "Blue"], "Height": "9 cm"},
        "features": ["Dishwasher safe"],
        "description": "A mug.",
        "variants": [{"Size": "S", "Colour": "Red"}, {"Size": "L", "Colour": "Red"}],
    }

    facts = extract_facts(product)

    assert [(found.label, found.value) for found in facts.facts] == [
        ("title", "Mug"),
        ("brand", "Pott"),
        ("category", "Cups"),
        ("color", "Red"),
        ("color", "Blue"),
        ("height", "9 cm"),
        ("feature", "Dishwasher safe"),
        ("size", "S"),
        ("size", "L"),
        ("description", "A mug."),
    ]
    assert facts.option_labels == ("color", "size")


def test_the_source_holds_every_value() -> None:
    facts = extract_facts({"title": "Mug", "attributes": {"Height (cm)": 9}})

    assert facts.source == "Title: Mug\nHeight: 9 cm"


@pytest.mark.parametrize(
    "product", [{}, {"title": " \u200b\x00"}, {"prompt": "  "}, {"attributes": {"Colour": ""}, "features": [""]}]
)
def test_a_product_of_which_nothing_is_known_is_refused(product: ProductInput) -> None:
    with pytest.raises(FactsError) as refusal:
        extract_facts(product)

    assert refusal.value.code == "no_facts"
    assert refusal.value.message == str(refusal.value) != ""


def test_what_cannot_be_seen_is_dropped_and_markup_stays_text() -> None:
    facts = extract_facts({"title": "Mug\x00 \u202e<script>alert(1)</script>\u200d 🫖"})

    assert facts.title == "Mug <script>alert(1)</script> 🫖"


def test_a_huge_value_is_shown_in_part_but_counts_whole() -> None:
    first, second = (extract_facts({"title": "Mug", "description": "word " * 200_000 + end}) for end in ("a", "b"))

    assert len(first.facts[1].value) == 5_000
    assert len(first.facts[1].canonical) < 500
    assert first.facts[1].canonical != second.facts[1].canonical


def test_three_hundred_attributes_are_three_hundred_facts() -> None:
    assert len(extract_facts({"attributes": {f"Label {n}": n for n in range(300)}}).facts) == 300


def test_a_product_without_a_title_is_named_by_what_is_known() -> None:
    assert extract_facts({"brand": "Pott", "category": "Cups"}).title == "Cups"


def test_a_label_without_end_is_kept_in_part_and_told_apart() -> None:
    first, second = (extract_facts({"attributes": {"label " * 5_000 + end: "x"}}).facts[0] for end in ("a", "b"))

    assert len(first.display_label) <= 120
    assert first.label != second.label


def test_numbers_without_end_are_spelled_out_not_computed() -> None:
    assert canonical("9" * 5_000) != canonical("9" * 4_999 + "8")
    assert canonical("1/0") == "code:1/0"
    assert canonical(float("inf")) == "text:inf"
