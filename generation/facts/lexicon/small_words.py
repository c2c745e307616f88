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
    tot uit van veel voor wat wel werd wij ze zich zijn zo zonder
    """
)
NEGATORS: dict[str, frozenset[str]] = {
    "en": frozenset(
        ("not", "no", "without", "isn", "aren", "doesn", "don", "never", "non", "nor", "neither", "zero", "cannot")
    ),
    "de": frozenset(("nicht", "kein", "keine", "keinen", "keinem", "keiner", "ohne", "nie", "weder")),
    "fr": frozenset(("sans", "pas", "non", "aucun", "aucune", "ni", "jamais")),
    "es": frozenset(("sin", "no", "ni", "nunca", "ningun")),
    "it": frozenset(("senza", "non", "ne", "nessun", "nessuna", "mai")),
    "nl": frozenset(("zonder", "niet", "geen", "nooit", "noch")),
}
# Facts quoted in another language than the text's keep their own.
QUOTED_NEGATORS = frozenset(("not", "no", "without"))
# "Waterproof: no".
NO_WORDS = frozenset(("no", "false", "nein", "non", "nee", "falso", "falsch"))
# "not only leather but also …" denies nothing; "free of" and "frei von" deny what follows.
NEGATION_UNDONE = frozenset(("only", "just", "nur", "seulement", "solo", "solamente", "soltanto", "alleen", "merely"))
FREE_BEFORE = frozenset(("free", "frei", "vrij", "libre", "exempt", "privo", "libero"))
FREE_OF = frozenset(("of", "from", "von", "van", "de", "di"))
FREE_AFTER = frozenset(("free", "frei", "vrij", "freie", "freier", "freies", "freien", "vrije"))

NUMBER_WORDS: dict[str, dict[str, int]] = {
    "en": _numbers(
        "two 2 three 3 four 4 five 5 six 6 seven 7 eight 8 nine 9 ten 10 eleven 11 twelve 12 dozen 12 "
        "fifteen 15 twenty 20 thirty 30 forty 40 fifty 50 sixty 60 hundred 100 thousand 1000"
    ),
    "de": _numbers(
        "zwei 2 drei 3 vier 4 fünf 5 sechs 6 sieben 7 neun 9 zehn 10 elf 11 zwölf 12 zwanzig 20 dreißig "
        "30 fünfzig 50 hundert 100 tausend 1000"
    ),
    "fr": _numbers(
        "deux 2 trois 3 quatre 4 cinq 5 six 6 sept 7 huit 8 dix 10 onze 11 douze 12 quinze 15 vingt 20 "
        "trente 30 cinquante 50 cent 100 mille 1000"
    ),
    "es": _numbers(
        "dos 2 tres 3 cuatro 4 cinco 5 seis 6 siete 7 ocho 8 nueve 9 diez 10 doce 12 quince 15 veinte 20 "
        "treinta 30 cincuenta 50 cien 100 mil 1000"
    ),
    "it": _numbers(
        "due 2 tre 3 quattro 4 cinque 5 sette 7 otto 8 nove 9 dieci 10 undici 11 dodici 12 quindici 15 "
        "venti 20 trenta 30 cinquanta 50 cento 100 mille 1000"
    ),
    "nl": _numbers(
        "twee 2 drie 3 vier 4 vijf 5 zes 6 zeven 7 negen 9 tien 10 elf 11 twaalf 12 twintig 20 dertig 30 "
        "vijftig 50 honderd 100 duizend 1000"
    ),
}
# After a number word these count nothing of the product: "two ways", "the two of you".
UNCOUNTED = _words(
    """
    ways way worlds things reasons minds people hands friends steps seasons words thoughts times at in into of
    or and to for on with arten weisen welten dinge gründe menschen hände freunde jahreszeiten wege personen
    saisons façons mondes mains choses raisons personnes maneras mundos manos cosas personas estaciones modi
    mondi mani cose persone stagioni manieren werelden dingen handen mensen seizoenen
    """
)
LETTER_SIZES = frozenset(("XXS", "XS", "S", "M", "L", "XL", "XXL", "XXXL", "2XL", "3XL", "4XL", "5XL", "6XL"))
SIZE_WORDS = _words("size sizes größe größen taille tailles talla tallas taglia taglie maat maten")
# Capitalised in the middle of a sentence without naming a maker or a model.
COMMON_CAPITALS = _words(
    """
    i m ll ve monday tuesday wednesday thursday friday saturday sunday january february march april may
    june july august september october november december christmas easter halloween valentine
    father mother thanksgiving sie ihr ihre ihren ihnen ihrem ihrer noël pâques navidad natale kerst diy tv
    ok u
    """
)
