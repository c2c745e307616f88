"""Numbers and quantities in running text, exact: 500 ml = 0.5 L = 0,5 l. No float anywhere."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import NamedTuple


class Unit(NamedTuple):
    base: str  # the SI unit, or a unit of its own kind
    factor: Fraction
    offset: Fraction = Fraction(0)


def _unit(base: str, factor: str = "1", offset: str = "0") -> Unit:
    return Unit(base, Fraction(factor), Fraction(offset))


# Spellings that hold in any case ("KG", "Kg", "kg").
SPELLINGS: dict[str, Unit] = {
    spelling: unit
    for spellings, unit in (
        ("mg milligram milligrams milligramm", _unit("kg", "0.000001")),
        ("g gr gram grams gramm gramme grammes gramo gramos grammo grammi", _unit("kg", "0.001")),
        ("kg kgs kilo kilos kilogram kilograms kilogramm kilogramme kilogrammes kilogramo kilogramos chilogrammi",
         _unit("kg")),
        ("oz ounce ounces unze unzen", _unit("kg", "0.028349523125")),
        ("lb lbs pound pounds", _unit("kg", "0.45359237")),
        ("mcm μm micron microns", _unit("m", "0.000001")),
        ("mm millimeter millimeters millimetre millimetres millimètre millimètres milímetro milímetros millimetro "
         "millimetri", _unit("m", "0.001")),
        ("cm cms centimeter centimeters centimetre centimetres zentimeter centimètre centimètres centímetro "
         "centímetros centimetro centimetri", _unit("m", "0.01")),
        ("dm decimeter dezimeter", _unit("m", "0.1")),
        ("m meter meters metre metres mètre mètres metro metros metri mtr", _unit("m")),
        ("km kilometer kilometers kilometre kilometres", _unit("m", "1000")),
        ("in inch inches zoll pouce pouces pulgada pulgadas pollice pollici \"", _unit("m", "0.0254")),
        ("ft foot feet", _unit("m", "0.3048")),
        ("yd yds yard yards", _unit("m", "0.9144")),
        ("mm2 mm²", _unit("m2", "0.000001")),
        ("cm2 cm² qcm", _unit("m2", "0.0001")),
        ("m2 m² qm sqm", _unit("m2")),
        ("sqft", _unit("m2", "0.09290304")),
        ("ml milliliter milliliters millilitre millilitres mililitro mililitros millilitro millilitri",
         _unit("m3", "0.000001")),
        ("cl centiliter centilitre centilitres", _unit("m3", "0.00001")),
        ("dl deciliter decilitre", _unit("m3", "0.0001")),
        ("l ltr liter liters litre litres litro litros litri", _unit("m3", "0.001")),
        ("cm3 cm³ ccm cc", _unit("m3", "0.000001")),
        ("m3 m³", _unit("m3")),
        ("floz", _unit("m3", "0.0000295735295625")),
        ("gal gallon gallons", _unit("m3", "0.003785411784")),
        ("w watt watts vatios", _unit("W")),
        ("kw kilowatt kilowatts", _unit("W", "1000")),
        ("wh watthours", _unit("J", "3600")),
        ("kwh", _unit("J", "3600000")),
        ("kj", _unit("J", "1000")),
        ("kcal", _unit("J", "4184")),
        ("v volt volts voltios", _unit("V")),
        ("kv", _unit("V", "1000")),
        ("amp amps ampere amperes", _unit("A")),
        ("ma milliamp milliamps", _unit("A", "0.001")),
        ("mah", _unit("C", "3.6")),
        ("ah", _unit("C", "3600")),
        ("hz hertz", _unit("Hz")),
        ("khz", _unit("Hz", "1000")),
        ("mhz", _unit("Hz", "1000000")),
        ("ghz", _unit("Hz", "1000000000")),
        ("kb kilobyte kilobytes", _unit("byte", "1000")),
        ("mb megabyte megabytes", _unit("byte", "1000000")),
        ("gb gigabyte gigabytes", _unit("byte", "1000000000")),
        ("tb terabyte terabytes", _unit("byte", "1000000000000")),
        ("mbps mbit/s", _unit("bit/s", "1000000")),
        ("gbps gbit/s", _unit("bit/s", "1000000000")),
        ("°c celsius", _unit("K", "1", "273.15")),
        ("°f fahrenheit", _unit("K", "5/9", "45967/180")),
        ("kelvin", _unit("K")),
        ("pa", _unit("Pa")),
        ("hpa mbar", _unit("Pa", "100")),
        ("kpa", _unit("Pa", "1000")),
        ("bar", _unit("Pa", "100000")),
        ("psi", _unit("psi")),
        ("ms", _unit("s", "0.001")),
        ("s sec secs second seconds sekunde sekunden seconde secondes segundo segundos secondi seconden", _unit("s")),
        ("min mins minute minutes minuten minuto minutos minuti minuut", _unit("s", "60")),
        ("h hr hrs hour hours std stunde stunden heure heures hora horas ora ore uur uren", _unit("s", "3600")),
        ("day days tag tage tagen jour jours día días giorno giorni dag dagen", _unit("s", "86400")),
        ("week weeks woche wochen semaine semaines semana semanas settimana settimane weken", _unit("s", "604800")),
        ("month months monat monate monaten mois mes meses mese mesi maand maanden", _unit("month")),
        ("year years yr yrs jahr jahre jahren ans année années año años anno anni jaar jaren",
         _unit("month", "12")),
        ("% percent prozent pct procent", _unit("%")),
        ("° deg degree degrees grad", _unit("degree")),
        ("dpi", _unit("dpi")),
        ("rpm u/min", _unit("rpm")),
        ("lm lumen lumens", _unit("lm")),
        ("lx lux", _unit("lx")),
        ("db decibel decibels", _unit("dB")),
        ("px pixel pixels", _unit("px")),
        ("mp megapixel megapixels", _unit("MP")),
        ("gsm g/m2 g/m²", _unit("kg/m2", "0.001")),
        ("km/h kmh kph", _unit("m/s", "5/18")),
        ("mph", _unit("m/s", "0.44704")),
        ("nanometer nanometers nanometre", _unit("m", "0.000000001")),
        ("den denier", _unit("den")),
        ("ct carat carats karat", _unit("ct")),
        ("btu", _unit("BTU")),
        ("hp ps", _unit("hp")),
        ("usd $ dollar dollars", _unit("USD")),
        ("eur € euro euros", _unit("EUR")),
        ("gbp £", _unit("GBP")),
    )
    for spelling in spellings.split()
}  # fmt: skip
# Eight of the one are one of the other: "MB/s" and "Mb/s".
_THOUSANDS = {"k": "1000", "K": "1000", "M": "1000000", "G": "1000000000"}
# "G" is a network, "M" a size, "S" a size, "a" an article: these letters mean the unit only as written here.
CASE_BOUND: dict[str, Unit | None] = {
    "g": SPELLINGS["g"], "G": None, "m": SPELLINGS["m"], "M": None, "s": SPELLINGS["s"], "S": None,
    "A": _unit("A"), "a": None, "K": _unit("K"), "k": None, "J": _unit("J"), "N": _unit("N"), "h": SPELLINGS["h"],
    "H": None, "MW": _unit("W", "1000000"), "mW": _unit("W", "0.001"), "MA": None, "Mb": None, "Gb": None,
    "PS": SPELLINGS["ps"], "ps": None, "Nm": _unit("Nm"), "nm": _unit("m", "0.000000001"), "NM": None,
    "mA": SPELLINGS["ma"], "ma": None, "kB": SPELLINGS["kb"], "KB": SPELLINGS["kb"], "kb": None, "Kb": None,
    "Tb": None, "mHz": None,
    "MPa": _unit("Pa", "1000000"), "mV": _unit("V", "0.001"), "MJ": _unit("J", "1000000"), "MΩ": _unit("Ω", "1000000"),
    **{f"{p}B{per}": _unit("byte/s", factor) for p, factor in _THOUSANDS.items() for per in ("/s", "ps")},
    **{f"{p}b{per}": _unit("bit/s", factor) for p, factor in _THOUSANDS.items() for per in ("/s", "ps")},
}  # fmt: skip
TWO_WORD_UNITS = {
    "fl oz": "floz", "fl. oz": "floz", "fluid ounces": "floz", "fluid ounce": "floz", "sq ft": "sqft",
    "square feet": "sqft", "sq m": "m2", "square meters": "m2", "square metres": "m2", "percent off": "%",
    "per cent": "%", "degree celsius": "°c", "degrees celsius": "°c", "deg c": "°c", "degrees c": "°c",
    "degree fahrenheit": "°f", "degrees fahrenheit": "°f", "deg f": "°f", "degrees f": "°f", "° c": "°c", "° f": "°f",
}  # fmt: skip
COUNT = Unit("count", Fraction(1))
COUNT_WORDS = frozenset(
    {
        "pcs",
        "pc",
        "pce",
        "piece",
        "pieces",
        "pack",
        "packs",
        "unit",
        "units",
        "stk",
        "stck",
        "stück",
        "er-pack",
        "er-set",
    }
    | {"pièces", "piezas", "unidades", "pezzi", "stuks"}
)

# "1 000", "1,234.5", "0,5", "1.2.3"
NUMBER = r"\d{1,3}(?:\ \d{3})+(?![\d.,])|\d+(?:[.,]\d+)*"
FRACTION = r"(?:\d+\ )?\d+/\d+"
UNIT = r"""fl\.?\ oz|fluid\ ounces?|sq\ ft|sq\ m|square\ (?:feet|met(?:er|re)s)|per\ cent\b
    |(?i:deg(?:rees?)?|°)\ (?i:celsius|fahrenheit|[cf])(?!\w)|er-(?:[Pp]ack|[Ss]et)\b
    |°[CcFf]?|[%"€£$]|[^\W\d_]+[23²³]?(?:/[^\W\d_]+[23²³]?)?"""
MEASURE = re.compile(
    rf"""(?:(?<![\w.,/])|(?<=[\dm"][xX]))
    (?P<pack>(?:[Pp]ack|PACK)\ of\ )?
    (?P<sign>(?<![\w)])-)?(?P<currency>[$€£]\ ?)?
    (?P<number>{FRACTION}|{NUMBER})(?!\d|[.,/]\d)
    (?:(?P<gap>\ ?-?)(?P<unit>{UNIT})(?=[xX]\d|[\W_]|$))?""",
    re.VERBOSE,
)
WORD_FOLLOWS = re.compile(r"\s*(?:[^\W\d_]{2,}|a\b|[A-Z]\d)")
# "20 x 30 cm" shares a unit of length; "10-12 h" shares any.
SIDES = re.compile(r" *(?:[xX*]|by) *")
# "W45 x D30": letters that say which side it is, read as the space that they stand for.
SIDE_LETTER = re.compile(
    r"(?<!\w)[WDHLBT]\.? ?(?=\d[\d.,]*(?: ?(?:cm|mm|m|in))? ?[xX*])"
    r"|(?<=[xX*] )[WDHLBT]\.? ?(?=\d)|(?<=\d[xX*])[WDHLBT](?=\d)"
)
# "4K" is a resolution; a temperature of light has more digits.
RESOLUTION = re.compile(r"\d{1,2}")
RANGE = re.compile(r" ?(?:-|to|bis|à|a|tot|and|und|et|y|e|en|or|oder|ou|o|of) ?")
LONGEST_NUMBER = 40
GROUPED = re.compile(r"\d{1,3}(?:[.,]\d{3})+")
AMBIGUOUS = re.compile(r"[1-9]\d{0,2}[.,]\d{3}")


@dataclass(frozen=True, slots=True)
class Measure:
    """A number in a text. `values` holds every reading: "1.500" is 1500 in Germany and 1.5 in Britain."""

    start: int
    end: int
    number_end: int
    literal: str
    values: tuple[Fraction, ...]
    unit: Unit | None

    @property
    def is_ambiguous(self) -> bool:
        return len(self.values) != 1

    @property
    def canonical(self) -> str:
        """ "quantity:0.0005 m3", "count:3", "number:3"; what cannot be read for sure keeps its spelling."""
        kind = "number" if self.unit is None else "count" if self.unit is COUNT else "quantity"
        suffix = "" if self.unit is None or self.unit is COUNT else f" {self.unit.base}"
        if self.is_ambiguous:
            factor = f"*{self.unit.factor}" if suffix and self.unit else ""
            return f"{kind}:{self.literal}?{factor}{suffix}"
        return f"{kind}:{decimal_text(self.in_si()[0])}{suffix}"

    def in_si(self) -> tuple[Fraction, ...]:
        if self.unit is None:
            return self.values
        return tuple(value * self.unit.factor + self.unit.offset for value in self.values)


def measures(text: str) -> list[Measure]:
    """Every number of a composed text (see folding) with its unit, in order. Codes such as "A4" are not numbers."""
    text = SIDE_LETTER.sub(lambda match: " " * len(match[0]), text)
    found = [measure for match in MEASURE.finditer(text) if (measure := _measure(match, text))]
    for index in range(len(found) - 2, -1, -1):
        if shared := _shared_unit(text, found[index], found[index + 1]):
            found[index] = replace(found[index], unit=shared)
    return found


def find_unit(spelling: str) -> Unit | None:
    if spelling in CASE_BOUND:
        return CASE_BOUND[spelling]
    folded = spelling.casefold()
    if folded in COUNT_WORDS:
        return COUNT
    return SPELLINGS.get(TWO_WORD_UNITS.get(folded, folded))


def read_number(number: str) -> tuple[Fraction, ...]:
    """All readings of a written number; none for "1.2.3", which is a version, and for what is too long to be one."""
    if len(number) > LONGEST_NUMBER:
        return ()
    if "/" in number:
        return _read_fraction(number)
    if " " in number:
        return Fraction(number.replace(" ", "")), Fraction(number.rpartition(" ")[2])
    if number.isdigit():
        return (Fraction(number),)
    if AMBIGUOUS.fullmatch(number):
        return Fraction(re.sub("[.,]", "", number)), Fraction(number.replace(",", "."))
    return _read_separated(number)


def decimal_text(value: Fraction) -> str:
    """0.0005 for a value that ends in decimal, 5/18 for one that does not."""
    twos, rest = 0, value.denominator
    while rest % 2 == 0:
        twos, rest = twos + 1, rest // 2
    fives = 0
    while rest % 5 == 0:
        fives, rest = fives + 1, rest // 5
    if rest != 1:
        return str(value)
    places = max(twos, fives)
    if not places:
        return str(value.numerator)
    digits = str(abs(value.numerator) * 10**places // value.denominator).zfill(places + 1)
    return f"{'-' if value < 0 else ''}{digits[:-places]}.{digits[-places:]}"


def _measure(match: re.Match[str], text: str) -> Measure | None:
    end, spelling = match.end("number"), match["unit"]
    unit = find_unit(spelling) if spelling else None
    if unit and match["gap"] == " " and spelling == "in" and WORD_FOLLOWS.match(text, match.end()):
        unit = None
    if spelling == "K" and not match["gap"] and RESOLUTION.fullmatch(match["number"]):
        return None
    if unit:
        end = match.end()
    elif end < len(text) and text[end].isalpha() and not SIDES.match(text, end):
        return None
    if unit is None and match["currency"]:
        unit = SPELLINGS[match["currency"].strip()]
    if unit is None and match["pack"]:
        unit = COUNT
    sign = -1 if match["sign"] else 1
    values = tuple(sign * value for value in read_number(match["number"]))
    if unit is COUNT:
        # Nobody sells 1.5 pieces with three decimals.
        values = values[:1]
    start = match.start("pack") if match["pack"] else match.start()
    return Measure(start, end, match.end("number"), (match["sign"] or "") + match["number"], values, unit)


def _shared_unit(text: str, left: Measure, right: Measure) -> Unit | None:
    if left.unit or right.unit is None or right.unit is COUNT:
        return None
    between = text[left.end : right.start]
    if SIDES.fullmatch(between):
        return right.unit if right.unit.base in ("m", "px") else None
    return right.unit if RANGE.fullmatch(between) else None


def _read_fraction(number: str) -> tuple[Fraction, ...]:
    whole, _, fraction = number.rpartition(" ")
    above, _, below = fraction.partition("/")
    if not int(below):
        return ()
    return (Fraction(int(above), int(below)) + int(whole or 0),)


def _read_separated(number: str) -> tuple[Fraction, ...]:
    separators = re.findall("[.,]", number)
    if len(separators) == 1:
        return (Fraction(number.replace(",", ".")),)
    last = separators[-1]
    head, _, tail = number.rpartition(last)
    if last not in head and GROUPED.fullmatch(head) and len(set(separators[:-1])) == 1:
        return (Fraction(re.sub("[.,]", "", head) + "." + tail),)
    if len(set(separators)) == 1 and GROUPED.fullmatch(number):
        return (Fraction(re.sub("[.,]", "", number)),)
    return ()
