"""Which of the shop's own words may be said again: facts yes; praise, offers, orders and markup no."""

from __future__ import annotations

import re
import unicodedata

from generation.facts import LANGUAGES

MAX_QUOTED_CHARS = 160
MAX_SENTENCE_WORDS = 32
MIN_SENTENCE_WORDS = 4

_SENTENCE_BREAK = re.compile(r"(?<=[.!?…])\s+(?=[^\W\da-z_])|\s*[\r\n]+\s*")
_MARKUP = re.compile(r"[<>{}\[\]|\\^~`]|https?:|www\.|\w@\w|&\w+;")
_ABBREVIATION = re.compile(r"(?:^|\s)\w{1,3}\.$")

# Orders to whoever writes. A fact never addresses the writer.
_ORDERS = re.compile(
    r"\b(?:ignor\w*|instructions?|anweisung\w*|prompt|system|assistant|pretend|disregard|override|previous|reply|respond"
    r"|say|write|tell|repeat|output|you (?:are|must|should)|sag|schreib\w*|lorem|ipsum)\b",
    re.IGNORECASE,
)
_PRAISE = re.compile(
    r"\b(?:perfect\w*|perfekt\w*|best|beste[nrs]?|ultimate|amazing|awesome|great|lovely|love|loves|superb|superior|stunning|must"
    r"|unbeatable|unmatched|unparalleled|premium|world|incredible|excellent|exceptional|fantastic|high.quality|top.quality"
    r"|quality|elevate|revolution\w*|ideal|guarante\w*|warranty|garantie|award\w*|favou?rite|miss|hurry|never|always|any"
    r"|every|everyone|whether|discover|experience|enjoy|embark|conquer|unleash|transform|indulge|embrace|say goodbye|parfait\w*"
    r"|perfect[oa]s?|perfett[oa]|meilleure?s?|mejor(?:es)?|miglior[ei]?|qualité|calidad|qualità|kwaliteit|ideale?[ns]?"
    r"|kaufen|sofort|jetzt)\b",
    re.IGNORECASE,
)
_OFFERS = re.compile(r"[€$£¥!]|\d\s?%\s?(?:off|rabatt|discount|korting|sconto)|\b(?:price|sale|discount|free shipping|versand|offer|order|buy|shop now|deal|stock)\b", re.I)

_STOP_WORDS = {
    "en": "the and with of is it a for to in this are on from has its",
    "de": "der die das und mit ist für ein eine aus von den im auf dem sich",
    "fr": "le la les et avec est pour un une des en du dans sur au ce",
    "es": "el la los y con es para un una de en del las su por al",
    "it": "il la e con è per un una di in del della i gli le nel",
    "nl": "de het en met is voor een van in op te zijn uit dit deze",
}
_STOP_WORD_SETS = {language: frozenset(words.split()) for language, words in _STOP_WORDS.items()}


def is_quotable(value: str) -> bool:
    """Short enough, plain, and not an order."""
    return bool(value) and len(value) <= MAX_QUOTED_CHARS and not _MARKUP.search(value) and not _ORDERS.search(value)


def plain(text: str) -> str:
    """Without emoji and control characters, on one line."""
    kept = (character for character in text if unicodedata.category(character) not in ("So", "Cs", "Co", "Cn", "Sk"))
    return " ".join("".join(kept).replace("\N{VARIATION SELECTOR-16}", "").split())


def factual_sentences(text: str, language: str) -> list[str]:
    """Sentences of the shop's present text, in its language, that state something and claim nothing."""
    if guess_language(text) != language:
        return []
    sentences = [plain(part) for part in _split_sentences(text)]
    return [sentence for sentence in dict.fromkeys(sentences) if _is_factual(sentence)]


def guess_language(text: str) -> str:
    """The one whose small words the text uses most; English for none."""
    words = re.findall(r"[^\W\d_]+", text.casefold())
    hits = {language: sum(word in _STOP_WORD_SETS[language] for word in words) for language in LANGUAGES}
    return max(LANGUAGES, key=lambda language: hits[language])


def _split_sentences(text: str) -> list[str]:
    """A break after an abbreviation is none."""
    sentences: list[str] = []
    for part in _SENTENCE_BREAK.split(text):
        if sentences and _ABBREVIATION.search(sentences[-1]):
            sentences[-1] = f"{sentences[-1]} {part}"
        else:
            sentences.append(part)
    return sentences


def _is_factual(sentence: str) -> bool:
    return (
        sentence.endswith(".")
        and sentence[0].isupper()
        and sentence != sentence.upper()
        and MIN_SENTENCE_WORDS <= len(sentence.split()) <= MAX_SENTENCE_WORDS
        and is_quotable(sentence[:MAX_QUOTED_CHARS])
        and not any(rule.search(sentence) for rule in (_MARKUP, _ORDERS, _PRAISE, _OFFERS))
    )
