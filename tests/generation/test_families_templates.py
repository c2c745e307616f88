"""A reply is a template only when no word in it leans on what a slot will hold."""

from __future__ import annotations

from itertools import product
from uuid import UUID

import pytest

from generation.facts import FIELDS, LANGUAGES, LENGTHS, TONES, Brief, Facts, ProductInput, check_text, extract_facts
from generation.families import Family, family_of, fill, has_slots, template_faults
from generation.llm.providers.offline.composing import compose_reply
from generation.llm.replies import compose_missing, split_reply, within_lengths
from generation.prompts import SYSTEM, build_request

BOTTLE: ProductInput = {
    "title": "Alder Bottle Blue 500 ml",
    "brand": "Fernhollow",
    "attributes": {
        "Colour": "Blue",
        "Capacity": "500 ml",
        "Size": "M",
        "Weight": "360 g",
        "Depth": "7 cm",
        "Height": "26 cm",
        "Material": "stainless steel",
        "Warranty": "2 years",
    },
    "features": ["500 ml insulated tank", "Screw lid with carry loop"],
}
FLASCHE: ProductInput = {
    "title": "Alder Flasche Blau",
    "attributes": {"Farbe": "Blau", "Inhalt": "0,5 l", "Gewicht": "360 g", "Material": "Edelstahl"},
}


def family(product: ProductInput, language: str) -> Family:
    found = family_of(extract_facts(product), language)
    assert found is not None
    return found


def faults(text: str, language: str = "en") -> list[str]:
    return template_faults({"description": text}, family(BOTTLE if language == "en" else FLASCHE, language), language)


@pytest.mark.parametrize(
    "text",
    [
        "The Alder Bottle by Fernhollow is made of stainless steel. It holds {{capacity}} and weighs {{weight}}.",
        "This {{color}} bottle has a screw lid with a carry loop.",
        "Available in {{color}}, the bottle holds {{capacity}}.",
        "It is {{depth}} deep and {{height}} high.",
        "- Capacity: {{capacity}}\n- Colour: {{color}}",
        "An insulated tank and no slot at all.",
        "With a height of {{height}}, it comes in size {{size}}.",
    ],
)
def test_plain_sentences_make_a_template(text: str) -> None:
    assert faults(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "It comes in deep {{color}}.",
        "A vivid, {{color}} bottle.",
        "{{color}} like the sea.",
        "The {{color}} of the sea.",
        "{{color}}, a warm shade.",
        "{{color}}ish steel.",
        "A {{size}}-sized bottle.",
        "The perfect {{size}}.",
        "It weighs only {{weight}}.",
        "As small as {{height}}.",
        "It weighs less than {{weight}}.",
        "It holds up to {{capacity}}.",
        "At {{weight}}, it is light enough for every hike.",
        "A generous {{capacity}} bottle.",
        "{{capacity}} is plenty for a day out.",
        "A {{capacity}} ml bottle.",
        "Size {{size}} is our largest.",
        "Available in red and {{color}}.",
        "The 500 ml bottle in {{color}}.",
        "In {{colour}}.",
        "In {{Color}}.",
        "In {{ color }}.",
        "In {color}.",
        "It comes in {{color}} and in three sizes.",
    ],
)
def test_words_that_lean_on_a_slot_are_faults(text: str) -> None:
    assert faults(text) != []


@pytest.mark.parametrize(
    ("text", "is_template"),
    [
        ("Die Flasche aus Edelstahl in {{color}} fasst {{inhalt}}.", True),
        ("Farbe: {{color}}. Sie wiegt {{weight}}.", True),
        ("In tiefem {{color}} gehalten.", False),
        ("Das {{color}}e Gehäuse.", False),
        ("Nur {{weight}} leicht.", False),
        ("Die {{inhalt}}-Flasche.", False),
        ("{{color}} wie das Meer.", False),
    ],
)
def test_german_templates(text: str, is_template: bool) -> None:
    assert (faults(text, "de") == []) is is_template


@pytest.mark.parametrize(
    ("text", "is_template"),
    [
        ("Available in {{color}}.", True),
        ("Colours: {{color}}", True),
        ("This {{color}} mug is made of stoneware.", False),
        ("The mug comes in {{color}} stoneware.", False),
    ],
)
def test_a_list_to_choose_from_describes_no_single_product(text: str, is_template: bool) -> None:
    mug: ProductInput = {"title": "Mug", "attributes": {"Colours": ["red", "blue"], "Material": "stoneware"}}

    assert (template_faults({"description": text}, family(mug, "en"), "en") == []) is is_template


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("product", [BOTTLE, FLASCHE], ids=["English facts", "German facts"])
def test_the_offline_writer_writes_templates_whose_filled_texts_pass(product: ProductInput, language: str) -> None:
    own, found = extract_facts(product), family(product, language)
    for tone, length in ((tone, length) for tone in TONES for length in LENGTHS):
        masked = Brief(found.facts, tone=tone, length=length, language=language, fields=FIELDS)
        template = compose_missing(split_reply(compose_reply(masked), FIELDS), FIELDS, found.facts)

        assert template_faults(template, found, language) == []
        texts = within_lengths(fill(template, found, language))
        assert {len(texts["seo_title"]) <= 70, len(texts["meta_description"]) <= 160} == {True}
        brief = Brief(own, tone=tone, length=length, language=language)
        assert not check_text(texts["description"], brief)


def test_a_whole_family_reads_as_if_written_one_by_one() -> None:
    template = ""
    for color, size in product(("Blue", "Orange", "Olive Green"), ("S", "XL")):
        facts = extract_facts({"title": "Alder Shirt", "attributes": {"Color": color, "Size": size, "Fabric": "linen"}})
        found = family_of(facts, "en")
        assert found is not None
        template = template or compose_reply(Brief(found.facts))

        text = fill({"description": template}, found, "en")["description"]

        assert check_text(text, Brief(facts)) == []
        assert color.lower() in text
        assert size in text.replace(".", "").split()


def request(facts: Facts) -> str:
    return build_request(Brief(facts), workspace_id=UUID(int=0), call_id=UUID(int=0), deadline_seconds=1).prompt


def test_the_rules_for_slots_come_after_what_vendors_cache_and_only_where_there_are_slots() -> None:
    assert "slot" not in SYSTEM
    assert "{{color}} (a colour)" in request(family(BOTTLE, "en").facts)
    assert "500 ml" not in request(family(BOTTLE, "en").facts)
    assert not has_slots(request(extract_facts(BOTTLE)))
