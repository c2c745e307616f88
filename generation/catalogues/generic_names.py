"""What shops call their columns in files of no known export format, in six languages."""

from __future__ import annotations

from generation.catalogues.mapping import Role


def _words(text: str) -> list[str]:
    return text.split()


# Names, best first, of columns in any other file; "_" stands for a space.
_NAMES: dict[Role, str] = {
    "title": (
        "title product_title name product_name item_name artikelname artikelbezeichnung produktname "
        "produktbezeichnung bezeichnung titel nom nom_du_produit désignation designation titre nombre "
        "nombre_del_producto título titulo nome nome_prodotto nome_del_prodotto titolo naam productnaam artikelnaam "
        "item_title product item product_label"
    ),
    "sku": (
        "sku product_sku product_number item_number part_number article_number artikelnummer artikel_nr art_nr "
        "artnr produktnummer bestellnummer reference référence ref réf référence_produit referencia codice "
        "codice_articolo codice_prodotto código codigo item_code item_sku product_code model_number mpn "
        "productnummer seller_sku product_id produkt_id productid item_id produit_id"
    ),
    "key": "handle url_handle url_key slug identifier identifiant",
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
    _words(
        "id ids uuid guid stock inventory qty quantity bestand lager lagerbestand voorraad existencias giacenza "
        "date datum fecha data created updated modified url urls link links image images media photo thumbnail tax "
        "vat mwst steuer tva iva btw price prices preis prix precio prezzo prijs cost kosten coût discount rabatt "
        "currency währung devise status published veröffentlicht visible visibility sichtbarkeit enabled active "
        "aktiv activo actif attivo position sort order rank rating reviews ean gtin upc isbn barcode asin hs hash "
        "mime json meta keyword keywords template layout theme shipping versand delivery lieferzeit livraison "
        "supplier lieferant warehouse store website websites store_view view code codes customfields alt redirect "
        "canonical email phone purchase min max backorder backorders families groups related upsell crosssell "
        "crosssells skus options variations swatch salable unit units einheit"
    )
)
# Two of these together make a list of customers or orders.
PEOPLE_AND_ORDERS = frozenset(
    _words(
        "email first_name last_name phone address city zip postcode order_id order_number financial_status "
        "fulfillment_status billing_name shipping_name customer_id kundennummer vorname nachname prénom "
        "billing_address shipping_address accepts_marketing total_spent total_orders lineitem_name"
    )
)
