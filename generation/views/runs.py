from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from accounts.budgets import BudgetExhausted, Payer
from accounts.dollars import most_usd
from accounts.middleware import WorkspaceRequest
from accounts.models import Scope, TenantQuerySet
from accounts.permissions import require_scope
from accounts.services.caps import BudgetState, run_budgets
from generation.forms import RetryForm, RunForm
from generation.models import Catalogue, Product, Run
from generation.services import retrying, runs
from generation.services.texts import writable_fields
from generation.views.access import find_catalogue, find_run
from generation.views.partials import render_page

RUNS_PER_PAGE = 20
ITEMS_SHOWN = 12
FAILURES_SHOWN = 100


@require_scope(Scope.WRITE)
def run_new(request: WorkspaceRequest, slug: str) -> HttpResponse:
    """Choose wishes, see the price, press Write. An htmx request re-prices while the form changes."""
    catalogue, products = _selection(request)
    which = request.GET.get("which", "all")
    highest = request.workspace.plan.highest_tier
    form = RunForm(request.POST or None, initial={"which": which}, highest=highest)
    fields = writable_fields(catalogue.mapping) if catalogue else ["description"]
    priced = form if form.is_valid() else _first_choice(which, highest)
    wishes = priced.wishes(fields)
    chosen = _narrowed(products, priced.cleaned_data["which"])
    if request.method == "POST" and form.is_valid() and not request.htmx:
        run = runs.start_run(
            workspace=request.workspace,
            products=chosen,
            wishes=wishes,
            created_by=request.user,
            catalogue=catalogue,
            cap_nanos=form.cleaned_data["cap"],
            urgency=form.cleaned_data["urgency"],
        )
        return redirect("run_detail", slug, run.pk)
    estimate = runs.estimate_run(payer=_payer(request), products=chosen, wishes=wishes)
    urgency = priced.cleaned_data["urgency"] if estimate.does_waiting_save else Run.Urgency.NOW
    context = {
        "form": form,
        "catalogue": catalogue,
        "catalogues": Catalogue.objects.in_workspace(request.workspace).filter(status=Catalogue.Status.READY),
        "product_ids": request.GET.getlist("product") or request.POST.getlist("product"),
        "estimate": estimate,
        "price": estimate.later if urgency == Run.Urgency.LATER else estimate,
        "urgency": urgency,
        "is_likely_to_fit": estimate.is_likely_to_fit(urgency),
        "fields": fields,
    }
    return render_page(request, "runs/new.html", context, part="price")


def _payer(request: WorkspaceRequest) -> Payer:
    return Payer(request.workspace.pk, "run", user_id=request.user.pk)


def _selection(request: WorkspaceRequest) -> tuple[Catalogue | None, TenantQuerySet[Product]]:
    products: Any = Product.objects.in_workspace(request.workspace)
    given = request.POST if request.method == "POST" else request.GET
    if ids := [pk for pk in given.getlist("product") if _is_uuid(pk)]:
        chosen = products.filter(pk__in=ids)
        files = Catalogue.objects.in_workspace(request.workspace).filter(products__in=chosen).distinct()[:2]
        return (files[0] if len(files) == 1 else None), chosen
    if pk := given.get("catalogue", ""):
        catalogue = find_catalogue(request, pk) if _is_uuid(pk) else None
    else:
        catalogue = Catalogue.objects.in_workspace(request.workspace).filter(status=Catalogue.Status.READY).first()
    return catalogue, products.filter(catalogue=catalogue)


def _first_choice(which: str, highest: str) -> RunForm:
    """What is priced before the form is sent, or while it is not right."""
    values = RunForm.first_values()
    form = RunForm({**values, "which": which if which in dict(RunForm.WHICH) else "all"}, highest=highest)
    form.full_clean()
    return form


def _narrowed(products: TenantQuerySet[Product], which: str) -> Any:
    return runs.selected(products, only_missing=which == "missing", only_unwritten=which == "unwritten")


@require_scope(Scope.READ)
def run_list(request: WorkspaceRequest, slug: str) -> HttpResponse:
    found = Run.objects.in_workspace(request.workspace).select_related("catalogue", "created_by")
    page = Paginator(found, RUNS_PER_PAGE).get_page(request.GET.get("page"))
    budgets = run_budgets(request.workspace, [run.pk for run in page.object_list])
    rows = [
        (run, progress := runs.run_progress(run), _spent(progress, budgets.get(run.pk))) for run in page.object_list
    ]
    return render(request, "runs/list.html", {"page": page, "rows": rows})


@require_scope(Scope.READ)
def run_detail(request: WorkspaceRequest, slug: str, pk: str) -> HttpResponse:
    return _run_page(request, find_run(request, pk))


def _run_page(request: WorkspaceRequest, run: Run) -> HttpResponse:
    progress = runs.run_progress(run)
    spent = _spent(progress, run_budgets(request.workspace, [run.pk]).get(run.pk))
    context = {
        "run": run,
        "progress": progress,
        "batch": runs.batch_progress(run),
        "delay": runs.delay_of(run) if run.state == Run.State.RUNNING else None,
        "spent_nanos": spent,
        "likely_nanos": spent * progress.total // progress.ended if progress.ended else None,
        "latest": run.items.filter(text__isnull=False)
        .select_related("product", "text")
        .order_by("-finished_at")[:ITEMS_SHOWN],
        "failures": runs.failures_of(run, FAILURES_SHOWN),
    }
    return render_page(request, "runs/detail.html", context, part="progress")


def _spent(progress: runs.Progress, budget: BudgetState | None) -> int:
    """A run with a cap is charged to its budget; that of one without is what its calls cost."""
    return budget.spent_nanos if budget else progress.cost_nanos


ACTIONS = {"pause": runs.pause_run, "resume": runs.resume_run, "cancel": runs.cancel_run}


@require_POST
@require_scope(Scope.WRITE)
def run_action(request: WorkspaceRequest, slug: str, pk: str, action: str) -> HttpResponse:
    run = find_run(request, pk)
    ACTIONS[action](run)
    if request.htmx:
        return _run_page(request, find_run(request, pk))
    messages.success(request, "Done.")
    return redirect("run_detail", slug, pk)


@require_scope(Scope.WRITE)
def run_retry(request: WorkspaceRequest, slug: str, pk: str) -> HttpResponse:
    """See the price of what is left, say where to stop if the run's cap may not reach, press Write."""
    run = find_run(request, pk)
    form = RetryForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            retrying.retry_failed(run, cap_nanos=form.cleaned_data["cap"])
        except BudgetExhausted as error:
            form.add_error("cap", error.message)
        else:
            return redirect("run_detail", slug, pk)
    price = retrying.price_retry(run)
    form.initial = {"cap": most_usd(price.suggested_nanos).removeprefix("$")}
    context = {"run": run, "price": price, "estimate": price.estimate, "form": form}
    return render(request, "runs/retry.html", context, status=422 if form.errors else 200)


def _is_uuid(value: str) -> bool:
    return len(value) == UUID_LENGTH and not set(value) - set("0123456789abcdef-")


UUID_LENGTH = 36
