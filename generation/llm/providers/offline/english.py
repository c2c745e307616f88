"""Descriptions in English."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from generation.llm.providers.offline import english_words as words
from generation.llm.providers.offline.english_lexicon import COUNTABLE, NO_COLOR
from generation.llm.providers.offline.features import feature_sentences, verb_phrase
from generation.llm.providers.offline.grammar import (
    head_noun,
    is_made_of,
    is_plural,
    lower_first,
    lower_words,
    with_article,
)
from generation.llm.providers.offline.outline import MANY_CHOICES, Attribute, Outline
from generation.llm.providers.offline.wording import Chooser, Line, Rank, listed, sentence

_AMOUNT = re.compile(r"(?:Ø ?)?(?:\d|\{\{).*")
_SET = re.compile(r"(?:set|pack|box|pair|bundle) of ", re.IGNORECASE)
_YES_NO_SENTENCE = re.compile(
    r"\w+(?:proof|able|ible)|.+ (?:safe|resistant|repellent|free|friendly)|vegan|organic|reversible"
)
_ORDER = ("color", "contents", "key ingredients", "recommended age")
_MATERIALS = ("material", "fabric")
# Their values are notes of their own, not parts of one statement.
_NOTES = ("care", "contents", "power")
_LAST = ("care", "certification", "country of origin")


def write_lines(outline: Outline, tone: str, chooser: Chooser) -> list[Line]:
    """Every fact as a sentence, in reading order."""
    return list(_English(outline, tone, chooser).lines())


class _English:
    def __init__(self, outline: Outline, tone: str, chooser: Chooser) -> None:
        self.outline = outline
        self.tone = tone
        self.chooser = chooser
        self.are = is_plural(outline.title)
        self.agreement = words.PLURAL if self.are else words.SINGULAR

    def lines(self) -> Iterator[Line]:
        yield self.introduction()
        yield from map(self.material, self.outline.take(*_MATERIALS))
        yield from self.features()
        yield from (Line(Rank.SENTENCES, text) for text in self.outline.sentences)
        yield from self.measures()
        yield from self.choices()
        last = self.outline.take(*_LAST)
        rest = [*self.outline.take(*_ORDER), *self.outline.take(*self.outline.attributes)]
        yield from (self.attribute(each, Rank.REST) for each in rest)
        yield from (self.attribute(each, Rank.PRACTICAL) for each in last)

    def agree(self, template: str, **values: str) -> str:
        return template.format(**{"It": self.agreement["They"], **self.agreement, **values})

    def fill(self, template: str, **values: str) -> str:
        return sentence(self.agree(template, **values))

    def introduction(self) -> Line:
        name = self.name()
        names = {"it": name, "It": name[0].upper() + name[1:]}
        if material := self.pure_material():
            template = self.chooser.pick("introduction", words.INTRODUCTIONS_MADE_OF[self.tone])
            return Line(Rank.INTRODUCTION, self.fill(template, material=material, **names))
        introduction = self.fill(self.chooser.pick("introduction", words.INTRODUCTIONS[self.tone]), **names)
        if not self.outline.is_thin:
            return Line(Rank.INTRODUCTION, introduction)
        if not self.outline.category:
            return Line(Rank.INTRODUCTION, self.fill(words.NAME_ONLY, **names))
        category = self.fill(self.chooser.pick("category", words.CATEGORY), category=lower_first(self.outline.category))
        return Line(Rank.INTRODUCTION, f"{introduction} {category}")

    def name(self) -> str:
        name = with_article(self.outline.title)
        brand = self.outline.brand
        return f"{name} by {brand}" if brand and brand.casefold() not in name.casefold() else name

    def pure_material(self) -> str:
        """What the whole product is made of, if the facts say that and no more."""
        materials = [self.outline.attributes[label] for label in _MATERIALS if label in self.outline.attributes]
        if len(materials) != 1 or not is_made_of(", ".join(materials[0].values)):
            return ""
        material = materials[0]
        self.outline.take(material.label)
        parts = [part for value in material.values for part in value.split(", ")]
        return listed([lower_first(part) for part in parts], "and")

    def material(self, attribute: Attribute) -> Line:
        """Of two materials neither is what the whole is made of, so that their labels are needed."""
        is_one_of_two = attribute.label == "fabric" or "fabric" in self.outline.attributes
        templates = words.MATERIALS["technical" if is_one_of_two else self.tone]
        return self.line(Rank.SUBSTANCE, self.chooser.pick("material", templates), attribute)

    def features(self) -> Iterator[Line]:
        subject = self.agreement["They"]
        leads = [self.agree(lead) for lead in words.FEATURE_LEADS[self.tone]]
        for text in feature_sentences(self.outline.features, subject, leads, self.chooser, are=self.are):
            yield Line(Rank.FEATURES, text, text.removesuffix("."))

    def measures(self) -> Iterator[Line]:
        yield from self.extents()
        sizes = self.outline.take(*words.AMOUNT_VERBS)
        amounts = [each for each in sizes if self.tone != "technical" and _is_amount(each)]
        if amounts:
            said = [self.agree(words.AMOUNT_VERBS[each.label], text=_text(each)) for each in amounts]
            bullets = "\n".join(f"{each.display}: {_text(each)}" for each in amounts)
            yield Line(Rank.SIZE, self.fill("{It} {said}.", said=listed(said, "and")), bullets)
        yield from (self.attribute(each, Rank.SIZE) for each in sizes if each not in amounts)
        yield from (self.attribute(each, Rank.SIZE) for each in self.outline.take(*words.AMOUNTS))

    def extents(self) -> Iterator[Line]:
        """Length, width and so on in one sentence."""
        known = [self.outline.attributes.get(label) for label in words.AMOUNT_ADJECTIVES]
        extents = [each for each in known if each and each.is_quantity]
        if len(extents) > 1 and self.tone != "technical":
            self.outline.take(*(each.label for each in extents))
            said = listed([f"{_text(each)} {words.AMOUNT_ADJECTIVES[each.label]}" for each in extents], "and")
            bullets = "\n".join(f"{each.display}: {_text(each)}" for each in extents)
            yield Line(Rank.SIZE, self.fill("{It} {be} {said}.", said=said), bullets)

    def choices(self) -> Iterator[Line]:
        few = {each.label: each for each in self.outline.choices if len(each.values) <= MANY_CHOICES}
        color, size = few.get("color"), few.get("size")
        said = [listed(_choices(color), "and")] if color else []
        if size:
            said.append(f"sizes {listed(_choices(size), 'and')}")
        if said:
            template = self.chooser.pick("choices", words.CHOICES[self.tone])
            yield Line(Rank.CHOICES, self.fill(template, choices=", in ".join(said)))
        yield from (self.other_choice(each) for each in self.outline.choices if each not in (color, size))

    def other_choice(self, choice: Attribute) -> Line:
        if len(choice.values) > MANY_CHOICES:
            text = self.labelled(words.MANY_CHOICE, choice, values=listed(_choices(choice)[:MANY_CHOICES], "and"))
            return Line(Rank.CHOICES, text)
        templates = words.PLURAL_CHOICE if is_plural(choice.display) else words.OTHER_CHOICE
        template = self.chooser.pick(f"choice {choice.label}", templates)
        return Line(Rank.CHOICES, self.labelled(template, choice, values=listed(_choices(choice), "or")))

    def attribute(self, attribute: Attribute, rank: Rank) -> Line:
        label = attribute.label
        if attribute.canonical.startswith("bool:"):
            return self.yes_or_no(attribute, rank)
        if label == "contents" and _SET.match(attribute.values[0]):
            return self.line(rank, "{It} {come} as a {text}.", attribute, lower_first(_text(attribute)))
        if len(attribute.values) == 1 and (verb := verb_phrase(attribute.values[0], are=self.are)):
            return self.line(rank, "{It} {text}.", attribute, verb)
        return self.line(rank, self.wording(attribute), attribute)

    def wording(self, attribute: Attribute) -> str:
        label = attribute.label
        if self.tone != "technical":
            if label in words.AMOUNTS and attribute.is_quantity:
                return words.AMOUNTS[label]
            if label in words.PHRASES and (label != "color" or _names_a_color(attribute)):
                return self.chooser.pick(label, words.PHRASES[label])
        return "{Label}: {text}."

    def yes_or_no(self, attribute: Attribute, rank: Rank) -> Line:
        name = attribute.display.casefold()
        if _YES_NO_SENTENCE.fullmatch(name):
            negation = "" if attribute.canonical == "bool:yes" else "not "
            return self.line(rank, "{It} {be} {text}.", attribute, f"{negation}{lower_first(attribute.display)}")
        return self.line(rank, "{Label}: {text}.", attribute)

    def line(self, rank: Rank, template: str, attribute: Attribute, text: str = "") -> Line:
        told = _text(attribute)
        return Line(rank, self.labelled(template, attribute, text=text or told), f"{attribute.display}: {told}")

    def labelled(self, template: str, attribute: Attribute, **values: str) -> str:
        display = attribute.display
        text = values.get("text", "")
        article = "the " if text.casefold() in words.THE_COUNTRIES else ""
        forms = {
            "the_text": f"{article}{text}",
            "Label": display[0].upper() + display[1:],
            "Text": text[:1].upper() + text[1:],
        }
        return self.fill(template, label=lower_first(display), **forms, **values)


def _is_amount(attribute: Attribute) -> bool:
    """ "780 g", "40 × 28 cm"; a capacity only when it is a volume or a mass, not "2 people"."""
    if attribute.label in ("dimensions", "weight"):
        return len(attribute.values) == 1 and bool(_AMOUNT.fullmatch(attribute.values[0]))
    return attribute.is_quantity


def _names_a_color(attribute: Attribute) -> bool:
    """ "sea green", not "grey lid"; of several colors it is not known whether one chooses."""
    return len(attribute.values) == 1 and head_noun(attribute.values[0]) not in COUNTABLE | NO_COLOR


def _text(attribute: Attribute) -> str:
    """The values as they read in mid-sentence."""
    lower = lower_words if attribute.label == "color" else lower_first
    keep = attribute.label in ("certification", "country of origin", "size")
    values = [value if keep else lower(value) for value in attribute.values]
    return "; ".join(values) if attribute.label in _NOTES else listed(values, "and")


def _choices(choice: Attribute) -> Sequence[str]:
    return [lower_words(value) for value in choice.values]
