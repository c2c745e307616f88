"""Which of the shop's own words may be said again: facts yes; praise, offers, orders and markup no."""

from __future__ import annotations

import re
import unicodedata

from generation.facts import LANGUAGES
from generation.families import without_slots

MAX_QUOTED_CHARS = 160
MAX_SENTENCE_WORDS = 32
MIN_SENTENCE_WORDS = 4

_FIRST_PICTURE = "\N{LEFTWARDS ARROW}"
_PICTURE_PARTS = "\N{VARIATION SELECTOR-16}\N{ZERO WIDTH JOINER}\N{COMBINING ENCLOSING KEYCAP}"

_SENTENCE_BREAK = re.compile(r"(?<=[.!?…])\s+(?=[^\W\da-z_])|\s*[\r\n]+\s*")
_MARKUP = re.compile(r"[<>{}\[\]|\\^~`]|https?:|www\.|\w@\w|&\w+;")
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>|<!--.*?-->")
_ABBREVIATION = re.compile(r"(?:^|\s)\w{1,3}\.$")

# Orders to whoever writes. A fact never addresses the writer.
_ORDERS = re.compile(
    r"\b(?:ignor(?:e|ez|iere?n?|a)|disregard|pretend|lorem|ipsum|system prompt|as an ai)\b"
    r"|\byou (?:are|must|should|will) (?:now|say|write)\b"
    r"|\b(?:previous|above|prior|all|these|vorherigen?|alle|précédentes) (?:instructions?|anweisungen|rules|prompts?)\b"
    r"|^(?:say|write|tell|reply|respond|output|repeat|print|mention|claim|describe|sag|schreib\w*|antworte)\s",
    re.IGNORECASE,
)
# Talk to the reader, and words that praise.
_ADDRESS = re.compile(
    r"\b(?:you\w*|we|our|us|let's|du|dich|dein\w*|ihr\w*|ihnen|wir|unser\w*|vous|votre|vos|nous|notre|usted|tu|tus|nuestr\w+"
    r"|voi|vostr\w|jij|je|jouw|uw|wij|ons|don't|isn't)\b",
    re.IGNORECASE,
)
_PRAISE = re.compile(
    r"\b(?:perfe[ckt]\w*|parfait\w*|best|beste[nrs]?|ultimate|amazing|awesome|great|lovely|loves?|superb|superior|stunning|must"
    r"|unbeatable|unmatched|unparalleled|premium|world|incredible|excellent|exceptional|fantastic|masterpiece|\w*quality"
    r"|elevat\w*|revolution\w*|ideal\w*|guarante\w*|warranty|garantie|award\w*|favou?rite|miss|hurry|never|always|every\w*"
    r"|whether|discover|experience|enjoy|embark|conquer|unleash|transform|indulge|embrace|goodbye|breeze|dream\w*"
    r"|meilleure?s?|mejor(?:es)?|miglior[ei]?|qualité|qualität|calidad|qualità|kwaliteit|kaufen|sofort|jetzt)\b",
    re.IGNORECASE,
)
_OFFERS = re.compile(
    r"[€$£¥!]|\d\s?%\s?(?:off|rabatt|discount|korting|sconto)"
    r"|\b(?:price|sale|discount|free shipping|versand|offer|order|buy|shop now|deal|stock)\b",
    re.IGNORECASE,
)

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
    return (
        bool(value)
        and len(value) <= MAX_QUOTED_CHARS
        and not _MARKUP.search(without_slots(value))
        and not _ORDERS.search(value)
    )


def without_tags(text: str) -> str:
    return _TAG.sub(" ", text)


def plain(text: str) -> str:
    """Without emoji and control characters, on one line."""
    line = " ".join(text.split())
    return " ".join("".join(character for character in line if not _is_picture(character)).split())


def _is_picture(character: str) -> bool:
    """Emoji, dingbats and what joins or colours them; "°", "®" and their like come earlier in Unicode."""
    if character in _PICTURE_PARTS:
        return True
    category = unicodedata.category(character)
    return category in ("Cc", "Cs", "Co", "Cn") or (character >= _FIRST_PICTURE and category in ("So", "Sk"))


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
        and not any(rule.search(without_slots(sentence)) for rule in (_MARKUP, _ORDERS, _ADDRESS, _PRAISE, _OFFERS))
    )
