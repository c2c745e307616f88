"""Words beside a colour or a material that change what is stated."""

from __future__ import annotations

import re

# English words that are a colour only beside a word that says so ("in cream", "mint-coloured").
COLORS_IN_CONTEXT = {
    "cream": "ivory",
    "tan": "tan",
    "camel": "tan",
    "mint": "mint green",
    "sage": "sage green",
    "moss": "moss green",
    "lime": "lime green",
    "olive": "olive green",
    "peach": "peach",
    "salmon": "salmon",
    "rust": "rust red",
    "plum": "purple",
    "lavender": "lilac",
    "mustard": "mustard yellow",
    "charcoal": "charcoal",
    "chocolate": "brown",
    "rose": "pink",
    "ruby": "cherry red",
    "sand": "beige",
}
COLOR_WORDS_BEFORE = frozenset(("in", "color", "shade", "colors"))
COLOR_WORDS_AFTER = frozenset(("color", "colored", "tone", "toned", "hue", "shade", "tint", "hues", "tones"))

# "gold-plated" is not gold, "marble-look" not marble.
PLATED = frozenset(("plated", "plating", "coated", "filled", "veneer"))
LIKENESS = frozenset(("look", "effect", "imitation", "optik", "style", "finish", "print", "tone", "toned", "like"))
SURFACES = PLATED | LIKENESS
IMITATIONS = frozenset(("faux", "imitation", "artificial", "fake", "mock", "synthetic", "vegan", "simulated"))

# German and Dutch words that begin or end like a material without being made of it ("Bücherregal", "leveren").
NO_FIRST_PART = re.compile(
    r"sam(?:tlich|tg)|bucher|papierlos|kantoor|kantine|kantel|kantje|klein|leer[bdgjklmpstz]|strooi|stroo[mkp]|strom|strot"
    r"|stroef|strof|stronk|stront|kurkentrek|verenig|felle|zink(?:end|t)|staaltje|eichen?(?:den|t)|buchen(?:d|s?t)|bastel"
    r"|bastl|wollen?[dst]|wollte|rosen|rozen|rozem|essent|erle[^n]|erlern|rekord|creper|without|zijdelings|steenrijk|\w*diebstahl|\w*dieb?stahls"
)
NO_LAST_PART = re.compile(
    r"eichen?|eisen|wollen|seiden|leinen|linnen|federn|veren|leren|leer|koper|staal|stalen|ijzer|zijden?|eiken?|vuren"
    r"|rot|rood|rode|ton|samt|email|fell|pelz|bont|kant|riet|klei|satin|agaat|granaat|granat|chroom|chrom|glazen|taft|hars|harz"
    r"|linden?|tannen?|essen|tin|teak|rubber|jersey|modal|blech|krepp|latex|nappa|stein|steen|papier|perlen?|parel|erlen?"
    r"|eschen?|ulme|weiss|orange|marine|petrol|creme|moos|rosa|roze|lila|pink|opal|achat|saphir|ocker|oker|schuim|vilt"
    r"|zinn|zink|titan|karton|pappe|stroh|stro|buchen?|beuken|brandhout|slaghout"
)
