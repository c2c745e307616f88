from __future__ import annotations

from django.urls import include, path

from generation.views import catalogues, home, products, runs

workspace_urls = [
    path("", home.workspace_home, name="workspace_home"),
    path("usage/", home.usage, name="usage"),
    path("products/", products.products, name="products"),
    path("products/<uuid:pk>/", products.product, name="product"),
    path("products/<uuid:pk>/rewrite/", products.product_rewrite, name="product_rewrite"),
    path("products/<uuid:pk>/edit/", products.product_edit, name="product_edit"),
    path("products/<uuid:pk>/versions/<int:version>/", products.product_diff, name="product_diff"),
    path("products/<uuid:pk>/versions/<int:version>/restore/", products.product_restore, name="product_restore"),
    path("import/", catalogues.import_new, name="import_new"),
    path("import/<uuid:pk>/", catalogues.import_detail, name="import_detail"),
    path("import/<uuid:pk>/columns/", catalogues.import_mapping, name="import_mapping"),
    path("import/<uuid:pk>/reading/", catalogues.import_dialect, name="import_dialect"),
    path("import/<uuid:pk>/delete/", catalogues.import_delete, name="import_delete"),
    path("import/<uuid:pk>/problems.csv", catalogues.import_problems, name="import_problems"),
    path("import/<uuid:pk>/export/", catalogues.export_review, name="export_review"),
    path("import/<uuid:pk>/export/download/", catalogues.export_download, name="export_download"),
    path("runs/", runs.run_list, name="run_list"),
    path("runs/new/", runs.run_new, name="run_new"),
    path("runs/<uuid:pk>/", runs.run_detail, name="run_detail"),
    *(
        path(f"runs/<uuid:pk>/{action}/", runs.run_action, {"action": action}, name=f"run_{action}")
        for action in runs.ACTIONS
    ),
]

urlpatterns = [
    path("try/", home.landing_try, name="landing_try"),
    path("w/<slug:slug>/", include(workspace_urls)),
]
