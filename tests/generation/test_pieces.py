"""What of a reply is shown while it is written, however it is cut into pieces."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import pytest

from generation.facts import extract_facts
from generation.families import CannotFill, Family, family_of
from generation.families.filling import Filling, fill
from generation.llm.pieces import DescriptionPieces

SEEDS = range(20)


def cut(text: str, seed: int) -> list[str]:
    """At places that differ with the seed; the first seed takes single characters."""
    choose = random.Random(seed)
    places = sorted(choose.sample(range(1, len(text)), k=min(len(text) - 1, seed * 3))) or range(1, len(text))
    bounds = [0, *places, len(text)]
    return [text[start:end] for start, end in pairwise(bounds)]


def shown(text: str, seed: int) -> str:
    pieces = DescriptionPieces()
    return "".join([*map(pieces.feed, cut(text, seed)), pieces.close()])


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("reply", "description"),
    [
        ("A linen apron.\n\nIt has two pockets.", "A linen apron.\n\nIt has two pockets."),
        ("An apron.\n\nSEO title: Apron\nMeta description: An apron.", "An apron.\n\n"),
        ("An apron.\n**Meta description:** An apron.", "An apron.\n"),
        ("An apron.\n- SEO_title: Apron", "An apron.\n"),
        ("Seaweed green.\nMetal clasp.\nSeo", "Seaweed green.\nMetal clasp.\nSeo"),
        ("Our seo title: none.", "Our seo title: none."),
    ],
)
def test_labelled_lines_are_not_shown(reply: str, description: str, seed: int) -> None:
    assert shown(reply, seed) == description


def test_words_are_not_held_back_longer_than_they_may_be_a_label() -> None:
    pieces = DescriptionPieces()

    assert [pieces.feed(piece) for piece in ("Se", "a", "weed", "\n", "Met", "al")] == [
        "",
        "Sea",
        "weed",
        "\n",
        "",
        "Metal",
    ]


def family(language: str, **attributes: Any) -> Family:
    found = family_of(extract_facts({"title": "Linen Apron", "attributes": attributes}), language)
    assert found
    return found


CASES = [
    ("en", {"Color": "orange", "Size": "XL"}, "A {{color}} apron. Size: {{size}}, in {{color}}. {{color}} it is."),
    ("en", {"Capacity": "8 l"}, "It holds {{capacity}}.\n\nA {{capacity}} pot, a  {{capacity}} one."),
    ("fr", {"Couleur": "orange"}, "Un tablier de {{color}} pur, {{color}} et de {{color}}."),
    ("es", {"Color": "índigo"}, "Blanco y {{color}} o {{color}}. {{color}}."),
]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("language", "attributes", "template"), CASES)
def test_template_is_filled_on_the_way_as_it_is_at_the_end(
    language: str, attributes: dict[str, str], template: str, seed: int
) -> None:
    of = family(language, **attributes)
    whole = fill({"description": template}, of, language)["description"]
    filling, given = Filling(of, language), ""

    for piece in cut(template, seed):
        given += filling.feed(piece)
        assert whole.startswith(given)
    assert given + filling.close() == whole
    assert "{" not in whole


def test_half_a_slot_is_never_given_away() -> None:
    filling = Filling(family("en", Color="sand"), "en")

    given = [filling.feed(piece) for piece in ("An apron in {", "{col", "or}}", " linen", " with")]

    assert given == ["An apron ", "", "", "", "in sand "]


def test_slot_that_nothing_fills_ends_it() -> None:
    filling = Filling(family("en", Color="sand"), "en")

    with pytest.raises(CannotFill):
        filling.feed("An apron in {{size}} and more words")
