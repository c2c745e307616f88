"""The body's product and wishes -> Brief."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from contentopt.errors import DomainError, NotAllowed
from generation.api.exactness import NO_NUL, NO_NUL_NOR_BLANK
from generation.api.strict import StrictSerializer, TextField
from generation.facts import (
    ASKED_TIERS,
    CHANNELS,
    FIELDS,
    LANGUAGES,
    LENGTHS,
    TONES,
    Brief,
    FactsError,
    ProductInput,
    Task,
    extract_facts,
)
from generation.routing import is_above

MAX_TITLE = 500
MAX_LABEL = 200
MAX_VALUE = 5_000
MAX_NUMBER = 10**15
MAX_ATTRIBUTES = 300
MAX_FEATURES = 100
MAX_VARIANTS = 500
MAX_PROMPT = 20_000
MAX_ORIGINAL = 10_000
TASKS = [task.value for task in (Task.DESCRIPTION, Task.REWRITE, Task.TRANSLATE)]


@extend_schema_field(
    {
        "oneOf": [
            {"type": "string", "maxLength": MAX_VALUE, "pattern": NO_NUL},
            {"type": "number", "minimum": -MAX_NUMBER, "maximum": MAX_NUMBER},
            {"type": "boolean"},
            {
                "type": "array",
                "items": {"type": "string", "maxLength": MAX_VALUE, "pattern": NO_NUL_NOR_BLANK},
                "maxItems": MAX_FEATURES,
            },
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
    tier = serializers.ChoiceField(
        ASKED_TIERS,
        default="auto",
        help_text="How good a model has to be, at least. `auto`: the cheapest whose text passes the check. What is "
        "above the plan is refused with 403 `tier_not_in_plan`.",
    )
    voice = TextField(max_length=1_000, default="", allow_blank=True)
    keywords = serializers.ListField(child=TextField(max_length=100), default=list, max_length=20)
    instructions = TextField(max_length=1_000, default="", allow_blank=True)


class DescriptionBody(WishesBody):
    """Either `product` or `prompt`."""

    rules: ClassVar[dict[str, Any]] = {
        "allOf": [
            {"oneOf": [{"required": ["product"]}, {"required": ["prompt"]}]},
            {
                "oneOf": [
                    {"properties": {"task": {"pattern": rf"^{TASKS[0]}$"}, "original": {"pattern": r"^\s*$"}}},
                    {
                        "required": ["task", "original"],
                        "properties": {
                            "task": {"pattern": rf"^({'|'.join(TASKS[1:])})$"},
                            "original": {"pattern": r"\S"},
                        },
                    },
                ]
            },
        ]
    }

    product = ProductBody(required=False)
    prompt = TextField(max_length=MAX_PROMPT, required=False, help_text="Free text that holds the facts.")
    task = serializers.ChoiceField(
        TASKS,
        default=Task.DESCRIPTION.value,
        help_text="`rewrite` improves `original`, `translate` puts it into `language`; the facts rule in both.",
    )
    original = TextField(max_length=MAX_ORIGINAL, default="", allow_blank=True, help_text="The text to work on.")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # Not an attribute of the class: `fields` is what DRF calls the serializer's own fields.
        fields = serializers.ListField(
            child=serializers.ChoiceField(FIELDS), required=False, help_text="The description is always written."
        )
        return {**super().get_fields(), "fields": fields}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("product" in attrs) == ("prompt" in attrs):
            raise serializers.ValidationError("Send either `product` or `prompt`.")
        if (attrs["task"] == Task.DESCRIPTION) != (not attrs["original"].strip()):
            raise serializers.ValidationError(
                "`rewrite` and `translate` need an `original`; without a task there is none."
            )
        return attrs


# One for all bodies: it keeps nothing of what it reads, and making it takes longer than using it.
_BODY = DescriptionBody()


def read_body(data: Any) -> dict[str, Any]:
    """As `validated` has it, for those who do not tell what is wrong. Raises ValidationError."""
    body: dict[str, Any] = _BODY.run_validation(data)
    return body


def wishes(data: dict[str, Any], *, highest: str) -> dict[str, Any]:
    """The brief's settings out of a validated body, as generation.facts.brief_settings keeps them. `highest` is the
    tier that the workspace's plan goes up to."""
    if is_above(data["tier"], highest):
        raise NotAllowed(
            f"This workspace's plan writes at {highest} at most. Leave `tier` out, or take a plan that has more.",
            code="tier_not_in_plan",
            details={"highest": highest},
        )
    names = ("tone", "language", "length", "channel", "tier", "voice", "keywords", "instructions")
    return {name: data[name] for name in names}


def brief_from_body(data: dict[str, Any], *, highest: str) -> Brief:
    product: ProductInput = data["product"] if "product" in data else {"prompt": data["prompt"]}
    try:
        facts = extract_facts(product)
    except FactsError as error:
        raise DomainError(error.message, code=error.code) from error
    chosen = wishes(data, highest=highest)
    extra = tuple(field for field in FIELDS if field != "description" and field in data.get("fields", ()))
    return Brief(
        facts,
        **{**chosen, "keywords": tuple(chosen["keywords"])},
        fields=("description", *extra),
        task=Task(data["task"]),
        original=data["original"],
    )
