from __future__ import annotations

from django.urls import include, path

from generation.views import (
    cache,
    caps,
    catalogues,
    decisions,
    guide,
    home,
    ledger,
    nights,
    products,
    refining,
    runs,
    streams,
    usage,
)

workspace_urls = [
    path("", home.workspace_home, name="workspace_home"),
    path("api/", guide.api_guide, name="api_guide"),
    path("usage/", usage.usage, name="usage"),
    path("usage/table.csv", usage.usage_table_csv, name="usage_table_csv"),
    path("usage/ledger/", ledger.usage_ledger, name="usage_ledger"),
    path("usage/ledger.csv", ledger.usage_csv, name="usage_csv"),
    path("usage/caps/", caps.usage_caps, name="usage_caps"),
    path("usage/cache/", cache.usage_cache, name="usage_cache"),
    path("usage/nights/", nights.usage_nights, name="usage_nights"),
    path("texts/<uuid:pk>/", ledger.text, name="text"),
    path("texts/<uuid:pk>/keep/", decisions.text_keep, name="text_keep"),
    path("texts/<uuid:pk>/reject/", decisions.text_reject, name="text_reject"),
    path("streams/<uuid:pk>/", streams.stream, name="stream"),
    path("products/", products.products, name="products"),
    path("products/<uuid:pk>/", products.product, name="product"),
    path("products/<uuid:pk>/rewrite/", products.product_rewrite, name="product_rewrite"),
    path("products/<uuid:pk>/refine/", refining.product_refine, name="product_refine"),
    path("refinements/<uuid:pk>/undo/", refining.refinement_undo, name="refinement_undo"),
    path("products/<uuid:pk>/edit/", products.product_edit, name="product_edit"),
    path("products/<uuid:pk>/versions/<int:version>/", decisions.product_diff, name="product_diff"),
    path("products/<uuid:pk>/versions/<int:version>/restore/", decisions.product_restore, name="product_restore"),
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
    path("try/<uuid:pk>/", home.try_result, name="try_result"),
    path("try/<uuid:pk>/stream/", home.try_stream, name="try_stream"),
    path("w/<slug:slug>/", include(workspace_urls)),
]
