from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from accounts.middleware import WorkspaceRequest
from accounts.models import Scope
from accounts.permissions import require_scope
from accounts.throttling import limit_visitor
from generation.forms import TryForm
from generation.models import Catalogue, Run, Text
from generation.services.catalogues import catalogue_health
from generation.services.runs import run_progress
from generation.services.texts import sentences_with_facts
from generation.services.usage import usage_since
from generation.services.visitors import describe_for_visitor

VISITOR_BURST, VISITOR_DAILY = 6, 30
STEPS_SHOWN = 4


@login_not_required
@require_POST
def landing_try(request: HttpRequest) -> HttpResponse:
    """The landing page's box: one text without an account."""
    form = TryForm(request.POST)
    if not form.is_valid():
        return render(request, "home/try_result.html", {"form": form})
    limit_visitor(request, burst=VISITOR_BURST, daily=VISITOR_DAILY)
    written, facts = describe_for_visitor(**form.cleaned_data)
    context = {
        "written": written,
        "facts": facts.facts,
        "sentences": sentences_with_facts(written.entry.fields["description"], written.entry.evidence),
        "is_offline": written.entry.provider == "offline",
    }
    return render(request, "home/try_result.html", context)


@require_scope(Scope.READ)
def workspace_home(request: WorkspaceRequest, slug: str) -> HttpResponse:
    catalogues = Catalogue.objects.in_workspace(request.workspace)
    latest = catalogues.filter(status=Catalogue.Status.READY).first()
    runs = Run.objects.in_workspace(request.workspace).select_related("catalogue")
    open_runs = runs.filter(state__in=(Run.State.RUNNING, Run.State.PAUSED))
    own_files = catalogues.filter(is_sample=False)
    edited = Text.objects.in_workspace(request.workspace).filter(source=Text.Source.EDITED)
    context = {
        "catalogue": latest,
        "health": catalogue_health(latest) if latest else None,
        "open_runs": [(run, run_progress(run)) for run in open_runs[:5]],
        "last_run": runs.filter(state=Run.State.FINISHED).first(),
        "usage": usage_since(request.workspace, days=30),
        "steps": {
            "run": runs.exists(),
            "edit": edited.exists(),
            "import": own_files.exists(),
            "export": own_files.filter(runs__state=Run.State.FINISHED).exists(),
        },
    }
    return render(request, "home/workspace.html", context)


@require_scope(Scope.READ)
def usage(request: WorkspaceRequest, slug: str) -> HttpResponse:
    return render(request, "usage/usage.html", {"usage": usage_since(request.workspace, days=30)})
