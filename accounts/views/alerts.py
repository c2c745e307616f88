from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from accounts.emails import Mailing, subscriber_of
from accounts.forms import ThresholdsForm
from accounts.middleware import WorkspaceRequest
from accounts.models import Membership, Notice, Scope
from accounts.notices import ALERTS, MANAGERS, alert_of, described
from accounts.permissions import ROLE_SCOPES, require_scope
from accounts.services.alerts import close_notice, set_mention_mail, set_thresholds, set_weekly_summary

PAST_ALERTS = 50


@require_scope(Scope.READ)
def alerts(request: WorkspaceRequest, slug: str) -> HttpResponse:
    """Posting to it changes what oneself is mailed; the thresholds are the workspace's and have their own address."""
    if request.method == "POST" and request.POST.get("mailing") == Mailing.MENTIONS:
        is_wanted = "wants_mention_mail" in request.POST
        set_mention_mail(request.membership.pk, is_wanted=is_wanted)
        messages.success(request, f"Mails about mentions and assignments are {'on' if is_wanted else 'off'} for you.")
        return redirect("alerts", slug)
    if request.method == "POST":
        is_wanted = "wants_weekly_summary" in request.POST
        set_weekly_summary(request.membership.pk, is_wanted=is_wanted)
        messages.success(request, f"The weekly summary is {'on' if is_wanted else 'off'} for you.")
        return redirect("alerts", slug)
    return _alerts_page(request, _thresholds_form(request))


@require_POST
@require_scope(Scope.BILLING)
def alert_thresholds(request: WorkspaceRequest, slug: str) -> HttpResponse:
    form = ThresholdsForm(request.POST)
    if not form.is_valid():
        return _alerts_page(request, form)
    set_thresholds(workspace=request.workspace, percents=form.cleaned_data["thresholds"])
    messages.success(request, "Alerts are changed, from now on.")
    return redirect("alerts", slug)


def _thresholds_form(request: WorkspaceRequest) -> ThresholdsForm:
    return ThresholdsForm(initial={"thresholds": ", ".join(map(str, request.workspace.alert_thresholds))})


def _alerts_page(request: WorkspaceRequest, form: ThresholdsForm) -> HttpResponse:
    told = described(Notice.objects.in_workspace(request.workspace).filter(kind__in=ALERTS))[:PAST_ALERTS]
    context = {
        "form": form,
        "may_change": Scope.BILLING in ROLE_SCOPES[request.membership.role],
        "is_manager": request.membership.role in MANAGERS,
        "told": [(alert_of(notice), notice) for notice in told],
    }
    return render(request, "accounts/alerts.html", context)


@require_POST
@require_scope(Scope.WRITE)
def alert_close(request: WorkspaceRequest, slug: str, pk: str) -> HttpResponse:
    """For everybody. htmx gets the alert that is the highest now, if there is one."""
    notice = Notice.objects.in_workspace(request.workspace).filter(pk=pk, kind__in=ALERTS).first()
    if notice is None:
        raise Http404
    close_notice(notice)
    return render(request, "partials/alert.html") if request.htmx else redirect("alerts", slug)


@csrf_exempt  # its one effect is in the signed link, and mail programs post it without having seen a page
@login_not_required
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    subscriber = subscriber_of(token)
    if subscriber is None:
        raise Http404
    membership_id, mailing = subscriber
    is_done = request.method == "POST"
    if is_done:
        set_ = set_mention_mail if mailing == Mailing.MENTIONS else set_weekly_summary
        set_(membership_id, is_wanted=False)
    membership = Membership.objects.across_workspaces().filter(pk=membership_id).select_related("workspace").first()
    context = {
        "membership": membership,
        "is_done": is_done or membership is None,
        "is_about_mentions": mailing == Mailing.MENTIONS,
    }
    return render(request, "accounts/unsubscribe.html", context)
