"""The body's product and wishes -> Brief."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from contentopt.errors import DomainError
from generation.api.strict import StrictSerializer, TextField
from generation.facts import CHANNELS, FIELDS, LANGUAGES, LENGTHS, TONES, Brief, FactsError, ProductInput, extract_facts

MAX_TITLE = 500
MAX_LABEL = 200
MAX_VALUE = 5_000
MAX_NUMBER = 10**15
MAX_ATTRIBUTES = 300
MAX_FEATURES = 100
MAX_VARIANTS = 500
MAX_PROMPT = 20_000


@extend_schema_field(
    {
        "oneOf": [
            {"type": "string", "maxLength": MAX_VALUE},
            {"type": "number"},
            {"type": "boolean"},
            {"type": "array", "items": {"type": "string", "maxLength": MAX_VALUE}, "maxItems": MAX_FEATURES},
        ]
    }
)
class AttributeValueField(serializers.Field[Any, Any, Any, Any]):
    """A string, a number, a yes or no, or a list of strings."""

    words = TextField(max_length=MAX_VALUE, allow_blank=True)
    several = serializers.ListField(child=TextField(max_length=MAX_VALUE), max_length=MAX_FEATURES)

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, str):
            return self.words.run_validation(data)
        if isinstance(data, list):
            return self.several.run_validation(data)
        if isinstance(data, bool):
            return data
        if not isinstance(data, int | float):
            raise serializers.ValidationError("A string, a number, true or false, or a list of strings.")
        if not abs(data) <= MAX_NUMBER:  # infinity neither
            raise serializers.ValidationError("This number is too large. Send it as a string.")
        return data

    def to_representation(self, value: Any) -> Any:
        return value


def check_labels(labels: Any) -> None:
    """Names of attributes and options are text that people read, like the values."""
    for label in labels:
        TextField(max_length=MAX_LABEL).run_validation(label)


class ProductBody(StrictSerializer):
    """What is known about one product. Every value is a fact; nothing else gets into the text."""

    title = TextField(max_length=MAX_TITLE)
    brand = TextField(max_length=MAX_TITLE, required=False, allow_blank=True)
    category = TextField(max_length=MAX_TITLE, required=False, allow_blank=True)
    attributes = serializers.DictField(
        child=AttributeValueField(), required=False, help_text='Such as `{"Material": "linen", "Weight": "180 g"}`.'
    )
    features = serializers.ListField(child=TextField(max_length=MAX_VALUE), required=False, max_length=MAX_FEATURES)
    description = TextField(
        max_length=MAX_PROMPT, required=False, allow_blank=True, help_text="The present text, a source of facts."
    )
    variants = serializers.ListField(
        child=serializers.DictField(child=TextField(max_length=MAX_VALUE)),
        required=False,
        max_length=MAX_VARIANTS,
        help_text='Options that differ, such as `[{"Color": "red", "Size": "M"}]`.',
    )

    def validate_attributes(self, attributes: dict[str, Any]) -> dict[str, Any]:
        if len(attributes) > MAX_ATTRIBUTES:
            raise serializers.ValidationError(f"At most {MAX_ATTRIBUTES} attributes.")
        check_labels(attributes)
        return attributes

    def validate_variants(self, variants: list[dict[str, str]]) -> list[dict[str, str]]:
        check_labels({label for variant in variants for label in variant})
        return variants


class WishesBody(StrictSerializer):
    """How to write: wishes, never facts."""

    tone = serializers.ChoiceField(TONES, default="neutral")
    language = serializers.ChoiceField(LANGUAGES, default="en")
    length = serializers.ChoiceField(LENGTHS, default="medium")
    channel = serializers.ChoiceField(CHANNELS, default="web")
    voice = TextField(max_length=1_000, default="", allow_blank=True)
    keywords = serializers.ListField(child=TextField(max_length=100), default=list, max_length=20)
    instructions = TextField(max_length=1_000, default="", allow_blank=True)


class DescriptionBody(WishesBody):
    """Either `product` or `prompt`."""

    product = ProductBody(required=False)
    prompt = TextField(max_length=MAX_PROMPT, required=False, help_text="Free text that holds the facts.")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # Not an attribute of the class: `fields` is what DRF calls the serializer's own fields.
        fields = serializers.ListField(
            child=serializers.ChoiceField(FIELDS), required=False, help_text="The description is always written."
        )
        return {**super().get_fields(), "fields": fields}

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
    extra = tuple(field for field in FIELDS if field != "description" and field in data.get("fields", ()))
    return Brief(facts, **{**chosen, "keywords": tuple(chosen["keywords"])}, fields=("description", *extra))
