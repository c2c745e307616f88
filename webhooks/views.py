from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from accounts.middleware import WorkspaceRequest
from accounts.models import Scope
from accounts.permissions import require_scope
from contentopt.jobs import JobState
from webhooks import services
from webhooks.delivering import body_of
from webhooks.events import EVENT_TYPES
from webhooks.forms import EndpointForm
from webhooks.models import Delivery, Endpoint

PAGE = 25
# As the filter names them: what a person asks for -> states of the row.
SHOWN = {"waiting": (JobState.QUEUED, JobState.RUNNING), "received": (JobState.DONE,), "failed": (JobState.FAILED,)}


@require_scope(Scope.WEBHOOKS)
def endpoints(request: WorkspaceRequest, slug: str) -> HttpResponse:
    found = Endpoint.objects.in_workspace(request.workspace)
    context = {"endpoints": found, "may_add": len(found) < services.MOST_ENDPOINTS, "most": services.MOST_ENDPOINTS}
    return render(request, "webhooks/list.html", context)


@require_scope(Scope.WEBHOOKS)
def events(request: WorkspaceRequest, slug: str) -> HttpResponse:
    """What can be listened to, and how a receiver knows that it is us."""
    kinds = [(kind, json.dumps(kind.example, indent=2)) for kind in EVENT_TYPES.values()]
    return render(request, "webhooks/events.html", {"kinds": kinds})


@require_scope(Scope.WEBHOOKS)
def new(request: WorkspaceRequest, slug: str) -> HttpResponse:
    form = EndpointForm(request.POST or None, initial={"event_types": ["run.finished"]})
    if request.method == "POST" and form.is_valid():
        made, secret = services.create_endpoint(
            workspace=request.workspace, created_by=request.user, **form.cleaned_data
        )
        return _secret_page(request, made, secret)
    return _form_page(request, form)


@require_scope(Scope.WEBHOOKS)
def edit(request: WorkspaceRequest, slug: str, pk: str) -> HttpResponse:
    found = _find(request, pk)
    initial = {"url": found.url, "description": found.description, "event_types": found.event_types}
    form = EndpointForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_valid():
        services.change_endpoint(found, **form.cleaned_data)
        messages.success(request, "The endpoint is changed, from the next request on.")
        return redirect("webhook_endpoint", slug, found.pk)
    return _form_page(request, form, found)


def _form_page(request: WorkspaceRequest, form: EndpointForm, endpoint: Endpoint | None = None) -> HttpResponse:
    chosen = form["event_types"].value() or []
    kinds = [(kind, kind.name in chosen) for kind in EVENT_TYPES.values()]
    return render(request, "webhooks/form.html", {"form": form, "endpoint": endpoint, "kinds": kinds})


@require_scope(Scope.WEBHOOKS)
def endpoint(request: WorkspaceRequest, slug: str, pk: str) -> HttpResponse:
    """The deliveries alone for htmx, which asks again while something is on its way."""
    found = _find(request, pk)
    shown = request.GET.get("show", "")
    rows = Delivery.objects.in_workspace(request.workspace).filter(endpoint=found).select_related("event")
    chosen = rows.filter(state__in=SHOWN[shown]) if shown in SHOWN else rows
    context: dict[str, Any] = {
        "endpoint": found,
        "page": Paginator(chosen.order_by("-created_at", "-pk"), PAGE).get_page(request.GET.get("page")),
        "shown": shown,
        "choices": [("", "All"), ("waiting", "Waiting"), ("received", "Received"), ("failed", "Failed")],
        "failed_count": rows.filter(state=JobState.FAILED).count(),
        "is_busy": rows.filter(state__in=SHOWN["waiting"]).exists(),
    }
    return render(request, f"webhooks/endpoint.html{'#deliveries' if request.htmx else ''}", context)


@require_POST
@require_scope(Scope.WEBHOOKS)
def rotate(request: WorkspaceRequest, slug: str, pk: str) -> HttpResponse:
    found = _find(request, pk)
    return _secret_page(request, found, services.rotate_secret(found))


def _secret_page(request: WorkspaceRequest, endpoint: Endpoint, secret: str) -> HttpResponse:
    """Not a redirect: the secret exists only in this reply."""
    response = render(request, "webhooks/secret.html", {"endpoint": endpoint, "secret": secret})
    response["Cache-Control"] = "no-store"
    return response


@require_POST
@require_scope(Scope.WEBHOOKS)
def switch(request: WorkspaceRequest, slug: str, pk: str) -> HttpResponse:
    found = _find(request, pk)
    if "on" in request.POST:
        services.switch_endpoint_on(found)
        messages.success(request, "The endpoint is on. What it missed is below; you can send it again.")
    else:
        services.switch_endpoint_off(found)
        messages.success(request, "The endpoint is off. Events from now on are not kept for it.")
    return redirect("webhook_endpoint", slug, found.pk)


@require_POST
@require_scope(Scope.WEBHOOKS)
def delete(request: WorkspaceRequest, slug: str, pk: str) -> HttpResponse:
    services.delete_endpoint(_find(request, pk))
    messages.success(request, "The endpoint is removed, with the list of what was sent to it.")
    return redirect("webhooks", slug)


@require_POST
@require_scope(Scope.WEBHOOKS)
def test(request: WorkspaceRequest, slug: str, pk: str) -> HttpResponse:
    sent = services.send_test(_find(request, pk))
    return redirect("webhook_delivery", slug, sent.pk)


@require_POST
@require_scope(Scope.WEBHOOKS)
def replay_failed(request: WorkspaceRequest, slug: str, pk: str) -> HttpResponse:
    found = _find(request, pk)
    count = services.replay_failed(found)
    words = f"{count} on their way again." if count else "Nothing failed, so nothing was sent again."
    messages.success(request, words)
    return redirect("webhook_endpoint", slug, found.pk)


@require_scope(Scope.WEBHOOKS)
def delivery(request: WorkspaceRequest, slug: str, pk: str) -> HttpResponse:
    found = _find_delivery(request, pk)
    context = {
        "delivery": found,
        "attempts": found.attempts.all(),
        "body": json.dumps(json.loads(body_of(found)), indent=2, ensure_ascii=False),
        "is_fresh": found.state in SHOWN["waiting"] and found.attempt == 0,
    }
    return render(request, f"webhooks/delivery.html{'#progress' if request.htmx else ''}", context)


@require_POST
@require_scope(Scope.WEBHOOKS)
def replay(request: WorkspaceRequest, slug: str, pk: str) -> HttpResponse:
    again = services.replay(_find_delivery(request, pk))
    return redirect("webhook_delivery", slug, again.pk)


def _find(request: WorkspaceRequest, pk: str) -> Endpoint:
    found = Endpoint.objects.in_workspace(request.workspace).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def _find_delivery(request: WorkspaceRequest, pk: str) -> Delivery:
    rows = Delivery.objects.in_workspace(request.workspace).select_related("endpoint", "event")
    found = rows.filter(pk=pk).first()
    if found is None:
        raise Http404
    return found
