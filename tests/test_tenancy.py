"""Every route of the app, for everyone. A route that is missing here fails."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from django.urls import get_resolver, reverse

from accounts.models import ApiKey, Notice, Platform, Scope, User, Workspace
from accounts.services.keys import issue_key
from generation.api import urlpatterns as api_urls
from generation.engine.items import write_item
from generation.engine.storing import product_facts
from generation.facts import facts_to_json
from generation.models import CachedText, Catalogue, Product, Refinement, Run, Stream, Text
from tests.conftest import SignIn
from tests.factories import first_product, make_catalogue, make_run
from tests.test_architecture import page_names

# Open to everybody, with the reason.
OPEN = {
    "home": "landing page",
    "health": "for load balancers",
    "metrics": "for Prometheus, with a token of its own; closed without one",
    "pricing": "public",
    "stripe_webhook": "Stripe's doorbell, which takes what Stripe signed",
    "unsubscribe": "a signed link in a mail, whose one effect is to stop that mail",
    "landing_try": "works before sign-up, limited by address",
    "try_result": "what came of it, for whoever has its unguessable address",
    "try_stream": "the same while it is written",
    "openapi": "the API's document",
    "api_docs": "the page that shows it",
}

# For staff, across workspaces; everybody else is sent to sign in, owners of shops too.
STAFF = {
    "staff_money": "margins and spend",
    "staff_money_csv": "the same as a file",
    "staff_switch": "stops every paid call",
    "staff_nights": "what is written ahead tonight, and was",
    "staff_night_start": "writes it at once",
    "staff_models": "how models do",
    "staff_try_model": "one request to a model, which the platform pays",
}

# name: the scope a page needs, and the method it is called with
PAGES: dict[str, tuple[str, str]] = {
    "workspace_home": (Scope.READ, "get"),
    "usage": (Scope.READ, "get"),
    "usage_table_csv": (Scope.READ, "get"),
    "usage_ledger": (Scope.READ, "get"),
    "usage_csv": (Scope.READ, "get"),
    "usage_caps": (Scope.READ, "get"),
    "usage_cache": (Scope.READ, "get"),
    "usage_nights": (Scope.READ, "get"),
    "text": (Scope.READ, "get"),
    "stream": (Scope.READ, "get"),
    "text_keep": (Scope.WRITE, "post"),
    "text_reject": (Scope.WRITE, "post"),
    "plan": (Scope.READ, "get"),
    "checkout": (Scope.BILLING, "post"),
    "checkout_return": (Scope.BILLING, "get"),
    "plan_change": (Scope.BILLING, "get"),
    "plan_end": (Scope.BILLING, "post"),
    "plan_keep": (Scope.BILLING, "post"),
    "plan_overage": (Scope.BILLING, "post"),
    "billing_portal": (Scope.BILLING, "post"),
    "portal_return": (Scope.BILLING, "get"),
    "billing_invoices": (Scope.BILLING, "get"),
    "products": (Scope.READ, "get"),
    "product": (Scope.READ, "get"),
    "product_diff": (Scope.READ, "get"),
    "product_rewrite": (Scope.WRITE, "post"),
    "product_refine": (Scope.WRITE, "post"),
    "refinement_undo": (Scope.WRITE, "post"),
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
    "api_key_limits": (Scope.ADMIN, "get"),
    "api_key_rotate": (Scope.ADMIN, "post"),
    "api_key_end_previous": (Scope.ADMIN, "post"),
    "api_key_revoke": (Scope.ADMIN, "post"),
    "api_guide": (Scope.READ, "get"),
    "alerts": (Scope.READ, "get"),
    "alert_thresholds": (Scope.BILLING, "post"),
    "alert_close": (Scope.WRITE, "post"),
}

WITHOUT_ID = {"workspace_home", "plan", "products", "import_new", "run_new", "run_list", "api_keys", "api_guide"}
WITHOUT_ID |= {"usage", "usage_table_csv", "usage_ledger", "usage_csv", "usage_caps", "usage_cache", "usage_nights"}
WITHOUT_ID |= {"alerts", "alert_thresholds"}
WITHOUT_ID |= {"checkout", "checkout_return", "plan_change", "plan_end", "plan_keep", "plan_overage"}
WITHOUT_ID |= {"billing_portal", "portal_return", "billing_invoices"}

# Every operation of the API, and the scope it needs. What each does with whose rows: tests/test_tenancy_api.py.
OPERATIONS: dict[tuple[str, str], str] = {
    ("api_descriptions", "post"): Scope.WRITE,
    ("api_stream", "get"): Scope.READ,
    ("api_texts", "get"): Scope.READ,
    ("api_text", "get"): Scope.READ,
    ("api_text", "patch"): Scope.WRITE,
    ("api_text_keep", "post"): Scope.WRITE,
    ("api_text_reject", "post"): Scope.WRITE,
    ("api_text_refine", "post"): Scope.WRITE,
    ("api_products", "get"): Scope.READ,
    ("api_product", "get"): Scope.READ,
    ("api_catalogues", "get"): Scope.READ,
    ("api_catalogues", "post"): Scope.WRITE,
    ("api_catalogue", "get"): Scope.READ,
    ("api_catalogue_problems", "get"): Scope.READ,
    ("api_catalogue_export", "get"): Scope.READ,
    ("api_runs", "get"): Scope.READ,
    ("api_runs", "post"): Scope.WRITE,
    ("api_run", "get"): Scope.READ,
    ("api_run_pause", "post"): Scope.WRITE,
    ("api_run_resume", "post"): Scope.WRITE,
    ("api_run_cancel", "post"): Scope.WRITE,
    ("api_run_retry", "post"): Scope.WRITE,
    ("api_estimates", "post"): Scope.WRITE,
    ("api_budget", "get"): Scope.READ,
    ("api_budget", "put"): Scope.BILLING,
    ("api_usage", "get"): Scope.READ,
    ("api_cache", "get"): Scope.READ,
    ("api_cache", "delete"): Scope.ADMIN,
    ("api_descriptions_bulk", "post"): Scope.WRITE,
    ("api_texts_bulk", "post"): Scope.WRITE,
    ("api_api_keys", "get"): Scope.ADMIN,
    ("api_api_keys", "post"): Scope.ADMIN,
    ("api_api_key", "get"): Scope.ADMIN,
    ("api_api_key", "patch"): Scope.ADMIN,
    ("api_api_key_revoke", "post"): Scope.ADMIN,
    ("api_api_key_rotate", "post"): Scope.ADMIN,
    ("api_api_key_end_previous", "post"): Scope.ADMIN,
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
    notice: Notice
    refinement: Refinement
    stream: Stream

    def argument(self, name: str) -> uuid.UUID:
        if name == "refinement_undo":
            return self.refinement.pk
        if name.startswith("product_") or name == "product":
            return self.product.pk
        if name.startswith("run_"):
            return self.run.pk
        if name.startswith("text_") or name == "text":
            return self.text.pk
        if name.startswith("api_key_"):
            return self.key.pk
        if name == "stream":
            return self.stream.pk
        if name == "alert_close":
            return self.notice.pk
        return self.catalogue.pk

    def page(self, name: str, slug: str | None = None) -> str:
        kwargs: dict[str, object] = {"slug": slug or self.workspace.slug}
        if name not in WITHOUT_ID:
            kwargs["pk"] = self.argument(name)
        if name in ("product_diff", "product_restore"):
            kwargs["version"] = 1
        return reverse(name, kwargs=kwargs)


def rows_of(workspace: Workspace) -> Rows:
    catalogue = make_catalogue(workspace)
    product = first_product(catalogue)
    run = make_run(catalogue)
    write_item(run.items.get(product=product).pk)
    key, _ = issue_key(workspace=workspace, name="Script", scopes=["read"])
    text = Text.objects.in_workspace(workspace).get(product=product)
    notice = Notice.objects.create(
        workspace=workspace,
        kind="quota",
        topic="quota/2026-11/80",
        details={"percent": 80, "used": 8, "limit": 10, "resets_at": "2026-12-01T00:00:00+00:00"},
    )
    refinement = Refinement.objects.create(
        workspace=workspace, product=product, basis=text, wish="Mention the warranty.", answer="There is none."
    )
    stream = Stream.objects.create(
        workspace=workspace,
        product=product,
        brief=text.brief,
        facts=facts_to_json(product_facts(product)),
        endpoint="page",
        state="done",
        text=text,
    )
    return Rows(workspace, catalogue, product, run, text, key, notice, refinement, stream)


@pytest.fixture
def rows(shop: Workspace) -> Rows:
    return rows_of(shop)


@pytest.fixture
def stranger(charlie: User, other_shop: Workspace, sign_in: SignIn) -> Client:
    return sign_in(charlie)


def send(client: Client, method: str, url: str) -> int:
    """The status of a request without a body."""
    call: Callable[..., Any] = getattr(client, method)
    json = {"content_type": "application/json"} if url.startswith("/api/") and method != "get" else {}
    response = call(url, **json)
    if response.streaming:
        b"".join(response)  # a download left half-read would keep its cursor open
    return int(response.status_code)


def state_of(rows: Rows) -> list[object]:
    """What must not change when somebody is turned away."""
    return [
        *Run.objects.in_workspace(rows.workspace).values(),
        *Text.objects.in_workspace(rows.workspace).values(),
        *Refinement.objects.in_workspace(rows.workspace).values(),
        *CachedText.objects.in_workspace(rows.workspace).order_by("key").values("key", "fields", "origin"),
        *Product.objects.in_workspace(rows.workspace).values("pk", "text"),
        *Catalogue.objects.in_workspace(rows.workspace).values(),
        *ApiKey.objects.in_workspace(rows.workspace).values("pk", "revoked_at"),
        *Notice.objects.in_workspace(rows.workspace).values("pk", "closed_at"),
        *Stream.objects.in_workspace(rows.workspace).values(),
        *Workspace.objects.filter(pk=rows.workspace.pk).values("alert_thresholds", "night_cap_nanos"),
        *CachedText.objects.in_workspace(rows.workspace).values("pk", "key"),
    ]


def test_every_route_is_in_the_tables() -> None:
    ours = {name for name in page_names(get_resolver().url_patterns) if not name.startswith("account_")}
    assert ours == set(OPEN) | set(STAFF) | set(PAGES) | {name for name, _ in OPERATIONS}


def test_every_operation_of_the_api_is_in_the_table() -> None:
    ours = {
        (pattern.name, method)
        for pattern in api_urls
        for method in ("get", "post", "put", "patch", "delete")
        if hasattr(pattern.callback.view_class, method)  # type: ignore[attr-defined]
    }
    assert ours == set(OPERATIONS)


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


def staff_page(name: str) -> str:
    return reverse(name, args=[1]) if name == "staff_try_model" else reverse(name)


@pytest.mark.django_db
def test_staff_pages_are_shut_to_a_shops_owner_and_to_visitors(alice: User, sign_in: SignIn) -> None:
    platform = Platform.objects.get()
    for client in (sign_in(alice), Client()):
        answers = {
            (name, method): send(client, method, staff_page(name)) for name in STAFF for method in ("get", "post")
        }
        assert answers == dict.fromkeys(answers, 302)
    assert Platform.objects.get().updated_at == platform.updated_at


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
def test_editors_may_write_but_not_see_keys_or_change_limits(rows: Rows, bob: User, sign_in: SignIn) -> None:
    client = sign_in(bob)
    answers = {name: send(client, method, rows.page(name)) for name, (_, method) in PAGES.items()}
    assert [name for name, status in answers.items() if status == 403] == [
        "checkout",
        "checkout_return",
        "plan_change",
        "plan_end",
        "plan_keep",
        "plan_overage",
        "billing_portal",
        "portal_return",
        "billing_invoices",
        "api_keys",
        "api_key_limits",
        "api_key_rotate",
        "api_key_end_previous",
        "api_key_revoke",
        "alert_thresholds",
    ]
    assert {name for name, status in answers.items() if status >= 500} == set()


@pytest.mark.django_db
def test_revoked_keys_stop_working_at_once(shop: Workspace, alice: User, sign_in: SignIn) -> None:
    key, secret = issue_key(workspace=shop, name="Script", scopes=["read"])
    client = Client(headers={"Authorization": f"Bearer {secret}"})
    assert client.get("/api/v1/usage").status_code == 200

    sign_in(alice).post(reverse("api_key_revoke", args=[shop.slug, key.pk]))

    assert client.get("/api/v1/usage").status_code == 401
