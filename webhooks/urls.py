from __future__ import annotations

from django.urls import path

from webhooks import views

urlpatterns = [
    path("w/<slug:slug>/webhooks/", views.endpoints, name="webhooks"),
    path("w/<slug:slug>/webhooks/new/", views.new, name="webhook_new"),
    path("w/<slug:slug>/webhooks/events/", views.events, name="webhook_events"),
    path("w/<slug:slug>/webhooks/<uuid:pk>/", views.endpoint, name="webhook_endpoint"),
    path("w/<slug:slug>/webhooks/<uuid:pk>/edit/", views.edit, name="webhook_edit"),
    path("w/<slug:slug>/webhooks/<uuid:pk>/rotate/", views.rotate, name="webhook_rotate"),
    path("w/<slug:slug>/webhooks/<uuid:pk>/switch/", views.switch, name="webhook_switch"),
    path("w/<slug:slug>/webhooks/<uuid:pk>/delete/", views.delete, name="webhook_delete"),
    path("w/<slug:slug>/webhooks/<uuid:pk>/test/", views.test, name="webhook_test"),
    path("w/<slug:slug>/webhooks/<uuid:pk>/replay-failed/", views.replay_failed, name="webhook_replay_failed"),
    path("w/<slug:slug>/webhooks/deliveries/<uuid:pk>/", views.delivery, name="webhook_delivery"),
    path("w/<slug:slug>/webhooks/deliveries/<uuid:pk>/replay/", views.replay, name="webhook_replay"),
]
