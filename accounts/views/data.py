"""What a workspace's people may do with its data as a whole: take it out, see who did what, say how long it is kept,
have it deleted. And a person with their own account."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.contrib.auth import logout
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_GET, require_POST

from accounts import audit
from accounts.audit import record
from accounts.erasing import GRACE
from accounts.forms import AuditForm, ConfirmForm, RetentionForm
from accounts.middleware import WorkspaceRequest
from accounts.models import Action, Archive, AuditEntry, Scope, User, Workspace
from accounts.permissions import open_while_closing, require_scope
from accounts.positions import Position
from accounts.services import archives as archiving
from accounts.services import deletion, retention
from accounts.spreadsheets import csv_lines
from contentopt.downloads import attachment, stored
from contentopt.errors import DomainError, NotAllowed

PAST_ARCHIVES = 10
ENTRIES_PER_PAGE = 50


# --- Archives ---------------------------------------------------------------------------------------------------------


@require_scope(Scope.ADMIN)
@open_while_closing
def archives(request: WorkspaceRequest, slug: str) -> HttpResponse:
    """How far the present one is (the page asks again), and those that can be downloaded."""
    if request.method == "POST":
        archiving.request_archive(workspace=request.workspace, requested_by=request.user)
        return redirect("archives", slug)
    rows = list(Archive.objects.in_workspace(request.workspace).select_related("workspace")[:PAST_ARCHIVES])
    context = {
        "archives": [(row, archiving.link_of(row, request.user) if row.is_ready else "") for row in rows],
        "being_made": next((row for row in rows if not row.is_finished), None),
    }
    is_part = request.htmx and not request.htmx.history_restore_request
    response = render(request, f"data/archives.html{'#list' if is_part else ''}", context)
    patch_vary_headers(response, ["HX-Request"])
    response["Cache-Control"] = "no-store"
    return response


@require_GET
@require_scope(Scope.ADMIN)
@open_while_closing
def archive_download(request: WorkspaceRequest, slug: str, pk: UUID, token: str) -> HttpResponseBase:
    """The link is one person's, for an hour; beside it they must be what they were when it was made."""
    archive = Archive.objects.in_workspace(request.workspace).select_related("workspace").filter(pk=pk).first()
    if archive is None:
        raise Http404
    if not archiving.is_link_for(token, archive_id=pk, user=request.user):
        raise NotAllowed("This link is over, or it was made for somebody else. Open the archive's page for a new one.")
    parts = archiving.download(archive)
    return stored(parts, archiving.file_name(archive), archiving.ZIP, archive.size_bytes)


# --- The audit log ----------------------------------------------------------------------------------------------------


@require_scope(Scope.ADMIN)
def audit_log(request: WorkspaceRequest, slug: str) -> HttpResponse:
    form = AuditForm(request.GET, workspace=request.workspace)
    before = Position.parse(request.GET.get("before", ""))
    page, older = audit.page_of(request.workspace, form.choice(), before=before, size=ENTRIES_PER_PAGE)
    context = {
        "form": form,
        "lines": audit.explained(page),
        "before": before,
        "older": older,
        "is_narrowed": any(request.GET.get(name) for name in form.fields),
    }
    is_part = request.htmx and not request.htmx.history_restore_request
    response = render(request, f"data/audit.html{'#lines' if is_part else ''}", context)
    patch_vary_headers(response, ["HX-Request"])
    return response


HEADER: list[object] = ["time", "action", "what", "who", "address", "target", "target_id", "details"]


@require_scope(Scope.ADMIN)
def audit_csv(request: WorkspaceRequest, slug: str) -> HttpResponseBase:
    """The chosen entries. Read in batches while it is sent."""
    choice = AuditForm(request.GET, workspace=request.workspace).choice()
    record(Action.REPORT_DOWNLOADED, workspace=request.workspace, report="audit log")

    def rows() -> Iterator[list[object]]:
        yield HEADER
        for line in audit.lines(request.workspace, choice):
            yield _cells(line)

    return attachment(csv_lines(rows()), f"{slug}-audit.csv")


def _cells(line: audit.Line) -> list[object]:
    entry: AuditEntry = line.entry
    details = "; ".join(f"{name}: {value}" for name, value in entry.facts)
    names = [entry.created_at.isoformat(), entry.action, entry.words, line.who, entry.address or ""]
    return [*names, line.target or entry.target_kind, entry.target_id, details]


# --- How long what is kept --------------------------------------------------------------------------------------------


@require_scope(Scope.ADMIN)
def data_retention(request: WorkspaceRequest, slug: str) -> HttpResponse:
    present = retention.retention_of(request.workspace)
    given = request.POST if request.method == "POST" else None  # fields may be empty
    form = RetentionForm(given, initial={name: getattr(present, name) for name in retention.FIELDS})
    if form.is_valid():
        retention.set_retention(workspace=request.workspace, **form.cleaned_data)
        messages.success(request, "Saved. It holds from the next night on.")
        return redirect("data_retention", slug)
    return render(request, "data/retention.html", {"form": form})


# --- Deletion ---------------------------------------------------------------------------------------------------------


@require_scope(Scope.BILLING)
@open_while_closing
@reauthentication_required  # type: ignore[untyped-decorator]
def workspace_delete(request: WorkspaceRequest, slug: str) -> HttpResponse:
    deletion.check_owner(request.membership)
    form = ConfirmForm(request.POST or None, wanted=request.workspace.name, what="the workspace's name")
    if form.is_valid():
        deletion.request_deletion(workspace=request.workspace, membership=request.membership)
        return redirect("workspace_delete", slug)
    context = {"form": form, "grace_days": GRACE.days}
    return render(request, "data/delete.html", context)


@require_POST
@require_scope(Scope.BILLING)
@open_while_closing
def workspace_restore(request: WorkspaceRequest, slug: str) -> HttpResponse:
    deletion.restore(workspace=request.workspace, membership=request.membership)
    messages.success(request, "The workspace is restored. Runs that were paused can go on.")
    return redirect("workspace_home", slug)


class PersonRequest(HttpRequest):
    user: User
    workspace: Workspace | None


@reauthentication_required  # type: ignore[untyped-decorator]
def delete_account(request: PersonRequest) -> HttpResponse:
    form = ConfirmForm(request.POST or None, wanted=request.user.email, what="your e-mail address")
    if form.is_valid():
        try:
            deletion.delete_account(request.user)
        except DomainError as error:
            form.add_error(None, error.message)
        else:
            logout(request)
            return render(request, "data/account_deleted.html")
    return render(request, "data/delete_account.html", {"form": form, "ties": deletion.ties_of(request.user)})
