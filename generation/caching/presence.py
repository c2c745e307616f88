"""Whether PostgreSQL holds anything for what is asked, of all layers in one statement.

Most that reaches PostgreSQL is held by none of them, and then none of them is asked for its rows.
"""

from __future__ import annotations

from typing import NamedTuple

from django.db import connection
from django.utils import timezone

from accounts.models import PLATFORM_WORKSPACE_ID
from generation.caching.asking import Ask

# The public pool's texts are among those that would do only where its workspace is asked for too.
_HELD = """
SELECT EXISTS (SELECT FROM generation_cachedtext
                WHERE workspace_id = ANY(%s) AND (workspace_id = %s OR is_public) AND key = %s AND expires_at > %s),
       EXISTS (SELECT FROM generation_cachedtemplate WHERE workspace_id = %s AND key = %s AND expires_at > %s),
       EXISTS (SELECT FROM generation_cachedtext
                WHERE workspace_id = ANY(%s) AND (workspace_id = %s OR is_public) AND bucket = %s AND expires_at > %s
                  AND origin <> 'semantic')
"""


class Held(NamedTuple):
    text: bool
    template: bool
    wordings: bool  # texts for the same facts, whatever the words around them


def held_behind(ask: Ask) -> Held:
    own, now = ask.workspace_id, timezone.now()
    whose = [own, PLATFORM_WORKSPACE_ID] if ask.may_be_public else [own]
    texts, templates, wordings = (whose, own, ask.key, now), (own, ask.template_key, now), (whose, own, ask.bucket, now)
    with connection.cursor() as cursor:
        cursor.execute(_HELD, [*texts, *templates, *wordings])
        return Held(*cursor.fetchall()[0])
