"""The API's document as tests use it: its operations, where ids go in them, and bodies that they take."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from drf_spectacular.generators import SchemaGenerator

from generation.api.exactness import NO_NUL, NO_NUL_NOR_BLANK

METHODS = ("get", "post", "put", "patch", "delete")
Place = tuple[str | int, ...]  # where in a body: keys, and 0 for a list's first


@dataclass(frozen=True)
class Slot:
    """Where an operation takes an id, and of what: the word before it in the address, or the field's own name."""

    where: str  # path, query or body
    name: str
    kind: str
    place: Place = ()


@dataclass(frozen=True)
class Operation:
    name: str
    method: str
    path: str
    described: dict[str, Any]

    def __str__(self) -> str:
        return self.name

    @property
    def resource(self) -> str:
        """The word of the address that says what it is about."""
        words = [word for word in self.path.removeprefix("/api/v1/").split("/") if not word.startswith("{")]
        return words[0]

    @functools.cached_property
    def slots(self) -> list[Slot]:
        return [*self._in_path(), *self._in_query(), *self._in_body()]

    def _in_path(self) -> Iterator[Slot]:
        words = self.path.split("/")
        for before, word in pairwise(words):
            if word.startswith("{"):
                yield Slot("path", word.strip("{}"), before)

    def _in_query(self) -> Iterator[Slot]:
        for parameter in self.described.get("parameters", []):
            if parameter["in"] == "query" and resolved(parameter["schema"]).get("format") == "uuid":
                yield Slot("query", parameter["name"], parameter["name"])

    def _in_body(self) -> Iterator[Slot]:
        for place in places_of_ids(self.body_schema):
            name = next(str(part) for part in reversed(place) if isinstance(part, str))
            yield Slot("body", name, self.resource if name == "id" else name, place)

    @property
    def content_type(self) -> str:
        return str(next(iter(self.described.get("requestBody", {}).get("content", {"": None}))))

    @property
    def body_schema(self) -> dict[str, Any]:
        content = self.described.get("requestBody", {}).get("content", {})
        return dict(content[self.content_type]["schema"]) if content else {}

    def body(self, place: Place = ()) -> Any:
        return sample(self.body_schema, place) if self.body_schema else None


@functools.cache
def document() -> dict[str, Any]:
    return dict(SchemaGenerator().get_schema(request=None, public=True))  # type: ignore[no-untyped-call]


def operations() -> list[Operation]:
    return [
        Operation(described["operationId"], method, path, described)
        for path, methods in document()["paths"].items()
        for method, described in methods.items()
        if method in METHODS
    ]


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        return resolved(document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    if "properties" in schema:  # what `allOf` says beside them are rules
        return {name: part for name, part in schema.items() if name != "allOf"}
    if "allOf" in schema:
        return functools.reduce(lambda merged, part: {**merged, **resolved(part)}, schema["allOf"], {})
    return schema


def variants(schema: dict[str, Any]) -> list[dict[str, Any]]:
    schema = resolved(schema)
    parts = schema.get("oneOf") or schema.get("anyOf")
    if not parts:
        return [schema]
    if "properties" not in schema:
        return [variant for part in parts for variant in variants(part)]
    common = {name: part for name, part in schema.items() if name not in ("oneOf", "anyOf")}
    return [{**common, "required": [*schema.get("required", ()), *part["required"]]} for part in parts]


def places_of_ids(schema: dict[str, Any], at: Place = ()) -> list[Place]:
    found: list[Place] = []
    for variant in variants(schema):
        if variant.get("format") == "uuid":
            found.append(at)
        for name, part in variant.get("properties", {}).items():
            found += places_of_ids(part, (*at, name))
        if "items" in variant:
            found += places_of_ids(variant["items"], (*at, 0))
    return found


def sample(schema: dict[str, Any], towards: Place = ()) -> Any:
    """Something that the schema takes, with what leads to one id, and without any that need not be there."""
    all_variants = variants(schema)
    chosen = max(all_variants, key=lambda variant: leads(variant, towards))  # the first of the best
    if "enum" in chosen:
        return chosen["enum"][0]
    if chosen.get("type") == "object" or "properties" in chosen:
        return {
            name: sample(part, towards[1:] if towards[:1] == (name,) else ())
            for name, part in chosen.get("properties", {}).items()
            if name in chosen.get("required", ()) or towards[:1] == (name,) or is_plain_text(part)
        }
    if chosen.get("type") == "array":
        return [sample(chosen["items"], towards[1:])] if towards or chosen.get("minItems") else []
    return SAMPLES.get(chosen.get("format", ""), SAMPLES.get(chosen.get("type", ""), "text"))


def leads(schema: dict[str, Any], towards: Place) -> int:
    """How surely a body of this kind has something there."""
    first = towards[0] if towards else None
    if first == 0:
        return int("items" in schema)
    return 2 * (first in schema.get("required", ())) + (first in schema.get("properties", {}))


def is_plain_text(schema: dict[str, Any]) -> bool:
    """What may be filled in whatever it means: a body without any field to change would be refused for that."""
    schema = resolved(schema)
    is_any_text = schema.get("pattern", NO_NUL) in (NO_NUL, NO_NUL_NOR_BLANK)
    return schema.get("type") == "string" and is_any_text and not schema.keys() & {"format", "enum", "default"}


SAMPLES: dict[str, Any] = {
    "uuid": "00000000-0000-4000-8000-00000000000f",
    "date-time": "2099-01-01T00:00:00Z",
    "uri": "https://shop.example/hook",
    "email": "somebody@shop.example",
    "integer": 1,
    "number": 1,
    "boolean": False,
}


def put(body: Any, place: Place, value: object) -> Any:
    """A body with the value at that place."""
    if not place:
        return value
    first, rest = place[0], place[1:]
    if isinstance(first, int):
        return [put(body[first], rest, value), *body[1:]]
    return {**body, first: put(body.get(first), rest, value)}
