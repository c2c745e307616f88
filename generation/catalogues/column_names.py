"""The words shops use for their columns, as data: export formats and synonyms in six languages."""

from __future__ import annotations

from generation.catalogues.mapping import Role


def _words(text: str) -> list[str]:
    return text.split()


SHOPIFY_ROLES: dict[str, Role] = {
    "handle": "key",
    "url handle": "key",
    "title": "title",
    "body (html)": "description",
    "body html": "description",
    "body": "description",
    "description": "description",
    "vendor": "brand",
    "type": "type",
    "product category": "category",
    "standard product type": "category",
    "custom product type": "type",
    "tags": "tags",
    "variant sku": "sku",
    "sku": "sku",
    "variant price": "price",
    "price": "price",
    "image src": "image",
    "product image url": "image",
    "variant image": "image",
    "variant image url": "image",
    "seo title": "seo_title",
    "seo description": "meta_description",
    "variant grams": "attribute",
    "weight value (grams)": "attribute",
    "google shopping / gender": "attribute",
    "google shopping / age group": "attribute",
    "option1 name": "option_name",
    "option2 name": "option_name",
    "option3 name": "option_name",
    "option1 value": "option_value",
    "option2 value": "option_value",
    "option3 value": "option_value",
    "id": "id",
}
SHOPIFY_LONG_STANDING = frozenset(
    (
        "handle",
        "body (html)",
        "variant sku",
        "variant price",
        "variant grams",
        "variant inventory tracker",
        "variant inventory policy",
        "variant fulfillment service",
        "image src",
        "option1 name",
    )
)
SHOPIFY_NEW = frozenset(
    (
        "url handle",
        "published on online store",
        "compare-at price",
        "continue selling when out of stock",
        "weight value (grams)",
        "weight unit for display",
        "product image url",
        "inventory tracker",
        "variant image url",
        "option1 name",
    )
)

WOOCOMMERCE_ROLES: dict[str, Role] = {
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
WOOCOMMERCE_TELLING = frozenset(
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
WOOCOMMERCE_TRANSLATIONS: dict[str, tuple[str, ...]] = {
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

# Names, best first, of columns in any other file; "_" stands for a space.
_NAMES: dict[Role, str] = {
    "title": (
        "title product title name product name item name artikelname artikelbezeichnung produktname "
        "produktbezeichnung bezeichnung titel nom nom_du_produit désignation designation titre nombre "
        "nombre_del_producto título titulo nome nome_prodotto nome_del_prodotto titolo naam productnaam artikelnaam "
        "item_title product item product_label"
    ),
    "sku": (
        "sku product_sku product_number item_number part_number article_number artikelnummer artikel_nr art_nr "
        "artnr produktnummer bestellnummer reference référence ref réf référence_produit referencia codice "
        "codice_articolo codice_prodotto código codigo item_code item_sku product_code model_number mpn "
        "productnummer seller_sku"
    ),
    "key": "handle url_handle url_key slug identifier product_id produkt_id productid item_id produit_id identifiant",
    "description": (
        "description product_description long_description full_description item_description body_html body "
        "beschreibung produktbeschreibung langbeschreibung artikelbeschreibung descrição descripción descripcion "
        "descripción_larga descrizione descrizione_lunga beschrijving omschrijving lange_beschrijving details text"
    ),
    "short_description": (
        "short_description short_desc summary kurzbeschreibung résumé resume récapitulatif description_courte "
        "descripción_corta resumen descrizione_breve riepilogo korte_beschrijving korte_omschrijving samenvatting"
    ),
    "seo_title": (
        "seo_title meta_title metatitle page_title seo_titel meta_titel titre_seo titre_méta balise_titre "
        "título_seo metatítulo meta_título titolo_seo meta_titolo"
    ),
    "meta_description": (
        "meta_description metadescription seo_description meta_desc seo_beschreibung meta_beschreibung "
        "méta_description description_méta balise_meta_description metadescripción meta_descripción "
        "meta_descrizione meta_beschrijving meta_omschrijving"
    ),
    "brand": (
        "brand brand_name manufacturer manufacturer_name vendor marke hersteller herstellername marque fabricant "
        "marca fabricante produttore merk fabrikant brands"
    ),
    "category": (
        "category categories product_category product_type main_category category_name kategorie kategorien "
        "warengruppe produktkategorie catégorie catégories rubrique categoría categorías categoria categorie "
        "categorieën google_product_category department"
    ),
    "tags": "tags tag keywords schlagwörter schlagworte étiquettes etiquetas etichette mots_clés meta_keywords",
    "price": (
        "price regular_price sale_price unit_price price_gross price_net list_price msrp rrp preis verkaufspreis "
        "bruttopreis nettopreis prix prix_ttc prix_ht tarif precio prezzo prijs verkoopprijs base_price"
    ),
    "parent": "parent parent_sku parent_id parent_code parent_product parent_handle item_group_id",
    "image": (
        "image images image_url image_link picture photo bild bilder bild_url image_src imágenes imagen immagine "
        "immagini afbeelding afbeeldingen thumbnail base_image small_image"
    ),
    "id": "id uuid guid entity_id",
    "feature": (
        "feature features bullet bullet_point bullet_points bullets highlight highlights key_features merkmale "
        "vorteile eigenschaften points_forts caractéristiques características caratteristiche kenmerken "
        "product_highlight usp"
    ),
    "attribute": (
        "additional_attributes color colour farbe couleur color_principal colore kleur size größe groesse taille "
        "talla taglia maat material materials werkstoff matière matériau tessuto materiale materiaal fabric weight "
        "gewicht poids peso length länge longueur longitud lunghezza lengte width breite largeur anchura ancho "
        "larghezza breedte height höhe hauteur altura alto altezza hoogte depth tiefe profondeur profundidad "
        "profondità diepte diameter durchmesser diamètre diámetro diametro capacity kapazität capacité capacidad "
        "capacità capaciteit volume volumen inhalt contenance contenido contenuto inhoud style gender geschlecht "
        "genre género genere geslacht age_group altersgruppe pattern muster motif flavor flavour scent ingredients "
        "inhaltsstoffe zutaten ingrédients ingredientes ingredienti ingrediënten care pflege entretien dimensions "
        "abmessungen maße dimensiones dimensioni afmetingen power leistung puissance voltage spannung wattage "
        "country_of_origin herkunftsland origin composition zusammensetzung model modell modèle modelo modello "
        "warranty garantie certification zertifikat occasion season saison fit finish shape form"
    ),
}
GENERIC_ROLES: dict[str, Role] = {}
for _role, _names in _NAMES.items():
    for _name in _names.split():
        GENERIC_ROLES.setdefault(_name.replace("_", " "), _role)
GENERIC_RANKS: dict[str, int] = {
    word.replace("_", " "): rank for words in _NAMES.values() for rank, word in enumerate(words.split())
}

# A column with one of these words in its name says nothing about the product itself.
NOT_FACTS = frozenset(
    [
        "id",
        "ids",
        "uuid",
        "guid",
        "stock",
        "inventory",
        "qty",
        "quantity",
        "bestand",
        "lager",
        "lagerbestand",
        "voorraad",
        "existencias",
        "giacenza",
        "date",
        "datum",
        "fecha",
        "data",
        "created",
        "updated",
        "modified",
        "url",
        "urls",
        "link",
        "links",
        "image",
        "images",
        "media",
        "photo",
        "thumbnail",
        "tax",
        "vat",
        "mwst",
        "steuer",
        "tva",
        "iva",
        "btw",
        "price",
        "prices",
        "preis",
        "prix",
        "precio",
        "prezzo",
        "prijs",
        "cost",
        "kosten",
        "coût",
        "discount",
        "rabatt",
        "currency",
        "währung",
        "devise",
        "status",
        "published",
        "veröffentlicht",
        "visible",
        "visibility",
        "sichtbarkeit",
        "enabled",
        "active",
        "aktiv",
        "activo",
        "actif",
        "attivo",
        "position",
        "sort",
        "order",
        "rank",
        "rating",
        "reviews",
        "ean",
        "gtin",
        "upc",
        "isbn",
        "barcode",
        "asin",
        "hs",
        "hash",
        "mime",
        "json",
        "meta",
        "keyword",
        "keywords",
        "template",
        "layout",
        "theme",
        "shipping",
        "versand",
        "delivery",
        "lieferzeit",
        "livraison",
        "supplier",
        "lieferant",
        "warehouse",
        "store",
        "website",
        "websites",
        "store_view",
        "view",
        "code",
        "codes",
        "customfields",
        "alt",
        "redirect",
        "canonical",
        "email",
        "phone",
        "purchase",
        "min",
        "max",
        "backorder",
        "backorders",
        "families",
        "groups",
        "related",
        "upsell",
        "crosssell",
        "crosssells",
        "skus",
        "options",
        "variations",
        "swatch",
        "salable",
    ]
)
# Two of these together make a list of customers or orders.
PEOPLE_AND_ORDERS = frozenset(
    [
        "email",
        "first_name",
        "last_name",
        "phone",
        "address",
        "city",
        "zip",
        "postcode",
        "order_id",
        "order_number",
        "financial_status",
        "fulfillment_status",
        "billing_name",
        "shipping_name",
        "customer_id",
        "kundennummer",
        "vorname",
        "nachname",
        "prénom",
        "billing_address",
        "shipping_address",
        "accepts_marketing",
        "total_spent",
        "total_orders",
        "lineitem_name",
    ]
)
