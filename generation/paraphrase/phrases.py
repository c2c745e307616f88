"""Clauses -> phrases: the product's own noun phrase, then what else is said, each with what it hangs on.

Where `clauses` brings a text to one canonical form, phrases keep the order of their words, so that `matching` can tell
"notebook, hardcover" from "hardcover, notebook pen".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from generation.paraphrase import hanging, own_values, portions, repeated
from generation.paraphrase.clauses import Clause
from generation.paraphrase.draft import Draft
from generation.paraphrase.drafts import drafts_of
from generation.paraphrase.english import english
from generation.paraphrase.phrase import PRODUCT, Phrase


def phrases_of(clauses: list[Clause]) -> tuple[Phrase, ...]:
    """The product's own first."""
    drafts = drafts_of(clauses)
    for rule in RULES:
        drafts = rule(drafts)
    if not drafts:
        return ()
    numbers = {id(draft): number for number, draft in enumerate(drafts)} | {id(drafts[0]): PRODUCT}
    return tuple(
        Phrase(draft.link, numbers.get(id(draft.owner), PRODUCT), tuple(draft.units), draft.is_name) for draft in drafts
    )


def hard_words(phrases: tuple[Phrase, ...]) -> Iterator[str]:
    """Those that every wording of the same facts has: numbers, quantities, codes, colours and materials."""
    values = english().hard_values
    for phrase in phrases:
        for word in phrase.words:
            if word in values or any(char.isdigit() for char in word):
                yield word.removeprefix("count ")


RULES: tuple[Callable[[list[Draft]], list[Draft]], ...] = (
    hanging.without_it,
    hanging.with_prepositions,
    portions.turned_around,
    hanging.with_bodies,
    hanging.with_own,
    portions.with_held,
    hanging.with_descriptions,
    hanging.with_purposes,
    portions.with_content,
    portions.with_group,
    own_values.with_product_values,
    portions.with_number,
    own_values.with_bare_number,
    repeated.with_standard_once,
    own_values.with_sizes_of_others,
    hanging.with_named_devices,
    hanging.with_taken,
    hanging.with_origins,
    own_values.with_natural,
    repeated.without_told,
    repeated.without_pattern,
)
