"""One row of every table that tenants have, a secret in every text of theirs, and a digest that tells any change."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.db import IntegrityError, connection, models, transaction
from django.utils import timezone

from accounts.models import User, Workspace
from generation.models import Run

APPS = ("accounts", "generation", "billing", "webhooks")
# Columns that cannot hold any text, with the reason.
NO_SECRET = {
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
# Rows that take more than a plausible value in each column.
MADE: dict[str, Callable[[Workspace, User], dict[str, Any]]] = {
    "Deletion": lambda *_whose: dict.fromkeys(("erases_at", "next_run_at"), timezone.now() + timedelta(days=14)),
    "IdempotentRequest": lambda *_whose: {"lease_until": timezone.now()},
    "LlmBatch": lambda *whose: {"run": make_row(Run, *whose)},
}


def tenant_models() -> list[type[models.Model]]:
    found = [model for app in APPS if apps.is_installed(app) for model in apps.get_app_config(app).get_models()]
    return [model for model in found if any(field.name == "workspace" for field in model._meta.concrete_fields)]


def rows_of(model: type[models.Model], workspace: Workspace) -> models.QuerySet[Any]:
    return model._base_manager.filter(workspace=workspace)


def fill_tables(workspace: Workspace, owner: User) -> None:
    """A row of each model that the workspace has none of."""
    for model in tenant_models():
        make_row(model, workspace, owner)


def make_row(model: type[models.Model], workspace: Workspace, owner: User) -> Any:
    if row := rows_of(model, workspace).first():
        return row
    values = {
        field.name: value_of(field, workspace, owner)
        for field in model._meta.concrete_fields
        if field.name not in ("id", "workspace") and not has_value(field)
    }
    if special := MADE.get(model.__name__):
        values |= special(workspace, owner)
    try:
        with transaction.atomic():
            return model._base_manager.create(workspace=workspace, **values)
    except IntegrityError as error:
        raise AssertionError(f"Say in MADE what a {model.__name__} takes: {error}") from error


def has_value(field: Any) -> bool:
    return field.null or field.has_default() or field.db_default is not models.NOT_PROVIDED


def value_of(field: Any, workspace: Workspace, owner: User) -> Any:
    if field.is_relation:
        if field.related_model is User:
            return owner
        if field.related_model in tenant_models():
            return make_row(field.related_model, workspace, owner)
        return field.related_model._base_manager.first()
    if field.choices:
        return next(iter(field.flatchoices))[0]
    return PLAUSIBLE[next(kind for kind in PLAUSIBLE if isinstance(field, kind))](field)


PLAUSIBLE: dict[type, Any] = {
    models.UUIDField: lambda _field: uuid.uuid4(),
    models.DateTimeField: lambda _field: timezone.now() + timedelta(days=1),
    models.DateField: lambda _field: timezone.now().date(),
    models.BooleanField: lambda _field: False,
    models.EmailField: lambda _field: "somebody@elsewhere.example",
    models.URLField: lambda _field: "https://elsewhere.example/",
    models.CharField: lambda field: uuid.uuid4().hex[: field.max_length],
    models.TextField: lambda _field: "x",
    models.JSONField: lambda _field: {},
    ArrayField: lambda _field: [],
    models.BinaryField: lambda _field: b"x",
    models.FloatField: lambda _field: 1.0,
    models.IntegerField: lambda _field: 1,
}


def put_secret(secret: str, workspace: Workspace, owner: User) -> None:
    """Into every text that the workspace's rows have room for, and into every object of JSON."""
    Workspace.objects.filter(pk=workspace.pk).update(name=secret)
    User.objects.filter(pk=owner.pk).update(email=f"{secret}@elsewhere.example")
    with connection.cursor() as cursor:
        for model in tenant_models():
            for field in model._meta.concrete_fields if model.__name__ not in WRITTEN_ONCE else ():
                if statement := _statement(model, field, secret):
                    cursor.execute(statement, [secret, workspace.pk])


def _statement(model: type[models.Model], field: Any, secret: str) -> str:
    table, column = model._meta.db_table, f'"{field.column}"'
    if isinstance(field, models.JSONField):
        return (
            f"UPDATE {table} SET {column} = {column} || jsonb_build_object('secret', %s::text) "  # noqa: S608
            f"WHERE workspace_id = %s AND jsonb_typeof({column}) = 'object'"
        )
    is_text = isinstance(field, models.CharField | models.TextField) and not field.choices
    if not is_text or (model.__name__, field.name) in NO_SECRET or (field.max_length or 99) < len(secret):
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
