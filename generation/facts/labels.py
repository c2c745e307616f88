"""Attribute labels: "Colour", "couleur" and "Farbe" are one label; an unknown one keeps its own name."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from generation.facts.canonical import bounded
from generation.facts.folding import clean, fold
from generation.facts.units import COUNT, find_unit

SYNONYMS: dict[str, str] = {
    fold(spelling): canonical
    for canonical, spellings in {
        "title": "product name|product title|produktname|nom du produit|nombre del producto|nome prodotto|productnaam",
        "brand": "marke|marque|marca|merk|brand name",
        "category": "kategorie|catégorie|categoría|categoria|categorie|product category|produktkategorie",
        "color": "colors|farbe|farben|couleur|couleurs|colore|colori|colores|kleur|kleuren|farbton|color name",
        "size": "sizes|größe|grösse|groesse|größen|taille|tailles|talla|tallas|taglia|taglie|maat|maten",
        "material": "materials|materialien|matériau|matériaux|matière|matières|materiale|materiali|materiales|"
        "materiaal",
        "weight": "gewicht|poids|peso|item weight",
        "length": "länge|longueur|longitud|lunghezza|lengte",
        "width": "breite|largeur|ancho|anchura|larghezza|breedte",
        "height": "höhe|hauteur|altura|alto|altezza|hoogte",
        "depth": "tiefe|profondeur|profundidad|profondità|diepte",
        "diameter": "durchmesser|diamètre|diámetro|diametro",
        "dimensions": "dimension|abmessungen|maße|dimensiones|dimensioni|afmetingen",
        "volume": "volumen|inhoud",
        "capacity": "fassungsvermögen|kapazität|capacité|capacidad|capacità|capaciteit",
        "power": "leistung|puissance|potencia|potenza|vermogen",
        "voltage": "spannung|tension électrique|voltaje|voltaggio",
        "warranty": "garantie|garantía|garanzia|guarantee|gewährleistung",
        "gender": "geschlecht|genre|género|genere|geslacht",
        "pattern": "muster|motif|patrón|motivo|patroon",
        "country of origin": "made in|origin|herkunftsland|ursprungsland|pays d'origine|país de origen|"
        "paese di origine|land van herkomst|country of manufacture",
        "feature": "features|key features|merkmal|merkmale|eigenschaften|caractéristiques|características|"
        "caratteristiche|kenmerken",
        "ingredients": "inhaltsstoffe|zutaten|ingrédients|ingredientes|ingredienti|ingrediënten",
        "care": "care instructions|pflege|pflegehinweise|entretien|cuidados|cura|onderhoud",
    }.items()
    for spelling in (canonical, *spellings.split("|"))
}
# Numbers under these are codes: "0123" is not 123.
CODE_LABELS = re.compile(
    r"\b(?:sku|ean|gtin|upc|isbn|asin|mpn|barcode|model|modell|modèle|modelo|modello|article|artikel\w*|item number|"
    r"part number|serial|style|art nr|ref|reference|référence|code|postcode|zip)\b"
)
# A longer one is no label; it is kept, shown in part and hashed whole.
MAX_LABEL_CHARS = 120
UNIT_IN_LABEL = re.compile(
    r"(?P<label>.*\S)\s*(?:[(\[]\s*(?P<bracketed>[^()\[\]]+?)\s*[)\]]|,\s*(?P<after>[^,]+)| in (?P<stated>\S+))"
)
SEPARATORS = re.compile(r"[_\s]+|(?<=[a-z])(?=[A-Z])|(?<=\w)-(?=\w)")
# A last word such as "weight grams" or "length_cm"; single letters there are too often something else.
LAST_WORD = re.compile(r"(?P<label>.*\S) (?P<unit>[^\W\d_]{2,}|[°%]\w?)")


class Label(NamedTuple):
    canonical: str
    display: str
    unit: str  # as the label states it: "kg" of "Weight (kg)"
    is_code: bool


def read_label(label: str) -> Label:
    if len(label) <= MAX_LABEL_CHARS:
        return _read_label(label)
    return Label(bounded("label", fold(label)), clean(label)[:MAX_LABEL_CHARS], "", False)


@lru_cache(maxsize=4096)
def _read_label(label: str) -> Label:
    display = clean(label).strip(" :;.-*•") or clean(label) or "attribute"
    name, unit = _split_unit(display)
    folded = fold(SEPARATORS.sub(" ", name))
    canonical = SYNONYMS.get(folded, folded)
    return Label(canonical, name, unit, bool(CODE_LABELS.search(canonical)))


def _split_unit(label: str) -> tuple[str, str]:
    if match := UNIT_IN_LABEL.fullmatch(label):
        unit = match["bracketed"] or match["after"] or match["stated"]
        if _is_unit(unit):
            return match["label"], unit
    words = SEPARATORS.sub(" ", label)
    if (match := LAST_WORD.fullmatch(words)) and _is_unit(match["unit"]) and match["unit"] not in ("in", "IN", "In"):
        return match["label"], match["unit"]
    return label, ""


def _is_unit(spelling: str) -> bool:
    unit = find_unit(spelling)
    return unit is not None and unit is not COUNT
