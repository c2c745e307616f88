"""Billing periods on the calendar, in seconds since 1970, UTC."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime, timedelta

DAY = 86_400


def later(moment: int, interval: str, count: int) -> int:
    """So many days, weeks, months or years after a moment; the 31st becomes the last day of a shorter month."""
    start = datetime.fromtimestamp(moment, UTC)
    if interval in ("day", "week"):
        return int((start + timedelta(days=count * (7 if interval == "week" else 1))).timestamp())
    months = start.month - 1 + count * (12 if interval == "year" else 1)
    year, month = start.year + months // 12, months % 12 + 1
    day = min(start.day, calendar.monthrange(year, month)[1])
    return int(start.replace(year=year, month=month, day=day).timestamp())


def period_at(anchor: int, moment: int, interval: str, count: int) -> tuple[int, int]:
    """The period that holds the moment, of those that follow each other from the anchor on."""
    number = 0
    while later(anchor, interval, (number + 1) * count) <= moment:
        number += 1
    return later(anchor, interval, number * count), later(anchor, interval, (number + 1) * count)
