"""One row of every table that tenants have, a word of theirs in every text, and a digest that tells any change.

Generic: a table that is added tomorrow has its row, or the test that uses this says which column it could not fill.
"""

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
# Columns that cannot hold any text, with the reason.
NO_WORD = {
    ("ApiKey", "previous_sha256"): "is there only with its end",
    ("Budget", "scope"): "one of a few words",
    ("Endpoint", "disabled_reason"): "is there only while it is off",
    ("Endpoint", "old_secret"): "is there only with its end",
    ("Endpoint", "secret"): "is encrypted",
    ("Endpoint", "url"): "an address that is sent to",
    ("Invitation", "email"): "an address in small letters",
}
# Tables whose rows are never changed, by a trigger.
WRITTEN_ONCE = ("AuditEntry",)
LATER = timezone.now() + timedelta(days=30)


def word_of(workspace: Workspace) -> str:
    return f"SENTINEL-{workspace.pk.hex}"


def rows_of(model: type[models.Model], workspace: Workspace) -> models.QuerySet[Any]:
    return model._base_manager.filter(workspace=workspace)


def fill_tables(workspace: Workspace, *, only_empty: bool = False) -> dict[type[models.Model], models.Model]:
    """A row of each, in an order in which each finds those that it refers to. `only_empty` keeps to the tables in which
    the workspace has none."""
    made: dict[type[models.Model], models.Model] = {}
    waiting = tenant_models()
    while waiting:
        # References that may be empty are filled too, but where two tables refer to each other.
        ready = [model for model in waiting if _refers_to(model) <= set(made)]
        ready = ready or [model for model in waiting if _refers_to(model, must=True) <= set(made)][:1]
        assert ready, f"no order to make {[model.__name__ for model in waiting]} in"
        for model in ready:
            present = rows_of(model, workspace).first() if only_empty or _is_single(model) else None
            made[model] = present or _make(model, workspace, made)
        waiting = [model for model in waiting if model not in made]
    return made


def _refers_to(model: type[models.Model], *, must: bool = False) -> set[Any]:
    fields = [field for field in model._meta.concrete_fields if not (must and field.null)]
    return {field.related_model for field in fields if field.related_model in tenant_models()} - {model}


def _is_single(model: type[models.Model]) -> bool:
    """Of tables that hold one row a workspace it may have that already."""
    return any(field.name == "workspace" and field.unique for field in model._meta.concrete_fields)


def _make(model: type[models.Model], workspace: Workspace, made: dict[Any, Any]) -> models.Model:
    values = {
        field.name: _value(field, workspace, made)
        for field in model._meta.concrete_fields
        if not isinstance(field, models.AutoField)
    }
    return model._default_manager.create(**{**values, **FITTING.get(model._meta.label, {})})


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
    raise AssertionError(f"tests/tenant_rows.py does not know what to put into {field}")


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


def put_word(workspace: Workspace, owner: User) -> None:
    """Into every text that the workspace's rows have room for, and into every object of JSON, whoever made the rows."""
    word = word_of(workspace)
    Workspace.objects.filter(pk=workspace.pk).update(name=word)
    User.objects.filter(pk=owner.pk).update(email=f"{word}@elsewhere.example")
    with connection.cursor() as cursor:
        for model in tenant_models():
            for field in model._meta.concrete_fields if model.__name__ not in WRITTEN_ONCE else ():
                if statement := _statement(model, field, word):
                    cursor.execute(statement, [word, workspace.pk])


def _statement(model: type[models.Model], field: Any, word: str) -> str:
    table, column = model._meta.db_table, f'"{field.column}"'
    if isinstance(field, models.JSONField):
        return (
            f"UPDATE {table} SET {column} = {column} || jsonb_build_object('word', %s::text) "  # noqa: S608
            f"WHERE workspace_id = %s AND jsonb_typeof({column}) = 'object'"
        )
    is_text = isinstance(field, models.CharField | models.TextField) and not field.choices
    if not is_text or (model.__name__, field.name) in NO_WORD or (field.max_length or 99) < len(word):
        return ""
    most = field.max_length or 99
    return f"UPDATE {table} SET {column} = left(%s || '-' || id::text, {most}) WHERE workspace_id = %s"  # noqa: S608


def digest(workspace: Workspace) -> dict[str, str]:
    """Of all rows of the workspace, by table."""
    tables = [("accounts_workspace", "id"), *((model._meta.db_table, "workspace_id") for model in tenant_models())]
    parts = [
        f"SELECT '{table}', md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM {table} t "  # noqa: S608
        f"WHERE t.{column} = %s"
        for table, column in tables
    ]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), [workspace.pk] * len(parts))
        return dict(cursor.fetchall())


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
