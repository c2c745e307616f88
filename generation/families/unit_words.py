"""Units that are words, and so are told in the language of the text; symbols are the same everywhere."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files

from generation.facts.folding import fold
from generation.facts.units import COUNT, Unit, find_unit

Forms = dict[str, list[str]]  # language -> one, several

SYMBOLS = """
    mg g kg t μm mm cm dm m km ft yd oz lb lbs ml cl dl l mm2 cm2 m2 cm3 m3 w kw mw wh kwh kj kcal j v kv a ma mah ah
    hz khz mhz ghz kb mb gb tb mbps gbps k pa hpa mbar kpa bar psi ms s min h kmh dpi rpm lm lx db px mp gsm n nm den
    ct btu hp
"""
WRITTEN_ALIKE = frozenset(SYMBOLS.split())


def tell_unit(spelling: str, unit: Unit, language: str, *, is_one: bool) -> str | None:
    """The unit as a text of that language says it; None for a word that is not known in it."""
    own = _forms().get(unit, {}).get(language, [])
    folded = spelling.casefold()
    is_inch = language == "en" and folded == "in"
    if unit is not COUNT and (folded in WRITTEN_ALIKE or not folded.isalpha() or is_inch):
        return spelling
    if fold(spelling) in map(fold, own):
        return spelling
    return own[0 if is_one else 1] if own else None


@cache
def _forms() -> dict[Unit, Forms]:
    tables = tomllib.loads(files(__package__).joinpath("unit_words.toml").read_text(encoding="utf-8"))
    units = {name: COUNT if name == "piece" else find_unit(name) for name in tables}
    return {unit: tables[name] for name, unit in units.items() if unit is not None}
