"""What the code keeps as codes and figures, in the words of the people who read the pages."""

from __future__ import annotations

import math

from django import template

from generation.forms import DELIMITERS, ENCODINGS, ROLE_NAMES
from generation.prompts import LANGUAGES
from generation.services.usage import ENDPOINTS, LAYERS, model_name

register = template.Library()

FORMAT_NAMES = {
    "shopify": "Shopify",
    "shopify_new": "Shopify (new columns)",
    "woocommerce": "WooCommerce",
    "generic": "Plain table",
    "none": "No product file",
}
LINE_ENDS = {"\r\n": "CRLF (Windows)", "\n": "LF", "\r": "CR", "mixed": "mixed"}
FIELD_NAMES = {
    "description": "Description",
    "seo_title": "SEO title",
    "meta_description": "Meta description",
    "bullets": "Benefit bullets",
}


@register.filter
def format_name(code: str) -> str:
    return FORMAT_NAMES.get(code, code.capitalize())


@register.filter
def encoding_name(code: str) -> str:
    return dict(ENCODINGS).get(code, code)


@register.filter
def delimiter_name(character: str) -> str:
    return dict(DELIMITERS).get(character, character)


@register.filter
def line_end_name(code: str) -> str:
    return LINE_ENDS.get(code, code)


@register.filter
def role_name(role: str) -> str:
    return ROLE_NAMES.get(role, role.replace("_", " ").capitalize())


@register.filter
def field_name(field: str) -> str:
    return FIELD_NAMES.get(field, field)


@register.filter
def language_name(code: str) -> str:
    return LANGUAGES.get(code, code)


@register.filter
def layer_name(source: str) -> str:
    return LAYERS.get(source, source.capitalize())


STEP_NAMES = {"exact": "The same facts and wishes", "template": "Its family", "semantic": "The same in other words"}


@register.filter
def step_name(layer: str) -> str:
    """A layer, as one that was asked."""
    return STEP_NAMES.get(layer, layer.capitalize())


RUN_SOURCES = {
    "model": "newly written",
    "template": "filled from their family's text",
    "exact": "known",
    "semantic": "known in other words",
    "precomputed": "written overnight",
    "coalesced": "shared with an identical one",
}


@register.filter
def sources_said(sources: dict[str, int]) -> str:
    """ "12 newly written, 410 filled from their family's text, 58 known"."""
    return ", ".join(f"{sources[source]:,} {words}" for source, words in RUN_SOURCES.items() if sources.get(source))


@register.filter
def endpoint_name(endpoint: str) -> str:
    return ENDPOINTS.get(endpoint, endpoint.capitalize())


register.filter(model_name)


@register.filter
def duration(seconds: float) -> str:
    """Rounded as one would say it: "a second", "40 seconds", "3 minutes", "2 hours"."""
    if seconds < 1.5:
        return "a second"
    if seconds < 90:
        return f"{math.ceil(seconds)} seconds"
    if seconds < 90 * 60:
        return f"{math.ceil(seconds / 60)} minutes"
    return f"{math.ceil(seconds / 3600)} hours"
