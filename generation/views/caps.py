from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render

from accounts.dollars import decimal_usd, usd
from accounts.forms import CapForm, MemberForm
from accounts.middleware import WorkspaceRequest
from accounts.models import Membership, Scope
from accounts.permissions import ROLE_SCOPES, require_scope
from accounts.services import caps
from generation.services.nights import change_night_cap
from generation.services.usage import By, Span, read_usage
from generation.views.access import find_membership


def usage_caps(request: WorkspaceRequest, slug: str) -> HttpResponseBase:
    """Everybody sees the caps; who may see to the money changes them, one at a time."""
    return _change(request, slug) if request.method == "POST" else _look(request, slug)


@require_scope(Scope.READ)
def _look(request: WorkspaceRequest, slug: str) -> HttpResponse:
    return _page(request)


@require_scope(Scope.BILLING)
def _change(request: WorkspaceRequest, slug: str) -> HttpResponse:
    if "night" in request.POST:
        return _change_night(request, slug)
    member = _member(request)
    form = MemberForm(request.POST) if member else CapForm(request.POST)
    if form.is_valid():
        try:
            state = _set(request, member, **form.cleaned_data)
        except caps.CapRefused as error:
            form.add_error("cap", error.message)
        else:
            messages.success(request, _said(state, str(member.user) if member else "the workspace"))
            return redirect("usage_caps", slug)
    return _page(request, form, member)


def _change_night(request: WorkspaceRequest, slug: str) -> HttpResponse:
    form = CapForm(request.POST)
    if form.is_valid():
        cap = form.cleaned_data["cap"]
        try:
            change_night_cap(workspace=request.workspace, cap_nanos=cap)
        except caps.CapRefused as error:
            form.add_error("cap", error.message)
        else:
            said = f"A night may now spend {usd(cap)}." if cap else "Nothing is written overnight any more."
            messages.success(request, said)
            return redirect("usage_caps", slug)
    return _page(request, night_form=form)


def _member(request: WorkspaceRequest) -> Membership | None:
    """Whose cap it is; the workspace's own when no member is named."""
    if not (given := request.POST.get("member")):
        return None
    try:
        return find_membership(request, str(UUID(given)))
    except ValueError as error:
        raise Http404 from error


def _set(
    request: WorkspaceRequest, member: Membership | None, cap: int | None, **requests: int | None
) -> caps.BudgetState:
    if member is None:
        return caps.set_workspace_cap(workspace=request.workspace, cap_nanos=cap)
    state = caps.set_member_cap(workspace=request.workspace, membership=member, cap_nanos=cap)
    caps.limit_member(
        workspace=request.workspace,
        membership=member,
        burst_per_minute=requests["burst_per_minute"],
        requests_per_day=requests["requests_per_day"],
    )
    return state


def _said(state: caps.BudgetState, whose: str) -> str:
    limit = "no cap of its own" if state.limit_nanos is None else f"${decimal_usd(state.limit_nanos)} a month"
    return f"The cap of {whose} is now {limit}. {state.note}".strip()


def _page(
    request: WorkspaceRequest,
    form: CapForm | None = None,
    member: Membership | None = None,
    night_form: CapForm | None = None,
) -> HttpResponse:
    workspace = request.workspace
    budget = caps.workspace_budget(workspace)
    month = read_usage(workspace, Span(budget.starts_at.date(), Span.of_days(1).last))
    spent_by = {what: {group.id: group.figures.cost_nanos for group in month.by(what)} for what in (By.MEMBER, By.KEY)}
    context = {
        "budget": budget,
        "form": form if member is None else None,
        "night_form": night_form,
        "members": [
            (each, state, spent_by[By.MEMBER].get(str(each.user_id), 0), form if each == member else None)
            for each, state in caps.member_budgets(workspace)
        ],
        "keys": [(key, state, spent_by[By.KEY].get(str(key.pk), 0)) for key, state in caps.key_budgets(workspace)],
        "may_change": Scope.BILLING in ROLE_SCOPES[request.membership.role],
        "may_see_keys": Scope.ADMIN in ROLE_SCOPES[request.membership.role],
    }
    return render(request, "usage/caps.html", context, status=422 if form or night_form else 200)
