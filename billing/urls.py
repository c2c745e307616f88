from __future__ import annotations

from django.urls import path

from billing import views

urlpatterns = [
    path("pricing/", views.pricing, name="pricing"),
    path("w/<slug:slug>/plan/", views.plan, name="plan"),
]
