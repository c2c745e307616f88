"""Texts with slots, one for each family and set of wishes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from contentopt.database.rows import insert
from generation.caching.asking import Ask
from generation.caching.entries import Entry
from generation.facts import brief_settings, facts_to_json
from generation.models import CachedTemplate

REFUSED_FOR = timedelta(days=1)  # before a family is tried again
REPLACED = (
    "subject", "brief", "facts", "fields", "provider", "model_id", "tier", "cost_nanos", "refusal", "created_at",
    "expires_at",
)  # fmt: skip


def look_up(ask: Ask) -> CachedTemplate | None:
    """A row with a `refusal` says that this family is written one by one."""
    if not ask.template_key:
        return None
    rows = CachedTemplate.objects.in_workspace(ask.workspace_id)
    return rows.filter(key=ask.template_key, expires_at__gt=timezone.now()).first()


def usable_keys(workspace_id: UUID, keys: Sequence[str]) -> dict[str, bool]:
    """Of these, the ones that are decided: True has a text, False is written one by one. For the price before a run."""
    rows = CachedTemplate.objects.in_workspace(workspace_id).filter(key__in=keys, expires_at__gt=timezone.now())
    return {key: not refusal for key, refusal in rows.values_list("key", "refusal")}


def store(ask: Ask, fields: dict[str, str], wrote: Entry) -> UUID:
    """The row's id. `wrote` is the first text that was filled from it."""
    return _store(
        ask,
        timedelta(days=settings.TEXT_KEEP_DAYS),
        fields=fields,
        provider=wrote.provider,
        model_id=wrote.model_id,
        tier=wrote.tier,
        cost_nanos=wrote.cost_nanos,
    )


def refuse(ask: Ask, reason: str) -> None:
    _store(ask, REFUSED_FOR, fields={}, refusal=reason)


def _store(ask: Ask, lasts: timedelta, **columns: object) -> UUID:
    assert ask.family is not None  # noqa: S101 (who asks for a family has one)
    row = CachedTemplate(
        workspace_id=ask.workspace_id,
        key=ask.template_key,
        subject=ask.subject,
        brief=brief_settings(ask.brief),
        facts=facts_to_json(ask.family.facts),
        expires_at=timezone.now() + lasts,
        **columns,
    )
    stored: UUID = insert(row, once_by=("workspace", "key"), replaces=REPLACED)
    return stored


def forget(ask: Ask) -> None:
    CachedTemplate.objects.in_workspace(ask.workspace_id).filter(key=ask.template_key).delete()
