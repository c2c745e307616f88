"""Free text -> ProductInput: what a person types into the box becomes title, attributes and features."""

from __future__ import annotations

import re

from generation.facts.folding import INVISIBLE
from generation.facts.labels import is_known_label
from generation.facts.product import AttributeValue, ProductInput

# What is written around the product in six languages. Only the beginning and clauses of nothing else are taken off.
KINDS = r"""(?:(?:product|short|long|brief|nice|good|great|catchy|seo|shop|compelling|engaging|appealing|attractive
    |new|online|web|page)\s+)*"""
GREETED = r"(?:hi|hello|hey|hallo|bonjour|salut|hola|ciao|good\ (?:morning|afternoon))(?:\ (?:there|team|all))?"
GREETING = rf"(?:{GREETED}\s*[,!.]*\s+)?(?:please\s*:\s*)?"
REQUEST = r"""(?:(?:please|kindly|(?:can|could|would)\ you|(?:can|could|may)\ (?:i|we)|let's
    |(?:i|we)(?:\ would|'d)?\ (?:need|want|like)(?:\ you\ to)?
    |(?:my|our|the)\ shop\ needs|help\ (?:me|us)(?:\ to)?
    |(?:(?:i'm|i\ am|we're|we\ are)\ )?looking\ for),?\s+)*"""
ORDER = rf"""{REQUEST}
    (?:(?:write|create|generate|compose|draft|make|give|prepare|provide|do|get|have)\s+(?:me\s+|us\s+|up\s+)?)?
    (?:an?\s+|the\s+|some\s+|my\s+)?{KINDS}(?:description|text|copy|blurb|listing)s?"""
GERMAN_ORDER = r"""(?:bitte\s+)?(?:schreibe?n?|erstelle?n?|ich\ brauche|wir\ brauchen)\s+(?:sie\s+)?
    (?:bitte\s+)?(?:mir\s+|uns\s+)?(?:bitte\s+)?(?:eine?n?\s+)?(?:kurze[nr]?\s+|lange[nr]?\s+|schöne[nr]?\s+)?
    (?:produktbeschreibung|beschreibung|produkttext|text)"""
ARTICLE = r"(?:(?:an?|the|my|our|this|these|the\ following)\s+)?"
SHOP = r"(?:my|our|the|an?)\ (?:(?:web|online)[\ -]?)?(?:shop|store|site|website)"
FOR_SHOP = rf"(?:for\ {SHOP}\s*[:,]\s*)?"
INSTRUCTION = re.compile(
    rf"""^\s*{GREETING}{FOR_SHOP}(?:
    {ORDER}\s+(?:for|of|about|on)(?:\s+(?:this|the\ following)\ (?:product|item)\b\s*[.!]?|\s+{SHOP}(?=\s*:))?
        (?:\s*:\s*|\s+){ARTICLE}
    |(?:{REQUEST}(?:write|create|generate|compose|draft)\s+(?:me\s+|us\s+)?|product\s+)
        (?:an?\s+|the\s+)?{KINDS}(?:description|text|copy)\s*:\s*{ARTICLE}
    |{REQUEST}write\s+(?:about|up)\s+{ARTICLE}
    |{ORDER}\s*(?:,?\s*please\s*)?:\s*{ARTICLE}
    |(?:it\ is|it's|this\ is|these\ are|here\ (?:is|are)|here's|introducing|selling)\s+{ARTICLE}
    |(?:the\ )?(?:product|item)\ is\s+{ARTICLE}
    |(?:item|for\ sale|(?:product\ )?details|new\ (?:product|item|arrival|in\ (?:the|our)\ shop)|what\ we\ sell)\s*:\s*
        {ARTICLE}
    |(?:product\s+)?(?:description|text|copy)\s+(?:needed|wanted|required)\s*(?:for\s+|:\s*){ARTICLE}
    |(?:we|i)(?:\ are|'re|\ am|'m)?\s+(?:have|sell|offer|stock|selling|offering|want\ to\ sell)\s+
        (?:(?:a\ )?new\ (?:product|item)\s*:\s*)?{ARTICLE}
    |{REQUEST}write\s+(?:me\s+|us\s+)?something\s+(?:nice\s+|catchy\s+|good\s+)?(?:for|about|on)\s+{ARTICLE}
    |{GERMAN_ORDER}\s+(?:für|über|zu)\s+(?:(?:unsere?[nrms]?|eine?[nrm]?|den|die|das|dieses?[nr]?)\s+)?
    |(?:écris|écrivez|rédige|rédigez|crée|créez)(?:-moi)?\s+(?:une?\s+)?(?:courte\s+)?
        (?:description|fiche)(?:\ (?:de\ )?produit)?\s+(?:pour|de)\s+(?:(?:une?|le|la|les|notre|nos)\s+)?
    |(?:bitte\s+|{REQUEST})(?:describe|beschreibe|décris|décrivez|describa|descrivi|beschrijf)(?:\s*:\s*|\s+)
        (?:(?:this|the\ following)(?:\ (?:product|item))?\s*:\s*)?(?:(?:an?|the|my|our|this|these|eine?n?|une?)\s+)?
    |(?:escribe|escriba|crea|genera|scrivi|necesito)(?:me)?\s+(?:una?\s+)?(?:descripción|descrizione)
        (?:\s+(?:de|del)\s+(?:producto|prodotto))?\s+(?:para|de|per|di)\s+(?:(?:una?|nuestr[oa]|el|la)\s+)?
    |(?:schrijf|maak)\s+(?:een\s+)?(?:korte\s+)?(?:productbeschrijving|beschrijving|tekst)\s+(?:voor|van|over)\s+
        (?:(?:een|de|het|onze)\s+)?
    |(?<=[:,]\s){ARTICLE}
    )""",
    re.VERBOSE | re.IGNORECASE,
)
# A later clause that only asks for a text. One that asks for a short or a funny one states a wish and stays.
COURTESY = re.compile(
    rf"""\s*(?:(?:many\ )?thanks?(?:\ you)?(?:\ (?:a\ lot|so\ much|very\ much|in\ advance))*
    |(?:vielen\ )?danke?|merci|gracias|grazie|bedankt|{GREETED}
    |{REQUEST}(?:write|create|generate|compose|draft|give|make|do|prepare)\s+(?:me\s+|us\s+)?(?:an?\s+|the\s+|some\s+)?
        (?:(?:product|nice|good|catchy)\s+)*(?:description|text|copy|listing|blurb)
        (?:\ (?:for|of|about|on|out\ of)\ (?:it|(?:this|that)(?:\ [a-z]+)?|the\ (?:product|item)|{SHOP}))?
    |{REQUEST}write\s+(?:it\ up|something\ (?:(?:nice|good|catchy)\ )?(?:about|for|on)\ (?:it|this|that))
    |{REQUEST}describe\ (?:it|this|that)(?:\ (?:product|item))?
    |(?:(?:i|we)\ )?need\ (?:an?\ |the\ |some\ )?(?:product\ )?(?:description|text|copy)
    |(?:product\ )?(?:description|text|copy)|please
    )(?:,?\ please)?\s*[.!?]*\s*""",
    re.VERBOSE | re.IGNORECASE,
)
# At the end of a clause.
ADDED = re.compile(rf"\s+(?:please|that\ (?:we|i)\ (?:sell|offer)|to\ sell|for\ {SHOP})$", re.IGNORECASE)
# Around the whole; a mark behind a number is one of inches.
QUOTES = re.compile(r"^[\s:\"'“”„]+|(?<![\d\s:\"'“”„])[\s:\"'“”„]+$")
LABELLED = re.compile(
    r"\s*[-*•]?\s*(?P<label>[^\W\d][^:\n,.!?]{0,38}[^\s:\n,.!?]|[^\W\d])\s*(?::(?!//)|\s=)\s*(?P<value>\S.*)"
)
# A comma inside a number ("0,5 l") ends nothing; a full stop ends a clause only before a space.
# "Max. 5 kg" goes on.
CLAUSE_ENDS = re.compile(
    r"[;\n|]+|,(?!\d)|(?<!\d),|(?<=[\w)%\"+])(?<!\bmax)(?<!\bincl)(?<!\bapprox)(?<!\bno(?=\. ?\d))[.!?](?:\s+|$)"
    r"|(?<=\s)[–—-](?=\s)",
    re.IGNORECASE,
)
# "Tote / black / 42 cm"; one alone stands between two of a kind: "black / white".
SLASHES = re.compile(r"\s/\s")
# "Desk: oak; 140 cm" goes on, "Sleeves: long; collar: round" has two labels.
LISTED = re.compile(r",|^[^:]*;[^:]*$")
# So does "infuser: 4.5 cm ball with a chain".
GOING_ON = re.compile(r"\b(?:with|and)\b")
# The sign of "-5 °C" is none.
BULLET = re.compile(r"^(?:\s|[*•]|-(?!\d))*")
LABEL_WORDS = 4
TITLE_LABELS = {"title": "title", "name": "title", "product": "title", "produkt": "title", "titel": "title",
                "product name": "title", "brand": "brand", "marke": "brand", "marque": "brand", "marca": "brand",
                "category": "category", "kategorie": "category"}  # fmt: skip


def parse_prompt(prompt: str) -> ProductInput:
    """A leading instruction is dropped; `label: value` becomes an attribute; the first other clause is the title."""
    text = INSTRUCTION.sub("", INVISIBLE.sub("", prompt), count=1)
    text = _title_set_apart(QUOTES.sub("", text).strip(" \t\n:"))
    product: ProductInput = {}
    attributes: dict[str, AttributeValue] = {}
    clauses: list[str] = []
    for clause in _clauses(text):
        match = LABELLED.fullmatch(clause)
        if match is None or len(match["label"].split()) > LABEL_WORDS:
            clauses.append(clause)
        elif match["label"].casefold() in TITLE_LABELS:
            _set_named(product, TITLE_LABELS[match["label"].casefold()], match["value"])
        else:
            _add(attributes, match["label"], match["value"])
    clauses = [ADDED.sub("", clause) for clause in clauses if not COURTESY.fullmatch(clause)]
    if "title" not in product and clauses:
        product["title"] = clauses.pop(0)
    if attributes:
        product["attributes"] = attributes
    if clauses:
        product["features"] = clauses
    return product


def _title_set_apart(text: str) -> str:
    """ "Sneakers: leather upper, rubber sole" names the product first; "Colours: red, blue" has a known label."""
    match = LABELLED.fullmatch(text)
    if match is None or not _goes_on(match["value"]) or "=" in text[: match.start("value")]:
        return text
    is_label = match["label"].casefold() in TITLE_LABELS or is_known_label(match["label"])
    return text if is_label else f"{match['label']}\n{match['value']}"


def _goes_on(value: str) -> bool:
    return bool(LISTED.search(value) or (":" not in value and GOING_ON.search(value)))


def _clauses(text: str) -> list[str]:
    """A labelled line keeps its commas: "Colours: red, blue" is one attribute with two values' text."""
    clauses: list[str] = []
    for line in re.split(r"[\n;|]+", text):
        match = LABELLED.fullmatch(line)
        if match and ":" not in match["value"] and len(match["label"].split()) <= LABEL_WORDS:
            clauses.append(line.strip())
        else:
            parts = SLASHES.split(line) if len(SLASHES.findall(line)) > 1 else [line]
            clauses += [BULLET.sub("", piece).rstrip(" \t-*•") for part in parts for piece in CLAUSE_ENDS.split(part)]
    return [clause for clause in clauses if clause]


def _add(attributes: dict[str, AttributeValue], label: str, value: str) -> None:
    known = attributes.get(label)
    if known is None:
        attributes[label] = value.strip()
    else:
        attributes[label] = [*(known if isinstance(known, list) else [str(known)]), value.strip()]


def _set_named(product: ProductInput, name: str, value: str) -> None:
    if name == "title":
        product["title"] = value
    elif name == "brand":
        product["brand"] = value
    else:
        product["category"] = value
