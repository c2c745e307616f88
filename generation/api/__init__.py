from __future__ import annotations

from django.urls import path, re_path

from generation.api.catalogues import CatalogueExport, CatalogueProblems, Catalogues, OneCatalogue
from generation.api.products import OneProduct, Products
from generation.api.runs import ACTIONS, OneRun, RunAction, Runs
from generation.api.texts import Descriptions, OneText, Texts
from generation.api.usage import Usage

urlpatterns = [
    path("descriptions", Descriptions.as_view(), name="api_descriptions"),
    path("texts", Texts.as_view(), name="api_texts"),
    path("texts/<uuid:pk>", OneText.as_view(), name="api_text"),
    path("products", Products.as_view(), name="api_products"),
    path("products/<uuid:pk>", OneProduct.as_view(), name="api_product"),
    path("catalogues", Catalogues.as_view(), name="api_catalogues"),
    path("catalogues/<uuid:pk>", OneCatalogue.as_view(), name="api_catalogue"),
    path("catalogues/<uuid:pk>/problems", CatalogueProblems.as_view(), name="api_catalogue_problems"),
    path("catalogues/<uuid:pk>/export", CatalogueExport.as_view(), name="api_catalogue_export"),
    path("runs", Runs.as_view(), name="api_runs"),
    path("runs/<uuid:pk>", OneRun.as_view(), name="api_run"),
    re_path(
        rf"^runs/(?P<pk>[0-9a-f-]{{36}})/(?P<action>{'|'.join(ACTIONS)})$", RunAction.as_view(), name="api_run_action"
    ),
    path("usage", Usage.as_view(), name="api_usage"),
]
