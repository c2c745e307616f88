"""One row of every table that belongs to a workspace, with a word of that workspace in each text column, so that a
leak or a leftover can be looked for. Generic: a table that is added tomorrow has its row, or the test that uses this
says which column it could not fill."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import zstandard
from django.contrib.postgres.fields import ArrayField
from django.db import connection, models
from django.utils import timezone

from accounts.archiving import tenant_models
from accounts.models import User, Workspace

# What the database demands of a column, where any value would not do.
FITTING: dict[str, dict[str, Any]] = {
    "accounts.AuditEntry": {"actor": "system", "user_id": None, "api_key_id": None},
    "accounts.ApiKey": {"scopes": ["read"]},
    "accounts.Archive": {"state": "done", "percent": 100},
    "accounts.Budget": {"limit_nanos": None, "overdraft_nanos": 0, "period_end": None},
    "accounts.Deletion": {"state": "cancelled"},
    "accounts.IdempotentRequest": {"lease_until": None, "status": 200, "reply": b"{}"},
    "accounts.Invitation": {"email": "invited@example.com", "state": "open", "closed_at": None, "accepted_by": None},
    "accounts.Membership": {"role": "viewer"},
    "accounts.Notice": {"kind": "staff", "state": "done"},
    "accounts.Reservation": {"state": "settled", "budget_ids": []},
    "accounts.UsageEntry": {"basis": "exact"},
    "billing.CheckoutIntent": {"state": "done"},
    "billing.Subscription": {"is_live": False},
    "billing.UsageReport": {"state": "sent"},
    "webhooks.Delivery": {"state": "done"},
    "webhooks.Endpoint": {
        "state": "enabled",
        "event_types": ["run.finished"],
        "disabled_reason": "",
        "old_secret": "",
        "old_secret_until": None,
    },
    "webhooks.Event": {"type": "run.finished"},
    "generation.BatchPart": {"state": "taken"},
    "generation.CachedText": {"is_public": False},
    "generation.CatalogueChunk": {"content": zstandard.compress(b"sku,name\n")},
    "generation.LlmBatch": {"stage": "collected", "state": "done", "night": None},
    "generation.Refinement": {"answer": ""},
    "generation.Run": {"state": "finished"},
    "generation.Stream": {"state": "done"},
    "generation.Text": {"state": "draft", "approved_at": None},
}
BY_KIND: tuple[tuple[Any, Callable[[], Any]], ...] = (
    (models.UUIDField, uuid.uuid4),
    (ArrayField, list),
    (models.BinaryField, lambda: b"bytes"),
    (models.BooleanField, bool),
    (models.GenericIPAddressField, lambda: "192.0.2.1"),
    (models.IntegerField, lambda: 1),
    (models.FloatField, lambda: 1.0),
)
# Columns of text that hold the platform's own words, not a shop's.
PLATFORMS_WORDS = frozenset(
    ["provider", "model_id", "tier", "price_version", "source", "endpoint", "task", "error_kind"]
)
LATER = timezone.now() + timedelta(days=30)


def word_of(workspace: Workspace) -> str:
    return f"SENTINEL-{workspace.pk.hex}"


def fill(workspace: Workspace) -> dict[type[models.Model], models.Model]:
    """A row of each, in an order in which each finds those that it refers to."""
    made: dict[type[models.Model], models.Model] = {}
    waiting = tenant_models()
    while waiting:
        # References that may be empty are filled too, but where two tables refer to each other.
        ready = [model for model in waiting if _refers_to(model) <= set(made)]
        ready = ready or [model for model in waiting if _refers_to(model, must=True) <= set(made)][:1]
        assert ready, f"no order to make {[model.__name__ for model in waiting]} in"
        for model in ready:
            made[model] = _make(model, workspace, made)
        waiting = [model for model in waiting if model not in made]
    return made


def _refers_to(model: type[models.Model], *, must: bool = False) -> set[Any]:
    fields = [field for field in model._meta.concrete_fields if not (must and field.null)]
    return {field.related_model for field in fields if field.related_model in tenant_models()} - {model}


def _make(model: type[models.Model], workspace: Workspace, made: dict[Any, Any]) -> models.Model:
    present = _present(model, workspace)
    if present is not None:
        return present
    values = {
        field.name: _value(field, workspace, made)
        for field in model._meta.concrete_fields
        if not isinstance(field, models.AutoField)
    }
    return model._default_manager.create(**{**values, **FITTING.get(model._meta.label, {})})


def _present(model: type[models.Model], workspace: Workspace) -> models.Model | None:
    """Tables that hold one row a workspace, which it has already."""
    is_single = any(field.name == "workspace" and field.unique for field in model._meta.concrete_fields)
    found: models.Model | None = model._base_manager.filter(workspace=workspace).first() if is_single else None
    return found


def _value(field: models.Field[Any, Any], workspace: Workspace, made: dict[Any, Any]) -> Any:
    if field.is_relation:
        return _related(field, workspace, made)
    for kind, value in BY_KIND:
        if isinstance(field, kind):
            return value()
    if isinstance(field, models.JSONField):
        return {"word": word_of(workspace)}
    if isinstance(field, models.DateField) and not isinstance(field, models.DateTimeField):
        return date(2027, 1, 1)
    if isinstance(field, models.DateTimeField):
        return LATER + timedelta(seconds=sum(map(ord, field.name)) % 50)
    if isinstance(field, models.CharField | models.TextField):
        return _words(field, workspace)
    raise AssertionError(f"tests/sentinels.py does not know what to put into {field}")


def _words(field: models.Field[Any, Any], workspace: Workspace) -> str:
    if field.name in PLATFORMS_WORDS:
        return "platform"[: field.max_length]
    if field.choices:
        return str(field.choices[0][0])
    words = word_of(workspace)
    return words if field.max_length is None or field.max_length >= len(words) else workspace.pk.hex[: field.max_length]


def _related(field: models.Field[Any, Any], workspace: Workspace, made: dict[Any, Any]) -> Any:
    if field.related_model is Workspace:
        return workspace
    if field.related_model is User:
        return User.objects.create_user(f"{uuid.uuid4().hex}@example.com", None)
    if field.related_model in made:
        return made[field.related_model]
    if field.null:
        return None
    return field.related_model._default_manager.first()  # type: ignore[union-attr]


def rows_of(workspace: Workspace) -> dict[str, list[str]]:
    """All its rows as PostgreSQL has them, by table."""
    found = {}
    with connection.cursor() as cursor:
        for model in tenant_models():
            table = model._meta.db_table
            cursor.execute(f'SELECT row_to_json(t)::text FROM "{table}" t WHERE workspace_id = %s', [workspace.pk])  # noqa: S608
            found[table] = sorted(row for (row,) in cursor.fetchall())
    return found


def tables_that_name(workspace: Workspace) -> dict[str, int]:
    """Every table of the database in which some column of some row holds the workspace's id or its word."""
    with connection.cursor() as cursor:
        named = {}
        for table in connection.introspection.table_names(cursor):
            query = f'SELECT count(*) FROM "{table}" t WHERE row_to_json(t)::text ILIKE ANY (%s)'  # noqa: S608
            cursor.execute(query, [[f"%{workspace.pk}%", f"%{workspace.pk.hex}%"]])
            if count := cursor.fetchone()[0]:
                named[table] = count
    return named
