"""Words beside a colour or a material that change what is stated."""

from __future__ import annotations

# English words that are a colour only beside a word that says so ("in cream", "mint-coloured").
COLORS_IN_CONTEXT = {
    "cream": "ivory",
    "tan": "tan",
    "camel": "tan",
    "mint": "olive green",
    "sage": "olive green",
    "lime": "olive green",
    "olive": "olive green",
    "peach": "coral",
    "salmon": "coral",
    "plum": "purple",
    "lavender": "lilac",
    "mustard": "mustard yellow",
    "charcoal": "charcoal",
    "chocolate": "brown",
    "rose": "pink",
    "ruby": "red",
    "sand": "beige",
}
COLOR_WORDS_BEFORE = frozenset(("in", "color", "shade", "colors"))
COLOR_WORDS_AFTER = frozenset(("color", "colored", "tone", "toned", "hue", "shade", "tint", "hues", "tones"))

# "gold-plated" is not gold, "marble-look" not marble.
PLATED = frozenset(("plated", "plating", "coated", "filled", "veneer"))
LIKENESS = frozenset(("look", "effect", "imitation", "optik", "style", "finish", "print", "tone", "toned", "like"))
SURFACES = PLATED | LIKENESS
IMITATIONS = frozenset(("faux", "imitation", "artificial", "fake", "mock", "synthetic", "vegan", "simulated"))
