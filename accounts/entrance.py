"""Small steps around signing in that allauth has no page for."""

from __future__ import annotations

from allauth.account.adapter import get_adapter
from allauth.usersessions.internal.flows.sessions import end_sessions
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.devices import device_name
from accounts.impersonation import end_impersonation, leave
from accounts.models import Impersonation
from accounts.signing_up import proved_address


@login_not_required
@require_safe
def sign_up_confirmed(request: HttpRequest, token: str) -> HttpResponse:
    """From the mail of somebody who signed up; the form that follows knows that the address is theirs."""
    address = proved_address(token)
    if address is None:
        return render(request, "account/signup_link_expired.html", status=410)
    get_adapter().stash_verified_email(request, address)
    return redirect("account_signup")


@require_POST
def end_session(request: HttpRequest, pk: int) -> HttpResponse:
    session = get_object_or_404(UserSession, pk=pk, user=request.user)
    end_sessions(request, [session])
    messages.success(request, f"{device_name(session.user_agent)} is signed out.")
    return redirect("usersessions_list")


@require_POST
def stop_impersonation(request: HttpRequest) -> HttpResponse:
    impersonation: Impersonation | None = getattr(request, "impersonation", None)
    if impersonation is None:
        return redirect("home")
    end_impersonation(impersonation)
    leave(request)
    return redirect("admin:accounts_user_change", impersonation.user_id)
