from __future__ import annotations

from uuid import UUID

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRefresh

from accounts.admission import Admission
from accounts.middleware import WorkspaceRequest
from accounts.models import PLATFORM_WORKSPACE_ID, Scope, TenantQuerySet
from accounts.permissions import require_scope
from accounts.services.caps import workspace_budget
from accounts.throttling import limit_visitor
from contentopt.errors import DomainError
from contentopt.tenancy import entering
from generation.engine.answered import answered_text
from generation.facts import Brief
from generation.forms import TryForm
from generation.models import Catalogue, Run, Stream, Text
from generation.services import visitors
from generation.services.catalogues import catalogue_health
from generation.services.reviewing import waiting_for
from generation.services.runs import Progress, run_progress
from generation.services.texts import sentences_with_facts
from generation.services.usage import usage_since
from generation.streams.writing import brief_of
from generation.views.streams import stream_reply

VISITOR_BURST, VISITOR_DAILY = 6, 30
OPEN_RUNS_SHOWN = 5


@login_not_required
@require_POST
@entering(PLATFORM_WORKSPACE_ID)
def landing_try(request: HttpRequest) -> HttpResponse:
    """The landing page's box: one text without an account."""
    form = TryForm(request.POST)
    if not form.is_valid():
        return render(request, "home/try_result.html", {"form": form})
    try:
        limit_visitor(request, burst=VISITOR_BURST, daily=VISITOR_DAILY)
        brief = visitors.brief_of_visitor(**form.cleaned_data)
        reads_along = request.headers.get("HX-Request") == "true"
        found = (visitors.describe_aloud_for_visitor if reads_along else visitors.describe_for_visitor)(brief)
    except DomainError as error:
        return _not_tried(request, error)
    if isinstance(found, Stream):
        return render(request, "home/try_stream.html", {"stream": found})
    text = answered_text(found.text_id, PLATFORM_WORKSPACE_ID, {}, found.entry, timezone.now())
    text.cost_nanos = found.spent.cost_nanos
    return _tried(request, text, brief)


@login_not_required
@entering(PLATFORM_WORKSPACE_ID)
def try_result(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What came of a text that was read along with."""
    stream = visitors.find_stream(pk)
    if stream is None:
        raise Http404
    if not stream.is_finished:
        return render(request, "home/try_stream.html", {"stream": stream})
    if stream.text is None:
        return _not_tried(request, visitors.refusal_of(stream))
    return _tried(request, stream.text, brief_of(stream))


@login_not_required
@entering(PLATFORM_WORKSPACE_ID)
def try_stream(request: HttpRequest, pk: UUID) -> HttpResponse:
    stream = visitors.find_stream(pk)
    if stream is None:
        raise Http404
    return stream_reply(request, stream, Admission())


def _tried(request: HttpRequest, text: Text, brief: Brief) -> HttpResponse:
    context = {
        "text": text,
        "facts": brief.facts.facts,
        "sentences": sentences_with_facts(text.description, text.evidence),
    }
    return render(request, "home/try_result.html", context)


def _not_tried(request: HttpRequest, error: DomainError) -> HttpResponse:
    """In place of the text rather than as a toast: what to do next belongs where the text was expected."""
    return render(request, "home/try_result.html", {"error": error}, status=error.status)


@require_scope(Scope.READ)
def workspace_home(request: WorkspaceRequest, slug: str) -> HttpResponse:
    if request.htmx:
        return _open_runs_again(request)
    latest = Catalogue.objects.in_workspace(request.workspace).filter(status=Catalogue.Status.READY).first()
    health = catalogue_health(latest) if latest else None
    steps = _steps(request)
    context = {
        "catalogue": latest,
        "health": health,
        "unwritten": health["products"] - health["written"] if health else 0,
        "open_runs": _open_runs(request),
        "last_run": _runs(request).filter(state=Run.State.FINISHED).first(),
        "waiting": waiting_for(request.workspace, request.membership),
        "usage": usage_since(request.workspace, days=30),
        "budget": workspace_budget(request.workspace),
        "steps": steps,
        "steps_left": list(steps.values()).count(False),
    }
    return render(request, "home/workspace.html", context)


def _open_runs_again(request: WorkspaceRequest) -> HttpResponse:
    """What the page asks for while runs are open; when the last one has ended, everything on the page is news."""
    open_runs = _open_runs(request)
    if not open_runs:
        return HttpResponseClientRefresh()
    return render(request, "home/workspace.html#runs", {"open_runs": open_runs})


def _open_runs(request: WorkspaceRequest) -> list[tuple[Run, Progress]]:
    found = _runs(request).filter(state__in=(Run.State.RUNNING, Run.State.PAUSED))
    return [(run, run_progress(run)) for run in found[:OPEN_RUNS_SHOWN]]


def _runs(request: WorkspaceRequest) -> TenantQuerySet[Run]:
    return Run.objects.in_workspace(request.workspace).select_related("catalogue")


def _steps(request: WorkspaceRequest) -> dict[str, bool]:
    """The first four things to do here, and which of them are done."""
    own_files = Catalogue.objects.in_workspace(request.workspace).filter(is_sample=False)
    edited = Text.objects.in_workspace(request.workspace).filter(source=Text.Source.EDITED)
    return {
        "run": _runs(request).exists(),
        "edit": edited.exists(),
        "import": own_files.exists(),
        "export": own_files.filter(runs__state=Run.State.FINISHED).exists(),
    }
