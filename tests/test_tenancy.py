"""Every route of the app, for everyone. A route that is missing here fails."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import ApiKey, Scope, User, Workspace
from accounts.services.keys import issue_key
from contentopt.urls import urlpatterns
from generation.engine.items import write_item
from generation.models import Catalogue, Product, Run, Text
from tests.conftest import ApiClient, SignIn
from tests.factories import first_product, make_catalogue, make_run
from tests.test_architecture import page_names

# Open to everybody, with the reason.
OPEN = {
    "home": "landing page",
    "health": "for load balancers",
    "pricing": "public",
    "landing_try": "works before sign-up, limited by address",
    "openapi": "the API's document",
    "api_docs": "the page that shows it",
}

# name: the scope a page needs, and the method it is called with
PAGES: dict[str, tuple[str, str]] = {
    "workspace_home": (Scope.READ, "get"),
    "usage": (Scope.READ, "get"),
    "plan": (Scope.READ, "get"),
    "products": (Scope.READ, "get"),
    "product": (Scope.READ, "get"),
    "product_diff": (Scope.READ, "get"),
    "product_rewrite": (Scope.WRITE, "post"),
    "product_edit": (Scope.WRITE, "post"),
    "product_restore": (Scope.WRITE, "post"),
    "import_new": (Scope.WRITE, "get"),
    "import_detail": (Scope.READ, "get"),
    "import_mapping": (Scope.WRITE, "get"),
    "import_dialect": (Scope.WRITE, "post"),
    "import_delete": (Scope.WRITE, "post"),
    "import_problems": (Scope.READ, "get"),
    "export_review": (Scope.READ, "get"),
    "export_download": (Scope.READ, "get"),
    "run_new": (Scope.WRITE, "get"),
    "run_list": (Scope.READ, "get"),
    "run_detail": (Scope.READ, "get"),
    "run_pause": (Scope.WRITE, "post"),
    "run_resume": (Scope.WRITE, "post"),
    "run_cancel": (Scope.WRITE, "post"),
    "run_retry": (Scope.WRITE, "post"),
    "api_keys": (Scope.ADMIN, "get"),
    "api_key_revoke": (Scope.ADMIN, "post"),
}

# name: the scope an API operation needs, and its method
OPERATIONS: dict[str, tuple[str, str]] = {
    "api_descriptions": (Scope.WRITE, "post"),
    "api_texts": (Scope.READ, "get"),
    "api_text": (Scope.READ, "get"),
    "api_products": (Scope.READ, "get"),
    "api_product": (Scope.READ, "get"),
    "api_catalogues": (Scope.READ, "get"),
    "api_catalogue": (Scope.READ, "get"),
    "api_catalogue_problems": (Scope.READ, "get"),
    "api_catalogue_export": (Scope.READ, "get"),
    "api_runs": (Scope.READ, "get"),
    "api_run": (Scope.READ, "get"),
    "api_run_action": (Scope.WRITE, "post"),
    "api_usage": (Scope.READ, "get"),
}


@dataclass(frozen=True)
class Rows:
    """One of everything a URL can name."""

    workspace: Workspace
    catalogue: Catalogue
    product: Product
    run: Run
    text: Text
    key: ApiKey

    def argument(self, name: str) -> uuid.UUID:
        if name in ("product_rewrite", "product_edit", "product_diff", "product_restore", "product", "api_product"):
            return self.product.pk
        if name.startswith(("run_", "api_run")):
            return self.run.pk
        if name == "api_text":
            return self.text.pk
        if name == "api_key_revoke":
            return self.key.pk
        return self.catalogue.pk

    def page(self, name: str, slug: str | None = None) -> str:
        kwargs: dict[str, object] = {"slug": slug or self.workspace.slug}
        if name not in ("workspace_home", "usage", "plan", "products", "import_new", "run_new", "run_list", "api_keys"):
            kwargs["pk"] = self.argument(name)
        if name in ("product_diff", "product_restore"):
            kwargs["version"] = 1
        return reverse(name, kwargs=kwargs)

    def operation(self, name: str) -> str:
        kwargs: dict[str, object] = {}
        if name in ("api_text", "api_product", "api_catalogue", "api_run", "api_run_action") or name.startswith(
            "api_catalogue_"
        ):
            kwargs["pk"] = self.argument(name)
        if name == "api_run_action":
            kwargs["action"] = "pause"
        return reverse(name, kwargs=kwargs)


def rows_of(workspace: Workspace) -> Rows:
    catalogue = make_catalogue(workspace)
    product = first_product(catalogue)
    run = make_run(catalogue)
    write_item(run.items.get(product=product).pk)
    key, _ = issue_key(workspace=workspace, name="Script", scopes=["read"])
    text = Text.objects.in_workspace(workspace).get(product=product)
    return Rows(workspace, catalogue, product, run, text, key)


@pytest.fixture
def rows(shop: Workspace) -> Rows:
    return rows_of(shop)


@pytest.fixture
def stranger(charlie: User, other_shop: Workspace, sign_in: SignIn) -> Client:
    return sign_in(charlie)


def send(client: Client, method: str, url: str) -> int:
    call: Callable[..., object] = getattr(client, method)
    response = call(url, content_type="application/json") if url.startswith("/api/") and method == "post" else call(url)
    status: int = response.status_code  # type: ignore[attr-defined]
    return status


def state_of(rows: Rows) -> list[object]:
    """What must not change when somebody is turned away."""
    return [
        *Run.objects.in_workspace(rows.workspace).values(),
        *Text.objects.in_workspace(rows.workspace).values(),
        *Catalogue.objects.in_workspace(rows.workspace).values(),
        *ApiKey.objects.in_workspace(rows.workspace).values("pk", "revoked_at"),
    ]


def test_every_route_is_in_the_tables() -> None:
    ours = {name for name in page_names(urlpatterns) if not name.startswith("account_")}
    assert ours == set(OPEN) | set(PAGES) | set(OPERATIONS)


@pytest.mark.django_db
def test_strangers_get_404_on_every_page_and_change_nothing(rows: Rows, stranger: Client) -> None:
    before = state_of(rows)
    answers = {name: send(stranger, method, rows.page(name)) for name, (_, method) in PAGES.items()}
    assert answers == dict.fromkeys(PAGES, 404)
    assert state_of(rows) == before


@pytest.mark.django_db
def test_another_workspaces_ids_are_404_in_ones_own(rows: Rows, stranger: Client, other_shop: Workspace) -> None:
    before = state_of(rows)
    named = {name: method for name, (_, method) in PAGES.items() if str(rows.argument(name)) in rows.page(name)}
    answers = {name: send(stranger, method, rows.page(name, other_shop.slug)) for name, method in named.items()}
    assert answers == dict.fromkeys(named, 404)
    assert state_of(rows) == before


@pytest.mark.django_db
def test_visitors_are_sent_to_sign_in_from_every_page(rows: Rows) -> None:
    answers = {name: send(Client(), method, rows.page(name)) for name, (_, method) in PAGES.items()}
    assert answers == dict.fromkeys(PAGES, 302)


@pytest.mark.django_db
def test_viewers_may_read_and_nothing_more(rows: Rows, vera: User, sign_in: SignIn) -> None:
    before = state_of(rows)
    answers = {name: send(sign_in(vera), method, rows.page(name)) for name, (_, method) in PAGES.items()}
    assert answers == {name: 200 if scope == Scope.READ else 403 for name, (scope, _) in PAGES.items()}
    assert state_of(rows) == before


@pytest.mark.django_db
def test_editors_may_write_but_not_see_keys(rows: Rows, bob: User, sign_in: SignIn) -> None:
    client = sign_in(bob)
    answers = {name: send(client, method, rows.page(name)) for name, (_, method) in PAGES.items()}
    assert [name for name, status in answers.items() if status == 403] == ["api_keys", "api_key_revoke"]
    assert {name for name, status in answers.items() if status >= 500} == set()


@pytest.mark.django_db
def test_api_needs_a_key_for_everything(rows: Rows) -> None:
    answers = {name: send(Client(), method, rows.operation(name)) for name, (_, method) in OPERATIONS.items()}
    assert answers == dict.fromkeys(OPERATIONS, 401)


@pytest.mark.django_db
def test_api_read_keys_may_not_write(rows: Rows, api: ApiClient) -> None:
    before = state_of(rows)
    client = api(rows.workspace, ["read"])
    answers = {name: send(client, method, rows.operation(name)) for name, (_, method) in OPERATIONS.items()}
    assert answers == {name: 200 if scope == Scope.READ else 403 for name, (scope, _) in OPERATIONS.items()}
    unchanged = state_of(rows)
    assert [row for row in before if row not in unchanged] == []


@pytest.mark.django_db
def test_api_keys_of_another_workspace_find_nothing(rows: Rows, other_shop: Workspace, api: ApiClient) -> None:
    before = state_of(rows)
    named = {
        name: method for name, (_, method) in OPERATIONS.items() if str(rows.argument(name)) in rows.operation(name)
    }
    client = api(other_shop)
    answers = {name: send(client, method, rows.operation(name)) for name, method in named.items()}
    assert answers == dict.fromkeys(named, 404)
    assert state_of(rows) == before


@pytest.mark.django_db
def test_revoked_keys_stop_working_at_once(shop: Workspace, alice: User, sign_in: SignIn) -> None:
    key, secret = issue_key(workspace=shop, name="Script", scopes=["read"])
    client = Client(headers={"Authorization": f"Bearer {secret}"})
    assert client.get("/api/v1/usage").status_code == 200

    sign_in(alice).post(reverse("api_key_revoke", args=[shop.slug, key.pk]))

    assert client.get("/api/v1/usage").status_code == 401
