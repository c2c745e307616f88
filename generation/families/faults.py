"""Whether a reply can serve a whole family: no sentence may lean on what a slot will hold."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from generation.facts import Brief, Facts, check_text
from generation.facts.lexicon.small_words import STOP_WORDS
from generation.facts.sentences import split_sentences
from generation.facts.units import find_unit
from generation.facts.words import Reading, word_key
from generation.families.neighbours import EXPRESSIONS, neighbours_in
from generation.families.slots import KINDS, LISTED, SLOT, facts_without_slots, slot_kinds, without_slots
from generation.families.types import Family

WORD_BEFORE = re.compile(r"(\S*?)([^\W_]+)(\W*)$")
WORD_AFTER = re.compile(r"(\W*)([^\W_]+)")
GLUED_BEFORE = re.compile(r"[^\s(\[\"'“„«‘:/]+$")
GLUED_AFTER = re.compile(r"[^\s).,;:!?…\]\"'”“»’/]+")
NEAR = re.compile(r"[ \u00a0\u202f]*[,/&(\"“„«‘]?[ \u00a0\u202f]*")
SPACE = re.compile(r"[ \u00a0\u202f]+")
# A clause ends there, unless what follows speaks of the value: "{{color}}, a shade that …".
CLAUSE_END = re.compile(r"\s*[,;:.!?…)]\s*")
APPOSED = frozenset(
    ("a", "an", "which", "ein", "eine", "der", "die", "das", "un", "une", "qui", "una", "que", "che", "een", "dat")
)
PARTITIVE = frozenset(("of", "an", "de", "d", "di", "aan"))
MEASURED = (KINDS["quantity"], KINDS["count"])
BRACES = re.compile(r"\S*[{}]\S*")
# What the check says of a text as a whole is no matter of slots; its length is judged when it is filled.
ABOUT_WHOLE_TEXTS = ("too_short", "too_long", "off_topic", "empty")

NO_SLOT = "“{}” is no slot of these facts. Slots: {}."
BROKEN = "“{}”: write a slot exactly as it stands in the facts."
GLUED = "“{}”: leave a space around a slot; nothing may be joined to it."
UNIT = "“{}”: the slot brings its unit with it."
BESIDE = "“{}”: put only words such as “in”, “of” or the fact's label beside a slot, no word that describes its value."
SEVERAL = "“{}”: the slot holds several values to choose from; write “in …” or the fact's label before it."
JUDGED = "“{}” says something about a value that a slot stands for. Leave it out of sentences with a slot."


def template_faults(fields: Mapping[str, str], family: Family, language: str) -> list[str]:
    """[] for a text that stays true and grammatical whatever fills its slots; else why not, for a second attempt."""
    names = {name for name, _ in family.values}
    beside = _Beside(family.facts, language)
    faults: list[str] = []
    for text in fields.values():
        faults += _spelling_faults(text, names)
        for start, end in split_sentences(text):
            faults += beside.faults(EXPRESSIONS.sub("", text[start:end]))
    return list(dict.fromkeys(faults)) or _statement_faults(fields, family, language)


def _spelling_faults(text: str, names: set[str]) -> Iterator[str]:
    for match in SLOT.finditer(text):
        if match[1] not in names:
            yield NO_SLOT.format(match[0], ", ".join(f"{{{{{name}}}}}" for name in sorted(names)))
    for match in BRACES.finditer(SLOT.sub("", text)):
        yield BROKEN.format(match[0])


def _statement_faults(fields: Mapping[str, str], family: Family, language: str) -> list[str]:
    """The rest of the text must stand on the masked facts alone, so that no guess at a value passes for one."""
    brief = Brief(facts_without_slots(family.facts), language=language, length="long")
    complaints = [each for text in fields.values() if text.strip() for each in check_text(without_slots(text), brief)]
    return list(dict.fromkeys(each.message for each in complaints if each.kind not in ABOUT_WHOLE_TEXTS))


class _Beside:
    """The words that may stand beside the slots of one family."""

    def __init__(self, facts: Facts, language: str) -> None:
        self.language = language
        self.neighbours = neighbours_in(language)
        self.kinds = {f"{{{{{name}}}}}": kind for name, kind in slot_kinds(facts).items()}
        self.pairs, self.said, self.titled = _words_of(facts)
        self.neutral = self.said | self.neighbours.before | self.neighbours.after

    def faults(self, sentence: str) -> Iterator[str]:
        matches = list(SLOT.finditer(sentence))
        for match in matches:
            before, after = sentence[: match.start()], sentence[match.end() :]
            yield from self._glued(before, match[0], after)
            yield from self._leaning_before(before, match[0])
            yield from self._leaning_after(match[0], after)
            yield from self._likened(match[0], after)
        if matches:
            yield from self._judging(sentence)

    def _is_list(self, slot: str) -> bool:
        return self.kinds.get(slot, "").startswith(LISTED)

    def _judging(self, sentence: str) -> Iterator[str]:
        rest = SLOT.sub(" ", self.neighbours.extents.sub("}}", sentence))
        for word in Reading(rest).words:
            if word.raw.casefold() in self.neighbours.judging and word.key not in self.said:
                yield JUDGED.format(word.raw)

    def _glued(self, before: str, slot: str, after: str) -> Iterator[str]:
        glued, follows = GLUED_BEFORE.search(before), GLUED_AFTER.match(after)
        if glued and not _is_neat_before(glued[0], self.language) and f"{glued[0]}{slot}" not in self.pairs:
            yield GLUED.format(f"{glued[0]}{slot}")
        if (follows or after[:2] in ("'s", "’s")) and f"{slot}{follows[0] if follows else ''}" not in self.pairs:
            yield GLUED.format(f"{slot}{after.split(' ')[0]}")

    def _leaning_before(self, before: str, slot: str) -> Iterator[str]:
        found = WORD_BEFORE.search(before)
        if not found or not NEAR.fullmatch(found[3]) or SLOT.search(before, max(0, found.start(1))):
            return
        key = word_key(found[2])
        if key in self.neighbours.articles and self._is_list(slot) and SPACE.fullmatch(found[3]):
            yield SEVERAL.format(f"{found[2]} {slot}")
        if f"{key} {slot}" in self.pairs or found[3].strip() == "(":
            return
        is_neutral = key in self.neighbours.before or key in self.titled
        if (SPACE.fullmatch(found[3]) and not is_neutral) or found[2].casefold() in self.neighbours.judging:
            yield BESIDE.format(f"{found[2]}{found[3]}{slot}")

    def _likened(self, slot: str, after: str) -> Iterator[str]:
        """ "{{color}} of the sea", "{{capacity}} for a day out", "{{weight}} - a featherweight"."""
        reading = Reading(SLOT.sub("}", after))
        position = 0
        for word in reading.words:
            between = reading.text[position : word.start]
            is_aside = word.key in APPOSED and between.strip() == ","
            if (CLAUSE_END.search(between) and not is_aside) or "}" in between:
                return
            if word.key not in STOP_WORDS:
                if word.key not in self.neutral:
                    yield BESIDE.format(f"{slot}{after[: word.end]}")
                return
            if word.key in PARTITIVE and self.kinds.get(slot) in MEASURED:
                return
            position = word.end

    def _leaning_after(self, slot: str, after: str) -> Iterator[str]:
        found = WORD_AFTER.match(after)
        if not found or not SPACE.fullmatch(found[1]) or after.lstrip().startswith("{{"):
            return
        key = word_key(found[2])
        if key not in STOP_WORDS and self._is_list(slot):
            yield SEVERAL.format(f"{slot} {found[2]}")
        if f"{slot} {key}" in self.pairs or key in self.neighbours.after:
            return
        if find_unit(found[2]) is not None:
            yield UNIT.format(f"{slot} {found[2]}")
        elif key not in self.said or found[2].casefold() in self.neighbours.judging:
            yield BESIDE.format(f"{slot} {found[2]}")


def _is_neat_before(glued: str, language: str) -> bool:
    """A dash between clauses, and the elided words that filling can undo."""
    return glued in ("—", "–") or (language == "fr" and re.search(r"(?<!\w)[dD][’']$", glued) is not None)


@lru_cache(maxsize=32)
def _words_of(facts: Facts) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """What stands beside slots in the facts; all words of facts and labels; those of title, maker and labels."""
    pairs: set[str] = set()
    texts = [facts.title, *(fact.value for fact in facts.facts)]
    for text in texts:
        for match in SLOT.finditer(text):
            before, after = text[: match.start()], text[match.end() :]
            if found := WORD_BEFORE.search(before):
                pairs.add(f"{word_key(found[2])} {match[0]}")
            if follows := WORD_AFTER.match(after):
                pairs.add(f"{match[0]} {word_key(follows[2])}")
            pairs |= {f"{glued[0]}{match[0]}" for glued in [GLUED_BEFORE.search(before)] if glued}
            pairs |= {f"{match[0]}{glued[0]}" for glued in [GLUED_AFTER.match(after)] if glued}
    labels = _keys(fact.display_label for fact in facts.facts) | _keys(fact.label for fact in facts.facts)
    brands = _keys(fact.value for fact in facts.facts if fact.label in ("brand", "category"))
    return frozenset(pairs), _keys(texts) | labels, _keys([facts.title]) | labels | brands


def _keys(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(word.key for text in texts for word in Reading(SLOT.sub(" ", text)).words)
