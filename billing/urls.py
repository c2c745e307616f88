from __future__ import annotations

from django.urls import path

from billing import views, webhooks

urlpatterns = [
    path("pricing/", views.pricing, name="pricing"),
    path("stripe/webhook", webhooks.stripe, name="stripe_webhook"),
    path("w/<slug:slug>/plan/", views.plan, name="plan"),
    path("w/<slug:slug>/plan/checkout/", views.checkout, name="checkout"),
    path("w/<slug:slug>/plan/checkout/return/", views.checkout_return, name="checkout_return"),
    path("w/<slug:slug>/plan/change/", views.change, name="plan_change"),
    path("w/<slug:slug>/plan/end/", views.end, name="plan_end"),
    path("w/<slug:slug>/plan/keep/", views.keep, name="plan_keep"),
    path("w/<slug:slug>/plan/overage/", views.overage, name="plan_overage"),
    path("w/<slug:slug>/plan/portal/", views.portal, name="billing_portal"),
    path("w/<slug:slug>/plan/portal/return/", views.portal_return, name="portal_return"),
    path("w/<slug:slug>/plan/invoices/", views.invoices, name="billing_invoices"),
]
