"""Seeing the product as one of its users does, from the staff's pages."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.admin.rows import ReadOnly
from accounts.impersonation import begin_impersonation, enter
from accounts.models import Impersonation, Membership, User
from contentopt.errors import NotAllowed


class ReasonForm(forms.Form):
    reason = forms.CharField(
        max_length=200,
        label="Why",
        help_text="The ticket or the question. It is kept with your name, and the shop's owner may read it.",
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
    )


def impersonate(request: HttpRequest, pk: str) -> HttpResponse:
    if not request.user.has_perm("accounts.add_impersonation"):
        raise PermissionDenied
    user = get_object_or_404(User, pk=pk)
    form = ReasonForm(request.POST or None)
    workspaces = Membership.objects.across_workspaces().filter(user=user).select_related("workspace")
    if form.is_valid() and workspaces:
        return _begin(request, user, form.cleaned_data["reason"])
    context = {
        **admin.site.each_context(request),
        "title": f"See it as {user}",
        "person": user,
        "form": form,
        "workspaces": workspaces,
        "minutes": settings.IMPERSONATION_MINUTES,
        "back": reverse("admin:accounts_user_change", args=[user.pk]),
    }
    return render(request, "admin/impersonate.html", context)


def _begin(request: HttpRequest, user: User, reason: str) -> HttpResponse:
    try:
        impersonation = begin_impersonation(staff=_person(request), user=user, reason=reason)
    except NotAllowed as error:
        messages.error(request, error.message)
        return redirect("admin:accounts_user_change", user.pk)
    enter(request, impersonation)
    return redirect("home")


def _person(request: HttpRequest) -> User:
    person: Any = request.user
    return person  # type: ignore[no-any-return]


@admin.register(Impersonation)
class ImpersonationAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]
    """Who of the staff saw the product as whom, why, and for how long."""

    list_display = ("began_at", "staff", "user", "reason", "ended_at", "expires_at")
    list_select_related = ("staff", "user")
    search_fields = ("staff__email", "user__email", "reason")
    list_filter = ("began_at",)

    def has_view_permission(self, request: HttpRequest, _obj: object = None) -> bool:
        return bool(request.user.is_staff)
