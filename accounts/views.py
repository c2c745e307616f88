from __future__ import annotations

from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from accounts.forms import ApiKeyForm
from accounts.middleware import WorkspaceRequest
from accounts.models import ApiKey, Scope
from accounts.permissions import ROLE_SCOPES, require_scope
from accounts.services.keys import issue_key, revoke_key


@require_scope(Scope.ADMIN)
def api_keys(request: WorkspaceRequest, slug: str) -> HttpResponse:
    allowed = ROLE_SCOPES[request.membership.role]
    form = ApiKeyForm(request.POST or None, allowed=allowed)
    issued = None
    if request.method == "POST" and form.is_valid():
        _, issued = issue_key(workspace=request.workspace, created_by=request.user, **form.cleaned_data)
        form = ApiKeyForm(allowed=allowed)
    keys = ApiKey.objects.in_workspace(request.workspace)
    # Not a redirect: the key itself exists only in this reply.
    response = render(request, "accounts/api_keys.html", {"keys": keys, "form": form, "issued": issued})
    response["Cache-Control"] = "no-store"
    return response


@require_POST
@require_scope(Scope.ADMIN)
def api_key_revoke(request: WorkspaceRequest, slug: str, pk: str) -> HttpResponse:
    try:
        key = ApiKey.objects.in_workspace(request.workspace).get(pk=pk)
    except (ApiKey.DoesNotExist, ValidationError) as error:
        raise Http404 from error
    revoke_key(key)
    return redirect("api_keys", slug)
