from __future__ import annotations

from django.urls import path

from generation.api.archives import ArchiveFile, Archives, OneArchive
from generation.api.audit import Audit
from generation.api.budget import Budget
from generation.api.bulk import BulkDescriptions, BulkTexts
from generation.api.cache import Cache
from generation.api.catalogues import CatalogueExport, CatalogueProblems, Catalogues, OneCatalogue
from generation.api.commenting import OneComment, ProductComments, TextComments
from generation.api.descriptions import Descriptions
from generation.api.estimates import Estimates
from generation.api.keys import EndPreviousSecret, Keys, OneKey, RevokeKey, RotateKey
from generation.api.products import OneProduct, Products
from generation.api.refining import RefineText
from generation.api.reviewing import ApproveText, ReopenText, SubmitText
from generation.api.runs import CancelRun, OneRun, PauseRun, ResumeRun, RetryRun, Runs
from generation.api.streams import OneStream
from generation.api.texts import KeepText, OneText, RejectText, Texts
from generation.api.usage import Usage
from generation.api.webhooks import (
    OneWebhookDelivery,
    OneWebhookEndpoint,
    ReplayFailedDeliveries,
    ReplayWebhookDelivery,
    RotateWebhookSecret,
    TestWebhookEndpoint,
    WebhookDeliveries,
    WebhookEndpoints,
)

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
    path("texts/<uuid:pk>/review", SubmitText.as_view(), name="api_text_review"),
    path("texts/<uuid:pk>/approve", ApproveText.as_view(), name="api_text_approve"),
    path("texts/<uuid:pk>/reopen", ReopenText.as_view(), name="api_text_reopen"),
    path("texts/<uuid:pk>/comments", TextComments.as_view(), name="api_text_comments"),
    path("comments/<uuid:pk>", OneComment.as_view(), name="api_comment"),
    path("products", Products.as_view(), name="api_products"),
    path("products/<uuid:pk>", OneProduct.as_view(), name="api_product"),
    path("products/<uuid:pk>/comments", ProductComments.as_view(), name="api_product_comments"),
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
    path("archives", Archives.as_view(), name="api_archives"),
    path("archives/<uuid:pk>", OneArchive.as_view(), name="api_archive"),
    path("archives/<uuid:pk>/file", ArchiveFile.as_view(), name="api_archive_file"),
    path("audit", Audit.as_view(), name="api_audit"),
    path("estimates", Estimates.as_view(), name="api_estimates"),
    path("budget", Budget.as_view(), name="api_budget"),
    path("cache", Cache.as_view(), name="api_cache"),
    path("api-keys", Keys.as_view(), name="api_api_keys"),
    path("api-keys/<uuid:pk>", OneKey.as_view(), name="api_api_key"),
    path("api-keys/<uuid:pk>/revoke", RevokeKey.as_view(), name="api_api_key_revoke"),
    path("api-keys/<uuid:pk>/rotate", RotateKey.as_view(), name="api_api_key_rotate"),
    path("api-keys/<uuid:pk>/end-previous-secret", EndPreviousSecret.as_view(), name="api_api_key_end_previous"),
    path("usage", Usage.as_view(), name="api_usage"),
    path("webhook-endpoints", WebhookEndpoints.as_view(), name="api_webhook_endpoints"),
    path("webhook-endpoints/<uuid:pk>", OneWebhookEndpoint.as_view(), name="api_webhook_endpoint"),
    path("webhook-endpoints/<uuid:pk>/rotate", RotateWebhookSecret.as_view(), name="api_webhook_endpoint_rotate"),
    path("webhook-endpoints/<uuid:pk>/test", TestWebhookEndpoint.as_view(), name="api_webhook_endpoint_test"),
    path(
        "webhook-endpoints/<uuid:pk>/replay-failed",
        ReplayFailedDeliveries.as_view(),
        name="api_webhook_endpoint_replay_failed",
    ),
    path("webhook-deliveries", WebhookDeliveries.as_view(), name="api_webhook_deliveries"),
    path("webhook-deliveries/<uuid:pk>", OneWebhookDelivery.as_view(), name="api_webhook_delivery"),
    path("webhook-deliveries/<uuid:pk>/replay", ReplayWebhookDelivery.as_view(), name="api_webhook_delivery_replay"),
]
