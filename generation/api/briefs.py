"""The body's product and wishes -> Brief."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from contentopt.errors import DomainError
from generation.api.base import StrictSerializer
from generation.facts import CHANNELS, FIELDS, LANGUAGES, LENGTHS, TONES, Brief, FactsError, ProductInput, extract_facts

MAX_TITLE = 500
MAX_VALUE = 5_000
MAX_ATTRIBUTES = 300
MAX_FEATURES = 100
MAX_PROMPT = 20_000


class TextField(serializers.CharField):
    """Text that PostgreSQL can hold."""

    def to_internal_value(self, data: Any) -> str:
        return super().to_internal_value(data).replace("\x00", "")


class AttributeValueField(serializers.Field[Any, Any, Any, Any]):
    """A string, a number, a yes or no, or a list of strings."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, list):
            if len(data) > MAX_FEATURES or not all(
                isinstance(value, str) and len(value) <= MAX_VALUE for value in data
            ):
                raise serializers.ValidationError("A list holds strings only.")
            return data
        if isinstance(data, str) and len(data) > MAX_VALUE:
            raise serializers.ValidationError(f"At most {MAX_VALUE} characters.")
        if not isinstance(data, str | int | float | bool):
            raise serializers.ValidationError("A string, a number, true or false, or a list of strings.")
        return data

    def to_representation(self, value: Any) -> Any:
        return value


class ProductBody(StrictSerializer):
    title = TextField(max_length=MAX_TITLE)
    brand = TextField(max_length=MAX_TITLE, required=False, allow_blank=True)
    category = TextField(max_length=MAX_TITLE, required=False, allow_blank=True)
    attributes = serializers.DictField(child=AttributeValueField(), required=False)
    features = serializers.ListField(child=TextField(max_length=MAX_VALUE), required=False, max_length=MAX_FEATURES)
    description = TextField(max_length=MAX_PROMPT, required=False, allow_blank=True)

    def validate_attributes(self, attributes: dict[str, Any]) -> dict[str, Any]:
        if len(attributes) > MAX_ATTRIBUTES:
            raise serializers.ValidationError(f"At most {MAX_ATTRIBUTES} attributes.")
        return attributes


class WishesBody(StrictSerializer):
    tone = serializers.ChoiceField(TONES, default="neutral")
    language = serializers.ChoiceField(LANGUAGES, default="en")
    length = serializers.ChoiceField(LENGTHS, default="medium")
    channel = serializers.ChoiceField(CHANNELS, default="web")
    voice = TextField(max_length=1_000, default="", allow_blank=True)
    keywords = serializers.ListField(child=TextField(max_length=100), default=list, max_length=20)
    instructions = TextField(max_length=1_000, default="", allow_blank=True)


class DescriptionBody(WishesBody):
    product = ProductBody(required=False)
    prompt = TextField(max_length=MAX_PROMPT, required=False)
    fields_wanted = serializers.ListField(child=serializers.ChoiceField(FIELDS), required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("product" in attrs) == ("prompt" in attrs):
            raise serializers.ValidationError("Send either `product` or `prompt`.")
        return attrs


def wishes(data: dict[str, Any]) -> dict[str, Any]:
    """The brief's settings out of a validated body, as generation.engine.storing.brief_settings keeps them."""
    names = ("tone", "language", "length", "channel", "voice", "keywords", "instructions")
    return {name: data[name] for name in names}


def brief_from_body(data: dict[str, Any]) -> Brief:
    product: ProductInput = data["product"] if "product" in data else {"prompt": data["prompt"]}
    try:
        facts = extract_facts(product)
    except FactsError as error:
        raise DomainError(error.message, code=error.code) from error
    chosen = wishes(data)
    extra = tuple(field for field in FIELDS if field != "description" and field in data.get("fields_wanted", ()))
    return Brief(facts, **{**chosen, "keywords": tuple(chosen["keywords"])}, fields=("description", *extra))
