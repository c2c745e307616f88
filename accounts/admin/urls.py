from __future__ import annotations

from django.contrib import admin
from django.urls import path

from accounts.admin import access, impersonation, pages

# For staff only, each of them, as everything below the admin site.
urlpatterns = [
    path("open/<uuid:pk>/", admin.site.admin_view(access.open_workspace), name="staff_open"),
    path("money/", admin.site.admin_view(pages.money), name="staff_money"),
    path("money/margins.csv", admin.site.admin_view(pages.money_csv), name="staff_money_csv"),
    path("money/switch/", admin.site.admin_view(pages.switch_spending), name="staff_switch"),
    path("impersonate/<uuid:pk>/", admin.site.admin_view(impersonation.impersonate), name="staff_impersonate"),
]
