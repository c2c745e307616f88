from __future__ import annotations

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path

from contentopt import views
from contentopt.api import urlpatterns as api_urls

# The admin's own form asks for a password alone; everybody signs in by the one that asks for second factors.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

urlpatterns = [
    path("", views.home, name="home"),
    path("healthz", views.health, name="health"),
    path("metrics", views.metrics, name="metrics"),
    path("accounts/", include("allauth.account.urls")),
    path("accounts/factors/", include("allauth.mfa.urls")),
    path("accounts/sessions/", include("allauth.usersessions.urls")),
    path("", include("accounts.urls")),
    path("", include("webhooks.urls")),
    path("", include("generation.urls")),
    path("", include("billing.urls")),
    path("api/", include(api_urls)),
    path("staff/", include("accounts.admin.urls")),
    path("staff/", include("generation.admin.nights")),
    path("staff/", include("generation.admin.performance")),
    path("staff/", include("generation.admin.registry")),
    path("staff/", admin.site.urls),
]

handler400 = "contentopt.views.bad_request"
handler404 = "contentopt.views.not_found"
handler500 = "contentopt.views.server_error"
