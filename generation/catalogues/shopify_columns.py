"""Shopify's two families of product export headers."""

from __future__ import annotations

import re
from typing import Literal

from generation.catalogues.mapping import Role

_ROLES: dict[str, Role] = {
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
_LONG_STANDING = frozenset(
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
_NEW = frozenset(
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
_METAFIELD = re.compile(r"\(product\.metafields\.(?P<namespace>[^.]+)\.(?P<key>.+)\)$")
_NO_FACT_NAMESPACES = ("reviews", "mm-google-shopping", "shopify--discovery--product_recommendation", "global", "seo")


def shopify_family(names: set[str]) -> Literal["shopify", "shopify_new"] | None:
    if "url handle" in names and "title" in names:
        return "shopify_new"
    if {"handle", "title"} <= names and len(names & _LONG_STANDING) >= 2:
        return "shopify"
    if "title" in names and len(names & _NEW) >= 3:
        return "shopify_new"
    return None


def shopify_role(name: str) -> Role:
    if metafield := _METAFIELD.search(name):
        return "ignore" if metafield["namespace"] in _NO_FACT_NAMESPACES else "attribute"
    return _ROLES.get(name, "ignore")
