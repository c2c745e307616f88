"""What other systems can be told: the types of events, when each happens and what it says. Plain Python.

Payloads are thin: ids, states and counts, and the address where the rest can be read with an API key.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

MOST_PAYLOAD_BYTES = 20_000


@dataclass(frozen=True, slots=True)
class Field:
    """One value of a payload's `data`: an example of it and what it means."""

    example: Any
    meaning: str


@dataclass(frozen=True, slots=True)
class EventType:
    name: str
    when: str
    fields: dict[str, Field]

    @property
    def example(self) -> dict[str, Any]:
        """A whole body, as it is sent."""
        data = {name: field.example for name, field in self.fields.items()}
        return {"type": self.name, "timestamp": "2026-11-27T09:30:00+00:00", "data": data}


RUN_FINISHED, TEXT_CREATED, TEXT_APPROVED = "run.finished", "text.created", "text.approved"
IMPORT_FINISHED, BUDGET_THRESHOLD, PLAN_CHANGED = "import.finished", "budget.threshold", "plan.changed"
TEST = "webhook.test"

_ID = "5f1b6a0e-6f0e-4d0c-9d38-0a6b8a1f2c11"
_OTHER_ID = "c0a4d1a2-7a52-4d0b-8d75-3f1f5f0f6a20"
_READ = "Read the rest here, with an API key."

EVENT_TYPES = {
    kind.name: kind
    for kind in (
        EventType(
            RUN_FINISHED,
            "A run has ended: everything is written or has a reason why not, or it was cancelled. A run that is "
            "retried ends again.",
            {
                "id": Field(_ID, "The run."),
                "state": Field("finished", "“finished” or “cancelled”."),
                "catalogue": Field(_OTHER_ID, "The import it wrote, or null."),
                "products": Field(500, "How many products it was started for."),
                "done": Field(497, "Of them written."),
                "failed": Field(3, "Of them failed; the run says why."),
                "cancelled": Field(0, "Of them let go."),
                "url": Field("https://contentopt.example/api/v1/runs/" + _ID, _READ),
            },
        ),
        EventType(
            TEXT_CREATED,
            "A product has a new text, whoever wrote it: a run, the API or a person. One event for each text, so a "
            "run over 10,000 products sends 10,000; “run.finished” sends one.",
            {
                "id": Field(_ID, "The text."),
                "product": Field(_OTHER_ID, "The product it describes."),
                "version": Field(2, "Counts up for each product."),
                "source": Field("model", "Which layer answered, as in the API."),
                "language": Field("en", "The language it was asked for in."),
                "url": Field("https://contentopt.example/api/v1/texts/" + _ID, _READ),
            },
        ),
        EventType(
            TEXT_APPROVED,
            "Somebody has approved a product's text.",
            {
                "id": Field(_ID, "The text."),
                "product": Field(_OTHER_ID, "The product it describes."),
                "version": Field(2, "Counts up for each product."),
                "url": Field("https://contentopt.example/api/v1/texts/" + _ID, _READ),
            },
        ),
        EventType(
            IMPORT_FINISHED,
            "A file has been read, or it turned out why it cannot be.",
            {
                "id": Field(_ID, "The catalogue."),
                "status": Field(
                    "ready",
                    "“ready”; “needs_mapping” when somebody has to say what the columns mean; “refused” when it is no "
                    "table of products; “failed” when reading it did not work.",
                ),
                "filename": Field("products.csv", "As it was uploaded."),
                "products": Field(1250, "How many products it has."),
                "rows": Field(1251, "How many rows were read."),
                "url": Field("https://contentopt.example/api/v1/catalogues/" + _ID, _READ),
            },
        ),
        EventType(
            BUDGET_THRESHOLD,
            "One of the shares of a budget, or of the month's products, that you set under Alerts is used.",
            {
                "scope": Field("workspace", "Whose: “workspace”, “member”, “key”, “run”, or “quota” for the products."),
                "scope_id": Field(_ID, "Its id; null for “quota”."),
                "percent": Field(80, "The share that was passed."),
                "used": Field("40.12", "Dollars as an exact decimal string; for “quota” a number of products."),
                "limit": Field("50.00", "The same."),
                "resets_at": Field("2026-12-01T00:00:00+00:00", "When it starts afresh; null for a run's."),
            },
        ),
        EventType(
            PLAN_CHANGED,
            "The workspace has another plan, or may do less or more for reasons of payment.",
            {
                "plan": Field("pro", "The plan it has now."),
                "previous_plan": Field("free", "The plan it had; the same when only the standing changed."),
                "standing": Field("good", "“good”, “overdue”, “frozen” or “read_only”."),
            },
        ),
    )
}
TEST_EVENT = EventType(
    TEST, "You asked for it, on the page or over the API.", {"message": Field("It works.", "The same each time.")}
)

_JSON_TYPES = {str: "string", int: "integer"}
# What may be null, so a receiver must expect it.
_NULLABLE = {"catalogue", "scope_id", "resets_at"}


def add_to_document(result: dict[str, Any], **_context: Any) -> dict[str, Any]:
    """drf-spectacular's hook: `webhooks` in OpenAPI 3.1, and where 3.0 has no such section `x-webhooks`."""
    section = "webhooks" if result["openapi"] >= "3.1" else "x-webhooks"
    result[section] = {kind.name: {"post": _operation(kind)} for kind in (*EVENT_TYPES.values(), TEST_EVENT)}
    return result


def _operation(kind: EventType) -> dict[str, Any]:
    headers = {
        "webhook-id": "The event's id, the same on every attempt and for every endpoint: what came twice is known by "
        "it.",
        "webhook-timestamp": "When this attempt was signed, in seconds since 1970.",
        "webhook-signature": "`v1,<base64>` of HMAC-SHA256 over `id.timestamp.body`; two of them, with a space, while "
        "a secret is rotated.",
    }
    return {
        "operationId": f"receive_{kind.name.replace('.', '_')}",
        "summary": kind.name,
        "description": kind.when,
        "parameters": [
            {"name": name, "in": "header", "required": True, "schema": {"type": "string"}, "description": words}
            for name, words in headers.items()
        ],
        "requestBody": {"required": True, "content": {"application/json": {"schema": _schema(kind)}}},
        "responses": {
            "2XX": {"description": "Received. Anything else, a redirect too, is tried again."},
            "410": {"description": "No longer wanted: the endpoint is switched off at once."},
        },
    }


def _schema(kind: EventType) -> dict[str, Any]:
    data = {
        "type": "object",
        "required": list(kind.fields),
        "properties": {name: _property(name, field) for name, field in kind.fields.items()},
    }
    return {
        "type": "object",
        "required": ["type", "timestamp", "data"],
        "properties": {
            "type": {"type": "string", "enum": [kind.name]},
            "timestamp": {"type": "string", "format": "date-time", "description": "When it happened."},
            "data": data,
        },
        "example": kind.example,
    }


def _property(name: str, field: Field) -> dict[str, Any]:
    described = {"type": _JSON_TYPES[type(field.example)], "description": field.meaning}
    if name in ("used", "limit"):
        return {"oneOf": [{"type": "string"}, {"type": "integer"}], "description": field.meaning}
    # Said in words, because 3.0 and 3.1 write it differently.
    return {"description": described["description"]} if name in _NULLABLE else described
