"""What a workspace's cache holds, what that is worth, and how it is purged."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import structlog
from django.db.models import Count, F, Func, IntegerField, Q, QuerySet, Sum
from django.utils import timezone

from accounts.audit import record
from accounts.models import Action, Workspace
from generation.caching import purging
from generation.caching.purging import Choice, Purged
from generation.facts import extract_facts
from generation.models import CachedTemplate, CachedText, Product

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Kept:
    """Texts that one layer made. Nano-dollars and bytes, as PostgreSQL stores them."""

    origin: str
    name: str
    texts: int
    hits: int
    saved_nanos: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Cache:
    """`refused` are families that are written one by one, because no template of theirs would hold."""

    by_origin: list[Kept]
    templates: int
    refused: int

    @property
    def texts(self) -> int:
        return sum(kept.texts for kept in self.by_origin)

    @property
    def hits(self) -> int:
        return sum(kept.hits for kept in self.by_origin)

    @property
    def saved_nanos(self) -> int:
        return sum(kept.saved_nanos for kept in self.by_origin)

    @property
    def bytes(self) -> int:
        return sum(kept.bytes for kept in self.by_origin)


class Size(Func):
    """Bytes of a value as stored."""

    function = "pg_column_size"
    output_field = IntegerField()


def read_cache(workspace: Workspace) -> Cache:
    """What would be served now."""
    rows = _current(workspace).order_by().values_list("origin")
    sums = rows.annotate(
        n=Count("pk"),
        answered=Sum("hits"),
        saved=Sum(F("hits") * F("cost_nanos")),
        size=Sum(Size("fields") + Size("evidence") + Size("facts") + Size("brief")),
    )
    by_origin = [Kept(origin, CachedText.Origin(origin).label, *figures) for origin, *figures in sums]
    templates = CachedTemplate.objects.in_workspace(workspace).filter(expires_at__gt=timezone.now())
    counts = templates.aggregate(kept=Count("pk", Q(refusal="")), refused=Count("pk", ~Q(refusal="")))
    return Cache(sorted(by_origin, key=lambda kept: -kept.texts), counts["kept"], counts["refused"])


def _current(workspace: Workspace) -> QuerySet[CachedText]:
    return CachedText.objects.in_workspace(workspace).filter(expires_at__gt=timezone.now())


def most_used(workspace: Workspace, count: int) -> list[CachedText]:
    return list(_current(workspace).filter(hits__gt=0).order_by("-hits", "key")[:count])


def models_kept(workspace: Workspace) -> list[str]:
    """Whose texts the cache holds."""
    texts, templates = (
        model.objects.in_workspace(workspace).order_by().values_list("model_id", flat=True).distinct()
        for model in (CachedText, CachedTemplate)
    )
    return sorted({*texts, *templates} - {""})


def choice_of(
    workspace: Workspace,
    *,
    products: Iterable[Product] | None = None,
    model_id: str = "",
    older_than_days: int | None = None,
) -> Choice:
    """Entries of the workspace that meet all that is given."""
    facts = None if products is None else tuple(extract_facts(product.product) for product in products)
    return Choice(workspace.pk, facts, model_id, older_than_days)


def would_purge(choice: Choice) -> Purged:
    return purging.count(choice)


def purge(choice: Choice, *, by: str) -> Purged:
    """Take them away for good. `by` is who said so, for the log."""
    purged = purging.purge(choice)
    record(
        Action.CACHE_PURGED,
        workspace=choice.workspace_id,
        texts=purged.texts,
        templates=purged.templates,
        model=choice.model_id,
        older_than_days=choice.older_than_days,
    )
    _log(purged, by=by, workspace=str(choice.workspace_id), model=choice.model_id, days=choice.older_than_days)
    return purged


def purge_texts(texts: QuerySet[CachedText], *, by: str) -> Purged:
    """Chosen one by one, across workspaces: by staff."""
    purged = purging.remove_texts(texts)
    _log(purged, by=by)
    return purged


def purge_templates(templates: QuerySet[CachedTemplate], *, by: str) -> Purged:
    purged = purging.remove_templates(templates)
    _log(purged, by=by)
    return purged


def _log(purged: Purged, *, by: str, **chosen: object) -> None:
    log.warning("cache_purged", by=by, texts=purged.texts, templates=purged.templates, **chosen)
