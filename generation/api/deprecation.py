"""What is going away, since when, until when: told in the document and with every reply that used it.

The policy: nothing that works stops working within a version of the API, until it was deprecated for a year at least.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import wraps
from typing import Any

from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.http import http_date


@dataclass(frozen=True, slots=True)
class Deprecation:
    since: date
    sunset: date  # it works until then at least
    instead: str

    @property
    def remark(self) -> str:
        return f"Use {self.instead}. This goes on working until {self.sunset:%-d %B %Y}."

    def told_by(self, handler: Callable[..., Any]) -> Callable[..., Any]:
        """A whole operation that is deprecated."""

        @wraps(handler)
        def telling(view: Any, *args: Any, **named: Any) -> Any:
            view.deprecations = (*view.deprecations, self)
            return handler(view, *args, **named)

        return telling

    def state(self, response: HttpResponseBase) -> None:
        """RFC 9745 and RFC 8594."""
        response["Deprecation"] = f"@{_seconds(self.since)}"
        response["Sunset"] = http_date(_seconds(self.sunset))
        response["Link"] = f'<{reverse("api_docs")}>; rel="deprecation"; type="text/html"'


def _seconds(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
