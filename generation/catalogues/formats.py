from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from generation.catalogues.generic_columns import generic_roles, plain_name
from generation.catalogues.generic_names import PEOPLE_AND_ORDERS
from generation.catalogues.mapping import MAX_LABEL, Mapping, Role, fold_header
from generation.catalogues.plaintext import holds_html
from generation.catalogues.shopify_columns import shopify_family, shopify_role
from generation.catalogues.woocommerce_columns import english_name, is_woocommerce, woocommerce_role

Format = Literal["shopify", "shopify_new", "woocommerce", "generic", "none"]

_EVIDENCE: tuple[Role, ...] = ("sku", "price", "description", "short_description", "brand", "category")


@dataclass(frozen=True, slots=True)
class Recognition:
    """What a file is, why, and what its columns mean. `confident` is False where a person should look first."""

    format: Format
    mapping: Mapping
    reason: str
    confident: bool


def recognise(header: list[str], sample: list[list[str]]) -> Recognition:
    """Read the header and some rows of values. Format "none" means that the file holds no products."""
    names = [fold_header(name)[:MAX_LABEL] for name in header]
    if shopify := shopify_family(set(names)):
        return _recognised(shopify, _roles(names, shopify_role), sample)
    english = [english_name(name) for name in names]
    if is_woocommerce(english):
        return _recognised("woocommerce", _roles(english, woocommerce_role), sample)
    return _recognise_generic(names, sample)


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
    if refusal := _no_products(names, roles):
        return Recognition("none", mapping, refusal, confident=True)
    if "title" not in roles:
        reason = "No column looks like the product's name: say which one it is."
        return Recognition("generic", mapping, reason, confident=False)
    if not _has_evidence(names):
        reason = "There are names, but it is not certain that they are products: check what the columns mean."
        return Recognition("generic", mapping, reason, confident=False)
    known = sum(role not in ("ignore", "attribute") for role in roles)
    return Recognition("generic", mapping, f"{known} of {len(names)} columns were understood by name.", confident=True)


def _no_products(names: list[str], roles: tuple[Role, ...]) -> str:
    """Why a file cannot hold products, or nothing."""
    people = PEOPLE_AND_ORDERS.intersection(name.replace(" ", "_").replace("-", "_") for name in names)
    if len(people) >= 2 and "description" not in roles:
        return "This looks like a list of customers or orders, not of products."
    if _has_evidence(names) or _has_known_attribute(names, roles):
        return ""
    if "title" in roles:
        return "It has names, but no SKU, price, description, brand or category, so it holds no products."
    if not any(role == "attribute" for role in roles):
        return "No column holds a name or any text about a product."
    return ""


def _has_evidence(names: list[str]) -> bool:
    return any(plain_name(name) in _EVIDENCE for name in names)


def _has_known_attribute(names: list[str], roles: tuple[Role, ...]) -> bool:
    return any(role in ("attribute", "feature") and plain_name(name) for name, role in zip(names, roles, strict=True))


def _html_columns(roles: tuple[Role, ...], sample: list[list[str]]) -> tuple[int, ...]:
    texts = (index for index, role in enumerate(roles) if role in ("description", "short_description"))
    return tuple(index for index in texts if any(index < len(row) and holds_html(row[index]) for row in sample))
