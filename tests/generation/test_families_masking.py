"""Which facts become slots, and which products share a family."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generation.facts import LANGUAGES, Facts, extract_facts
from generation.facts.folding import fold
from generation.facts.product import AttributeValue
from generation.families import Family, family_of, fill, has_slots


def facts_of(title: str = "Thing", features: Sequence[str] = (), **attributes: AttributeValue) -> Facts:
    named: dict[str, AttributeValue] = {label.replace("_", " "): value for label, value in attributes.items()}
    return extract_facts({"title": title, "attributes": named, "features": [*features]})


def family(facts: Facts, language: str = "en") -> Family:
    found = family_of(facts, language)
    assert found is not None
    return found


def shirt(**changes: str) -> Facts:
    attributes: dict[str, AttributeValue] = {"Colour": "Navy Blue", "Size": "XL", "Material": "cotton", "SKU": "MT-77"}
    attributes |= {"Weight": "180 g"} | changes
    return extract_facts(
        {
            "title": f"Alder T-Shirt - {attributes['Colour']} / {attributes['Size']}",
            "brand": "Marlowe",
            "attributes": attributes,
            "features": [f"Weighs {attributes['Weight']}", "Crew neck"],
        }
    )


def test_a_values_every_place_becomes_its_slot() -> None:
    found = family(shirt())

    assert found.facts.title == "Alder T-Shirt - {{color}} / {{size}}"
    assert "Feature: Weighs {{weight}}" in found.facts.source
    assert "Material: cotton" in found.facts.source
    assert dict(found.values) == {"color": "navy blue", "size": "XL", "sku": "MT-77", "weight": "180 g"}


@pytest.mark.parametrize(
    ("facts", "title"),
    [
        (facts_of("Candles, pack of 6", Pack_size=6), "Candles, pack of {{pack_size}}"),
        (facts_of("Candles, set of 6", Contents="6 pcs"), "Candles, set of {{contents}}"),
        (facts_of("Vest with 3 pockets and 3 rings", Pockets=3), "Vest with {{pockets}} pockets and 3 rings"),
        (facts_of("SSD 500GB X-200", Storage="500 GB", Model="X-200"), "SSD {{storage}} {{model}}"),
        (facts_of("Towel 60x120 cm", Size="60 x 120 cm", Width="60 cm"), "Towel {{size}}"),
        (facts_of("Shoe (42)", Size=42), "Shoe ({{size}})"),
        (facts_of("Model M keyboard, size M", Size="M", Color="Blue"), "Model M keyboard, size M"),
    ],
)
def test_a_title_gives_way_where_it_surely_says_the_same(facts: Facts, title: str) -> None:
    assert family(facts).facts.title == title


@pytest.mark.parametrize(
    "changes",
    [
        {"Weight": "1 kg"},
        {"Colour": "Red"},
        {"Size": "M"},
        {"Weight": "0.2 kg"},
        {"SKU": "X9-1"},
        {"Colour": "Moss", "Size": "S"},
    ],
)
def test_siblings_that_differ_in_slots_alone_share_a_family(changes: dict[str, str]) -> None:
    assert family(shirt(**changes)).key == family(shirt()).key
    assert family(shirt(**changes)).values != family(shirt()).values


@pytest.mark.parametrize(
    "changes",
    [{"Material": "linen"}, {"Size": "180 cm"}, {"Colour": "assorted"}, {"Weight": "heavy"}, {"Pockets": "2"}],
    ids=["material", "another kind of size", "no colour", "no quantity", "one fact more"],
)
def test_any_other_difference_is_another_family(changes: dict[str, str]) -> None:
    assert family(shirt(**changes)).key != family(shirt()).key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (facts_of(Pockets=1), facts_of(Pockets=2)),
        (facts_of(Color="Red"), facts_of(Color=["Red", "Blue"])),
        (facts_of(Capacity="500 ml"), facts_of(Capacity="500 g")),
        (facts_of(Warranty="1 year"), facts_of(Warranty="2 years")),
    ],
    ids=["singular", "list", "measure", "unit word"],
)
def test_grammar_is_part_of_the_key(one: Facts, other: Facts) -> None:
    assert family(one).key != family(other).key


@pytest.mark.parametrize(
    ("facts", "language", "filled"),
    [
        (facts_of(Color="Blue"), "de", "Blau"),
        (facts_of(Farbe="Dunkelrot"), "de", "Dunkelrot"),
        (facts_of(Farbe="rot"), "fr", "rouge"),
        (facts_of(Color=["Black", "White", "Red"]), "es", "negro, blanco y rojo"),
        (facts_of(Colour="black/white"), "nl", "zwart en wit"),
        (facts_of(Colour="Heather grey"), "en", "heather grey"),
        (facts_of(Capacity="0.5 L"), "de", "0,5 L"),
        (facts_of(Capacity="0,5 l"), "en", "0.5 l"),
        (facts_of(Warranty="2 years"), "it", "2 anni"),
        (facts_of(Warranty="1 Jahr"), "fr", "1 an"),
        (facts_of(Contents="3 pcs"), "de", "3 Stück"),
        (facts_of(Size="Size M"), "en", "M"),
        (facts_of(Size="60 x 120 cm"), "en", "60 × 120 cm"),
        (facts_of(Weight="900.0 g"), "en", "900 g"),
        (facts_of(Color="Navy Blue"), "de", "Marine"),
        (facts_of(Color="Olive"), "en", "olive"),
        (facts_of(Dimensions="Ø 14 x 24 cm"), "en", "Ø 14 × 24 cm"),
        (facts_of(Shoe_size="L"), "en", "L"),
        (facts_of(Power="５０ W"), "en", "50 W"),
    ],
)
def test_a_slot_is_filled_in_the_language_of_the_text(facts: Facts, language: str, filled: str) -> None:
    assert [text for _, text in family(facts, language).values] == [filled]


@pytest.mark.parametrize(
    ("facts", "language"),
    [
        (facts_of(Material="oak", Waterproof=False), "en"),
        (facts_of(Color="Maroon"), "de"),
        (facts_of(Color="Moss"), "fr"),
        (facts_of(Color="Grey lid"), "en"),
        (facts_of(Color="n/a"), "en"),
        (facts_of(Power="1,500 W"), "de"),
        (facts_of(Alcohol="0 %"), "en"),
        (facts_of("Blaue Tasse", Farbe="Blau"), "de"),
        (facts_of("Blue-grey mug", Color="Blue"), "en"),
        (facts_of("Vest", ("Three pockets",), Pockets=3), "en"),
        (facts_of("{{size}} mug", Color="Blue"), "en"),
        (facts_of("Mug", Color="{{color}}", Size="M"), "en"),
    ],
    ids=[
        "nothing differs",
        "a shade without a name there",
        "a name in another language",
        "a part's colour",
        "none",
        "a number read in two ways",
        "zero",
        "inflected elsewhere",
        "within a longer word",
        "told in words elsewhere",
        "braces in the title",
        "braces in a value",
    ],
)
def test_what_cannot_stand_in_a_slot_stays_a_fact(facts: Facts, language: str) -> None:
    assert family_of(facts, language) is None


def test_labels_that_spell_alike_keep_slots_of_their_own() -> None:
    alike: dict[str, AttributeValue] = {"Größe A": "2 cm", "Grosse A": "3 cm", "A": "4 cm"}
    found = family(extract_facts({"attributes": alike}), "de")

    assert len({name for name, _ in found.values}) == len(found.values) == 3


def test_what_variants_choose_by_stays_known_and_how_many_does_not() -> None:
    def shop(*variants: dict[str, str]) -> Family:
        return family(extract_facts({"title": "Mug", "variants": list(variants)}))

    two = shop({"Color": "Red", "Shape": "tall"}, {"Color": "Blue", "Shape": "wide"})
    three = shop(
        {"Color": "Red", "Shape": "tall"}, {"Color": "Blue", "Shape": "wide"}, {"Color": "Black", "Shape": "wide"}
    )
    other = shop({"Color": "Red", "Shape": "tall"}, {"Color": "Blue", "Shape": "flat"})

    assert two.key == three.key != other.key
    assert two.facts.option_labels == ("color", "shape")


def test_a_value_too_long_to_be_shown_keeps_its_products_apart() -> None:
    first, second = (
        extract_facts({"attributes": {"Color": "Blue"}, "description": f"{'blue word ' * 600}{end}"}) for end in "ab"
    )

    assert family(first).key != family(second).key


words = st.sampled_from(["Alder", "mug", "with", "lid", "Set", "for", "tea", "XL", "S", "2", "in", "blau", "1/2"])
colors = st.sampled_from(["Blue", "navy", "Moss", "Dark Green", "rot", "weiß", "black/white", "bleu"])
sizes = st.sampled_from(["M", "XL", "42", "38/40", "60 x 120 cm", "500 ml", "Size S", "large"])
amounts = st.builds("{} {}".format, st.integers(1, 999), st.sampled_from(["ml", "g", "cm", "years", "pcs", "W"]))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(words | colors | sizes | amounts, min_size=1, max_size=7),
    colors,
    sizes,
    amounts,
    st.sampled_from(LANGUAGES),
)
def test_masked_facts_filled_with_their_values_are_the_facts(
    title: list[str], color: str, size: str, amount: str, language: str
) -> None:
    facts = extract_facts({"title": " ".join(title), "attributes": {"Color": color, "Size": size, "Capacity": amount}})
    found = family_of(facts, language)
    if found is None:
        return

    filled = fill({"title": found.facts.title, "source": found.facts.source}, found, language)

    assert not any(has_slots(text) or "{" in text or "}" in text for text in filled.values())
    # Only a colour in another language and another spelling of an equal measure may read differently.
    own = {fold(word) for word in f"{facts.title} {' '.join(text for _, text in found.values)}".split()}
    assert {fold(word) for word in filled["title"].split()} <= own


@settings(max_examples=60, deadline=None)
@given(
    st.lists(words, min_size=1, max_size=5),
    st.sampled_from(["Blue", "Navy", "Dark Green"]),
    st.sampled_from(["M", "XL"]),
)
def test_a_title_comes_back_as_it_was(words_: list[str], color: str, size: str) -> None:
    facts = extract_facts(
        {"title": f"Mug {' '.join(words_)} {color} {size}", "attributes": {"Color": color, "Size": size}}
    )
    found = family_of(facts, "en")

    if found is not None:
        assert fold(fill({"title": found.facts.title}, found, "en")["title"]) == fold(facts.title)


@pytest.mark.parametrize(
    ("label", "one", "other"),
    [
        ("Scent", "Fig", "SANDALWOOD"),
        ("Made in", "Kenya", "peru"),
        ("Flavour", "Earl Grey", "vanilla"),
        ("Glaze", "ochre", "white"),
        ("Size", "xl", "S"),
        ("Size", "A4", "A2"),
        ("Weight", "800 g", "1,000 g"),
        ("Power", "800 W", "15 watts"),
        ("Colour temperature", "2700 K", "4,000 K"),
        ("Glaze", "ochre", "speckled white"),
        ("Motif", "Hare", "CORAL"),
        ("Handle", "Olive wood", "walnut"),
        ("Nib", "M", "ef"),
        ("Size", "One size", "CHILD"),
    ],
)
def test_what_else_differs_inside_a_family_is_a_slot(label: str, one: str, other: str) -> None:
    families = [
        family_of(extract_facts({"title": "Tidal", "attributes": {label: value}}), "en") for value in (one, other)
    ]
    assert families[0]
    assert families[1]
    assert families[0].key == families[1].key
    assert [dict(family.values).popitem()[1].lower() for family in families if family] == [one.lower(), other.lower()]


def test_a_name_in_a_language_that_its_label_is_not_of_stays_as_it_is() -> None:
    facts = extract_facts({"title": "Tidal", "attributes": {"Duft": "Feige"}})
    assert family_of(facts, "en") is None
