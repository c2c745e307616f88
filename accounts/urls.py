from __future__ import annotations

from django.urls import path

from accounts import data_views, views

urlpatterns = [
    path("w/<slug:slug>/api-keys/", views.api_keys, name="api_keys"),
    path("w/<slug:slug>/api-keys/<uuid:pk>/limits/", views.api_key_limits, name="api_key_limits"),
    path("w/<slug:slug>/api-keys/<uuid:pk>/revoke/", views.api_key_revoke, name="api_key_revoke"),
    path("w/<slug:slug>/alerts/", views.alerts, name="alerts"),
    path("w/<slug:slug>/alerts/thresholds/", views.alert_thresholds, name="alert_thresholds"),
    path("w/<slug:slug>/alerts/<uuid:pk>/close/", views.alert_close, name="alert_close"),
    path("w/<slug:slug>/data/", data_views.archives, name="archives"),
    path("w/<slug:slug>/data/archives/<uuid:pk>/<str:token>/", data_views.archive_download, name="archive_download"),
    path("w/<slug:slug>/data/audit/", data_views.audit_log, name="audit_log"),
    path("w/<slug:slug>/data/audit.csv", data_views.audit_csv, name="audit_csv"),
    path("w/<slug:slug>/data/retention/", data_views.data_retention, name="data_retention"),
    path("w/<slug:slug>/data/delete/", data_views.workspace_delete, name="workspace_delete"),
    path("w/<slug:slug>/data/restore/", data_views.workspace_restore, name="workspace_restore"),
    path("delete-account/", data_views.delete_account, name="delete_account"),
    path("unsubscribe/<str:token>/", views.unsubscribe, name="unsubscribe"),
]
