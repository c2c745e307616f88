from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from generation.catalogues.column_names import (
    PEOPLE_AND_ORDERS,
    SHOPIFY_LONG_STANDING,
    SHOPIFY_NEW,
    SHOPIFY_ROLES,
    WOOCOMMERCE_ROLES,
    WOOCOMMERCE_TELLING,
    WOOCOMMERCE_TRANSLATIONS,
)
from generation.catalogues.generic_columns import generic_roles, plain_name
from generation.catalogues.mapping import Mapping, Role, fold_header
from generation.catalogues.plaintext import holds_html

Format = Literal["shopify", "shopify_new", "woocommerce", "generic", "none"]

_UNIT = re.compile(r"\s*\([^()]*\)$")
_SHOPIFY_METAFIELD = re.compile(r"\(product\.metafields\.(?P<namespace>[^.]+)\.(?P<key>.+)\)$")
_SHOPIFY_NOT_FACTS = ("reviews", "mm-google-shopping", "shopify--discovery--product_recommendation", "global", "seo")
_OF_ATTRIBUTE = r"(?:de l[’']attribut|del atributo|dell[’']attributo|eigenschap)"
_WOO_ATTRIBUTE_NAME = re.compile(
    rf"(?:attribute?|attributo|atributo) \d+ n(?:ame|om|ombre|ome)|(?:nom|nombre|nome|naam) {_OF_ATTRIBUTE} \d+"
)
_WOO_ATTRIBUTE_VALUE = re.compile(
    r"(?:attribute?|attributo|atributo) \d+ (?:value|wert|valeur|valor|valut)\S*"
    rf"|(?:valeur|valor|valore|waarde)\S* {_OF_ATTRIBUTE} \d+"
)
_WOO_ENGLISH = {name: english for english, names in WOOCOMMERCE_TRANSLATIONS.items() for name in names}
_EVIDENCE: tuple[Role, ...] = ("sku", "price", "description", "short_description", "brand", "category", "option_value")


@dataclass(frozen=True, slots=True)
class Recognition:
    """What a file is, why, and what its columns mean. `confident` is False where a person should look first."""

    format: Format
    mapping: Mapping
    reason: str
    confident: bool


def recognise(header: list[str], sample: list[list[str]]) -> Recognition:
    """Read the header and some rows of values. Format "none" means that the file holds no products."""
    names = [fold_header(name) for name in header]
    if shopify := _shopify_family(set(names)):
        return _recognised(shopify, _roles(names, _shopify_role), sample)
    english = [_english(name) for name in names]
    if "name" in english and len(WOOCOMMERCE_TELLING.intersection(english)) >= 4:
        return _recognised("woocommerce", _roles(english, _woocommerce_role), sample)
    return _recognise_generic(names, sample)


def _shopify_family(names: set[str]) -> Literal["shopify", "shopify_new"] | None:
    if "url handle" in names and "title" in names:
        return "shopify_new"
    if {"handle", "title"} <= names and len(names & SHOPIFY_LONG_STANDING) >= 2:
        return "shopify"
    if "title" in names and len(names & SHOPIFY_NEW) >= 3:
        return "shopify_new"
    return None


def _shopify_role(name: str) -> Role:
    if metafield := _SHOPIFY_METAFIELD.search(name):
        return "ignore" if metafield["namespace"] in _SHOPIFY_NOT_FACTS else "attribute"
    return SHOPIFY_ROLES.get(name, "ignore")


def _english(name: str) -> str:
    without_unit = _UNIT.sub("", name)
    return _WOO_ENGLISH.get(name) or _WOO_ENGLISH.get(without_unit) or (without_unit if name != without_unit else name)


def _woocommerce_role(name: str) -> Role:
    if _WOO_ATTRIBUTE_NAME.fullmatch(name):
        return "option_name"
    if _WOO_ATTRIBUTE_VALUE.fullmatch(name):
        return "option_value"
    return WOOCOMMERCE_ROLES.get(name, "ignore")


def _roles(names: Sequence[str], role_of: Callable[[str], Role]) -> tuple[Role, ...]:
    """A role that only one column may have goes to the first that claims it."""
    roles: list[Role] = []
    for name in names:
        role = role_of(name)
        repeatable = role in ("attribute", "option_name", "option_value", "price", "image", "id")
        roles.append("ignore" if role in roles and not repeatable else role)
    return tuple(roles)


def _recognised(format: Format, roles: tuple[Role, ...], sample: list[list[str]]) -> Recognition:
    reasons = {
        "shopify": "The columns are those of Shopify's product export.",
        "shopify_new": "The columns are those of Shopify's new product export.",
        "woocommerce": "The columns are those of WooCommerce's product export.",
    }
    return Recognition(format, Mapping(roles, _html_columns(roles, sample)), reasons[format], confident=True)


def _recognise_generic(names: list[str], sample: list[list[str]]) -> Recognition:
    roles = generic_roles(names, sample)
    mapping = Mapping(roles, _html_columns(roles, sample))
    if refusal := _no_products(names, roles, sample):
        return Recognition("none", mapping, refusal, confident=True)
    if "title" not in roles:
        reason = "No column looks like the product's name: say which one it is."
        return Recognition("generic", mapping, reason, confident=False)
    if not any(role in roles for role in _EVIDENCE):
        reason = "There are names, but it is not certain that they are products: check what the columns mean."
        return Recognition("generic", mapping, reason, confident=False)
    known = sum(role not in ("ignore", "attribute") for role in roles)
    return Recognition("generic", mapping, f"{known} of {len(names)} columns were understood by name.", confident=True)


def _no_products(names: list[str], roles: tuple[Role, ...], sample: list[list[str]]) -> str:
    """Why a file cannot hold products, or nothing."""
    people = PEOPLE_AND_ORDERS.intersection(name.replace(" ", "_").replace("-", "_") for name in names)
    if len(people) >= 2 and "description" not in roles:
        return "This looks like a list of customers or orders, not of products."
    if any(role in roles for role in _EVIDENCE) or _has_known_attribute(names, roles):
        return ""
    if "title" in roles:
        return "It has names, but no SKU, price, description, brand or category, so it holds no products."
    if not any(role == "attribute" for role in roles):
        return "No column holds a name or any text about a product."
    return ""


def _has_known_attribute(names: list[str], roles: tuple[Role, ...]) -> bool:
    return any(role in ("attribute", "feature") and plain_name(name) for name, role in zip(names, roles, strict=True))


def _html_columns(roles: tuple[Role, ...], sample: list[list[str]]) -> tuple[int, ...]:
    texts = (index for index, role in enumerate(roles) if role in ("description", "short_description"))
    return tuple(index for index in texts if any(index < len(row) and holds_html(row[index]) for row in sample))
