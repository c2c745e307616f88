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
        "brand": "marke|marque|marca|merk|brand name|manufacturer|hersteller|fabricant|fabricante|produttore|fabrikant",
        "category": "kategorie|catégorie|categoría|categoria|categorie|product category|produktkategorie",
        "color": "colors|item color|product color|color way|colorway|farbe|farben|couleur|couleurs|colore|"
        "colori|colores|kleur|kleuren|farbton|color name|main color|primary color|hauptfarbe|couleur principale|"
        "color principal|colore principale|hoofdkleur",
        "size": "sizes|item size|product size|größe|grösse|groesse|größen|taille|tailles|talla|tallas|taglia|"
        "taglie|maat|maten",
        "material": "materials|material type|made of|made from|item material|materialien|matériau|matériaux|"
        "matière|matières|materiale|materiali|materiales|"
        "materiaal",
        "weight": "gewicht|poids|peso|item weight|product weight|weighs",
        "length": "item length|product length|länge|longueur|longitud|lunghezza|lengte",
        "width": "item width|product width|breite|largeur|ancho|anchura|larghezza|breedte",
        "height": "item height|product height|höhe|hauteur|altura|alto|altezza|hoogte",
        "depth": "item depth|product depth|tiefe|profondeur|profundidad|profondità|diepte",
        "diameter": "dia|ø|durchmesser|diamètre|diámetro|diametro",
        "thickness": "dicke|stärke|épaisseur|grosor|spessore|dikte",
        "dimensions": "dimension|item dimensions|product dimensions|measurements|abmessungen|maße|dimensiones|"
        "dimensioni|afmetingen",
        "capacity": "volume|volumen|inhoud|volume capacity|capacity volume|fassungsvermögen|"
        "kapazität|capacité|capacidad|capacità|capaciteit",
        "power": "wattage|power rating|leistung|puissance|potencia|potenza|vermogen",
        "voltage": "spannung|tension électrique|voltaje|voltaggio",
        "warranty": "warranty period|warranty duration|guarantee period|garantie|garantía|garanzia|guarantee|"
        "gewährleistung",
        "gender": "geschlecht|genre|género|genere|geslacht",
        "model": "model number|model no|model code|model name|modell|modellnummer|modèle|numéro de modèle|modelo|"
        "número de modelo|modello|modelnummer",
        "scent": "fragrance|duft|duftrichtung|parfum|senteur|fragancia|profumo|fragranza|geur",
        "flavor": "taste|geschmack|geschmacksrichtung|goût|saveur|sabor|gusto|smaak",
        "for": "target group|target audience|suitable for|intended for|zielgruppe|geeignet für|convient à|"
        "público objetivo|adatto a|doelgroep|geschikt voor",
        "condition": "state|zustand|état|estado|condizione|staat",
        "pattern": "print|design|muster|motif|patrón|motivo|patroon",
        "country of origin": "made in|manufactured in|produced in|origin country|origin|herkunftsland|"
        "ursprungsland|pays d'origine|país de origen|"
        "paese di origine|land van herkomst|country of manufacture",
        "pack size": "pack|pack quantity|package quantity|units per pack|pieces per pack|items per pack|"
        "number per pack",
        "battery life": "battery runtime|battery run time|battery duration|akkulaufzeit",
        "screen size": "display size|screen diagonal|display diagonal",
        "cable length": "cord length",
        "shape": "form|forme|forma|vorm",
        "closure": "closure type|fastening|fastening type|verschluss|fermeture|cierre|chiusura|sluiting",
        "feature": "features|key features|merkmal|merkmale|eigenschaften|caractéristiques|características|"
        "caratteristiche|kenmerken",
        "ingredients": "inhaltsstoffe|zutaten|ingrédients|ingredientes|ingredienti|ingrediënten",
        "care": "care instructions|pflege|pflegehinweise|entretien|cuidados|cura|onderhoud",
    }.items()
    for spelling in (canonical, *spellings.split("|"))
}
KNOWN_LABELS = frozenset(SYNONYMS.values())
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


def is_known_label(label: str) -> bool:
    """Whether it is one of the labels that shops commonly use, in any of its spellings."""
    return len(label) <= MAX_LABEL_CHARS and _read_label(label).canonical in KNOWN_LABELS


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
