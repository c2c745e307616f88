"""How people sign in, as staff see it: that there is a factor or session, never what is in it."""

from __future__ import annotations

import allauth.mfa.admin
import allauth.usersessions.admin  # noqa: F401  (both register pages that show too much, taken away below)
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from accounts.admin.rows import ReadOnly
from accounts.devices import device_name
from accounts.services.sign_in import remove_factor

admin.site.unregister([Authenticator, UserSession])


@admin.register(Authenticator)
class FactorAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]
    """For somebody who has lost their phone and the recovery codes. They are told by mail."""

    list_display = fields = ("user", "type", "created_at", "last_used_at")
    list_select_related = ("user",)
    list_filter = ("type",)
    search_fields = ("user__email",)

    def has_view_permission(self, request: HttpRequest, _obj: object = None) -> bool:
        return bool(request.user.is_staff)

    def has_delete_permission(self, request: HttpRequest, _obj: object = None) -> bool:
        return request.user.has_perm("mfa.delete_authenticator")

    def delete_model(self, _request: HttpRequest, factor: Authenticator) -> None:
        remove_factor(factor)

    def delete_queryset(self, _request: HttpRequest, factors: QuerySet[Authenticator]) -> None:
        for factor in factors:
            remove_factor(factor)


@admin.register(UserSession)
class SessionAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]
    """Deleting one signs that browser or program out at once."""

    list_display = fields = ("user", "device", "ip", "created_at")
    list_select_related = ("user",)
    search_fields = ("user__email", "ip")

    @admin.display(description="With")
    def device(self, session: UserSession) -> str:
        return device_name(session.user_agent)

    def has_view_permission(self, request: HttpRequest, _obj: object = None) -> bool:
        return bool(request.user.is_staff)

    def has_delete_permission(self, request: HttpRequest, _obj: object = None) -> bool:
        return request.user.has_perm("usersessions.delete_usersession")

    def delete_model(self, _request: HttpRequest, session: UserSession) -> None:
        session.end()

    def delete_queryset(self, _request: HttpRequest, sessions: QuerySet[UserSession]) -> None:
        for session in sessions:
            session.end()
