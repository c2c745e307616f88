"""What comes in is what the document says, or it is refused with the place and the reason."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import ROUND_DOWN, Decimal
from typing import IO, Any, ClassVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from accounts.dollars import MOST_DOLLARS, NANOS_PER_DOLLAR, decimal_usd

MAX_DEPTH = 20


class StrictJSONParser(JSONParser):
    """JSON without repeated keys, which other parsers read differently, and without depth that exhausts a stack."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        try:
            data = json.loads(stream.read(), object_pairs_hook=_unique_keys, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise _malformed(f"The body is not JSON: {error}.") from error
        _limit_depth(data)
        return data


def _malformed(message: str) -> ParseError:
    return ParseError(message, code="malformed_json")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise _malformed(f"The key “{twice[:100]}” is there twice, so it is not clear which one counts.")
    return found


def _no_constant(name: str) -> None:
    raise _malformed(f"{name} is not JSON.")


def _limit_depth(data: Any) -> None:
    level = [data]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for value in level
            if isinstance(value, dict | list)
            for child in (value.values() if isinstance(value, dict) else value)
        ]
        if not level:
            return
    raise _malformed(f"The body is nested more than {MAX_DEPTH} levels deep.")


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses fields it does not know, so that a misspelt one is not silently ignored."""

    # What `validate` refuses beyond the fields' own rules, in words of JSON Schema (see generation.api.exactness).
    rules: ClassVar[dict[str, Any]] = {}

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            unknown = sorted(set(data) - set(self.fields))
            if unknown:
                raise serializers.ValidationError({name: ["There is no such field."] for name in unknown})
        return super().to_internal_value(data)


class TextField(serializers.CharField):
    """A string, not something that could be turned into one. NUL and lone surrogates are refused by CharField."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


_AMOUNT = re.compile(r"-?[0-9]+(\.[0-9]+)?")  # no exponents, spaces, underscores or digits of other scripts


@extend_schema_field(
    {
        "oneOf": [
            {"type": "string", "pattern": rf"^({MOST_DOLLARS}(\.0{{1,9}})?|\d{{1,6}}(\.\d{{1,9}})?)$"},
            {"type": "number", "minimum": 0, "maximum": MOST_DOLLARS},
        ]
    }
)
class DollarsField(serializers.DecimalField):
    """An amount of dollars, exact to the nano-dollar; validated to nano-dollars. A string is safest. A number works;
    what it has beyond nano-dollars is cut off."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=16, decimal_places=9, **kwargs)

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, float) and 0 <= data <= MOST_DOLLARS:
            data = str(Decimal(repr(data)).quantize(Decimal(1) / NANOS_PER_DOLLAR, ROUND_DOWN))
        elif isinstance(data, bool) or not (isinstance(data, int) or _AMOUNT.fullmatch(str(data))):
            self.fail("invalid")
        dollars = super().to_internal_value(data)
        if not 0 <= dollars <= MOST_DOLLARS:
            raise serializers.ValidationError(f"An amount from 0 to {MOST_DOLLARS:,} dollars.")
        return int(dollars * NANOS_PER_DOLLAR)


@extend_schema_field(OpenApiTypes.STR)
class UsdField(serializers.Field[int, Any, str, int]):
    """Nano-dollars, told as an exact decimal string of dollars."""

    def to_representation(self, value: int) -> str:
        return decimal_usd(value)
