from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register


@register(Tags.security, deploy=True)
def staff_need_a_second_factor(**_kwargs: Any) -> list[CheckMessage]:
    if settings.STAFF_NEED_SECOND_FACTOR:
        return []
    return [
        Error(
            "Staff may open every shop's rows with a password alone.",
            hint="STAFF_NEED_SECOND_FACTOR is off. That is for trying the product on one machine.",
            id="accounts.E001",
        )
    ]
