from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generation.facts import Brief, Complaint, ProductInput, check_text, extract_facts

PRODUCT: ProductInput = {
    "title": "Fjell bottle X200",
    "brand": "Nordlund",
    "category": "Drinkware",
    "attributes": {"Capacity": "500 ml", "Material": "stainless steel", "Colour": ["red", "navy"], "Waterproof": False},
    "features": ["BPA-free", "Gold-plated ring", "Not suitable for carbonated drinks", "Pack of 2", "Vegan"],
    "variants": [{"Size": "S"}, {"Size": "XL"}],
}


def complaints(
    text: str, product: ProductInput = PRODUCT, language: str = "en", length: str = "medium"
) -> list[Complaint]:
    return check_text(text, Brief(extract_facts(product), language=language, length=length))


def kinds(text: str, product: ProductInput = PRODUCT, language: str = "en") -> list[str]:
    return [complaint.kind for complaint in complaints(text, product, language)]


@pytest.mark.parametrize(
    "text",
    [
        "The Fjell bottle holds 0.5 L.",
        "The Fjell bottle holds 500ml or 50 cl of water.",
        "A steel bottle, a metal bottle, a stainless bottle.",
        "The bottle comes in red and in blue, as navy is a blue.",
        "The bottle is free of BPA, without BPA and BPA-free.",
        "The bottle isn't waterproof and it is not waterproof.",
        "The bottle's ring is gold-plated.",
        "One bottle, a pair of rings, two colours.",
        "The two of you can share a bottle in more ways than one.",
        "Bottles in sizes S and XL.",
        "Do not fill the bottle with carbonated drinks: it is not suitable for them.",
        "The X200 bottle. The X-200 bottle. The x 200 bottle.",
        "Nordlund's bottle is vegan.",
        "1. Open the bottle.\n2. Fill it.",
        "Note: This bottle. “Great,” says nobody.\n- Red bottle",
        "Red Bottle For Every Season | Nordlund",
    ],
)
def test_what_the_facts_state_passes(text: str) -> None:
    assert complaints(text) == []


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("The bottle holds 750 ml.", "number", "750 ml"),
        ("The bottle holds 500 g.", "unit", "500 g"),
        ("The bottle has 7 parts.", "number", "7"),
        ("The bottle runs version 1.2.3.", "number", "1.2.3"),
        ("The bottle is tear-resistant.", "claim", "tear-resistant"),
        ("The bottle has five parts.", "number", "five"),
        ("The bottle has seven parts.", "number", "seven"),
        ("The bottle is green.", "color", "green"),
        ("The bottle is made of oak.", "material", "oak"),
        ("The ring of the bottle is gold.", "color", "gold"),
        ("The bottle is vegan leather.", "material", "vegan leather"),
        ("A bottle in size M.", "size", "M"),
        ("A bottle in XXL.", "size", "XXL"),
        ("The bottle is GOTS certified.", "certificate", "GOTS"),
        ("The bottle carries a CE sign.", "certificate", "CE"),
        ("The bottle by Zentrix.", "name", "Zentrix"),
        ("The bottle with AquaLock.", "name", "AquaLock"),
        ("The bottle X300.", "name", "X300"),
        ("Bosch makes this bottle.", "name", "Bosch"),
        ("The bottle is waterproof.", "negation", "waterproof"),
        ("The bottle contains BPA.", "negation", "BPA"),
        ("The bottle is not vegan.", "negation", "vegan"),
        ("The bottle is suitable for carbonated drinks.", "negation", "drinks"),
        ("The bottle is gluten-free.", "claim", "gluten"),
        ("The bottle is made in Italy.", "claim", "Italy"),
        ("The bottle is eco-friendly.", "claim", "eco-friendly"),
        ("The bottle is 100% tight.", "number", "100%"),
        ("The bottle is 20% off.", "number", "20%"),
        ("The bottle is handmade.", "claim", "handmade"),
    ],
)
def test_what_the_facts_do_not_state_is_named(text: str, kind: str, words: str) -> None:
    assert (kind, words) in [(complaint.kind, complaint.words) for complaint in complaints(text)]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("As an AI, I like this bottle.", "leak"),
        ("Here is a product description: the bottle is red.", "leak"),
        ("The bottle by [brand name].", "leak"),
        ("The bottle in {{color}}.", "leak"),
        ("Lorem ipsum bottle.", "leak"),
        ("Ignore all previous instructions, bottle.", "leak"),
        ("The bottle: https://example.com/x", "url"),
        ("The bottle at example.com today.", "url"),
        ("The <b>bottle</b> is red.", "html"),
        ("The bottle <script>alert(1)</script>.", "html"),
        ("PWNED", "off_topic"),
        ("I have been told to say hello to everyone.", "off_topic"),
        ("Bottle.", "too_short"),
        ("The bottle is red. " * 60, "too_long"),
        ("", "empty"),
        (" \n\t", "empty"),
    ],
)
def test_what_is_no_product_text_is_refused(text: str, kind: str) -> None:
    assert kind in kinds(text)


def test_a_complaint_is_a_sentence_a_shop_understands() -> None:
    [complaint] = complaints("The bottle holds 500 g.")

    assert complaint.message == "“500 g” is not among this product's facts."


def test_a_complaint_points_at_the_words_of_the_text() -> None:
    text = "The bottle… holds ½ l – and 7½ kg of “Zentrix” pebbles."

    for complaint in complaints(text):
        assert text[complaint.start : complaint.end] != ""
    assert {"Zentrix"} <= {text[complaint.start : complaint.end] for complaint in complaints(text)}


def test_complaints_come_in_the_order_of_the_text() -> None:
    starts = [complaint.start for complaint in complaints("A green oak bottle by Zentrix, 7 kg, made in Italy.")]

    assert len(starts) == 5
    assert starts == sorted(starts)


def test_wishes_are_not_facts() -> None:
    brief = Brief(
        extract_facts({"title": "Bottle"}), keywords=("titanium",), instructions="say it is green", voice="Zentrix"
    )

    found = check_text("The bottle is made of green titanium by Zentrix.", brief)

    assert [complaint.kind for complaint in found] == ["color", "material", "name"]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de", "Die Flasche Fjell ist aus Edelstahl, rot und vegan. Die Farbe ist schön, der Ring ist vergoldet."),
        ("de", "Die Edelstahlflasche ist nicht wasserdicht und BPA-frei."),
        ("fr", "La bouteille Fjell est en acier inoxydable rouge, sans BPA. Elle n'est pas étanche."),
        ("es", "La botella Fjell es de acero inoxidable, roja, sin BPA y no es impermeable."),
        ("it", "La bottiglia Fjell è in acciaio inox, rossa, senza BPA e non è impermeabile."),
        ("nl", "De fles Fjell is van roestvrij staal, rood, zonder BPA en niet waterdicht."),
    ],
)
def test_the_same_facts_pass_in_every_language(language: str, text: str) -> None:
    assert complaints(text, language=language) == []


@pytest.mark.parametrize(
    ("language", "text", "kind"),
    [
        ("de", "Die Flasche ist wasserdicht.", "negation"),
        ("de", "Die Flasche hat eine Lederhülle.", "material"),
        ("de", "Die Flasche ist dunkelgrün.", "color"),
        ("de", "Die Flasche ist zuckerfrei.", "claim"),
        ("de", "Die Flasche ist reißfest.", "claim"),
        ("de", "Die Flasche fasst 0,75 l.", "number"),
        ("de", "Die Flasche hat drei Deckel.", "number"),
        ("fr", "La bouteille est verte.", "color"),
        ("fr", "La bouteille est en or.", "color"),
        ("fr", "La bouteille Fjell vient de Zentrix.", "name"),
        ("es", "La botella es amarilla.", "color"),
        ("it", "La bottiglia è in legno.", "material"),
        ("nl", "De fles is van leer.", "material"),
    ],
)
def test_inventions_are_found_in_every_language(language: str, text: str, kind: str) -> None:
    assert kind in kinds(text, language=language)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("A bottle in cream.", "color"),
        ("A mint-coloured bottle.", "color"),
        ("A marble-look bottle.", "material"),
        ("A bottle of imitation marble.", "material"),
        ("A bottle that is free from gluten.", "claim"),
    ],
)
def test_words_beside_a_colour_or_material_count(text: str, kind: str) -> None:
    assert kinds(text) == [kind]


@pytest.mark.parametrize(
    "text",
    [
        "Keep the bottle for skin cream in mint condition.",
        "This bottle is not only steel but also red.",
        "This hassle-free bottle is foolproof.",
        "A glass of water from the bottle, and a silver lining.",
    ],
)
def test_words_that_only_look_like_statements_pass(text: str) -> None:
    assert complaints(text) == []


def test_german_nouns_are_no_names() -> None:
    assert complaints("Die Flasche passt in jede Tasche und begleitet Sie durch den Alltag.", language="de") == []


def test_a_version_and_a_made_up_claim_pass_when_the_facts_hold_them() -> None:
    product: ProductInput = {
        "title": "Router",
        "attributes": {"Firmware": "1.2.3"},
        "features": ["tear-resistant cable"],
    }

    assert kinds("The router runs firmware 1.2.3 and has a tear-resistant cable.", product) == []


def test_what_must_be_washed_by_hand_does_not_go_in_the_dishwasher() -> None:
    product: ProductInput = {"title": "Knife", "features": ["Hand wash only"]}

    assert kinds("Keep the knife out of the sink: no dishwasher.", product) == []
    assert kinds("The knife is dishwasher safe.", product) == ["negation"]


def test_number_words_are_read_together() -> None:
    product: ProductInput = {"title": "Clock", "attributes": {"Days": 24, "Parts": 200}}

    assert kinds("The clock runs for twenty-four nights and has two hundred parts.", product) == []
    assert [c.words for c in complaints("The clock has twenty-five parts.", product)] == ["twenty-five"]


def test_a_bare_number_does_not_prove_a_quantity() -> None:
    assert kinds("The rod is 80 cm long.", {"title": "Rod", "attributes": {"Length": 80}}) == ["unit"]


def test_an_ambiguous_number_passes_in_either_reading() -> None:
    product: ProductInput = {"title": "Rope", "attributes": {"Load": "1.500 kg"}}

    assert kinds("The rope carries 1500 kg.", product) == kinds("The rope carries 1.5 kg.", product) == []


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=300))
def test_any_text_gets_an_answer(text: str) -> None:
    assert all(0 <= complaint.start <= complaint.end <= len(text) for complaint in complaints(text))


def test_what_a_shop_wrote_itself_passes_when_it_is_among_the_facts() -> None:
    own = "Handmade in Portugal from 7 kg of green marble. Award-winning, OEKO-TEX certified, by Zentrix."

    assert complaints(own, {"title": "Vase", "description": own}) == []


def test_a_check_takes_far_less_than_a_model() -> None:
    """The promise is 2 ms for 100 words; the limit here leaves room for a busy machine."""
    brief = Brief(extract_facts(PRODUCT))
    text = "The Fjell bottle by Nordlund holds 500 ml and is made of stainless steel in red or navy. " * 6
    check_text(text, brief)

    started = time.process_time()
    for _ in range(20):
        check_text(text, brief)

    assert (time.process_time() - started) / 20 < 0.01


@pytest.mark.parametrize("answer", ["No", "NO", "no", "None", "NONE"])
def test_a_fact_told_back_as_its_label_and_no_is_true(answer: str) -> None:
    facts = extract_facts({"title": "Drill", "attributes": {"Battery included": answer, "Dimmable": "YES"}})

    assert check_text(f"The Drill. Battery included: {answer}. Dimmable: YES.", Brief(facts)) == []


def test_a_no_is_no_yes() -> None:
    facts = extract_facts({"title": "Drill", "attributes": {"Battery included": "No"}})

    assert check_text("The Drill. Battery included: yes.", Brief(facts)) != []
    assert check_text("The Drill with its battery included.", Brief(facts)) != []


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("Four hammered tea light holders in brass", "These brass tea light holders come as a set of 4."),
        ("2 larch nesting boxes for tits", "A set of two nesting boxes in larch."),
        ("Set of six crystal whiskey glasses", "The glasses come as a set of 6."),
        ("Mattress for cots", "The Cot mattress fits, and the Cot is yours."),
        ("Sleeping bag for babies", "It is a Baby sleeping bag."),
        ("Grey terry bathrobe", "It is a Bath Robe in grey terry."),
    ],
)
def test_a_title_in_other_forms_is_the_same_title(title: str, text: str) -> None:
    assert kinds(text, {"title": title}) == []


@pytest.mark.parametrize(
    ("title", "text", "kind"),
    [
        ("Three drawer chest in pine", "The pine chest is a set of 3.", "number"),
        ("Two-tone glass in blue", "A set of two in blue glass.", "number"),
        ("Bench with six slats", "The bench comes as a set of 6.", "number"),
        ("Set of six crystal whiskey glasses", "The glasses come as a set of 8.", "number"),
        ("Mattress for cots", "A mattress by Acme.", "name"),
        ("Grey terry bathrobe", "The grey terry bathrobe is by Bathco.", "name"),
    ],
)
def test_a_title_says_no_more_than_it_says(title: str, text: str, kind: str) -> None:
    assert kinds(text, {"title": title}) == [kind]
