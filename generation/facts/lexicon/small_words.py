"""Stop words, negators, number words and size words by language."""

from __future__ import annotations

from generation.facts.words import word_key


def _words(text: str) -> frozenset[str]:
    return frozenset(word_key(word) for word in text.split())


def _numbers(text: str) -> dict[str, int]:
    """ "two 2 three 3"."""
    words = text.split()
    return {word_key(word): int(value) for word, value in zip(words[::2], words[1::2], strict=True)}


STOP_WORDS = _words(
    """
    a an and any are as at be been but by can do does each for from get gives go has have here how i if in into
    is it its just like made make makes many may more most much no not of off on one only or other our out over
    own per so some such than that the their them then there these they this those through to too under up us
    use used uses very was we were what when where which while who will with without you your also all both
    every good great new well keep keeps keeping come comes offer offers features feature product item brand ab
    aber als am auch auf aus bei bis das dass dem den der des die dies diese dieser dieses doch du durch ein
    eine einem einen einer eines er es für gegen hat haben ich ihr ihre im ist ja kein keine man mit nach nicht
    noch nur ob oder ohne sehr sein sich sie sind über um und uns unter vom von vor war wenn werden wie wir wird
    zu zum zur au aux avec ce ces cet cette comme dans de elle en est et eux il ils je la le les leur lui ma
    mais même mes moi ne nos notre nous ou par pas plus pour qu que qui sa sans se ses son sont sur ta te tes
    toi ton tu un une vos votre vous al como con del el ella ellos entre era esta este esto estos ha hay las lo
    los más mi muy ni o para pero por si sin sobre su sus una uno y ya agli alla alle anche ai che chi ci col
    cui da dal dalla dei della delle di e gli io nei nel nella non più quale questo questa sono sul suo sua tra
    aan bij dat deze dit door een het hij hun ik maar men met mijn na naar niet nog nu om onder ons ook op toch
    tot uit van veel voor wat wel werd wij ze zich zijn zo zonder mag hoort gaat
    darf dürfen soll sollte muss kann gehört geht passt bitte lieber leider
    """
)
NEGATORS: dict[str, frozenset[str]] = {
    "en": frozenset(
        (
            "not",
            "no",
            "without",
            "isn",
            "aren",
            "doesn",
            "don",
            "never",
            "non",
            "nor",
            "neither",
            "zero",
            "cannot",
            "avoid",
            "avoids",
        )
    ),
    "de": frozenset(
        (
            "nicht",
            "kein",
            "keine",
            "keinen",
            "keinem",
            "keiner",
            "ohne",
            "nie",
            "weder",
            "keinerlei",
            "null",
            "vermeiden",
            "meiden",
            "meidet",
        )
    ),
    "fr": frozenset(
        ("sans", "pas", "non", "aucun", "aucune", "ni", "jamais", "zero", "rien", "evitez", "eviter", "evite")
    ),
    "es": frozenset(("sin", "no", "ni", "nunca", "ningun", "ninguna", "nada", "cero", "tampoco", "evitar", "evite")),
    "it": frozenset(("senza", "non", "ne", "nessun", "nessuna", "mai", "niente", "zero", "evitare", "evitate")),
    "nl": frozenset(("zonder", "niet", "geen", "nooit", "noch", "nul", "vermijd")),
}
# Facts quoted in another language than the text's keep their own.
QUOTED_NEGATORS = frozenset(("not", "no", "without"))
# "Waterproof: no".
NO_WORDS = frozenset(("no", "false", "nein", "non", "nee", "falso", "falsch"))
# "not only leather but also …" denies nothing; "free of" and "frei von" deny what follows.
NEGATION_UNDONE = frozenset(("only", "just", "nur", "seulement", "solo", "solamente", "soltanto", "alleen", "merely"))
FREE_BEFORE = frozenset(("free", "frei", "vrij", "libre", "exempt", "privo", "libero"))
FREE_OF = frozenset(("of", "from", "von", "van", "de", "di"))
# What happens to a product is denied by these, too: "resists stains", "crack-proof".
RESISTING = _words(
    "resist resists resisting resistant against prevent prevents preventing prevention ne n stop stops stopping fights "
    "gegen verhindert schützt contre empêche contra evita previene contro tegen voorkomt anti combat combats bekämpft"
)
RESISTED_AFTER = frozenset(("proof", "resistant", "resisting", "free", "fest", "sicher"))
TRAILING_NEGATORS = frozenset(("nicht", "niet"))
FREE_AFTER = frozenset(("free", "frei", "vrij", "freie", "freier", "freies", "freien", "vrije"))

NUMBER_WORDS: dict[str, dict[str, int]] = {
    "en": _numbers(
        "two 2 three 3 four 4 five 5 six 6 seven 7 eight 8 nine 9 ten 10 eleven 11 twelve 12 dozen 12 thirteen 13 "
        "fourteen 14 fifteen 15 sixteen 16 seventeen 17 eighteen 18 nineteen 19 twenty 20 thirty 30 forty 40 fifty 50 "
        "sixty 60 seventy 70 eighty 80 ninety 90 hundred 100 thousand 1000"
    ),
    "de": _numbers(
        "zwei 2 drei 3 vier 4 fünf 5 sechs 6 sieben 7 acht 8 neun 9 zehn 10 elf 11 zwölf 12 dreizehn 13 vierzehn 14 "
        "fünfzehn 15 sechzehn 16 siebzehn 17 achtzehn 18 neunzehn 19 zwanzig 20 dreißig 30 vierzig 40 fünfzig 50 "
        "sechzig 60 siebzig 70 achtzig 80 neunzig 90 hundert 100 tausend 1000"
    ),
    "fr": _numbers(
        "deux 2 trois 3 quatre 4 cinq 5 six 6 sept 7 huit 8 dix 10 onze 11 douze 12 treize 13 quatorze 14 quinze 15 "
        "seize 16 vingt 20 trente 30 quarante 40 cinquante 50 soixante 60 cent 100 mille 1000"
    ),
    "es": _numbers(
        "dos 2 tres 3 cuatro 4 cinco 5 seis 6 siete 7 ocho 8 nueve 9 diez 10 once 11 doce 12 trece 13 catorce 14 "
        "quince 15 veinte 20 veinticuatro 24 treinta 30 cuarenta 40 cincuenta 50 sesenta 60 setenta 70 ochenta 80 "
        "noventa 90 cien 100 mil 1000"
    ),
    "it": _numbers(
        "due 2 tre 3 quattro 4 cinque 5 sei 6 sette 7 otto 8 nove 9 dieci 10 undici 11 dodici 12 tredici 13 "
        "quattordici 14 quindici 15 sedici 16 diciassette 17 diciotto 18 diciannove 19 venti 20 ventiquattro 24 "
        "trenta 30 quaranta 40 cinquanta 50 sessanta 60 settanta 70 ottanta 80 novanta 90 cento 100 mille 1000"
    ),
    "nl": _numbers(
        "twee 2 drie 3 vier 4 vijf 5 zes 6 zeven 7 acht 8 negen 9 tien 10 elf 11 twaalf 12 dertien 13 veertien 14 "
        "vijftien 15 zestien 16 zeventien 17 achttien 18 negentien 19 twintig 20 dertig 30 veertig 40 vijftig 50 "
        "zestig 60 zeventig 70 tachtig 80 negentig 90 honderd 100 duizend 1000"
    ),
}
NUMBER_WORDS["de"] |= {
    f"{ones}und{tens}": NUMBER_WORDS["de"][tens] + (NUMBER_WORDS["de"].get(ones, 1))
    for tens in ("zwanzig", "dreissig", "vierzig", "funfzig", "sechzig", "siebzig", "achtzig", "neunzig")
    for ones in ("ein", "zwei", "drei", "vier", "funf", "sechs", "sieben", "acht", "neun")
}
NUMBER_WORDS["nl"] |= {
    f"{ones}en{tens}": NUMBER_WORDS["nl"][tens] + (NUMBER_WORDS["nl"].get(ones, 1))
    for tens in ("twintig", "dertig", "veertig", "vijftig", "zestig", "zeventig", "tachtig", "negentig")
    for ones in ("een", "twee", "drie", "vier", "vijf", "zes", "zeven", "acht", "negen")
}
# Other words, too ("acht geben", "tu sei"): they count only before a unit or a German noun.
AMBIGUOUS_NUMBERS = frozenset(("acht", "sei", "once", "mil", "cent", "mille"))
# "Double-walled" facts allow "two walls".
MULTIPLES = _numbers(
    "double 2 dual 2 twin 2 pair 2 doppel 2 doppelt 2 dubbel 2 doble 2 doppio 2 doppia 2 triple 3 quadruple 4"
)
# After a number word these count nothing of the product: "two ways", "the two of you".
UNCOUNTED = _words(
    """
    quarter quarters fold
    ways way worlds things reasons minds people hands friends steps seasons words thoughts times at in into of
    or and to for on with arten weisen welten dinge gründe menschen hände freunde jahreszeiten wege personen
    saisons façons mondes mains choses raisons personnes maneras mundos manos cosas personas estaciones modi
    mondi mani cose persone stagioni manieren werelden dingen handen mensen seizoenen
    """
)
# Beside these a colour paints the day, not the product: "a grey morning", "graue Tage"; "sky blue" is a colour.
SCENERY_AFTER = _words(
    """
    morning mornings day days sky skies weather winter winters november clouds sea hills meadow meadows streets
    tag tage tagen himmel wetter morgen alltag wolken meer wiese wiesen hügel dag dagen lucht hemel ochtend ochtenden
    weer
    """
)
SCENERY_BEFORE = _words("ciel jour jours matin matins journée journées mer cielo día días giorno giorni mare")
LETTER_SIZES = frozenset(("XXS", "XS", "S", "M", "L", "XL", "XXL", "XXXL", "2XL", "3XL", "4XL", "5XL", "6XL"))
SIZE_WORDS = _words("size sizes größe größen taille tailles talla tallas taglia taglie maat maten")
# Capitalised in the middle of a sentence without naming a maker or a model.
COMMON_CAPITALS = _words(
    """
    i m ll ve monday tuesday wednesday thursday friday saturday sunday january february march april may
    june july august september october november december christmas easter halloween valentine
    father mother thanksgiving sie ihr ihre ihren ihnen ihrem ihrer noël pâques navidad natale kerst diy tv
    ok u allen phillips
    """
)
ALL_NUMBER_WORDS: dict[str, int] = {
    word: value
    for language in NUMBER_WORDS.values()
    for word, value in language.items()
    if word not in AMBIGUOUS_NUMBERS
}
# "Without: parabens, silicones" and "Parabens: none".
ABSENCE_LABELS = frozenset(
    {"without", "free from", "free of", "does not contain", "contains no", "ohne", "frei von", "sans", "exempt de"}
    | {"sin", "libre de", "senza", "privo di", "zonder", "vrij van"}
)
NONE_VALUES = frozenset(
    {"none", "nil", "not included", "not applicable", "keine", "keiner", "kein", "ohne", "aucun", "aucune", "sans"}
    | {"ninguno", "ninguna", "nessuno", "nessuna", "geen", "not", "nicht", "niet", "pas", "nicht enthalten"}
)
