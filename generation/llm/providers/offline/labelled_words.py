"""The words of the five languages besides English."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Language:
    by: str
    conjunction: str
    yes: str
    no: str
    category: str
    name_only: str
    features: tuple[str, ...]
    introductions: dict[str, tuple[str, ...]]
    labels: dict[str, str]
    plural_labels: dict[str, str]
    colon: str = ":"


_CANONICAL = (
    "color|size|material|fabric|weight|length|width|height|depth|diameter|dimensions|volume|capacity|power|voltage|pattern"
    "|country of origin|ingredients|key ingredients|care|contents|certification|recommended age|gender|warranty"
)


def _labels(words: str) -> dict[str, str]:
    return dict(zip(_CANONICAL.split("|"), words.split("|"), strict=True))


LANGUAGES: dict[str, Language] = {
    "de": Language(
        by="von",
        conjunction="und",
        yes="ja",
        no="nein",
        category="Kategorie",
        name_only="Das ist der Artikel {it}.",
        features=("Ausstattung", "Details", "Merkmale"),
        introductions={
            "neutral": ("Das ist {it}.", "{it} im Überblick.", "Hier ist {it}."),
            "friendly": ("Darf ich vorstellen: {it}.", "Sag hallo zu: {it}.", "Schau mal: {it}."),
            "luxurious": ("Wir präsentieren: {it}.", "Wir stellen vor: {it}."),
            "playful": ("Tadaa: {it}!", "Bühne frei für: {it}.", "Trommelwirbel, bitte: {it}."),
            "technical": ("{it}: die technischen Angaben.", "{it} im Detail."),
            "persuasive": ("Ein genauer Blick lohnt sich: {it}.", "Jetzt kennenlernen: {it}."),
        },
        labels=_labels(
            "Farbe|Größe|Material|Stoff|Gewicht|Länge|Breite|Höhe|Tiefe|Durchmesser|Maße|Volumen|Fassungsvermögen|Leistung"
            "|Spannung|Muster|Herkunftsland|Inhaltsstoffe|Wichtige Inhaltsstoffe|Pflege|Lieferumfang|Zertifizierung"
            "|Empfohlenes Alter|Geschlecht|Garantie"
        ),
        plural_labels={
            "color": "Farben zur Auswahl",
            "size": "Größen zur Auswahl",
            "material": "Materialien zur Auswahl",
        },
    ),
    "fr": Language(
        by="de",
        conjunction="et",
        yes="oui",
        no="non",
        category="Catégorie",
        name_only="Voici l’article {it}.",
        features=("Caractéristiques", "Détails", "Points à noter"),
        introductions={
            "neutral": ("Voici {it}.", "{it} en bref."),
            "friendly": ("Faites connaissance avec {it}.", "Dites bonjour à {it}."),
            "luxurious": ("Nous vous présentons {it}.", "Permettez-nous de présenter {it}."),
            "playful": ("Et voilà : {it} !", "Roulement de tambour : {it}."),
            "technical": ("{it} : fiche technique.", "{it} en détail."),
            "persuasive": ("Regardez de plus près {it}.", "À découvrir : {it}."),
        },
        labels=_labels(
            "Couleur|Taille|Matière|Tissu|Poids|Longueur|Largeur|Hauteur|Profondeur|Diamètre|Dimensions|Volume|Capacité"
            "|Puissance|Tension|Motif|Pays d’origine|Ingrédients|Ingrédients clés|Entretien|Contenu|Certification"
            "|Âge recommandé|Genre|Garantie"
        ),
        plural_labels={"color": "Couleurs au choix", "size": "Tailles au choix", "material": "Matières au choix"},
        colon=" :",
    ),
    "es": Language(
        by="de",
        conjunction="y",
        yes="sí",
        no="no",
        category="Categoría",
        name_only="Este es el artículo {it}.",
        features=("Características", "Detalles", "A tener en cuenta"),
        introductions={
            "neutral": ("Esto es {it}.", "{it} en resumen."),
            "friendly": ("Te presentamos {it}.", "Di hola a {it}."),
            "luxurious": ("Presentamos {it}.", "Tenemos el placer de presentar {it}."),
            "playful": ("Atención: {it}.", "Redoble de tambores: {it}."),
            "technical": ("{it}: ficha técnica.", "{it} en detalle."),
            "persuasive": ("Mira de cerca {it}.", "Conoce {it}."),
        },
        labels=_labels(
            "Color|Talla|Material|Tejido|Peso|Longitud|Anchura|Altura|Profundidad|Diámetro|Dimensiones|Volumen|Capacidad"
            "|Potencia|Voltaje|Estampado|País de origen|Ingredientes|Ingredientes clave|Cuidados|Contenido"
            "|Certificación|Edad recomendada|Género|Garantía"
        ),
        plural_labels={"color": "Colores a elegir", "size": "Tallas a elegir", "material": "Materiales a elegir"},
    ),
    "it": Language(
        by="di",
        conjunction="e",
        yes="sì",
        no="no",
        category="Categoria",
        name_only="Ecco l’articolo {it}.",
        features=("Caratteristiche", "Dettagli", "Da notare"),
        introductions={
            "neutral": ("Ecco {it}.", "{it} in breve."),
            "friendly": ("Vi presentiamo {it}.", "Date il benvenuto a {it}."),
            "luxurious": ("Presentiamo {it}.", "Abbiamo il piacere di presentare {it}."),
            "playful": ("Tadà: {it}!", "Rullo di tamburi: {it}."),
            "technical": ("{it}: scheda tecnica.", "{it} nel dettaglio."),
            "persuasive": ("Guardate da vicino {it}.", "Da conoscere: {it}."),
        },
        labels=_labels(
            "Colore|Taglia|Materiale|Tessuto|Peso|Lunghezza|Larghezza|Altezza|Profondità|Diametro|Dimensioni|Volume|Capacità"
            "|Potenza|Tensione|Motivo|Paese di origine|Ingredienti|Ingredienti principali|Cura|Contenuto|Certificazione"
            "|Età consigliata|Genere|Garanzia"
        ),
        plural_labels={"color": "Colori a scelta", "size": "Taglie a scelta", "material": "Materiali a scelta"},
    ),
    "nl": Language(
        by="van",
        conjunction="en",
        yes="ja",
        no="nee",
        category="Categorie",
        name_only="Dit is het artikel {it}.",
        features=("Kenmerken", "Details", "Goed om te weten"),
        introductions={
            "neutral": ("Dit is {it}.", "{it} in het kort."),
            "friendly": ("Maak kennis met {it}.", "Zeg maar hallo tegen {it}."),
            "luxurious": ("Wij presenteren {it}.", "Met genoegen stellen wij voor: {it}."),
            "playful": ("Tadaa: {it}!", "Tromgeroffel, graag: {it}."),
            "technical": ("{it}: technische gegevens.", "{it} in detail."),
            "persuasive": ("Bekijk het van dichtbij: {it}.", "Maak nader kennis met {it}."),
        },
        labels=_labels(
            "Kleur|Maat|Materiaal|Stof|Gewicht|Lengte|Breedte|Hoogte|Diepte|Diameter|Afmetingen|Volume|Inhoud|Vermogen"
            "|Spanning|Patroon|Land van herkomst|Ingrediënten|Belangrijkste ingrediënten|Onderhoud|Inbegrepen"
            "|Certificering|Aanbevolen leeftijd|Geslacht|Garantie"
        ),
        plural_labels={"color": "Kleuren naar keuze", "size": "Maten naar keuze", "material": "Materialen naar keuze"},
    ),
}
