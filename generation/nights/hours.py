"""When it is night. In UTC; a night over midnight belongs to the day that it ends on. Plain Python."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta


@dataclass(frozen=True, slots=True)
class Hours:
    """From one full hour to another, over midnight when the first is the later one. Equal hours: always."""

    first: int
    until: int

    def ends(self, now: datetime) -> datetime:
        """The end of the present night, by day of the coming one."""
        today = datetime.combine(now.date(), time(self.until), now.tzinfo)
        return today if now < today else today + timedelta(days=1)

    def span(self, now: datetime) -> tuple[datetime, datetime]:
        """First and last moment of the present night, by day of the coming one."""
        ends = self.ends(now)
        return ends - timedelta(hours=(self.until - self.first) % 24 or 24), ends

    def date(self, now: datetime) -> date:
        return self.ends(now).date()

    def has_begun(self, now: datetime) -> bool:
        return now >= self.span(now)[0]
