"""British spellings brought to American ones, for comparing wordings only.

Each is one word spelt in two ways, so nothing that tells two products apart is lost.
"""

from __future__ import annotations

from generation.facts.folding import fold_word


def _stems(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_IZED = _stems(
    "american anod aromat authentic caramel carbon central crystall custom deodor digital econom elastic energ "
    "equal fertil final galvan general harmon homogen hydrogen immobil immun individual ion jewel local magnet "
    "maxim mechan mercer metal mineral miniatur minim mobil modern moistur motor natural neutral normal optim "
    "organ oxid pasteur personal plastic polar pressur pulver random real revital rubber sanit sensit silicon "
    "special stabil standard steril styl summar synchron synthes tender util vapor visual vulcan weather "
    "winter "
)
_IZED_ENDINGS = ("e", "ed", "es", "er", "ers", "ing", "able", "ation")
_OR = ("arm", "col", "fav", "flav", "glam", "harb", "hon", "neighb", "od", "sav", "splend", "vap")  # fmt: skip
_OR_ENDINGS = ("", "s", "ed", "ing", "ful", "able", "less", "ite")
# Before "-led", "-ling", "-ler": "levelled", "travelling".
_L = _stems(
    "barrel bevel cancel channel chisel dial dowel duel enamel funnel fuel grovel jewel label level libel "
    "marvel model panel pedal pencil quarrel shovel shrivel signal snivel spiral stencil swivel tassel towel "
    "travel tunnel weasel "
)
_L_ENDINGS = ("ed", "ing", "er", "ers")
_OTHERS = {
    "aeroplane": "airplane", "ageing": "aging", "analogue": "analog", "artefact": "artifact",
    "calibre": "caliber", "catalogue": "catalog", "catalogues": "catalogs", "chequered": "checkered", "chilli": "chili",
    "cosy": "cozy", "cosies": "cozies", "crème": "creme", "crêpe": "crepe", "café": "cafe", "décor": "decor",
    "dialogue": "dialog", "doughnut": "donut", "doughnuts": "donuts", "draught": "draft", "draughts": "drafts",
    "fibreboard": "fiberboard", "fibreglass": "fiberglass",
    "kerb": "curb", "licence": "license", "liquorice": "licorice", "lustre": "luster", "manoeuvre": "maneuver",
    "manoeuvrable": "maneuverable", "marvellous": "marvelous", "matelassé": "matelasse", "mélange": "melange",
    "mould": "mold", "moulds": "molds", "moulding": "molding", "moustache": "mustache", "omelette": "omelet",
    "orthopaedic": "orthopedic", "pâté": "pate", "piqué": "pique", "plough": "plow", "programme": "program",
    "programmes": "programs", "pyjama": "pajama", "pyjamas": "pajamas", "sabre": "saber", "sceptre": "scepter",
    "soufflé": "souffle", "theatre": "theater", "theatres": "theaters", "towelling": "toweling",
    "woollen": "woolen", "woollens": "woolens", "woolly": "wooly", "yoghurt": "yogurt", "yoghurts": "yogurts",
    "appliqué": "applique", "naïve": "naive", "façade": "facade",
    "odourless": "odorless", "odours": "odors", "favourite": "favorite",
}  # fmt: skip


def _spellings() -> dict[str, str]:
    ized = {f"{stem}is{end}": f"{stem}iz{end}" for stem in _IZED for end in _IZED_ENDINGS}
    colored = {f"{stem}our{end}": f"{stem}or{end}" for stem in _OR for end in _OR_ENDINGS}
    leveled = {f"{stem}l{end}": f"{stem}{end}" for stem in _L for end in _L_ENDINGS}
    return ized | colored | leveled | _OTHERS


SPELLINGS = _spellings()


def fold_spelling(word: str) -> str:
    folded = fold_word(word)
    return SPELLINGS.get(folded, folded)
