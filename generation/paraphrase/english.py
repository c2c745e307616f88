"""What only English texts need: compounds, postpositions and plurals go by other rules elsewhere."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from generation.facts.lexicon.modifiers import COLORS_IN_CONTEXT
from generation.facts.lexicon.tables import concepts
from generation.paraphrase.lexicon.tables import ENGLISH, words_in
from generation.paraphrase.values import english_value_words


@dataclass(frozen=True, slots=True)
class English:
    adjective_ends: tuple[str, ...]
    no_adjectives: frozenset[str]
    adjectives_behind: frozenset[str]
    adjectives_before: frozenset[str]
    purposes: frozenset[str]
    accessories: frozenset[str]
    animals: frozenset[str]
    animal_gear: frozenset[str]
    color_modifiers: frozenset[str]
    material_modifiers: frozenset[str]
    surfaces: frozenset[str]
    nouns: frozenset[str]
    material_nouns: frozenset[str]
    things: frozenset[str]
    fabrics: frozenset[str]
    containers: frozenset[str]
    parts: frozenset[str]
    measured_before: dict[str, str]
    measured_behind: dict[tuple[str, ...], str]
    materials: dict[str, str]
    irregular: dict[str, str]
    kept_plurals: frozenset[str]
    derived: dict[str, str]
    light: frozenset[str]
    features: frozenset[str]
    values: frozenset[str]  # the words of colours and materials
    hard_values: frozenset[str]  # those that name one alone, not the bottle of "bottle green"
    origins: frozenset[str]
    places: frozenset[str]
    holders: frozenset[str]
    vessels: frozenset[str]
    drinks: frozenset[str]
    context_colors: frozenset[str]
    described: frozenset[str]  # nouns that an adjective before them is said of, whatever follows
    worn: frozenset[str]
    qualities: dict[str, frozenset[str]]  # of some of these: the only words that are
    of_whole: frozenset[str]  # adjectives that say the same of a thing and of its material
    verbs: frozenset[str]  # as "reaching 8 bar" has them
    manners: frozenset[str]
    numbered: frozenset[str]
    tints: frozenset[str]  # colours that are other things as well, fabrics, patterns, scents and flavours
    consumed: frozenset[str]
    utensils: frozenset[str]
    named_devices: frozenset[str]
    bodies: frozenset[str]
    cosmetics: frozenset[str]
    inserts: frozenset[str]
    patterned: frozenset[str]
    called_by_ingredient: frozenset[str]
    ingredients: frozenset[str]
    devices: frozenset[str]
    device_holders: frozenset[str]
    beds: frozenset[str]
    bedding: frozenset[str]
    verb_names: frozenset[str]
    generic: dict[str, frozenset[str]]  # "wood" -> beech, which says it without that word
    takes: dict[str, frozenset[str]]  # thing -> what takes so many of it
    heads: dict[tuple[str, ...], str]
    usual: dict[str, tuple[str, ...]]  # thing -> sides


@cache
def english() -> English:
    tables = words_in(ENGLISH)

    def words(table: str, part: str = "words") -> frozenset[str]:
        return frozenset(tables[table][part])

    return English(
        adjective_ends=tuple(tables["properties"]["endings"]),
        no_adjectives=words("properties", "nouns"),
        adjectives_behind=words("properties", "behind"),
        adjectives_before=words("properties", "before"),
        purposes=words("purposes", "any"),
        accessories=words("purposes", "accessories"),
        animals=words("purposes", "animals"),
        animal_gear=words("purposes", "animal_gear"),
        color_modifiers=words("modifiers", "color"),
        material_modifiers=words("modifiers", "material"),
        surfaces=words("modifiers", "after"),
        nouns=words("modifiers", "nouns"),
        material_nouns=words("modifiers", "material_nouns"),
        things=words("modifiers", "things"),
        fabrics=words("modifiers", "fabrics"),
        parts=words("parts"),
        containers=words("containers"),
        measured_before={form: side for side, forms in tables["measured"]["before"].items() for form in forms},
        measured_behind={
            tuple(form.split()): side for side, forms in tables["measured"]["behind"].items() for form in forms
        },
        materials=tables["materials"],
        irregular=tables["plurals"]["irregular"],
        kept_plurals=words("plurals", "kept"),
        derived={form: noun for part in ("derived", "verbs") for noun, forms in tables[part].items() for form in forms},
        light=words("light"),
        features=words("features"),
        values=frozenset(english_value_words()),
        hard_values=frozenset(english_value_words(most=1)),
        origins=frozenset(concepts("origins")),
        tints=frozenset((*COLORS_IN_CONTEXT, *words("modifiers", "fabrics"), *words("flavors"), *words("patterns"))),
        verbs=frozenset(form for forms in tables["verbs"].values() for form in forms),
        manners=words("manners"),
        numbered=words("numbered"),
        holders=words("holders"),
        drinks=words("holders", "drinks"),
        vessels=words("holders", "vessels"),
        described=frozenset(_described(tables)),
        worn=words("worn"),
        qualities={noun: frozenset(fitting) for noun, fitting in tables["described"]["qualities"].items()},
        of_whole=words("described", "of_whole"),
        context_colors=frozenset(COLORS_IN_CONTEXT),
        places=words("places"),
        consumed=words("consumed"),
        named_devices=words("named_devices"),
        utensils=words("utensils"),
        bodies=words("bodies"),
        cosmetics=words("cosmetics"),
        inserts=words("inserts"),
        patterned=words("patterned"),
        called_by_ingredient=words("cosmetics", "called_by_ingredient"),
        ingredients=frozenset((*words("cosmetics", "ingredients"), *words("flavors"))),
        devices=words("sized_by", "devices"),
        device_holders=words("sized_by", "holders"),
        beds=words("sized_by", "beds"),
        bedding=words("sized_by", "bedding"),
        verb_names=frozenset(tables["verbs"]),
        generic={name: frozenset(materials) for name, materials in tables["generic"].items()},
        takes={thing: frozenset(takers) for thing, takers in tables["takes"].items()},
        heads={tuple(form.split()): head for head, forms in tables["heads"].items() for form in forms},
        usual=_by_thing(tables["usual"]),
    )


def _described(tables: dict[str, Any]) -> Iterator[str]:
    yield from tables["described"]["words"]
    yield from tables["consumed"]["words"]
    yield from tables["features"]["words"]
    yield from tables["parts"]["words"]
    yield from tables["purposes"]["animals"]
    yield from tables["containers"]["words"]
    yield from tables["modifiers"]["things"]
    yield from english_value_words()


def _by_thing(sides: dict[str, list[str]]) -> dict[str, tuple[str, ...]]:
    found: defaultdict[str, tuple[str, ...]] = defaultdict(tuple)
    for side, things in sides.items():
        for thing in things:
            found[thing] += (side,)
    return dict(found)
