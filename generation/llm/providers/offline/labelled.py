"""Descriptions in German, French, Spanish, Italian and Dutch.

A value's gender, case and language are not known, so facts stand as "Label: value", where no grammar can go wrong.
"""

from __future__ import annotations

from collections.abc import Iterator

from generation.llm.providers.offline.labelled_words import LANGUAGES, Language
from generation.llm.providers.offline.outline import MANY_CHOICES, Attribute, Outline
from generation.llm.providers.offline.wording import Chooser, Line, Rank, listed, row, sentence

_FIRST = ("material", "fabric")
_SIZES = ("dimensions", "length", "width", "height", "depth", "diameter", "weight", "capacity", "volume")
_LAST = ("care", "certification", "country of origin")


def write_lines(outline: Outline, tone: str, language: str, chooser: Chooser) -> list[Line]:
    """Every fact as a sentence, in reading order."""
    return list(_Labelled(outline, tone, LANGUAGES[language], chooser).lines())


class _Labelled:
    def __init__(self, outline: Outline, tone: str, language: Language, chooser: Chooser) -> None:
        self.outline = outline
        self.tone = tone
        self.language = language
        self.chooser = chooser

    def lines(self) -> Iterator[Line]:
        outline = self.outline
        yield self.introduction()
        yield from (Line(Rank.SENTENCES, text) for text in outline.sentences)
        yield from (self.attribute(each, Rank.SUBSTANCE) for each in outline.take(*_FIRST))
        if outline.features:
            lead = self.chooser.pick("features", self.language.features)
            yield Line(Rank.FEATURES, self.stated(lead, row(outline.features)))
        yield from (self.attribute(each, Rank.SIZE) for each in outline.take(*_SIZES))
        yield from map(self.choice, outline.choices)
        last = outline.take(*_LAST)
        yield from (self.attribute(each, Rank.REST) for each in outline.take(*outline.attributes))
        yield from (self.attribute(each, Rank.PRACTICAL) for each in last)

    def introduction(self) -> Line:
        outline, language = self.outline, self.language
        name = outline.title
        if outline.brand and outline.brand.casefold() not in name.casefold():
            name = f"{name} {language.by} {outline.brand}"
        if outline.is_thin and not outline.category:
            return Line(Rank.INTRODUCTION, language.name_only.format(it=name))
        said = sentence(self.chooser.pick("introduction", language.introductions[self.tone]).format(it=name))
        category = self.stated(language.category, outline.category) if outline.is_thin else ""
        return Line(Rank.INTRODUCTION, f"{said} {category}".strip())

    def attribute(self, attribute: Attribute, rank: Rank) -> Line:
        text = self.stated(self.label(attribute), self.value(attribute))
        return Line(rank, text, text.removesuffix("."))

    def choice(self, choice: Attribute) -> Line:
        values = choice.values[:MANY_CHOICES]
        label = self.language.plural_labels.get(choice.label) or self.label(choice)
        said = listed(values, self.language.conjunction)
        return Line(Rank.CHOICES, self.stated(label, f"{said} …" if len(choice.values) > MANY_CHOICES else said))

    def label(self, attribute: Attribute) -> str:
        return self.language.labels.get(attribute.label, attribute.display)

    def value(self, attribute: Attribute) -> str:
        if attribute.canonical.startswith("bool:"):
            return self.language.yes if attribute.canonical == "bool:yes" else self.language.no
        return row(attribute.values)

    def stated(self, label: str, value: str) -> str:
        return sentence(f"{label}{self.language.colon} {value}")
