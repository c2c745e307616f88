"""Long lists, newest first, a page at a time: never counted, and skipped by the index, so each page costs the same."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVar
from uuid import UUID

from django.db import models
from django.db.models import Q

M = TypeVar("M", bound=models.Model)


@dataclass(frozen=True, slots=True)
class Position:
    """A row's place in such a list."""

    moment: datetime
    id: UUID

    def __str__(self) -> str:
        return f"{self.moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}~{self.id}"

    @classmethod
    def parse(cls, words: str) -> Position | None:
        moment, _, id_ = words.partition("~")
        try:
            return cls(datetime.strptime(moment, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC), UUID(id_))
        except ValueError:
            return None


def page_before(
    rows: models.QuerySet[M], column: str, before: Position | None, *, size: int
) -> tuple[list[M], Position | None]:
    """The next rows after a position, by the moments in `column`, and where to go on from; None at the end."""
    if before:
        earlier = Q(**{f"{column}__lt": before.moment}) | Q(pk__lt=before.id)
        rows = rows.filter(earlier, **{f"{column}__lte": before.moment})
    found = list(rows.order_by(f"-{column}", "-id")[: size + 1])
    page = found[:size]
    return page, Position(getattr(page[-1], column), page[-1].pk) if len(found) > size else None


def on_days(column: str, first: date | None, last: date | None) -> Q:
    """From the first day to the last, both included, in UTC; None is open."""
    wanted = Q()
    if first:
        wanted &= Q(**{f"{column}__gte": datetime.combine(first, time(), UTC)})
    if last:
        wanted &= Q(**{f"{column}__lt": datetime.combine(last, time(), UTC) + timedelta(days=1)})
    return wanted
