"""Descriptions in English."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from generation.llm.providers.offline.features import feature_sentences
from generation.llm.providers.offline.grammar import (
    is_made_of,
    is_plural,
    lower_first,
    lower_words,
    noun_phrase,
    with_article,
)
from generation.llm.providers.offline.outline import MANY_CHOICES, Attribute, Outline
from generation.llm.providers.offline.wording import Chooser, Line, Rank, listed, sentence

# {it} is "the Linen apron by Alder", {be} is or are.
INTRODUCTIONS = {
    "neutral": ("This is {it}.", "Here is {it}.", "In view: {it}.", "Introducing {it}."),
    "friendly": ("Meet {it}.", "Say hello to {it}.", "Here comes {it}.", "Let us introduce {it}."),
    "luxurious": ("Presenting {it}.", "May we present {it}.", "Quietly, {it}.", "We present {it}."),
    "playful": ("Ta-da: {it}!", "Look who is here: {it}.", "Make room for {it}.", "Knock, knock. Who is there? {It}."),
    "technical": ("{It}: specifications.", "{It} at a glance.", "{It}, in detail.", "Technical overview of {it}."),
    "persuasive": ("Take a closer look at {it}.", "Get to know {it}.", "See what {it} {bring}.", "Consider {it}."),
}
INTRODUCTIONS_MADE_OF = {
    "neutral": ("{It} {be} made of {material}.", "Made of {material}: {it}."),
    "friendly": ("Meet {it}, made of {material}.", "Here comes {it}, made of {material}."),
    "luxurious": ("{It}, made of {material}.", "Presenting {it}, made of {material}."),
    "playful": ("Ta-da: {it}, made of {material}!", "Make room for {it}, made of {material}."),
    "technical": ("{It}. Material: {material}.", "{It} {be} made of {material}."),
    "persuasive": ("Take a closer look at {it}, made of {material}.", "Get to know {it}, made of {material}."),
}
FEATURE_LEADS = {
    "neutral": ("{It} {come} with", "{It} {have}"),
    "friendly": ("You get", "{It} {come} with", "You will find"),
    "luxurious": ("{It} {come} with", "Among the details:"),
    "playful": ("On board:", "{It} {bring} along", "Look closer and you will spot"),
    "technical": ("Features:", "Equipment:"),
    "persuasive": ("You get", "With it {come_alone}", "{It} {give} you"),
}
COLORS_AND_SIZES = {
    "neutral": ("Available in {colors}, in sizes {sizes}.", "{It} {come} in {colors}, in sizes {sizes}."),
    "friendly": ("Choose from {colors}, in sizes {sizes}.", "Pick your color from {colors}, in sizes {sizes}."),
    "luxurious": ("Offered in {colors}, in sizes {sizes}.",),
    "playful": ("Take your pick: {colors}, in sizes {sizes}.", "Colors to play with: {colors}. Sizes: {sizes}."),
    "technical": ("Colors: {colors}. Sizes: {sizes}.",),
    "persuasive": ("Choose from {colors}, in sizes {sizes}.", "Yours in {colors}, in sizes {sizes}."),
}
COLORS = {
    "neutral": ("Available in {colors}.", "{It} {come} in {colors}."),
    "friendly": ("Choose from {colors}.", "Pick the one you like: {colors}."),
    "luxurious": ("Offered in {colors}.",),
    "playful": ("Take your pick: {colors}.", "Colors to play with: {colors}."),
    "technical": ("Colors: {colors}.",),
    "persuasive": ("Choose from {colors}.", "Yours in {colors}."),
}
SIZES = {
    "neutral": ("Available in sizes {sizes}.", "{It} {come} in sizes {sizes}."),
    "friendly": ("Choose from the sizes {sizes}.", "You can have {them} in sizes {sizes}."),
    "luxurious": ("Offered in sizes {sizes}.",),
    "playful": ("Sizes to pick from: {sizes}.",),
    "technical": ("Sizes: {sizes}.",),
    "persuasive": ("Choose from the sizes {sizes}.", "Yours in sizes {sizes}."),
}
CATEGORY = ("You will find {them} under {category}.", "Category: {category}.")
EXTENTS = {"length": "long", "width": "wide", "height": "high", "depth": "deep"}
THE_COUNTRIES = frozenset({"usa", "uk", "netherlands", "philippines", "united states", "united kingdom", "czech republic"})
IRREGULAR = {"be": "are", "have": "have"}
SINGULAR = {"be": "is", "have": "has"}
VERBS = ("be", "have", "come", "weigh", "measure", "hold", "bring", "give")


@dataclass(frozen=True, slots=True)
class English:
    outline: Outline
    tone: str
    chooser: Chooser

    def lines(self) -> Iterator[Line]:
        """Takes from the outline what it tells."""
        yield self._introduction()
        yield from self._materials()
        yield from self._features()
        yield from self._measures()
        yield from (Line(Rank.SENTENCES, text) for text in self.outline.sentences)
        yield from self._choices()
        yield from self._contents()
        yield from self._practical()
        yield from self._rest()

    def _fill(self, template: str, **values: str) -> str:
        """Templates speak of {it}; verbs agree with a plural name."""
        are = is_plural(self.outline.title)
        plural = {verb: IRREGULAR.get(verb, verb) for verb in VERBS}
        singular = {verb: SINGULAR.get(verb, f"{verb}s") for verb in VERBS}
        words = {
            "It": "They" if are else "It",
            "them": "them" if are else "it",
            "its": "their" if are else "its",
            "come_alone": "come",
            **(plural if are else singular),
        }
        return sentence(template.format(**{**words, **values}))

    def _introduction(self) -> Line:
        name = with_article(self.outline.title)
        if self.outline.brand and self.outline.brand.casefold() not in name.casefold():
            name = f"{name} by {self.outline.brand}"
        names = {"it": name, "It": name[0].upper() + name[1:]}
        material = self._pure_material()
        if material:
            self.outline.take("material")
            template = self.chooser.pick("introduction", INTRODUCTIONS_MADE_OF[self.tone])
            return Line(Rank.INTRODUCTION, self._fill(template, material=material, **names))
        return Line(Rank.INTRODUCTION, self._fill(self.chooser.pick("introduction", INTRODUCTIONS[self.tone]), **names))

    def _pure_material(self) -> str:
        material = self.outline.attributes.get("material")
        joined = listed(material.values, "and") if material else ""
        if not joined or not is_made_of(joined):
            return ""
        return listed([lower_first(part) for part in joined.split(", ")], "and")

    def _materials(self) -> Iterator[Line]:
        for attribute in self.outline.take("material", "fabric"):
            text = _joined(attribute)
            if is_made_of(text):
                yield self._line(Rank.SUBSTANCE, "{It} {be} made of {text}.", attribute, text=text)
            else:
                yield self._line(Rank.SUBSTANCE, "{label}: {text}.", attribute, text=text)

    def _features(self) -> Iterator[Line]:
        leads = [self._fill(lead).removesuffix(".") for lead in FEATURE_LEADS[self.tone]]
        are = is_plural(self.outline.title)
        subject = "They" if are else "It"
        for text in feature_sentences(
            self.outline.features, subject=subject, are=are, chooser=self.chooser, leads=leads
        ):
            yield Line(Rank.FEATURES, text)

    def _measures(self) -> Iterator[Line]:
        yield from self._extents()
        dimensions = [each for each in self.outline.take("dimensions", "size") if each.is_quantity or _is_measured(each)]
        weights = [each for each in self.outline.take("weight") if each.values[0][0].isdigit()]
        if dimensions and weights:
            yield self._line(
                Rank.SIZE,
                "{It} {measure} {size} and {weigh} {text}.",
                weights[0],
                text=weights[0].values[0],
                size=dimensions[0].values[0],
            )
        return
        yield

    def _extents(self) -> Iterator[Line]:
        extents = [self.outline.attributes[label] for label in EXTENTS if label in self.outline.attributes]
        if len(extents) > 1 and all(each.is_quantity for each in extents):
            self.outline.take(*EXTENTS)
            said = [f"{each.values[0]} {EXTENTS[each.label]}" for each in extents]
            yield Line(Rank.SIZE, self._fill("{It} {be} {said}.", said=listed(said, "and")))
