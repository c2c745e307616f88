from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from accounts.middleware import WorkspaceRequest
from accounts.models import Plan, Scope
from accounts.permissions import ROLE_SCOPES, require_scope
from accounts.quotas import used_products
from billing import gateway
from billing.catalog import sales
from billing.forms import ChangeForm, OverageForm, SaleForm
from billing.models import BillingAccount, Subscription
from billing.services import changes
from billing.services import checkout as buying
from contentopt.errors import DomainError


@login_not_required
def pricing(request: HttpRequest) -> HttpResponse:
    return render(request, "billing/pricing.html", {"plans": Plan.objects.filter(is_public=True)})


@require_scope(Scope.READ)
def plan(request: WorkspaceRequest, slug: str) -> HttpResponse:
    workspace = request.workspace
    rows = Subscription.objects.in_workspace(workspace).select_related("plan", "next_plan", "pending_plan")
    account = BillingAccount.objects.in_workspace(workspace).first()
    context = {
        "plans": Plan.objects.filter(is_public=True),
        "quota": used_products(workspace),
        "sales": sales() if gateway.is_on() else [],
        "subscription": rows.filter(is_live=True).first(),
        "trial_days": 0 if rows.exists() else settings.TRIAL_DAYS,
        "is_customer": account is not None and account.customer_id is not None,
        "may_pay": Scope.BILLING in ROLE_SCOPES[request.membership.role],
        "over": changes.over_the_limit(workspace),
        "overage_form": OverageForm(initial={"products": workspace.overage_products}),
        "is_test": not gateway.is_live(),
    }
    return render(request, "billing/plan.html", context)


@require_POST
@require_scope(Scope.BILLING)
def checkout(request: WorkspaceRequest, slug: str) -> HttpResponse:
    sale = SaleForm(request.POST).sale()
    return redirect(buying.start_checkout(workspace=request.workspace, sale=sale))


@require_GET
@require_scope(Scope.BILLING)
def checkout_return(request: WorkspaceRequest, slug: str) -> HttpResponse:
    """Where one comes back to after paying. Reloads itself until Stripe's answer is known."""
    is_done = buying.finish_checkout(workspace=request.workspace, session_id=request.GET.get("session", ""))
    if is_done:
        messages.success(request, "Thank you. Your plan is ready.")
        return redirect("plan", slug)
    return render(request, "billing/checkout_return.html")


@require_scope(Scope.BILLING)
def change(request: WorkspaceRequest, slug: str) -> HttpResponse:
    """A preview of what the change costs, then the change itself."""
    if request.method == "POST":
        form = ChangeForm(request.POST)
        sale, wish = form.sale(), form.cleaned_data
        subscription = changes.change_plan(
            workspace=request.workspace, sale=sale, at=wish["at"], intent_id=wish["intent_id"].hex
        )
        if subscription.pending_plan:
            messages.warning(
                request,
                "It is not paid yet: confirm the payment, or use another card. Your plan stays as it is until then.",
            )
        elif subscription.next_plan:
            messages.success(request, f"You go on with {subscription.plan} until the end of the period.")
        else:
            messages.success(request, f"You are on {subscription.plan} now.")
        return redirect("plan", slug)
    sale = SaleForm(request.GET).sale()
    context = {
        "change": changes.preview_change(workspace=request.workspace, sale=sale),
        "intent_id": changes.new_intent_id(),
    }
    return render(request, "billing/change.html", context)


@require_POST
@require_scope(Scope.BILLING)
def end(request: WorkspaceRequest, slug: str) -> HttpResponse:
    subscription = changes.end_or_keep(workspace=request.workspace, ends=True)
    when = f" on {subscription.cancel_at:%-d %B}" if subscription.cancel_at else ""
    messages.success(request, f"Your subscription ends{when}. Until then everything stays as it is.")
    return redirect("plan", slug)


@require_POST
@require_scope(Scope.BILLING)
def keep(request: WorkspaceRequest, slug: str) -> HttpResponse:
    subscription = changes.end_or_keep(workspace=request.workspace, ends=False)
    messages.success(request, f"You keep {subscription.plan}.")
    return redirect("plan", slug)


@require_POST
@require_scope(Scope.BILLING)
def overage(request: WorkspaceRequest, slug: str) -> HttpResponse:
    form = OverageForm(request.POST)
    if not form.is_valid():
        raise DomainError("Give a whole number of products, up to 100,000. Nothing was changed.")
    products = form.cleaned_data["products"]
    changes.allow_overage(workspace=request.workspace, products=products)
    more = f"Up to {products:,} products a month beyond the plan are written and billed."
    messages.success(request, more if products else "No more than the plan's products are written.")
    return redirect("plan", slug)


@require_POST
@require_scope(Scope.BILLING)
def portal(request: WorkspaceRequest, slug: str) -> HttpResponse:
    return redirect(buying.open_portal(workspace=request.workspace))


@require_GET
@require_scope(Scope.BILLING)
def portal_return(request: WorkspaceRequest, slug: str) -> HttpResponse:
    try:
        buying.finish_portal(workspace=request.workspace)
    except gateway.Unreachable:
        messages.warning(request, "Stripe does not answer just now. What you changed there shows here a little later.")
    return redirect("plan", slug)


@require_scope(Scope.BILLING)
def invoices(request: WorkspaceRequest, slug: str) -> HttpResponse:
    """A part of the plan page that asks Stripe, so that the page itself need not wait."""
    context: dict[str, object] = {}
    try:
        context["invoices"] = buying.list_invoices(workspace=request.workspace)
    except gateway.Unreachable as error:
        context["away"] = error
    return render(request, "billing/invoices.html", context)
