"""The English wordings, by tone. {it} is "the Linen apron by Alder"; {It} in a later sentence is It or They."""

from __future__ import annotations

INTRODUCTIONS = {
    "neutral": ("{This_is} {it}.", "Introducing {it}.", "A short look at {it}."),
    "friendly": ("Meet {it}.", "Say hello to {it}.", "Here {come} {it}.", "Let us introduce {it}."),
    "luxurious": ("We present {it}.", "Presenting {it}.", "May we introduce {it}."),
    "playful": ("Ta-da: {it}!", "Look what we have here: {it}.", "Make room for {it}.", "Drum roll, please: {it}."),
    "technical": ("{It} at a glance.", "{It} in detail.", "{It}: specifications."),
    "persuasive": ("Take a closer look at {it}.", "Get to know {it}.", "Have a look at {it}."),
}
INTRODUCTIONS_MADE_OF = {
    "neutral": (
        "{It} {be} made of {material}.",
        "Introducing {it}, made of {material}.",
        "{This_is} {it}, made of {material}.",
    ),
    "friendly": (
        "Meet {it}, made of {material}.",
        "Here {come} {it}, made of {material}.",
        "Say hello to {it}. {They} {be} made of {material}.",
    ),
    "luxurious": ("Presenting {it}, made of {material}.", "We present {it}. {They} {be} made of {material}."),
    "playful": (
        "Ta-da: {it}, made of {material}!",
        "Make room for {it}, made of {material}.",
        "Drum roll, please: {it}, made of {material}.",
    ),
    "technical": ("{It} at a glance. Material: {material}.", "{It} {be} made of {material}."),
    "persuasive": (
        "Take a closer look at {it}, made of {material}.",
        "Get to know {it}. {They} {be} made of {material}.",
    ),
}
FEATURE_LEADS = {
    "neutral": ("{It} {come} with", "{It} {have}", "{It} {feature}"),
    "friendly": ("You get", "{It} {come} with", "You will find"),
    "luxurious": ("{It} {come} with", "{It} {feature}", "The details:"),
    "playful": ("On board:", "{It} {bring} along", "Look closer and you will spot"),
    "technical": ("Features:", "{It} {have}", "Equipped with"),
    "persuasive": ("You get", "{It} {give} you", "{It} {bring} you"),
}
CHOICES = {
    "neutral": ("Available in {choices}.", "{It} {come} in {choices}."),
    "friendly": ("Choose from {choices}.", "Pick yours from {choices}.", "You can choose from {choices}."),
    "luxurious": ("Offered in {choices}.", "Available in {choices}."),
    "playful": ("Take your pick: {choices}.", "Eeny, meeny, miny, moe: {choices}."),
    "technical": ("Available in {choices}.",),
    "persuasive": ("Choose from {choices}.", "Yours in {choices}."),
}
OTHER_CHOICE = ("Choose the {label}: {values}.",)
MANY_CHOICE = "The choice of {label} includes {values}."
PLURAL_CHOICE = ("{Label} to choose from: {values}.", "{Label}: {values}.")
NAME_ONLY = "{This_is} {it}."
CATEGORY = ("You will find {them} in the {category} category.", "{It} {be} in the {category} category.")

# For materials that belong to parts, as in "beech frame, canvas seat".
MATERIALS = {
    "neutral": ("{Label}: {text}.",),
    "friendly": ("What goes into {them}: {text}.", "{Label}: {text}."),
    "luxurious": ("{Label}: {text}.",),
    "playful": ("What goes into {them}? {Text}.", "Seen up close: {text}."),
    "technical": ("{Label}: {text}.",),
    "persuasive": ("What goes into {them}: {text}.", "{Label}: {text}."),
}
# What a sentence about the size says of an amount, by label.
AMOUNT_VERBS = {
    "dimensions": "{measure} {text}",
    "weight": "{weigh} {text}",
    "capacity": "{hold} {text}",
    "volume": "{hold} {text}",
}
AMOUNTS = {
    "diameter": "The diameter is {text}.",
    "length": "{It} {be} {text} long.",
    "width": "{It} {be} {text} wide.",
    "height": "{It} {be} {text} high.",
    "depth": "{It} {be} {text} deep.",
    "power": "The power is {text}.",
}
PHRASES = {
    "country of origin": ("{It} {come} from {the_text}.", "Country of origin: {text}."),
    "contents": ("Included: {text}.", "What you get: {text}.", "Contents: {text}."),
    "care": ("Care: {text}.", "To look after {them}: {text}.", "Care instructions: {text}."),
    "certification": ("Certification: {text}.",),
    "color": ("{It} {come} in {text}.", "{Label}: {text}."),
}
AMOUNT_ADJECTIVES = {"length": "long", "width": "wide", "depth": "deep", "height": "high"}
NOTE_LEADS = ("Details", "Good to know", "Worth noting")
THE_COUNTRIES = frozenset({"usa", "uk", "us", "netherlands", "philippines", "united states", "united kingdom"})
SINGULAR = {
    "They": "It",
    "This_is": "This is",
    "them": "it",
    "be": "is",
    "have": "has",
    **{verb: f"{verb}s" for verb in ("come", "weigh", "measure", "hold", "bring", "give", "feature")},
}
PLURAL = {word: word for word in SINGULAR} | {"This_is": "These are", "be": "are"}
