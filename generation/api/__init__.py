from __future__ import annotations

from django.urls import path

from generation.api.budget import Budget
from generation.api.bulk import BulkDescriptions, BulkTexts
from generation.api.cache import Cache
from generation.api.catalogues import CatalogueExport, CatalogueProblems, Catalogues, OneCatalogue
from generation.api.descriptions import Descriptions
from generation.api.estimates import Estimates
from generation.api.keys import EndPreviousSecret, Keys, OneKey, RevokeKey, RotateKey
from generation.api.products import OneProduct, Products
from generation.api.refining import RefineText
from generation.api.runs import CancelRun, OneRun, PauseRun, ResumeRun, RetryRun, Runs
from generation.api.streams import OneStream
from generation.api.texts import KeepText, OneText, RejectText, Texts
from generation.api.usage import Usage

urlpatterns = [
    path("descriptions", Descriptions.as_view(), name="api_descriptions"),
    path("descriptions/bulk", BulkDescriptions.as_view(), name="api_descriptions_bulk"),
    path("streams/<uuid:pk>", OneStream.as_view(), name="api_stream"),
    path("texts", Texts.as_view(), name="api_texts"),
    path("texts/bulk", BulkTexts.as_view(), name="api_texts_bulk"),
    path("texts/<uuid:pk>", OneText.as_view(), name="api_text"),
    path("texts/<uuid:pk>/keep", KeepText.as_view(), name="api_text_keep"),
    path("texts/<uuid:pk>/refine", RefineText.as_view(), name="api_text_refine"),
    path("texts/<uuid:pk>/reject", RejectText.as_view(), name="api_text_reject"),
    path("products", Products.as_view(), name="api_products"),
    path("products/<uuid:pk>", OneProduct.as_view(), name="api_product"),
    path("catalogues", Catalogues.as_view(), name="api_catalogues"),
    path("catalogues/<uuid:pk>", OneCatalogue.as_view(), name="api_catalogue"),
    path("catalogues/<uuid:pk>/problems", CatalogueProblems.as_view(), name="api_catalogue_problems"),
    path("catalogues/<uuid:pk>/export", CatalogueExport.as_view(), name="api_catalogue_export"),
    path("runs", Runs.as_view(), name="api_runs"),
    path("runs/<uuid:pk>", OneRun.as_view(), name="api_run"),
    path("runs/<uuid:pk>/pause", PauseRun.as_view(), name="api_run_pause"),
    path("runs/<uuid:pk>/resume", ResumeRun.as_view(), name="api_run_resume"),
    path("runs/<uuid:pk>/cancel", CancelRun.as_view(), name="api_run_cancel"),
    path("runs/<uuid:pk>/retry", RetryRun.as_view(), name="api_run_retry"),
    path("estimates", Estimates.as_view(), name="api_estimates"),
    path("budget", Budget.as_view(), name="api_budget"),
    path("cache", Cache.as_view(), name="api_cache"),
    path("api-keys", Keys.as_view(), name="api_api_keys"),
    path("api-keys/<uuid:pk>", OneKey.as_view(), name="api_api_key"),
    path("api-keys/<uuid:pk>/revoke", RevokeKey.as_view(), name="api_api_key_revoke"),
    path("api-keys/<uuid:pk>/rotate", RotateKey.as_view(), name="api_api_key_rotate"),
    path("api-keys/<uuid:pk>/end-previous-secret", EndPreviousSecret.as_view(), name="api_api_key_end_previous"),
    path("usage", Usage.as_view(), name="api_usage"),
]
