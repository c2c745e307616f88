"""The API's document: valid, complete, true; and the page that shows it works under the site's policy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from django.core.management import call_command
from django.test import Client
from drf_spectacular.settings import patched_settings

from accounts.models import Workspace
from generation.api import urlpatterns
from tests.conftest import ApiClient
from tests.factories import make_catalogue, make_run

ERROR = {"$ref": "#/components/schemas/ErrorReply"}


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return generate(tmp_path_factory.mktemp("openapi") / "openapi.json")


def generate(path: Path) -> dict[str, Any]:
    call_command("spectacular", "--validate", "--fail-on-warn", "--format", "openapi-json", "--file", str(path))
    return dict(json.loads(path.read_text()))


def operations(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{method} {path}", operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def test_every_operation_is_described(document: dict[str, Any]) -> None:
    paths = {f"/api/v1/{pattern.pattern}".replace("<uuid:pk>", "{id}") for pattern in urlpatterns}
    assert set(document["paths"]) == paths
    assert [name for name, operation in operations(document) if not operation.get("description")] == []


def test_every_operation_needs_a_key_or_a_persons_token_and_workspace(document: dict[str, Any]) -> None:
    schemes = document["components"]["securitySchemes"]
    assert (schemes["apiKey"]["scheme"], schemes["personToken"]["scheme"]) == ("bearer", "bearer")
    assert (schemes["workspace"]["in"], schemes["workspace"]["name"]) == ("header", "ContentOpt-Workspace")
    needed: list[dict[str, list[str]]] = [{"personToken": [], "workspace": []}, {"apiKey": []}]
    assert [name for name, operation in operations(document) if operation["security"] != needed] == []


def test_every_refusal_has_the_one_error_shape(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        refusals = {status: reply for status, reply in operation["responses"].items() if status >= "400"}
        assert set(refusals) >= {"401", "403", "406", "429"}, name
        schemas = [reply["content"]["application/json"]["schema"] for reply in refusals.values()]
        assert schemas == [ERROR] * len(schemas), name


def test_operations_with_ids_or_bodies_say_how_those_are_refused(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        if "{id}" in name:
            assert "404" in operation["responses"], name
        if "requestBody" in operation:
            assert set(operation["responses"]) >= {"400", "411", "413", "415", "422"}, name


def test_waiting_times_are_documented(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        assert set(operation["responses"]["429"]["headers"]) == {"RateLimit", "RateLimit-Policy", "Retry-After"}, name


@pytest.fixture(scope="module")
def document_31(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The same document as OpenAPI 3.1, whose schemas are JSON Schema, so that replies can be checked against them."""
    with patched_settings({"OAS_VERSION": "3.1.1"}):
        return generate(tmp_path_factory.mktemp("openapi") / "openapi-31.json")


def check(document: dict[str, Any], component: str, reply: Any) -> None:
    schema = {"$ref": f"#/components/schemas/{component}", "components": document["components"]}
    jsonschema.validate(reply, schema)
    assert set(reply) == set(document["components"]["schemas"][component]["properties"])


@pytest.mark.django_db
def test_replies_are_what_the_document_says(document_31: dict[str, Any], shop: Workspace, api: ApiClient) -> None:
    client = api(shop)
    catalogue = make_catalogue(shop)
    run = make_run(catalogue)
    product = catalogue.products.all()[0]

    def post(url: str, body: dict[str, Any]) -> Any:
        return client.post(f"/api/v1/{url}", body, content_type="application/json").json()

    def get(url: str) -> Any:
        return client.get(f"/api/v1/{url}").json()

    check(document_31, "DescriptionReply", post("descriptions", {"prompt": "Oak board, oiled"}))
    check(document_31, "ErrorReply", post("descriptions", {}))
    check(document_31, "RunAcceptedReply", post("runs", {"catalogue": str(catalogue.pk)}))
    check(document_31, "RunStatusReply", get(f"runs/{run.pk}"))
    check(document_31, "CatalogueReply", get(f"catalogues/{catalogue.pk}"))
    check(document_31, "ProductDetailReply", get(f"products/{product.pk}"))
    check(document_31, "UsageReply", get("usage"))
    for name, component in (("texts", "TextReply"), ("products", "ProductReply"), ("runs", "RunReply")):
        check(document_31, component, get(name)["results"][0])


@pytest.mark.django_db
def test_the_document_is_served_as_json_to_anybody() -> None:
    response = Client().get("/api/v1/openapi.json")
    assert response.json()["openapi"].startswith("3.")
    assert "max-age=300" in response["Cache-Control"]


@pytest.mark.django_db
def test_the_page_that_shows_it_brings_its_script_from_this_site() -> None:
    response = Client().get("/api/docs/")
    page = response.content.decode()
    assert response.status_code == 200
    assert "<script>" not in page
    assert "https://" not in page


@pytest.mark.django_db
def test_only_the_styles_of_that_page_are_let_loose() -> None:
    policy = Client().get("/api/docs/")["Content-Security-Policy"]
    assert "style-src 'self' 'unsafe-inline'" in policy
    assert "default-src 'self';" in f"{policy};"
    assert policy.count("unsafe-inline") == 1
    assert "unsafe-inline" not in Client().get("/pricing/")["Content-Security-Policy"]


def test_the_document_names_no_machine(document: dict[str, Any]) -> None:
    assert str(Path.home()) not in json.dumps(document)
