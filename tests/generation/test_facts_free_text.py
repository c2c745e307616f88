from __future__ import annotations

import pytest

from generation.facts import FactsError, ProductInput, extract_facts
from generation.facts.free_text import parse_prompt


@pytest.mark.parametrize(
    "prompt",
    [
        "Write a product description for a red ceramic mug",
        "Please write me a short product description for the red ceramic mug",
        "Describe a red ceramic mug",
        "Product description of a red ceramic mug.",
        "Can you create a nice text about our red ceramic mug",
        "red ceramic mug",
        "  Red Ceramic Mug\n",
        "Title: red ceramic mug",
        "Write about our red ceramic mug.",
        "For our shop: red ceramic mug",
        "Please write a description of this product.\nRed ceramic mug",
        "Red ceramic mug. Please describe it.",
        "Red ceramic mug. Need copy.",
        "Red ceramic mug. Write a description for the shop.",
    ],
)
def test_a_leading_instruction_is_no_fact(prompt: str) -> None:
    assert (
        extract_facts({"prompt": prompt}).facts
        == extract_facts({"title": extract_facts({"prompt": prompt}).title}).facts
    )
    assert extract_facts({"prompt": prompt}).title.lower() == "red ceramic mug"


@pytest.mark.parametrize(
    ("prompt", "title"),
    [
        ("Schreibe eine Produktbeschreibung für eine rote Tasse", "rote Tasse"),
        ("Écris une description de produit pour une tasse rouge", "tasse rouge"),
        ("Escribe una descripción para una taza roja", "taza roja"),
        ("Scrivi una descrizione per una tazza rossa", "tazza rossa"),
        ("Schrijf een productbeschrijving voor een rode mok", "rode mok"),
    ],
)
def test_instructions_in_other_languages_are_dropped_too(prompt: str, title: str) -> None:
    assert parse_prompt(prompt) == {"title": title}


@pytest.mark.parametrize(
    "prompt", ["Write a description.", "Please write me a nice product text", "Hi there, thanks!", "…", "Describe:"]
)
def test_a_prompt_that_holds_no_product_is_refused(prompt: str) -> None:
    with pytest.raises(FactsError) as refused:
        extract_facts({"prompt": prompt})
    assert refused.value.code == "no_facts"


def test_lines_with_labels_become_attributes_and_the_other_parts_features() -> None:
    product = parse_prompt(
        "Steel bottle, keeps cold for 12 h\nBrand: Nordlund\nCapacity: 0,5 l\nColours: red, blue; BPA-free"
    )

    assert product == {
        "title": "Steel bottle",
        "brand": "Nordlund",
        "attributes": {"Capacity": "0,5 l", "Colours": "red, blue"},
        "features": ["keeps cold for 12 h", "BPA-free"],
    }


def test_a_comma_inside_a_number_separates_nothing() -> None:
    assert parse_prompt("Bottle, 0,5 l, 1,000 g") == {"title": "Bottle", "features": ["0,5 l", "1,000 g"]}


@pytest.mark.parametrize(
    ("prompt", "features"),
    [
        ("Cooler, -5 °C, steel", ["-5 °C", "steel"]),
        ("Cooler\n- steel\n- -5 °C", ["steel", "-5 °C"]),
        ("Trampoline, max. 100 kg. For gardens", ["max. 100 kg", "For gardens"]),
        ("Lid for box No. 34, 60 min. Steel", ["60 min", "Steel"]),
        ("Tote / black / 42 cm", ["black", "42 cm"]),
    ],
)
def test_clauses_end_where_they_end(prompt: str, features: list[str]) -> None:
    assert parse_prompt(prompt)["features"] == features


def test_two_words_with_one_stroke_between_stay_together() -> None:
    assert parse_prompt("Mug black / white") == {"title": "Mug black / white"}


def test_an_address_is_no_label() -> None:
    assert "attributes" not in parse_prompt("Mug as on https://example.com/mug")


def test_fields_beside_a_prompt_win() -> None:
    product: ProductInput = {"prompt": "A mug, red", "title": "Mug Kiln"}

    assert [fact.value for fact in extract_facts(product).facts] == ["Mug Kiln", "red"]


def test_a_repeated_label_keeps_all_its_values() -> None:
    assert parse_prompt("Mug\nColour: red\nColour: blue").get("attributes") == {"Colour": ["red", "blue"]}


def test_an_instruction_with_nothing_behind_it_still_names_the_product() -> None:
    assert extract_facts({"prompt": "Write a description for"}).title != ""


@pytest.mark.parametrize(
    ("prompt", "product"),
    [
        ("Sneakers: suede heel, rubber sole", {"title": "Sneakers", "features": ["suede heel", "rubber sole"]}),
        ("Wardrobe: two doors; three drawers", {"title": "Wardrobe", "features": ["two doors", "three drawers"]}),
        ("Sleeves: long; collar: round", {"attributes": {"Sleeves": "long", "collar": "round"}}),
        ("Colours: red, blue", {"attributes": {"Colours": "red, blue"}}),
        ("Brand: Nordlund, Bergen", {"brand": "Nordlund, Bergen"}),
    ],
)
def test_a_name_before_a_list_is_the_title_unless_it_is_a_known_label(prompt: str, product: ProductInput) -> None:
    assert parse_prompt(prompt) == product
