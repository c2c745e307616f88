from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.middleware import WorkspaceRequest
from accounts.models import Plan, Scope
from accounts.permissions import require_scope


@login_not_required
def pricing(request: HttpRequest) -> HttpResponse:
    return render(request, "billing/pricing.html", {"plans": Plan.objects.filter(is_public=True)})


@require_scope(Scope.READ)
def plan(request: WorkspaceRequest, slug: str) -> HttpResponse:
    return render(request, "billing/plan.html", {"plans": Plan.objects.filter(is_public=True)})
