"""What the check said of economy models' texts, kept by kind of product."""

from __future__ import annotations

from pathlib import Path

from django.db import connection

from generation.routing import Asked, Outcomes

MOST = 400  # then both counts are halved: what was long ago counts ever less

_OF_KIND = """
SELECT passed, failed FROM generation_economyoutcome
 WHERE category = %s AND task = %s AND language = %s AND EXISTS (SELECT FROM generation_learning WHERE is_on)
"""
_RECORD = (Path(__file__).parent.parent / "sql" / "record_outcome.sql").read_text()


def of_kind(asked: Asked) -> Outcomes | None:
    """None while nothing is known, or nothing is to be learned."""
    with connection.cursor() as cursor:
        cursor.execute(_OF_KIND, [asked.category, asked.task, asked.language])
        row = cursor.fetchone()
    return Outcomes(*row) if row else None


def record(asked: Asked, *, passed: bool) -> None:
    """One text, after all attempts of the economy stage. Nothing while learning is off."""
    values: dict[str, str | int] = {
        "category": asked.category,
        "task": asked.task,
        "language": asked.language,
        "passed": int(passed),
        "failed": int(not passed),
        "most": MOST,
    }
    with connection.cursor() as cursor:
        cursor.execute(_RECORD, values)
