"""A new row in one statement, which is put together once for a model and not again for each row."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from django.db import connection
from django.db.models import Model


def insert(row: Model, *, once_by: Sequence[str] = (), replaces: Sequence[str] = ()) -> Any:
    """The row's id. Where there is one already that is the same by these columns, the others are replaced in it, and
    it keeps its id. Not for columns that PostgreSQL gives a default."""
    kept = [(field, field.pre_save(row, add=True)) for field in row._meta.concrete_fields]
    values = [field.get_db_prep_save(value, connection) for field, value in kept]
    with connection.cursor() as cursor:
        cursor.execute(_statement(type(row), tuple(once_by), tuple(replaces)), values)
        row.pk = cursor.fetchall()[0][0]
    row._state.adding, row._state.db = False, connection.alias
    return row.pk


@cache
def _statement(model: type[Model], once_by: tuple[str, ...], replaces: tuple[str, ...]) -> str:
    meta, quote = model._meta, connection.ops.quote_name
    columns = {field.name: quote(str(field.column)) for field in meta.concrete_fields}
    values = ", ".join(["%s"] * len(columns))
    statement = f"INSERT INTO {quote(meta.db_table)} ({', '.join(columns.values())}) VALUES ({values})"  # noqa: S608
    if once_by:
        same = ", ".join(columns[name] for name in once_by)
        new = ", ".join(f"{columns[name]} = excluded.{columns[name]}" for name in replaces)
        statement += f" ON CONFLICT ({same}) DO UPDATE SET {new}"
    return f"{statement} RETURNING {columns[meta.pk.name]}"
