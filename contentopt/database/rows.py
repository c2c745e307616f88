"""A row in one statement, which is put together once for a model and not again for each row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.models import Model


def insert(row: Model, *, once_by: Sequence[str] = (), replaces: Sequence[str] = ()) -> Any:
    """The row's id. Where there is one already that is the same by these columns, the others are replaced in it, and
    it keeps its id. Not for columns that PostgreSQL gives a default."""
    values = _values(row, row._meta.concrete_fields, add=True)
    with connection.cursor() as cursor:
        cursor.execute(_insertion(type(row), tuple(once_by), tuple(replaces)), values)
        row.pk = cursor.fetchall()[0][0]
    row._state.adding, row._state.db = False, connection.alias
    return row.pk


def update(row: Model, names: Sequence[str]) -> None:
    """Write these columns of a row that is there."""
    fields = [row._meta.get_field(name) for name in names]
    with connection.cursor() as cursor:
        cursor.execute(_change(type(row), tuple(names)), [*_values(row, fields, add=False), row.pk])


def _values(row: Model, fields: Iterable[Any], *, add: bool) -> list[Any]:
    kept = [(field, field.pre_save(row, add)) for field in fields]
    own = connections[DEFAULT_DB_ALIAS]  # the proxy looks it up again for every value
    return [field.get_db_prep_save(value, own) for field, value in kept]


@cache
def _insertion(model: type[Model], once_by: tuple[str, ...], replaces: tuple[str, ...]) -> str:
    meta = model._meta
    columns = {field.name: _column(field) for field in meta.concrete_fields}
    values = ", ".join(["%s"] * len(columns))
    statement = f"INSERT INTO {_quoted(meta.db_table)} ({', '.join(columns.values())}) VALUES ({values})"  # noqa: S608
    if once_by:
        same = ", ".join(columns[name] for name in once_by)
        new = ", ".join(f"{columns[name]} = excluded.{columns[name]}" for name in replaces)
        statement += f" ON CONFLICT ({same}) DO UPDATE SET {new}"
    return f"{statement} RETURNING {columns[meta.pk.name]}"


@cache
def _change(model: type[Model], names: tuple[str, ...]) -> str:
    meta = model._meta
    new = ", ".join(f"{_column(meta.get_field(name))} = %s" for name in names)
    return f"UPDATE {_quoted(meta.db_table)} SET {new} WHERE {_column(meta.pk)} = %s"  # noqa: S608


def _column(field: Any) -> str:
    return _quoted(str(field.column))


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)
