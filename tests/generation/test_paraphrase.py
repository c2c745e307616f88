"""Whether two wordings agree: never for different facts or wishes, mostly for the same in other words."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from pathlib import Path
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.facts import Brief, FactsError, ProductInput, extract_facts
from generation.paraphrase import Wording, difference, wording_of

AGREE_AT_LEAST = 0.85
Pairs = dict[str, list[tuple[str, str]]]
PAIRS: dict[str, Pairs] = tomllib.loads((Path(__file__).parent / "paraphrase_pairs.toml").read_text(encoding="utf-8"))


def of_product(product: ProductInput, **wishes: str) -> Wording:
    return wording_of(replace(Brief(extract_facts(product)), **wishes))  # type: ignore[arg-type]


def of_prompt(prompt: str) -> Wording:
    return of_product({"prompt": prompt})


def agree(one: Wording, other: Wording) -> bool:
    assert (difference(one, other) is None) == (difference(other, one) is None)
    return difference(one, other) is None


@pytest.mark.parametrize("kind", PAIRS["differ"])
def test_one_changed_fact_is_a_difference(kind: str) -> None:
    assert [pair for pair in PAIRS["differ"][kind] if agree(*map(of_prompt, pair))] == []


def test_most_rewordings_agree() -> None:
    pairs = [pair for pairs in PAIRS["same"].values() for pair in pairs]

    missed = [pair for pair in pairs if not agree(*map(of_prompt, pair))]

    assert len(missed) <= len(pairs) * (1 - AGREE_AT_LEAST), missed


def test_the_sets_are_large_enough_to_mean_something() -> None:
    assert sum(map(len, PAIRS["differ"].values())) >= 250
    assert sum(map(len, PAIRS["same"].values())) >= 115


@pytest.mark.parametrize(
    ("prompt", "product"),
    [
        ("Mug, blue, 350 ml", {"title": "Mug", "attributes": {"Color": "blue", "Capacity": "0.35 l"}}),
        ("Waterproof jacket, size M", {"title": "Jacket", "attributes": {"Waterproof": True, "Size": "M"}}),
        ("Wallet with 8 card slots", {"title": "Wallet", "attributes": {"Card slots": 8}}),
        ("Knife with oak handle", {"title": "Knife", "attributes": {"Handle": "oak"}}),
        ("Dumbbell that weighs 5 kg", {"title": "Dumbbell", "attributes": {"Weight": "5000 g"}}),
        ("Drill by Bosch", {"title": "Drill", "brand": "Bosch"}),
        ("Mug without BPA", {"title": "Mug", "attributes": {"BPA": False}}),
    ],
)
def test_labels_and_free_text_meet_where_they_surely_say_the_same(prompt: str, product: ProductInput) -> None:
    assert difference(of_prompt(prompt), of_product(product)) is None


@pytest.mark.parametrize(
    ("prompt", "product"),
    [
        ("Washing machine, 8 kg", {"title": "Washing machine", "attributes": {"Weight": "8 kg"}}),
        ("Mug with blue lid", {"title": "Mug with lid", "attributes": {"Color": "blue"}}),
        ("Red and blue mug", {"title": "Red mug", "attributes": {"Color": "blue"}}),
        ("Red and blue mug", {"title": "Mug", "attributes": {"Color": ["red", "blue"]}}),
        ("Apple phone case", {"title": "Phone case", "brand": "Apple"}),
        ("Mug, blue", {"title": "Mug", "variants": [{"Color": "blue"}, {"Color": "red"}]}),
        ("Mug, blue", {"title": "Mug", "attributes": {"Lid color": "blue"}}),
    ],
)
def test_labels_that_say_something_else_than_the_words_differ(prompt: str, product: ProductInput) -> None:
    assert difference(of_prompt(prompt), of_product(product)) is not None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Dishwasher safe", "Dishwasher safe: no"),
        ("Sugar", "Without: sugar"),
        ("Waterproof", "Waterproof (not)"),
        ("5 perfume", "No. 5 perfume"),
        ("Cards", "Thank you cards"),
        ("Charges in 2 h", "Charges 2 h"),
        ("Charger with battery", "Battery charger"),
        ("Made in China", "China"),
        ("lid < strap", "lid strap"),
        (
            "Bag with red strap with zip and blue strap with pocket",
            "Bag with red strap with pocket and blue strap with zip",
        ),
        ("The lid and the handle are steel", "Steel lid, handle"),
        ("In blue or red", "In blue and red"),
        ("No lid and handle", "Handle, no lid"),
        ("Mug with and without lid", "Mug without lid"),
        ("Cable, 2 m black, 1 m white", "Cable, 2 m, black 1 m, white"),
    ],
)
def test_small_words_and_symbols_are_not_lost(one: str, other: str) -> None:
    """In a list of features, which nothing has taken apart before."""
    assert not agree(*(of_product({"title": "Box", "features": [text]}) for text in (one, other)))
    assert not agree(*(of_product({"title": text}) for text in (one, other)))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Bath robe, terry", "Terry bathrobe"),
        ("Tripod floor lamp", "Floor lamp, tripod"),
        ("Polished wedding ring", "Wedding ring, polished"),
        ("Baby sleeping bag", "Sleeping bag for babies"),
        ("Running shorts with zip pocket", "Running shorts with a zipped pocket"),
        ("Jacket with a zip in L", "Jacket, L, with a zip"),
        ("Sun cream with SPF 30 (150 ml)", "Sun cream, 150 ml, SPF 30"),
        ("Hand cream with almond oil in a 75 ml tube", "Hand cream, 75 ml tube, almond oil"),
        ("Grey and black work trousers", "Work trousers, grey/black"),
        ("Strap, adjustable from 90 to 150 cm", "Adjustable strap, 90-150 cm"),
        ("20 sheets of drawing paper", "Drawing paper, 20 sheets"),
        ("Gloves, leather, 9.5", "Leather gloves, size 9.5"),
        ("Toothpaste tablets, 125", "125 toothpaste tablets"),
        ("USB stick, USB 3.0", "USB 3.0 stick"),
        ("Tent for three", "3-person tent"),
        ("Puzzle mat for up to 1500 pieces", "Puzzle mat, up to 1500 pieces"),
        ("Soap, palm oil free", "Soap without palm oil"),
        ("Muesli sugar free", "Muesli without sugar"),
        ("Belt with a loop for a hammer", "Belt with a hammer loop"),
        ("Fountain for pets holding 2 l", "Pet fountain, 2 l"),
        ("Vase, ribbed. It's 25 cm tall.", "Ribbed vase, 25 cm high"),
        ("Bib, suitable from 6 months", "Bib, 6 months and up"),
        ("Tracker, battery lasts 7 days", "Tracker, battery 7 days"),
        ("Merlot, 2021", "Merlot from 2021"),
        ("Throw in fleece lined with silk", "Fleece throw with silk lining"),
        ("Wardrobe: two doors; 200 cm high", "Wardrobe with 2 doors, height 200 cm"),
        ("Cheese\nMatured: 12 months", "Cheese, matured 12 months"),
        ("Bra\nWashable: By hand", "Bra, washable by hand"),
        ("Galvanised watering can, moulded rose", "Watering can with a molded rose, galvanized"),
        ("Apron with a strap that can be adjusted", "Apron with adjustable strap"),
        ("Trimmer, charges via USB-C", "Trimmer, USB-C charging"),
        ("Lamp, powered by batteries", "Battery-operated lamp"),
        ("Glove that resists heat up to 200 °C", "Glove, heat-resistant to 200 °C"),
        ("Train, for children aged 3 and over", "Train, from 3 years"),
        ("Vest for children aged 3 to 6", "Vest, 3-6 years"),
        ("Camp bed, load up to 150 kg", "Camp bed, holds up to 150 kg"),
        ("Power bank, 20,000 mAh", "Power bank, 20000 mAh"),
        ("Sleeve for 13-inch laptops", "Laptop sleeve, 13 inch"),
        ("Topper for beds of 90 x 200 cm", "Topper, 90 x 200 cm"),
        ("Case with MagSafe for iPhone 15", "Case, iPhone 15, MagSafe"),
        ("Toaster for two slices", "Toaster, two slices"),
        ("Soap with rosemary", "Rosemary soap"),
        ("Grater for cheese", "Cheese grater"),
        ("Hat of merino wool", "Merino hat"),
        ("Hotel made of pine and bamboo", "Hotel, bamboo and pine"),
        ("Lilac belt bag", "Belt bag, lilac"),
        ("Leather card holder", "Card holder in leather"),
        ("Hat knitted by hand", "Handknitted hat"),
        ("Bathrobe, L/XL", "Bathrobe, size L/XL"),
        ("Bra, 75C", "Bra, size 75C"),
        ("Tea infuser: 4.5 cm ball with a chain", "Tea infuser, 4.5 cm ball with a chain"),
        ("Bowl, dishwasher and microwave safe", "Bowl, microwave-safe, dishwasher-safe"),
        ("Drill, two batteries", "Drill with two batteries included"),
        ("Poster of the moon", "Moon poster"),
        ("New arrival: oak lamp", "Oak lamp. Could you write something nice about it?"),
        ("Boards by Kestrel & Pine", "Kestrel & Pine boards"),
    ],
)
def test_a_turn_of_phrase_changes_no_fact(one: str, other: str) -> None:
    assert agree(of_prompt(one), of_prompt(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Tea light holder", "Tea holder, light"),
        ("Cold air fan", "Air fan, cold"),
        ("Double door fridge", "Door fridge, double"),
        ("Raw silk scarf", "Silk scarf, raw"),
        ("Baby doll bed", "Doll bed for babies"),
        ("Toddler bed", "Bed for babies"),
        ("Backpack, 20 l, with an insulated 1 l bottle", "Backpack, 1 l, with an insulated 20 l bottle"),
        ("Backpack with an insulated 1 l bottle", "Backpack, 1 l, with an insulated bottle"),
        ("Jacket, M, with a vest in L", "Jacket, L, with a vest in M"),
        ("Backpack with size M bottle", "Backpack, size M, with bottle"),
        ("Picture, 30 x 40 cm, in linen 40 x 50 cm", "Picture, 40 x 50 cm, in linen 30 x 40 cm"),
        ("Picture, 30 x 40 cm, in cardboard tube 40 x 50 cm", "Picture, 40 x 50 cm, in cardboard tube 30 x 40 cm"),
        ("Cushion filled with goose down", "Cushion filled with down"),
        ("Wine glass, crystal", "Wine, glass crystal"),
        ("Knife set, 5 pieces", "Set of 5 knife sets"),
        ("Mug, red, black lid", "Mug, black, red lid"),
        ("Pan in red and black lid", "Red and black pan, lid"),
        ("Cable 2 m black, 1 m white", "Cable 1 m black, 2 m white"),
        ("Strap, adjustable to 150 cm", "Strap, adjustable from 150 cm"),
        ("Gloves, leather, 9.5", "Gloves, leather, 95"),
        ("Gloves, leather, 20", "20 leather gloves"),
        ("Socks, wool, 3", "Socks, wool, size 3"),
        ("USB stick, USB 3.0", "USB stick, USB 2.0"),
        ("Tent for three", "Three tents"),
        ("Calendar for 2027", "Calendar for 2028"),
        ("Rack for 12 bottles", "Rack with 12 bottles"),
        ("Mat, 1500 pieces", "Mat for up to 1500 pieces"),
        ("Soap with palm, oil free", "Soap without palm oil"),
        ("Vegan soap, palm oil free", "Palm soap, vegan oil free"),
        ("Bag with a holder for the cup", "Bag with a cup for the holder"),
        ("Cup holder for the car", "Car holder for the cup"),
        ("Harness for dogs weighing 10 kg", "Dog harness, 10 kg"),
        ("Lamp with a cable. It is 2 m long.", "Lamp, length 2 m, with a cable"),
        ("Bib, 6 months", "Bib, 6 months and up"),
        ("Throw in fleece lined with silk", "Throw in silk lined with fleece"),
        ("Non-toxic paint", "Toxic paint"),
        ("Non-stick steel pan, coated", "Coated pan, non-steel"),
        ("Stone grey linen apron", "Grey stone linen apron"),
        ("Cheese\nMatured: 12 months", "Cheese, matured 24 months"),
        ("Kids' bike\nFor: Girls", "Kids' bike\nFor: Boys"),
        ("Ring\nStone: blue", "Blue ring, stone"),
        # One word on one side of an ocean, two things on the other.
        ("Blue denim jumper, size 12.", "Blue denim sweater, size 12."),
        ("Black phone, 12 cm.", "Black mobile phone, 12 cm."),
        ("Steel torch, 20 cm.", "Steel flashlight, 20 cm."),
    ],
)
def test_a_turn_of_phrase_that_changes_one_is_a_difference(one: str, other: str) -> None:
    assert not agree(of_prompt(one), of_prompt(other))


def test_one_value_under_two_labels_is_two_facts() -> None:
    weight = of_product({"title": "Shelf", "attributes": {"Weight": "5 kg"}})
    load = of_product({"title": "Shelf", "attributes": {"Maximum load": "5 kg"}})

    assert not agree(weight, load)


def test_two_values_that_could_stand_for_each_other_keep_their_labels() -> None:
    box = of_product({"title": "Box", "attributes": {"Volume": "30 l", "Capacity": "25 l"}})

    assert not agree(box, of_product({"title": "Box", "attributes": {"Volume": "25 l", "Capacity": "30 l"}}))
    assert not agree(box, of_product({"title": "Box", "attributes": {"Capacity": "30 l", "Volume": "25 l"}}))


@pytest.mark.parametrize(
    ("one", "other", "agreed"),
    [
        ("Mention the handle.", "please mention the handle", True),
        ("Mention the handle.", "Do not mention the handle.", False),
        ("Handle first, then the lid", "Lid first, then the handle", False),
        ("No. Mention the lid", "No mention, the lid", False),
    ],
)
def test_wishes_agree_word_by_word_but_for_politeness(one: str, other: str, agreed: bool) -> None:
    for name in ("instructions", "voice"):
        asked, known = (of_product({"title": "Mug"}, **{name: wish}) for wish in (one, other))
        assert agree(asked, known) is agreed


@pytest.mark.parametrize(
    "wish",
    [{"tone": "playful"}, {"language": "de"}, {"length": "short"}, {"channel": "amazon"}, {"keywords": ("cup",)}],
)
def test_another_tone_language_length_channel_or_keyword_is_another_bucket(wish: dict[str, str]) -> None:
    assert of_product({"title": "Mug"}, **wish).bucket != of_product({"title": "Mug"}).bucket


@pytest.mark.parametrize(
    ("one", "other", "agreed"),
    [
        ("Mug ３５０ ml", "Mug 350 ml", True),
        ("Blue\u200b mug", "Blue mug", True),
        ("Blue mug 0,35 l", "Blue mug 350 ml", True),
        ("Вlue mug", "Blue mug", False),  # a Cyrillic letter
        ("Mug 1.500 g", "Mug 1500 g", False),  # 1.5 g in Britain
        ("Mug 3 kg", "Mug −3 kg", False),
    ],
)
def test_look_alikes_never_make_two_facts_one(one: str, other: str, agreed: bool) -> None:
    assert agree(of_prompt(one), of_prompt(other)) is agreed


@pytest.mark.parametrize("filler", ["a, b of c with ", "3-", "x3", "thank you ", "please write a ", "ab"])
def test_long_prompts_agree_with_themselves_alone_and_take_little_time(filler: str) -> None:
    text = f"Mug {filler * 10_000}"[:50_000]
    start = process_time()

    asked, known = of_prompt(text), of_prompt(f"{text[:-9]} blue mug")

    assert not agree(asked, known)
    assert agree(asked, of_prompt(text))
    assert process_time() - start < 1


WORDS = sorted({word for pairs in PAIRS["same"].values() for pair in pairs for text in pair for word in text.split()})


@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=12))
def test_words_in_any_order_are_read_and_agree_with_themselves(words: list[str]) -> None:
    try:
        asked = of_prompt(" ".join(words))
    except FactsError:
        return
    assert Wording.from_kept(asked.bucket, json.loads(json.dumps(asked.kept())), asked.masked) == asked
    assert agree(asked, asked)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Mug, blue, linen sleeve", "Table\nCover: linen\nColour: blue"),
        ("Steel pot, glass lid", "Glass pot, steel lid"),
        ("Jar of honey, 500 g", "Honey jar, 500 g"),
    ],
)
def test_the_same_words_bound_otherwise_differ(one: str, other: str) -> None:
    assert not agree(of_prompt(one), of_prompt(other))


@pytest.mark.parametrize(
    "prompt",
    [
        "Lamp, filling Foam, drop 8 mm, case Not included",
        "Lamp\nFilling: Foam\nDrop: 8 mm\nCase: Not included",
        "Write about our lamp. The drop is 8 mm. The filling is Foam. Case: Not included",
    ],
)
def test_rows_of_a_table_are_known_however_they_are_pasted(prompt: str) -> None:
    table = {"title": "Lamp", "attributes": {"Case": "Not included", "Drop": "8 mm", "Filling": "Foam"}}

    assert agree(of_prompt(prompt), of_product(table))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "prompt",
    [
        "We want to sell an oak desk lamp with a linen shade. Please write the text.",
        "Hello, could you please describe an oak desk lamp with a linen shade?",
        "We have a new product: oak desk lamp with a linen shade",
        "Oak desk lamp with a linen shade - write a description please",
        "I have an oak desk lamp with a linen shade to sell",
        "oak desk lamp / linen shade / please",
    ],
)
def test_what_is_written_around_a_product_is_no_fact(prompt: str) -> None:
    assert agree(of_prompt(prompt), of_prompt("Oak desk lamp, linen shade"))


@given(st.text(max_size=60), st.sampled_from(["zorb", "blue", "7", "not", "+"]))
def test_any_text_is_read_and_one_more_word_is_a_difference(text: str, word: str) -> None:
    try:
        asked = of_product({"title": f"Mug {text}"})
    except FactsError:
        return
    assert Wording.from_kept(asked.bucket, json.loads(json.dumps(asked.kept())), asked.masked) == asked
    assert not agree(asked, of_product({"title": f"Mug {text} Lid {word} zorb"}))


def test_a_difference_is_said_in_the_words_that_make_it() -> None:
    asked, known = of_prompt("Blue mug with lid"), of_prompt("Blue mug, matte, with lid")

    assert difference(asked, known) == "“matte” stands only in the earlier request."
    assert difference(of_prompt("Dog bowl for cats"), of_prompt("Cat bowl for dogs")) is not None


def test_what_ranks_candidates_holds_no_facts() -> None:
    assert of_prompt("Blue hiking jacket for women, 350 g, size M").masked == "hiking jacket"
