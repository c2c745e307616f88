from __future__ import annotations

from django.urls import path

from accounts import views

urlpatterns = [
    path("w/<slug:slug>/api-keys/", views.api_keys, name="api_keys"),
    path("w/<slug:slug>/api-keys/<uuid:pk>/limits/", views.api_key_limits, name="api_key_limits"),
    path("w/<slug:slug>/api-keys/<uuid:pk>/rotate/", views.api_key_rotate, name="api_key_rotate"),
    path(
        "w/<slug:slug>/api-keys/<uuid:pk>/end-previous/",
        views.api_key_end_previous,
        name="api_key_end_previous",
    ),
    path("w/<slug:slug>/api-keys/<uuid:pk>/revoke/", views.api_key_revoke, name="api_key_revoke"),
    path("w/<slug:slug>/alerts/", views.alerts, name="alerts"),
    path("w/<slug:slug>/alerts/thresholds/", views.alert_thresholds, name="alert_thresholds"),
    path("w/<slug:slug>/alerts/<uuid:pk>/close/", views.alert_close, name="alert_close"),
    path("unsubscribe/<str:token>/", views.unsubscribe, name="unsubscribe"),
]
