from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render

from accounts.middleware import WorkspaceRequest
from accounts.models import Scope
from accounts.permissions import ROLE_SCOPES, require_scope
from generation.caching.purging import Choice, Purged
from generation.forms import PurgeForm
from generation.services import cache
from generation.services.usage import model_name
from generation.views import charts

MOST_SHOWN = 20


def usage_cache(request: WorkspaceRequest, slug: str) -> HttpResponseBase:
    """Everybody sees what is kept; a purge is looked at first (GET), and done by who may (POST)."""
    return _purge(request, slug) if request.method == "POST" else _look(request, slug)


@require_scope(Scope.READ)
def _look(request: WorkspaceRequest, slug: str) -> HttpResponse:
    is_asked = "purge" in request.GET
    form = _form(request, is_asked=is_asked)
    is_good = is_asked and form.is_valid()
    return _page(request, form, would_purge=cache.would_purge(_choice(request, form)) if is_good else None)


@require_scope(Scope.ADMIN)
def _purge(request: WorkspaceRequest, slug: str) -> HttpResponse:
    form = _form(request, is_asked=True)
    if not form.is_valid():
        return _page(request, form, status=422)
    purged = cache.purge(_choice(request, form), by=str(request.user))
    texts = "1 text" if purged.texts == 1 else f"{purged.texts:,} texts"
    templates = f" and {purged.templates:,} for whole families" if purged.templates else ""
    messages.success(request, f"{texts}{templates} taken out. What your products show stays as it is.")
    return redirect("usage_cache", slug)


def _form(request: WorkspaceRequest, *, is_asked: bool) -> PurgeForm:
    models = [(model_id, model_name(model_id)) for model_id in cache.models_kept(request.workspace)]
    data = request.POST if request.method == "POST" else request.GET
    return PurgeForm(data if is_asked else None, workspace=request.workspace, models=models)


def _choice(request: WorkspaceRequest, form: PurgeForm) -> Choice:
    chosen = form.cleaned_data
    return cache.choice_of(
        request.workspace,
        products=chosen["product"],
        model_id=chosen["model"],
        older_than_days=chosen["older_than_days"],
    )


def _page(
    request: WorkspaceRequest, form: PurgeForm, *, would_purge: Purged | None = None, status: int = 200
) -> HttpResponse:
    kept = cache.read_cache(request.workspace)
    context = {
        "cache": kept,
        "layers": charts.parts([layer.texts for layer in kept.by_origin], kept.by_origin),
        "most_used": cache.most_used(request.workspace, MOST_SHOWN),
        "form": form,
        "would_purge": would_purge,
        "is_asked": would_purge is not None,
        "may_purge": Scope.ADMIN in ROLE_SCOPES[request.membership.role],
    }
    return render(request, "usage/cache.html", context, status=status)
