"""What the serializers refuse, said in the document's own terms, as far as it has words for it."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerExtension, OpenApiSerializerFieldExtension

NO_NUL = r"^[^\u0000]*$"
NO_NUL_NOR_BLANK = r"^[^\u0000]*[^\u0000\s][^\u0000]*$"


class StrictBodies(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    target_class = "generation.api.strict.StrictSerializer"
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Any) -> Any:
        schema = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        return {**schema, "additionalProperties": False, **self.target.rules}


class Texts(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    target_class = "generation.api.strict.TextField"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> Any:
        schema = auto_schema._map_serializer_field(self.target, direction, bypass_extensions=True)
        return {**schema, "pattern": NO_NUL if self.target.allow_blank else NO_NUL_NOR_BLANK}


def require_bodies(result: Any, **_of_the_generator: Any) -> Any:
    """A body whose rules no empty one can meet has to be there, whether or not a single field of it has to."""
    components = result["components"]["schemas"]
    operations = [operation for methods in result["paths"].values() for operation in methods.values()]
    for operation in operations:
        body = operation.get("requestBody", {"content": {}})
        names = [content["schema"].get("$ref", "").rpartition("/")[2] for content in body["content"].values()]
        if any(components.get(name, {}).keys() & {"oneOf", "anyOf", "allOf", "minProperties"} for name in names):
            body["required"] = True
    return result
