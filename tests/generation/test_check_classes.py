"""Whole classes of statements: counts of things, materials of parts, damage denied, lists of what is absent."""

from __future__ import annotations

import pytest

from generation.facts import Brief, ProductInput, check_text, extract_facts

TENT: ProductInput = {
    "title": "Corrie tent",
    "attributes": {
        "Porches": 2,
        "Seasons": "3",
        "Pockets": "3 (2 hand, 1 chest)",
        "Weight": "2.1 kg / 4 lb",
        "Poles": "Aluminium",
        "Pegs": "Steel",
        "Resists": "rust-resistant",
        "Size (cm)": "W45 x D30 x H20",
        "Temperatures": "70/80/90 °C",
        "Energy class": "E",
        "Age": "3+",
        "Without": "parabens, silicones",
        "Wax": "soy",
        "Keeps warm for": "6 weeks",
        "Dishwasher safe": "No",
    },
    "features": ["Charges by USB-C PD", "Holds 30 g"],
}


def kinds(text: str, language: str = "en") -> list[str]:
    return [found.kind for found in check_text(text, Brief(extract_facts(TENT), language=language))]


@pytest.mark.parametrize(
    "text",
    [
        "The tent has two porches and three pockets.",
        "The tent has two hand pockets.",
        "The tent measures 45 x 30 x 20 cm.",
        "The tent is 45 cm wide.",
        "The tent at 70 °C, 80 °C or 90 degrees.",
        "The tent is for children from 3 years.",
        "The tent does without parabens, silicones and fuss.",
        "The tent is of soy wax.",
        "The tent never rusts.",
        "The tent's energy class: E.",
        "The tent charges by Power Delivery.",
        "The tent stands on aluminium poles and steel pegs.",
        "The tent is not suitable for the dishwasher, so wash it by hand.",
        "A tent for a grey morning.",
    ],
)
def test_what_follows_from_the_facts_passes(text: str) -> None:
    assert kinds(text) == []


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("The tent has four porches.", "number"),
        ("A 4-season tent.", "number"),
        ("The tent has five pockets.", "number"),
        ("The tent stays warm for six months.", "unit"),
        ("The tent stays warm for sixteen weeks.", "number"),
        ("The tent comes as a pack of two.", "number"),
        ("The tent holds 30 kg.", "unit"),
        ("The tent stands on steel poles.", "material"),
        ("A tent whose poles are steel.", "material"),
        ("The tent never fades.", "claim"),
        ("The tent resists stains.", "claim"),
        ("The tent is crack-proof.", "claim"),
        ("The tent contains parabens.", "negation"),
        ("The tent's energy class: A.", "certificate"),
        ("A leather sheath is included with the tent.", "material"),
        ("The tent with a sheath. A sheath is included.", "claim"),
        ("A Scottish tent.", "claim"),
    ],
)
def test_what_does_not_follow_is_found(text: str, kind: str) -> None:
    assert kind in kinds(text)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de", "Zahlreiche kleine Abenteuer erreichen wir samt Tent, wenn Sie wollen."),
        ("de", "In die Spülmaschine darf das Tent nicht."),
        ("nl", "Wij leveren een kleine waterkoker bij de Tent en serveren."),
        ("es", "Todo Tent se usa en el mar, como barra."),
        ("it", "Il Tent si usa ora, al bordo del prato."),
        ("fr", "N'importe où, le Tent est sans souci."),
    ],
)
def test_everyday_words_that_hold_a_material_or_a_place_pass(language: str, text: str) -> None:
    assert kinds(text, language) == []


@pytest.mark.parametrize(
    "text",
    ["Das Tent wurde im Allgäu genäht.", "Genäht in Musterstadt ist das Tent.", "Das Tent von Dr. Petra Sommer."],
)
def test_german_places_and_people_are_found(text: str) -> None:
    assert kinds(text, "de") != []
