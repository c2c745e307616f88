from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from accounts.audit import record
from accounts.dollars import decimal_usd
from accounts.middleware import WorkspaceRequest
from accounts.models import Action, Scope, UsageEntry
from accounts.permissions import require_scope
from accounts.positions import Position
from accounts.spreadsheets import Echo, guard_formula
from contentopt.downloads import attachment
from generation.forms import LedgerForm
from generation.models import Run
from generation.services import ledger
from generation.services.explaining import explain
from generation.services.texts import sentences_with_facts
from generation.services.usage import LAYERS, By, Span, key_names, member_names, read_usage, run_name
from generation.views.access import find_text
from generation.views.commenting import comments_context
from generation.views.partials import render_page

LINES_PER_PAGE = 50
RUNS_OFFERED, MODEL_DAYS = 100, 90


@require_scope(Scope.READ)
def usage_ledger(request: WorkspaceRequest, slug: str) -> HttpResponse:
    form = _form(request)
    before = Position.parse(request.GET.get("before", ""))
    entries, older = ledger.ledger_page(request.workspace, _choice(form), before=before, size=LINES_PER_PAGE)
    context = {
        "form": form,
        "lines": ledger.explained(request.workspace, entries),
        "before": before,
        "older": older,
        "is_narrowed": any(request.GET.get(name) for name in form.fields),
    }
    return render_page(request, "usage/ledger.html", context, part="lines")


def _form(request: WorkspaceRequest) -> LedgerForm:
    workspace = request.workspace
    runs = Run.objects.in_workspace(workspace).select_related("catalogue")[:RUNS_OFFERED]
    models = read_usage(workspace, Span.of_days(MODEL_DAYS)).by(By.MODEL)
    return LedgerForm(
        request.GET,
        options={
            "member": [
                ("", "Everybody"),
                (ledger.NOBODY, "Nobody signed in"),
                *_options(member_names(workspace)),
            ],
            "key": [("", "Keys and pages"), (ledger.NOBODY, "On the pages"), *_options(key_names(workspace))],
            "run": [
                ("", "Runs and single texts"),
                (ledger.NOBODY, "Single texts"),
                *((str(run.pk), run_name(run)) for run in runs),
            ],
            "model": [("", "All models"), *((model.id, model.name) for model in models if model.id)],
            "source": [("", "Paid and free"), *LAYERS.items()],
        },
    )


def _options(names: dict[UUID, str]) -> list[tuple[str, str]]:
    return sorted(((str(pk), name) for pk, name in names.items()), key=lambda option: option[1].casefold())


def _choice(form: LedgerForm) -> ledger.Choice:
    """What is not right in the form does not narrow; the form says so."""
    form.full_clean()
    return ledger.Choice(**form.cleaned_data)


HEADER = ["occurred_at", "recorded_at", "id", "source", "basis", "endpoint", "member", "member_id", "api_key"]
HEADER += ["api_key_id", "run_id", "text_id", "call_id", "provider", "model", "tier", "texts", "calls"]
HEADER += ["input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens", "cost_usd", "saved_usd"]
HEADER += ["price_version"]


@require_scope(Scope.READ)
def usage_csv(request: WorkspaceRequest, slug: str) -> HttpResponseBase:
    """The chosen lines, exact to the nano-dollar. Read in batches while it is sent."""
    choice = _choice(_form(request))
    members, keys = member_names(request.workspace), key_names(request.workspace)
    record(Action.REPORT_DOWNLOADED, workspace=request.workspace, report="ledger")
    writer = csv.writer(Echo())

    def lines() -> Iterator[str]:
        yield writer.writerow(HEADER)
        for entry in ledger.ledger_lines(request.workspace, choice):
            yield writer.writerow(_cells(entry, members, keys))

    return attachment(lines(), f"{slug}-ledger.csv")


def _cells(entry: UsageEntry, members: dict[UUID, str], keys: dict[UUID, str]) -> list[object]:
    member = members.get(entry.user_id, "") if entry.user_id else ""
    key = keys.get(entry.api_key_id, "") if entry.api_key_id else ""
    ids = [entry.run_id, entry.text_id, entry.reservation_id]
    names = [entry.provider, entry.model_id, entry.tier]
    tokens = [entry.input_tokens, entry.cached_tokens, entry.cache_write_tokens, entry.output_tokens]
    cells: list[Any] = [entry.occurred_at.isoformat(), entry.recorded_at.isoformat(), entry.pk]
    cells += [entry.source, entry.basis, entry.endpoint]
    cells += [guard_formula(member), entry.user_id, guard_formula(key), entry.api_key_id]
    cells += [*ids, *(guard_formula(name) for name in names), entry.answers, entry.calls, *tokens]
    cells += [decimal_usd(entry.cost_nanos), decimal_usd(entry.saved_nanos), entry.price_version]
    return cells


@require_scope(Scope.READ)
def text(request: WorkspaceRequest, slug: str, pk: str) -> HttpResponse:
    """One text as it was written, whatever became of it: what a line of the ledger paid for."""
    found = find_text(request, pk)
    context = {
        "text": found,
        "sentences": sentences_with_facts(found.description, found.evidence),
        "explanation": explain(found),
        "is_present": bool(found.product and found.product.text_id == found.pk),
        **({} if found.product else comments_context(request, found)),
    }
    return render(request, "usage/text.html", context)
