from __future__ import annotations

from django.urls import path

from accounts import views

urlpatterns = [
    path("w/<slug:slug>/api-keys/", views.api_keys, name="api_keys"),
    path("w/<slug:slug>/api-keys/<uuid:pk>/revoke/", views.api_key_revoke, name="api_key_revoke"),
]
