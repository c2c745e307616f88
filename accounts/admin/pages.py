"""The staff's money page: margins, spend, and the switch that stops it."""

from __future__ import annotations

import csv
from collections.abc import Callable
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.dollars import decimal_usd
from accounts.models import Platform, Reconciliation
from accounts.services.margins import Margin, Span, margins, spans
from accounts.services.spending import open_holds, overdrafts, platform_today, resume_spending, stop_spending
from accounts.spreadsheets import guard_formula

SHOWN_WORKSPACES = 100
SORTS: dict[str, tuple[str, Callable[[Margin], Any]]] = {
    "name": ("Workspace", lambda row: row.name.lower()),
    "plan": ("Plan", lambda row: row.plan),
    "revenue": ("Revenue", lambda row: row.revenue_nanos),
    "cost": ("Model cost", lambda row: row.sums.cost_nanos),
    "margin": ("Margin", lambda row: row.margin_nanos),
    "saved": ("Saved", lambda row: row.sums.saved_nanos),
    "texts": ("Texts", lambda row: row.sums.answers),
    "calls": ("Calls", lambda row: row.sums.calls),
}
FIRST_SORT = "-cost"


class StopForm(forms.Form):
    reason = forms.CharField(max_length=200)


def spending(request: HttpRequest) -> dict[str, Any]:
    """What the panel with the switch needs."""
    return {"today": platform_today(), "may_switch": request.user.has_perm("accounts.change_platform")}


def index_context(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    return {**context, **spending(request), "factor_needed": settings.STAFF_NEED_SECOND_FACTOR}


def money(request: HttpRequest) -> HttpResponse:
    span, sort = _span(request), request.GET.get("sort", FIRST_SORT)
    if sort.removeprefix("-") not in SORTS:
        sort = FIRST_SORT
    found = margins(span)
    rows = _sorted([row for row in found.workspaces if not row.is_idle], sort)
    context = {
        **admin.site.each_context(request),
        **spending(request),
        "title": "Money",
        "spans": spans().values(),
        "found": found,
        "rows": [(row, reverse("admin:accounts_workspace_change", args=[row.pk])) for row in rows[:SHOWN_WORKSPACES]],
        "row_count": len(rows),
        "columns": _columns(sort),
        "sort": sort,
        "saved_nanos": sum(layer.sums.saved_nanos for layer in found.layers),
        "holds": open_holds(),
        "holds_url": reverse("admin:accounts_reservation_changelist"),
        "overdrafts": overdrafts(),
        "reconciliation": Reconciliation.objects.first(),
    }
    return render(request, "admin/money.html", context)


def _span(request: HttpRequest) -> Span:
    known = spans()
    return known.get(request.GET.get("span", ""), known["month"])


def _sorted(rows: list[Margin], sort: str) -> list[Margin]:
    _, key = SORTS[sort.removeprefix("-")]
    return sorted(sorted(rows, key=lambda row: row.name.lower()), key=key, reverse=sort.startswith("-"))


def _columns(sort: str) -> list[dict[str, str]]:
    """Of the table of workspaces. A second click turns the order round; figures begin with the largest."""
    columns = []
    for key, (label, _) in SORTS.items():
        first, second = (key, f"-{key}") if key in ("name", "plan") else (f"-{key}", key)
        order = {key: "ascending", f"-{key}": "descending"}.get(sort, "")
        columns.append({"label": label, "sort": second if sort == first else first, "order": order})
    return columns


def money_csv(request: HttpRequest) -> HttpResponse:
    span = _span(request)
    headers = {"Content-Disposition": f'attachment; filename="margins-{span.start:%Y-%m-%d}.csv"'}
    response = HttpResponse(content_type="text/csv; charset=utf-8", headers=headers)
    writer = csv.writer(response)
    writer.writerow(
        ["workspace", "name", "plan", "revenue_usd", "cost_usd", "margin_usd", "saved_usd", "texts", "calls"]
    )
    for row in _sorted([row for row in margins(span).workspaces if not row.is_idle], FIRST_SORT):
        amounts = (row.revenue_nanos, row.sums.cost_nanos, row.margin_nanos, row.sums.saved_nanos)
        figures = [*map(decimal_usd, amounts), row.sums.answers, row.sums.calls]
        writer.writerow([row.slug, guard_formula(row.name), row.plan, *figures])
    return response


@require_POST
def switch_spending(request: HttpRequest) -> HttpResponseRedirect:
    if not request.user.has_perm("accounts.change_platform"):
        raise PermissionDenied
    if "resume" in request.POST:
        resume_spending(by=str(request.user))
        _record(request, "Paid calls go on.")
    elif (form := StopForm(request.POST)).is_valid():
        stop_spending(reason=form.cleaned_data["reason"], by=str(request.user))
        _record(request, f"Paid calls are stopped: {form.cleaned_data['reason']}")
    else:
        messages.error(request, "Nothing was stopped: say why, in up to 200 characters.")
    return redirect("staff_money")


def _record(request: HttpRequest, message: str) -> None:
    LogEntry.objects.log_actions(str(request.user.pk), Platform.objects.all(), CHANGE, message, single_object=True)
    messages.success(request, message)
