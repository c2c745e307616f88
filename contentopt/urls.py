from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from contentopt import views
from contentopt.api import urlpatterns as api_urls

urlpatterns = [
    path("", views.home, name="home"),
    path("healthz", views.health, name="health"),
    path("metrics", views.metrics, name="metrics"),
    path("accounts/", include("allauth.account.urls")),
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
