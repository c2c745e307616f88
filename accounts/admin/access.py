"""Staff say why before they look at what a shop keeps here; the shop can read it in its audit log."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import label_for_field, lookup_field
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from unfold.widgets import INPUT_CLASSES

from accounts.audit import record
from accounts.models import PLATFORM_WORKSPACE_ID, Action, Workspace

OPEN_SECONDS = 3600
OPENED = "opened_workspaces"


class ReasonForm(forms.Form):
    reason = forms.CharField(
        max_length=200,
        min_length=5,
        label="Why",
        widget=forms.TextInput(attrs={"class": " ".join(INPUT_CLASSES), "aria-label": "Why"}),
    )


def is_open(request: HttpRequest, workspace_id: UUID) -> bool:
    """Whether this session said why, within the last hour. What is the platform's own needs no reason."""
    until = request.session.get(OPENED, {}).get(str(workspace_id), 0)
    return workspace_id == PLATFORM_WORKSPACE_ID or until > time.time()


def open_workspace(request: HttpRequest, pk: UUID) -> HttpResponse:
    workspace = get_object_or_404(Workspace, pk=pk)
    form = ReasonForm(request.POST or None)
    if form.is_valid():
        record(Action.STAFF_OPENED, workspace=workspace, target=workspace, reason=form.cleaned_data["reason"])
        opened = request.session.get(OPENED, {})
        request.session[OPENED] = {**opened, str(pk): time.time() + OPEN_SECONDS}
        return redirect(_next(request) or reverse("admin:accounts_workspace_change", args=[pk]))
    context = {**admin.site.each_context(request), "title": f"Open {workspace}", "form": form, "workspace": workspace}
    return render(request, "admin/open_workspace.html", context)


def _next(request: HttpRequest) -> str:
    wanted = request.GET.get("next", "")
    return wanted if url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) else ""


MASKED = "Opens with a reason"


class OpenedWithReason:
    """A row's own page in the admin opens once staff have said why, and so do a shop's own words in lists."""

    own_words: tuple[str, ...] = ()

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        columns = super().get_list_display(request)  # type: ignore[misc]
        return [self._masked(name, request) if name in self.own_words else name for name in columns]

    def _masked(self, name: str, request: HttpRequest) -> Callable[[Any], str]:
        label = label_for_field(name, self.model, model_admin=self)  # type: ignore[attr-defined, call-overload]
        order = getattr(getattr(self, name, None), "admin_order_field", None if name == "__str__" else name)

        @admin.display(description=label.capitalize() if name == "__str__" else label, ordering=order)
        def words(row: Any) -> str:
            if not is_open(request, row.workspace_id):
                return MASKED
            return str(lookup_field(name, row, self)[2])  # type: ignore[arg-type]

        return words

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> Any:
        workspace_id = self.workspace_of(request, object_id)
        if workspace_id and not is_open(request, workspace_id):
            address = reverse("staff_open", args=[workspace_id])
            return HttpResponseRedirect(f"{address}?{urlencode({'next': request.get_full_path()})}")
        return super().change_view(request, object_id, *args, **kwargs)  # type: ignore[misc]

    def workspace_of(self, request: HttpRequest, object_id: str) -> UUID | None:
        row = self.get_object(request, object_id)  # type: ignore[attr-defined]
        if isinstance(row, Workspace):
            return row.pk
        return row.workspace_id if row else None
