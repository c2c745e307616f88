from __future__ import annotations

from datetime import timedelta

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.forms import model_to_dict
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts.forms import ApiKeyForm, KeyLimitsForm, RotateForm
from accounts.middleware import WorkspaceRequest
from accounts.models import ApiKey, Scope
from accounts.permissions import ROLE_SCOPES, require_scope
from accounts.services.keys import (
    change_key,
    end_previous_secret,
    issue_key,
    refuse_more_scopes,
    revoke_key,
    rotate_key,
)


@require_scope(Scope.ADMIN)
def api_keys(request: WorkspaceRequest, slug: str) -> HttpResponse:
    allowed = ROLE_SCOPES[request.membership.role]
    form = ApiKeyForm(request.POST or None, allowed=allowed)
    issued = None
    if request.method == "POST" and form.is_valid():
        wanted = form.cleaned_data
        days = wanted.pop("days")
        expires_at = timezone.now() + timedelta(days=days) if days else None
        _, issued = issue_key(workspace=request.workspace, created_by=request.user, expires_at=expires_at, **wanted)
        form = ApiKeyForm(allowed=allowed)
    return _keys_page(request, form, issued)


def _keys_page(request: WorkspaceRequest, form: ApiKeyForm, issued: str | None) -> HttpResponse:
    """With a key that was just issued it is no redirect: the key itself exists only in this reply."""
    context = {
        "keys": ApiKey.objects.in_workspace(request.workspace),
        "form": form,
        "rotate_form": RotateForm(auto_id=False),
        "issued": issued,
    }
    response = render(request, "accounts/api_keys.html", context)
    response["Cache-Control"] = "no-store"
    return response


@require_POST
@require_scope(Scope.ADMIN)
def api_key_rotate(request: WorkspaceRequest, slug: str, pk: str) -> HttpResponse:
    """Whoever gets the new secret can do what the key may, so it takes somebody who may all of that."""
    allowed = ROLE_SCOPES[request.membership.role]
    key = _find_key(request, pk)
    refuse_more_scopes(allowed, key.scopes)
    form = RotateForm(request.POST)
    hours = form.cleaned_data["hours"] if form.is_valid() else RotateForm.base_fields["hours"].initial
    issued = rotate_key(key, old_lasts=timedelta(hours=hours))
    return _keys_page(request, ApiKeyForm(allowed=allowed), issued)


@require_POST
@require_scope(Scope.ADMIN)
def api_key_end_previous(request: WorkspaceRequest, slug: str, pk: str) -> HttpResponse:
    key = _find_key(request, pk)
    end_previous_secret(key)
    messages.success(request, f"“{key.name}” has one secret now: the newer one.")
    return redirect("api_keys", slug)


@require_scope(Scope.ADMIN)
def api_key_limits(request: WorkspaceRequest, slug: str, pk: str) -> HttpResponse:
    key = _find_key(request, pk)
    if not key.is_active:
        raise Http404
    given = request.POST if request.method == "POST" else None  # every field may be empty
    form = KeyLimitsForm(given, initial=model_to_dict(key, KeyLimitsForm.base_fields))
    if form.is_valid():
        change_key(key, **form.cleaned_data)
        messages.success(request, f"The limits of “{key.name}” are saved.")
        return redirect("api_keys", slug)
    return render(request, "accounts/api_key_limits.html", {"key": key, "form": form})


@require_POST
@require_scope(Scope.ADMIN)
def api_key_revoke(request: WorkspaceRequest, slug: str, pk: str) -> HttpResponse:
    revoke_key(_find_key(request, pk))
    return redirect("api_keys", slug)


def _find_key(request: WorkspaceRequest, pk: str) -> ApiKey:
    try:
        return ApiKey.objects.in_workspace(request.workspace).get(pk=pk)
    except (ApiKey.DoesNotExist, ValidationError) as error:
        raise Http404 from error
