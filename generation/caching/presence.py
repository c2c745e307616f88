"""Whether PostgreSQL holds anything for what is asked, of all layers in one statement: `generation/sql/held.sql`.

Most that reaches PostgreSQL is held by none of them, and then none of them is asked for its rows.
"""

from __future__ import annotations

from typing import NamedTuple

from django.db import connection
from django.utils import timezone

from accounts.models import PLATFORM_WORKSPACE_ID
from generation.caching.asking import Ask


class Held(NamedTuple):
    text: bool
    template: bool
    wordings: bool  # texts for the same facts, whatever the words around them


def held_behind(ask: Ask) -> Held:
    own = ask.workspace_id
    whose = [own, PLATFORM_WORKSPACE_ID] if ask.may_be_public else [own]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT * FROM generation_held(%s, %s, %s, %s, %s, %s)",
            [whose, own, ask.key, ask.template_key, ask.bucket, timezone.now()],
        )
        return Held(*cursor.fetchall()[0])
