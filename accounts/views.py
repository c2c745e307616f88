from __future__ import annotations

from datetime import timedelta

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.forms import model_to_dict
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from accounts.emails import Mailing, subscriber_of
from accounts.forms import ApiKeyForm, KeyLimitsForm, RotateForm, ThresholdsForm
from accounts.middleware import WorkspaceRequest
from accounts.models import ApiKey, Membership, Notice, Scope
from accounts.notices import ALERTS, MANAGERS, alert_of, described
from accounts.permissions import ROLE_SCOPES, require_scope
from accounts.services.alerts import close_notice, set_mention_mail, set_thresholds, set_weekly_summary
from accounts.services.keys import (
    change_key,
    end_previous_secret,
    issue_key,
    refuse_more_scopes,
    revoke_key,
    rotate_key,
)

PAST_ALERTS = 50


@require_scope(Scope.ADMIN)
def api_keys(request: WorkspaceRequest, slug: str) -> HttpResponse:
    allowed = ROLE_SCOPES[request.membership.role]
    form = ApiKeyForm(request.POST or None, allowed=allowed)
    issued = None
    if request.method == "POST" and form.is_valid():
        wanted = form.cleaned_data
        days = wanted.pop("days")
        expires_at = timezone.now() + timedelta(days=days) if days else None
        _, issued = issue_key(workspace=request.workspace, created_by=request.user, expires_at=expires_at, **wanted)
        form = ApiKeyForm(allowed=allowed)
    return _keys_page(request, form, issued)


def _keys_page(request: WorkspaceRequest, form: ApiKeyForm, issued: str | None) -> HttpResponse:
    """With a key that was just issued it is no redirect: the key itself exists only in this reply."""
    context = {
        "keys": ApiKey.objects.in_workspace(request.workspace),
        "form": form,
        "rotate_form": RotateForm(auto_id=False),
        "issued": issued,
    }
    response = render(request, "accounts/api_keys.html", context)
    response["Cache-Control"] = "no-store"
    return response


@require_POST
@require_scope(Scope.ADMIN)
def api_key_rotate(request: WorkspaceRequest, slug: str, pk: str) -> HttpResponse:
    """Whoever gets the new secret can do what the key may, so it takes somebody who may all of that."""
    allowed = ROLE_SCOPES[request.membership.role]
    key = _find_key(request, pk)
    refuse_more_scopes(allowed, key.scopes)
    form = RotateForm(request.POST)
    hours = form.cleaned_data["hours"] if form.is_valid() else RotateForm.base_fields["hours"].initial
    issued = rotate_key(key, old_lasts=timedelta(hours=hours))
    return _keys_page(request, ApiKeyForm(allowed=allowed), issued)


@require_POST
@require_scope(Scope.ADMIN)
def api_key_end_previous(request: WorkspaceRequest, slug: str, pk: str) -> HttpResponse:
    key = _find_key(request, pk)
    end_previous_secret(key)
    messages.success(request, f"“{key.name}” has one secret now: the newer one.")
    return redirect("api_keys", slug)


@require_scope(Scope.ADMIN)
def api_key_limits(request: WorkspaceRequest, slug: str, pk: str) -> HttpResponse:
    key = _find_key(request, pk)
    if not key.is_active:
        raise Http404
    given = request.POST if request.method == "POST" else None  # every field may be empty
    form = KeyLimitsForm(given, initial=model_to_dict(key, KeyLimitsForm.base_fields))
    if form.is_valid():
        change_key(key, **form.cleaned_data)
        messages.success(request, f"The limits of “{key.name}” are saved.")
        return redirect("api_keys", slug)
    return render(request, "accounts/api_key_limits.html", {"key": key, "form": form})


@require_POST
@require_scope(Scope.ADMIN)
def api_key_revoke(request: WorkspaceRequest, slug: str, pk: str) -> HttpResponse:
    revoke_key(_find_key(request, pk))
    return redirect("api_keys", slug)


def _find_key(request: WorkspaceRequest, pk: str) -> ApiKey:
    try:
        return ApiKey.objects.in_workspace(request.workspace).get(pk=pk)
    except (ApiKey.DoesNotExist, ValidationError) as error:
        raise Http404 from error


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
