from __future__ import annotations

import json
from dataclasses import replace

import pytest

from generation.catalogues import (
    Mapping,
    Recognition,
    Role,
    header_labels,
    header_signature,
    recognise,
    validate_mapping,
)


def _columns(names: str) -> list[str]:
    return names.split(",")


SHOPIFY = [
    "Handle",
    "Title",
    "Body (HTML)",
    "Vendor",
    "Product Category",
    "Type",
    "Tags",
    "Published",
    "Option1 Name",
    "Option1 Value",
    "Option1 Linked To",
    "Variant SKU",
    "Variant Grams",
    "Variant Price",
    "Image Src",
    "SEO Title",
    "SEO Description",
    "Google Shopping / Gender",
    "Fabric (product.metafields.shopify.fabric)",
    "Rating (product.metafields.reviews.rating)",
    "Status",
]
SHOPIFY_OLD = [
    "Handle",
    "Title",
    "Body (HTML)",
    "Vendor",
    "Type",
    "Tags",
    "Option1 Name",
    "Option1 Value",
    "Variant SKU",
    "Variant Price",
]
SHOPIFY_NEW = [
    "Title",
    "URL handle",
    "Description",
    "Vendor",
    "Product category",
    "Type",
    "Tags",
    "Published on online store",
    "Status",
    "SKU",
    "Option1 name",
    "Option1 value",
    "Price",
    "Weight value (grams)",
    "Product image URL",
    "SEO title",
    "SEO description",
]
WOOCOMMERCE = [
    "ID",
    "Type",
    "SKU",
    "GTIN, UPC, EAN, or ISBN",
    "Name",
    "Published",
    "Is featured?",
    "Visibility in catalog",
    "Short description",
    "Description",
    "Tax status",
    "In stock?",
    "Weight (lbs)",
    "Regular price",
    "Categories",
    "Parent",
    "Attribute 1 name",
    "Attribute 1 value(s)",
    "Attribute 1 visible",
    "Meta: rank_math_title",
    "Meta: _yoast_wpseo_metadesc",
    "Meta: _other",
]
WOOCOMMERCE_TRANSLATED = {
    "de": "ID;Typ;Artikelnummer;Name;Veröffentlicht;Ist hervorgehoben?;Sichtbarkeit im Katalog;Kurzbeschreibung;"
    "Beschreibung;Steuerstatus;Vorrätig?;Gewicht (kg);Regulärer Preis;Kategorien;Attribut 1 Name;Attribut 1 Wert(e)",
    "fr": "ID;Type;UGS;Nom;Publié;Mis en avant ?;Visibilité dans le catalogue;Description courte;Description;"
    "État de la TVA;En stock ?;Poids (kg);Tarif régulier;Catégories;Nom de l’attribut 1;Valeur(s) de l’attribut 1",
    "es": "ID;Tipo;SKU;Nombre;Publicado;¿Está destacado?;Visibilidad en el catálogo;Descripción corta;Descripción;"
    "Estado del impuesto;¿En inventario?;Peso (kg);Precio normal;Categorías;Nombre del atributo 1;"
    "Valor(es) del atributo 1",
    "it": "ID;Tipo;SKU;Nome;Pubblicato;In primo piano?;Visibilità nel catalogo;Breve descrizione;Descrizione;"
    "Stato delle imposte;In stock?;Peso (kg);Prezzo di listino;Categorie;Attributo 1 nome;Attributo 1 valuta(e)",
    "nl": "ID;Type;SKU;Naam;Gepubliceerd;Uitgelicht?;Zichtbaarheid in catalogus;Korte beschrijving;Beschrijving;"
    "Btw status;Op voorraad?;Gewicht (kg);Reguliere prijs;Categorieën;Naam eigenschap 1;Waarde eigenschap 1",
}


def roles_of(recognition: Recognition, header: list[str]) -> dict[str, Role]:
    used = zip(header, recognition.mapping.roles, strict=True)
    return {name: role for name, role in used if role != "ignore"}


@pytest.mark.parametrize(
    ("header", "format"),
    [
        (SHOPIFY, "shopify"),
        (SHOPIFY_OLD, "shopify"),
        (SHOPIFY[::-1], "shopify"),
        (["\ufeff" + SHOPIFY[0], *SHOPIFY[1:]], "shopify"),
        (SHOPIFY_NEW, "shopify_new"),
        (SHOPIFY_NEW[::-1], "shopify_new"),
        ([name for name in SHOPIFY_NEW if name != "URL handle"], "shopify_new"),
        (WOOCOMMERCE, "woocommerce"),
        ([name.upper() for name in WOOCOMMERCE], "woocommerce"),
    ],
)
def test_export_formats_are_recognised_in_any_column_order(header: list[str], format: str) -> None:
    recognition = recognise(header, [])

    assert (recognition.format, recognition.confident) == (format, True)
    assert validate_mapping(recognition.mapping, header) == []


def test_shopify_columns_get_their_roles() -> None:
    assert roles_of(recognise(SHOPIFY, []), SHOPIFY) == {
        "Handle": "key",
        "Title": "title",
        "Body (HTML)": "description",
        "Vendor": "brand",
        "Product Category": "category",
        "Type": "type",
        "Tags": "tags",
        "Option1 Name": "option_name",
        "Option1 Value": "option_value",
        "Variant SKU": "sku",
        "Variant Price": "price",
        "Image Src": "image",
        "SEO Title": "seo_title",
        "SEO Description": "meta_description",
        "Google Shopping / Gender": "attribute",
        "Fabric (product.metafields.shopify.fabric)": "attribute",
    }


def test_woocommerce_columns_get_their_roles() -> None:
    assert roles_of(recognise(WOOCOMMERCE, []), WOOCOMMERCE) == {
        "ID": "id",
        "Type": "type",
        "SKU": "sku",
        "Name": "title",
        "Short description": "short_description",
        "Description": "description",
        "Weight (lbs)": "attribute",
        "Regular price": "price",
        "Categories": "category",
        "Parent": "parent",
        "Attribute 1 name": "option_name",
        "Attribute 1 value(s)": "option_value",
        "Meta: rank_math_title": "seo_title",
        "Meta: _yoast_wpseo_metadesc": "meta_description",
    }


@pytest.mark.parametrize("language", WOOCOMMERCE_TRANSLATED)
def test_a_translated_woocommerce_export_means_the_same(language: str) -> None:
    header = WOOCOMMERCE_TRANSLATED[language].split(";")

    recognition = recognise(header, [])

    assert recognition.format == "woocommerce"
    assert recognition.mapping.roles == (
        *("id", "type", "sku", "title", "ignore", "ignore", "ignore", "short_description", "description"),
        *("ignore", "ignore", "attribute", "price", "category", "option_name", "option_value"),
    )


@pytest.mark.parametrize(
    ("header", "title", "description"),
    [
        ("Artikelnummer;Bezeichnung;Beschreibung;Marke;Preis €", "Bezeichnung", "Beschreibung"),
        ("Référence;Désignation;Description courte;Description;Marque;Prix TTC", "Désignation", "Description"),
        ("Código;Nombre;Descripción;Marca;Precio", "Nombre", "Descripción"),
        ("Codice;Nome;Descrizione;Prezzo", "Nome", "Descrizione"),
        ("Artikelnummer;Productnaam;Omschrijving;Merk;Prijs", "Productnaam", "Omschrijving"),
        ("sku;categories;enabled;name-en_US;description-en_US-ecommerce", "name-en_US", "description-en_US-ecommerce"),
        ("Product ID;Active (0/1);Name *;Categories (x,y,z...);Summary;Description", "Name *", "Description"),
        (" sku ; name ; description ; price ", " name ", " description "),
        ("id;product_number;manufacturer_name;name;description;price_net", "name", "description"),
    ],
)
def test_other_shops_columns_are_understood_by_name(header: str, title: str, description: str) -> None:
    names = header.split(";")

    recognition = recognise(names, [])

    assert (recognition.format, recognition.confident) == ("generic", True)
    assert names[recognition.mapping.roles.index("title")] == title
    assert names[recognition.mapping.roles.index("description")] == description


def test_columns_of_words_become_attributes_and_the_rest_is_left_out() -> None:
    header = ["sku", "name", "Neckline", "Loops", "Stock level", "Picture link", "Ref hash", "Payload"]
    sample = [
        ["1", "Shirt", "Round neck", "12", "many", "https://a.example/1.jpg", "5c1f2d" * 6, '{"a": 1}'],
        ["2", "Vest", "V-neck", "8", "few", "https://a.example/2.jpg", "6c1f2d" * 6, '{"a": 2}'],
    ]

    roles = recognise(header, sample).mapping.roles

    assert roles == ("key", "title", "attribute", "ignore", "ignore", "ignore", "ignore", "ignore")


def test_a_list_of_attributes_is_no_catalogue() -> None:
    header = ["id", "color_hex_code", "name", "position", "group_id", "group_name", "media_url"]

    recognition = recognise(header, [["1", "", "aliceblue", "1", "406f", "color", ""]])

    assert recognition.format == "none"
    assert recognition.reason.startswith("It has names, but no SKU, price, description")


@pytest.mark.parametrize(
    "header",
    [
        ["First Name", "Last Name", "Email", "Phone", "Total Spent"],
        ["Name", "Email", "Financial Status", "Fulfillment Status", "Lineitem name", "Lineitem price"],
    ],
)
def test_customers_and_orders_are_no_catalogue(header: list[str]) -> None:
    recognition = recognise(header, [])

    assert recognition.format == "none"
    assert "customers or orders" in recognition.reason


def test_columns_that_mean_nothing_to_us_are_asked_about() -> None:
    recognition = recognise(["Col A", "Col B"], [["Green tea", "loose leaf"], ["Tea pot", "cast iron"]])

    assert (recognition.format, recognition.confident) == ("generic", False)
    assert validate_mapping(recognition.mapping, ["Col A", "Col B"]) == ["Say which column holds the product's name."]


def test_a_column_that_holds_tags_is_known_as_html() -> None:
    recognition = recognise(["sku", "name", "description"], [["1", "Tea", "plain"], ["2", "Pot", "<p>Iron</p>"]])

    assert recognition.mapping.html == (2,)


def test_a_mapping_survives_being_saved_as_json() -> None:
    mapping = replace(recognise(SHOPIFY, []).mapping, html=(2,))

    assert Mapping.from_json(json.loads(json.dumps(mapping.to_json()))) == mapping


def test_an_unknown_saved_role_is_ignored() -> None:
    assert Mapping.from_json({"roles": ["title", "root", 7]}).roles == ("title", "ignore", "ignore")


@pytest.mark.parametrize(
    ("roles", "problem"),
    [
        (("key", "ignore"), "Say which column holds the product's name."),
        (("title", "title"), "Only one column can be the title; 2 are."),
        (("title",), "The file has 2 columns, but 1 are described."),
    ],
)
def test_an_unusable_mapping_is_explained(roles: tuple[Role, ...], problem: str) -> None:
    assert problem in validate_mapping(Mapping(roles), ["a", "b"])


def test_a_header_is_known_again_whatever_its_case_and_spaces() -> None:
    assert header_signature(["\ufeffSKU", " Product  Name "]) == header_signature(["sku", "product name"])
    assert header_signature(["sku", "name"]) != header_signature(["name", "sku"])


def test_labels_can_be_stored_and_are_never_empty() -> None:
    assert header_labels(["\ufeffName", "", "a\0b", "x\udcff", "y" * 300]) == ["Name", "Column 2", "ab", "x", "y" * 200]
