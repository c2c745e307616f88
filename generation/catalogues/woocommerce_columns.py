"""WooCommerce's product export header, which comes in the shop's language."""

from __future__ import annotations

import re

from generation.catalogues.mapping import Role

_ROLES: dict[str, Role] = {
    "id": "id",
    "type": "type",
    "sku": "sku",
    "name": "title",
    "short description": "short_description",
    "description": "description",
    "categories": "category",
    "tags": "tags",
    "images": "image",
    "parent": "parent",
    "brands": "brand",
    "regular price": "price",
    "sale price": "price",
    "weight": "attribute",
    "length": "attribute",
    "width": "attribute",
    "height": "attribute",
    "country of origin": "attribute",
    "meta: rank_math_title": "seo_title",
    "meta: _yoast_wpseo_title": "seo_title",
    "meta: rank_math_description": "meta_description",
    "meta: _yoast_wpseo_metadesc": "meta_description",
}
_TELLING = frozenset(
    (
        "is featured?",
        "visibility in catalog",
        "short description",
        "tax status",
        "tax class",
        "in stock?",
        "backorders allowed?",
        "sold individually?",
        "allow customer reviews?",
        "purchase note",
        "regular price",
        "shipping class",
        "upsells",
        "cross-sells",
        "grouped products",
        "button text",
        "download limit",
        "published",
    )
)
# English column -> its names in German, French, Spanish, Italian and Dutch exports.
_TRANSLATIONS: dict[str, tuple[str, ...]] = {
    "type": ("typ", "tipo"),
    "sku": ("artikelnummer", "artikelnummer (sku)", "art.-nr.", "ugs", "référence", "cod"),
    "name": ("nom", "nombre", "nome", "naam"),
    "published": ("veröffentlicht", "publié", "publicado", "pubblicato", "gepubliceerd"),
    "is featured?": (
        "ist hervorgehoben?",
        "hervorgehoben?",
        "mis en avant ?",
        "mis en avant?",
        "¿está destacado?",
        "in primo piano?",
        "uitgelicht?",
    ),
    "visibility in catalog": (
        "sichtbarkeit im katalog",
        "katalogsichtbarkeit",
        "visibilité dans le catalogue",
        "visibilidad en el catálogo",
        "visibilità nel catalogo",
        "zichtbaarheid in catalogus",
    ),
    "short description": (
        "kurzbeschreibung",
        "description courte",
        "descripción corta",
        "breve descrizione",
        "descrizione breve",
        "korte beschrijving",
        "korte omschrijving",
    ),
    "description": ("beschreibung", "descripción", "descrizione", "beschrijving", "omschrijving"),
    "tax status": (
        "steuerstatus",
        "état de la tva",
        "statut fiscal",
        "estado del impuesto",
        "stato delle imposte",
        "btw status",
    ),
    "tax class": (
        "steuerklasse",
        "classe de tva",
        "clase de impuesto",
        "aliquota di imposta",
        "belastingklasse",
    ),
    "in stock?": (
        "vorrätig?",
        "auf lager?",
        "en stock ?",
        "en stock?",
        "en inventaire?",
        "¿en inventario?",
        "¿existencias?",
        "in stock?",
        "op voorraad?",
    ),
    "backorders allowed?": (
        "lieferrückstände erlaubt?",
        "rückstände erlaubt?",
        "¿permitir reservas de productos agotados?",
        "abilita gli ordini arretrati?",
        "nabestellingen toestaan?",
    ),
    "sold individually?": (
        "nur einzeln verkaufen?",
        "vendre individuellement ?",
        "¿vendido individualmente?",
        "venduto singolarmente?",
        "wordt individueel verkocht?",
    ),
    "weight": ("gewicht", "poids", "peso"),
    "length": ("länge", "longueur", "longitud", "lunghezza", "lengte"),
    "width": ("breite", "largeur", "anchura", "larghezza", "breedte"),
    "height": ("höhe", "hauteur", "altura", "altezza", "hoogte"),
    "allow customer reviews?": (
        "kundenrezensionen erlauben?",
        "kundenbewertungen erlauben?",
        "autoriser les avis clients ?",
        "autoriser les avis clients?",
        "¿permitir valoraciones de clientes?",
        "permetti le recensioni clienti?",
        "klantbeoordelingen toestaan?",
    ),
    "purchase note": (
        "hinweis zum kauf",
        "note de commande",
        "nota de compra",
        "nota di acquisto",
        "aankoopnotitie",
    ),
    "sale price": ("angebotspreis", "tarif promo", "precio rebajado", "prezzo in offerta", "actieprijs"),
    "regular price": (
        "regulärer preis",
        "tarif régulier",
        "precio normal",
        "prezzo di listino",
        "reguliere prijs",
    ),
    "categories": ("kategorien", "catégories", "categorías", "categorie", "categorieën"),
    "tags": ("schlagwörter", "étiquettes", "etiquetas", "tag"),
    "shipping class": (
        "versandklasse",
        "classe d'expédition",
        "classe d’expédition",
        "clase de envío",
        "classe di spedizione",
        "verzendklasse",
    ),
    "images": ("bilder", "imágenes", "immagine", "immagini", "afbeeldingen"),
    "parent": ("übergeordnetes produkt", "übergeordnet", "superior", "genitore", "hoofd"),
    "grouped products": (
        "gruppierte produkte",
        "groupes de produits",
        "produits groupés",
        "productos agrupados",
        "prodotti raggruppati",
        "gegroepeerde producten",
    ),
    "upsells": ("zusatzverkäufe", "montées en gamme", "ventas dirigidas", "up-sell"),
    "cross-sells": ("cross-sells (querverkäufe)", "querverkäufe", "ventes croisées", "ventas cruzadas", "cross-sell"),
    "button text": ("button-text", "texte du bouton", "texto del botón", "testo bottone", "knop tekst"),
    "download limit": (
        "downloadlimit",
        "limite de téléchargement",
        "límite de descargas",
        "limite di download",
        "downloadlimiet",
    ),
    "brands": ("marken", "marques", "marcas", "marca", "brand", "marchi", "merken"),
}
_UNIT = re.compile(r"\s*\([^()]*\)$")
_OF_ATTRIBUTE = r"(?:de l[’']attribut|del atributo|dell[’']attributo|eigenschap)"
_ATTRIBUTE_NAME = re.compile(
    rf"(?:attribute?|attributo|atributo) \d+ n(?:ame|om|ombre|ome)|(?:nom|nombre|nome|naam) {_OF_ATTRIBUTE} \d+"
)
_ATTRIBUTE_VALUE = re.compile(
    r"(?:attribute?|attributo|atributo) \d+ (?:value|wert|valeur|valor|valut)\S*"
    rf"|(?:valeur|valor|valore|waarde)\S* {_OF_ATTRIBUTE} \d+"
)
_ENGLISH = {name: english for english, names in _TRANSLATIONS.items() for name in names}


def english_name(folded: str) -> str:
    """The English column that a folded header means, without the unit it may carry."""
    without_unit = _UNIT.sub("", folded)
    return _ENGLISH.get(folded) or _ENGLISH.get(without_unit, without_unit)


def is_woocommerce(english: list[str]) -> bool:
    return "name" in english and len(_TELLING.intersection(english)) >= 4


def woocommerce_role(name: str) -> Role:
    if _ATTRIBUTE_NAME.fullmatch(name):
        return "option_name"
    if _ATTRIBUTE_VALUE.fullmatch(name):
        return "option_value"
    return _ROLES.get(name, "ignore")
