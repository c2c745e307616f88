"""The cache as staff see it: read-only, but for purges, each shown before it is done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts.admin import HistoryAdmin
from accounts.dollars import round_usd
from accounts.models import Workspace
from generation.caching import purging
from generation.caching.purging import Choice, Purged
from generation.models import CachedTemplate, CachedText
from generation.services import cache


def confirmed(
    request: HttpRequest, rows: QuerySet[Any], *, action: str, would: Purged, purge: Callable[[], Purged]
) -> HttpResponse | None:
    """Say what would go; once that is confirmed, do it. None is back to the list."""
    if "confirmed" in request.POST:
        purged = purge()
        messages.success(request, f"{purged.texts:,} texts and {purged.templates:,} templates are purged.")
        return None
    context = {
        **admin.site.each_context(request),
        "title": "Purge the cache",
        "action": action,
        "chosen": [str(pk) for pk in rows.values_list("pk", flat=True)],
        "would": would,
    }
    return render(request, "admin/purge.html", context)


class CachedAdmin(HistoryAdmin):
    """What texts and templates share."""

    own_words = ("about",)
    list_per_page = 50
    ordering = ("-created_at",)
    search_fields = ("workspace__slug", "workspace__name", "subject", "key")

    @admin.display(description="About", ordering="subject")
    def about(self, row: Any) -> str:
        return str(row.facts.get("title") or row.subject or row.key)

    @admin.display(description="Language")
    def language(self, row: Any) -> str:
        return str(row.brief.get("language", ""))

    @admin.display(description="Cost")
    def cost(self, row: Any) -> str:
        return round_usd(row.cost_nanos)

    @admin.display(description="Saved")
    def saved(self, row: Any) -> str:
        return round_usd(row.hits * row.cost_nanos) if row.hits else ""


class ExpiredFilter(admin.SimpleListFilter):
    title = "kept"
    parameter_name = "kept"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> list[tuple[str, str]]:
        return [("now", "Served now"), ("expired", "Expired")]

    def queryset(self, _request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "now":
            return rows.filter(expires_at__gt=timezone.now())
        if self.value() == "expired":
            return rows.filter(expires_at__lte=timezone.now())
        return rows


@admin.register(CachedText)
class CachedTextAdmin(CachedAdmin):
    list_display = ("about", "workspace", "origin", "model_id", "language", "hits", "saved", "cost", "expires_at")
    list_filter = (ExpiredFilter, "origin", "is_public", "model_id")
    actions = ("purge",)
    exclude = ("embedding",)

    @admin.action(description="Purge the selected texts …")
    def purge(self, request: HttpRequest, texts: QuerySet[CachedText]) -> HttpResponse | None:
        would, by = purging.count_texts(texts), str(request.user)
        purge = lambda: cache.purge_texts(texts, by=by)  # noqa: E731
        return confirmed(request, texts, action="purge", would=would, purge=purge)


class RefusedFilter(admin.SimpleListFilter):
    title = "template"
    parameter_name = "template"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> list[tuple[str, str]]:
        return [("kept", "Holds"), ("refused", "Family is written one by one")]

    def queryset(self, _request: HttpRequest, rows: QuerySet[CachedTemplate]) -> QuerySet[CachedTemplate]:
        if self.value() in ("kept", "refused"):
            is_kept = Q(refusal="")
            return rows.filter(is_kept if self.value() == "kept" else ~is_kept)
        return rows


@admin.register(CachedTemplate)
class CachedTemplateAdmin(CachedAdmin):
    list_display = ("about", "workspace", "model_id", "language", "refusal", "hits", "saved", "cost", "expires_at")
    list_filter = (ExpiredFilter, RefusedFilter, "model_id")
    actions = ("purge",)

    @admin.action(description="Purge the selected templates …")
    def purge(self, request: HttpRequest, templates: QuerySet[CachedTemplate]) -> HttpResponse | None:
        would, by = purging.count_templates(templates), str(request.user)
        purge = lambda: cache.purge_templates(templates, by=by)  # noqa: E731
        return confirmed(request, templates, action="purge", would=would, purge=purge)


def purge_workspaces(request: HttpRequest, workspaces: QuerySet[Workspace]) -> HttpResponse | None:
    """The whole cache of each; of the platform's, the public pool as well."""
    choices = [Choice(workspace.pk) for workspace in workspaces]
    by = str(request.user)
    return confirmed(
        request,
        workspaces,
        action="purge_cache",
        would=sum((cache.would_purge(choice) for choice in choices), Purged()),
        purge=lambda: sum((cache.purge(choice, by=by) for choice in choices), Purged()),
    )
