from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlencode

from django.http import HttpResponse
from django.http.response import HttpResponseBase

from accounts.dollars import decimal_usd
from accounts.middleware import WorkspaceRequest
from accounts.models import Scope
from accounts.permissions import require_scope
from accounts.quotas import used_products
from accounts.services.caps import BudgetState, workspace_budget
from contentopt.downloads import attachment
from generation.catalogues.writing import guard_formula
from generation.services.ledger import NOBODY
from generation.services.nights import sums_of
from generation.services.usage import MODEL, By, Group, Span, forecast, read_usage, total
from generation.views import charts
from generation.views.catalogues import Echo
from generation.views.partials import render_page

SPANS = {"7": "7 days", "30": "30 days", "90": "90 days", "month": "This month"}
TABS = {By.DAY: "Day", By.MEMBER: "Member", By.KEY: "API key", By.RUN: "Run", By.MODEL: "Model"}
MEASURES = {"texts": "Texts", "money": "Money"}
ROWS_SHOWN = 50


@dataclass(frozen=True, slots=True)
class View:
    """What of the usage is looked at. Anything unknown in the address is as if it were not there."""

    span_name: str
    span: Span
    by: By
    measure: str

    @classmethod
    def of(cls, request: WorkspaceRequest, budget: BudgetState) -> View:
        name = _known(request, "span", SPANS, "30")
        today = Span.of_days(1).last
        span = Span(budget.starts_at.date(), today) if name == "month" else Span.of_days(int(name))
        return cls(name, span, By(_known(request, "by", TABS, By.DAY)), _known(request, "show", MEASURES, "texts"))


def _known(request: WorkspaceRequest, name: str, known: dict[str, str] | dict[By, str], usual: str) -> str:
    asked = request.GET.get(name, usual)
    return asked if asked in known else usual


@require_scope(Scope.READ)
def usage(request: WorkspaceRequest, slug: str) -> HttpResponse:
    budget = workspace_budget(request.workspace)
    view = View.of(request, budget)
    used = read_usage(request.workspace, view.span)
    layers = sorted(used.by(By.LAYER), key=lambda layer: (layer.id != MODEL, -layer.figures.answers))
    groups = used.every_day() if view.by == By.DAY else used.by(view.by)
    context = {
        "view": view,
        "spans": SPANS,
        "tabs": TABS,
        "measures": MEASURES,
        "total": total(layers),
        "layers": charts.stacked(layers),
        "columns": charts.columns(groups, view.measure) if view.by == By.DAY else [],
        "rows": [(group, share, _ledger(view, group)) for group, share in _listed(view, groups)],
        "rows_left": max(len(groups) - ROWS_SHOWN, 0) if view.by != By.DAY else 0,
        "budget": budget,
        "money_bar": charts.filled([budget.spent_nanos, budget.held_nanos], budget.limit_nanos),
        # Asked for by the whole page only.
        "products": partial(used_products, request.workspace),
        "nights": partial(sums_of, request.workspace),
        "forecast": partial(forecast, request.workspace, budget),
    }
    return render_page(request, "usage/usage.html", context, part="figures")


def _listed(view: View, groups: list[Group]) -> list[tuple[Group, str]]:
    if view.by != By.DAY:
        return charts.shares(groups[:ROWS_SHOWN], view.measure)
    busy = [group for group in reversed(groups) if group.figures.answers or group.figures.calls]
    return charts.shares(busy, view.measure)


def _ledger(view: View, group: Group) -> str:
    """The query of the ledger's lines behind a group."""
    if view.by == By.DAY:
        return urlencode({"first": group.id, "last": group.id})
    return urlencode({"first": view.span.first, "last": view.span.last, view.by.value: group.id or NOBODY})


HEADER = ["id", "name", "texts", "free", "calls", "input_tokens", "cached_tokens", "cache_write_tokens"]
HEADER += ["output_tokens", "cost_usd", "saved_usd"]


@require_scope(Scope.READ)
def usage_table_csv(request: WorkspaceRequest, slug: str) -> HttpResponseBase:
    view = View.of(request, workspace_budget(request.workspace))
    groups = read_usage(request.workspace, view.span).by(view.by)
    writer = csv.writer(Echo())

    def lines() -> Iterator[str]:
        yield writer.writerow(HEADER)
        for group in groups:
            yield writer.writerow(_cells(group))

    return attachment(lines(), f"{slug}-usage-by-{view.by.value}-{view.span.first}-{view.span.last}.csv")


def _cells(group: Group) -> list[object]:
    figures = group.figures
    tokens = (figures.input_tokens, figures.cached_tokens, figures.cache_write_tokens, figures.output_tokens)
    counts = (figures.answers, figures.free, figures.calls, *tokens)
    money = (decimal_usd(figures.cost_nanos), decimal_usd(figures.saved_nanos))
    return [group.id or "", guard_formula(group.name), *counts, *money]
