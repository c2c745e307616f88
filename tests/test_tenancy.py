"""Every route of the app, for everyone. A route that is missing here fails."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.test import Client
from django.urls import NoReverseMatch, get_resolver, resolve, reverse

from accounts.models import (
    PLATFORM_WORKSPACE_ID,
    ApiKey,
    Archive,
    AuditEntry,
    Invitation,
    Membership,
    Notice,
    Platform,
    Role,
    Scope,
    User,
    Workspace,
)
from accounts.permissions import ROLE_SCOPES
from accounts.services.archives import link_of
from accounts.services.keys import issue_key
from generation.api import urlpatterns as api_urls
from generation.engine.items import write_item
from generation.engine.storing import product_facts
from generation.facts import facts_to_json
from generation.models import CachedText, Catalogue, Comment, Product, Refinement, Run, Stream, Text
from tests.conftest import SignIn, member
from tests.factories import first_product, make_catalogue, make_run
from tests.test_architecture import page_names
from webhooks.models import Delivery, Endpoint, Event
from webhooks.services import create_endpoint, send_test

# Open to everybody, with the reason.
OPEN = {
    "home": "landing page",
    "health": "for load balancers",
    "metrics": "for Prometheus, with a token of its own; closed without one",
    "pricing": "public",
    "stripe_webhook": "Stripe's doorbell, which takes what Stripe signed",
    "invitation": "a signed link in a mail, which lets in the address it was sent to",
    "unsubscribe": "a signed link in a mail, whose one effect is to stop that mail",
    "token_login": "where programs sign in for a person",
    "token_factor": "the second step of that, in a session that has taken the first",
    "token_session": "tells and ends the session of the token that is presented, and no other",
    "token_refresh": "takes a refresh token, once",
    "landing_try": "works before sign-up, limited by address",
    "try_result": "what came of it, for whoever has its unguessable address",
    "try_stream": "the same while it is written",
    "openapi": "the API's document",
    "api_docs": "the page that shows it",
}

# For whoever is signed in, in whatever workspace or none, about themselves alone.
SIGNED_IN = {
    "workspace_new": "makes a workspace of one's own",
    "impersonation_stop": "ends what one has begun oneself",
}
# Of allauth, and of ours beside them: about the account of whoever asks (tests/accounts/ has them).
ACCOUNT = ("account_", "mfa_", "usersessions_")

# For staff, across workspaces; everybody else is sent to sign in, owners of shops too.
STAFF = {
    "staff_open": "asks why, before a shop's row is shown",
    "staff_money": "margins and spend",
    "staff_money_csv": "the same as a file",
    "staff_switch": "stops every paid call",
    "staff_impersonate": "sees the product as somebody else",
    "staff_nights": "what is written ahead tonight, and was",
    "staff_night_start": "writes it at once",
    "staff_models": "how models do",
    "staff_try_model": "one request to a model, which the platform pays",
}

# One's own, wherever one is a member.
PERSONAL = {"delete_account": "asks for the password first"}

# More than its scope is asked for: that it is one's own.
ONES_OWN = {
    "comment_edit": "whoever wrote the comment",
    "comment_delete": "whoever wrote the comment, and who runs the workspace",
    "archive_download": "whom the link was made for",
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
    "text_submit": (Scope.WRITE, "post"),
    "text_approve": (Scope.APPROVE, "post"),
    "text_reopen": (Scope.WRITE, "post"),
    "text_comment": (Scope.WRITE, "post"),
    "comment_edit": (Scope.WRITE, "get"),
    "comment_delete": (Scope.WRITE, "post"),
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
    "products_review": (Scope.WRITE, "get"),
    "products_submit": (Scope.WRITE, "post"),
    "products_approve": (Scope.APPROVE, "post"),
    "products_reopen": (Scope.WRITE, "post"),
    "products_assign": (Scope.WRITE, "post"),
    "product": (Scope.READ, "get"),
    "product_assign": (Scope.WRITE, "post"),
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
    "export_rule": (Scope.ADMIN, "post"),
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
    "webhooks": (Scope.WEBHOOKS, "get"),
    "webhook_new": (Scope.WEBHOOKS, "get"),
    "webhook_events": (Scope.WEBHOOKS, "get"),
    "webhook_endpoint": (Scope.WEBHOOKS, "get"),
    "webhook_edit": (Scope.WEBHOOKS, "get"),
    "webhook_rotate": (Scope.WEBHOOKS, "post"),
    "webhook_switch": (Scope.WEBHOOKS, "post"),
    "webhook_delete": (Scope.WEBHOOKS, "post"),
    "webhook_test": (Scope.WEBHOOKS, "post"),
    "webhook_replay_failed": (Scope.WEBHOOKS, "post"),
    "webhook_delivery": (Scope.WEBHOOKS, "get"),
    "webhook_replay": (Scope.WEBHOOKS, "post"),
    "api_guide": (Scope.READ, "get"),
    "alerts": (Scope.READ, "get"),
    "alert_thresholds": (Scope.BILLING, "post"),
    "alert_close": (Scope.WRITE, "post"),
    "archives": (Scope.ADMIN, "get"),
    "archive_download": (Scope.ADMIN, "get"),
    "audit_log": (Scope.ADMIN, "get"),
    "audit_csv": (Scope.ADMIN, "get"),
    "data_retention": (Scope.ADMIN, "get"),
    "workspace_delete": (Scope.BILLING, "get"),
    "workspace_restore": (Scope.BILLING, "post"),
    "people": (Scope.READ, "get"),
    "people_invite": (Scope.ADMIN, "post"),
    "member_role": (Scope.ADMIN, "post"),
    "member_remove": (Scope.ADMIN, "post"),
    "member_own": (Scope.BILLING, "post"),
    "invitation_resend": (Scope.ADMIN, "post"),
    "invitation_revoke": (Scope.ADMIN, "post"),
    "people_leave": (Scope.READ, "post"),  # the last, for whoever has called it is out
}

WITHOUT_ID = {"workspace_home", "plan", "products", "import_new", "run_new", "run_list", "api_keys", "api_guide"}
WITHOUT_ID |= {"usage", "usage_table_csv", "usage_ledger", "usage_csv", "usage_caps", "usage_cache", "usage_nights"}
WITHOUT_ID |= {"alerts", "alert_thresholds", "webhooks", "webhook_new", "webhook_events"}
WITHOUT_ID |= {"people", "people_invite", "people_leave"}
WITHOUT_ID |= {"archives", "audit_log", "audit_csv", "data_retention", "workspace_delete", "workspace_restore"}
WITHOUT_ID |= {"products_review", "products_submit", "products_approve", "products_reopen", "products_assign"}
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
    ("api_text_review", "post"): Scope.WRITE,
    ("api_text_approve", "post"): Scope.APPROVE,
    ("api_text_reopen", "post"): Scope.WRITE,
    ("api_text_comments", "get"): Scope.READ,
    ("api_text_comments", "post"): Scope.WRITE,
    ("api_comment", "get"): Scope.READ,
    ("api_comment", "patch"): Scope.WRITE,
    ("api_comment", "delete"): Scope.WRITE,
    ("api_products", "get"): Scope.READ,
    ("api_product", "get"): Scope.READ,
    ("api_product", "patch"): Scope.WRITE,
    ("api_product_comments", "get"): Scope.READ,
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
    ("api_webhook_endpoints", "get"): Scope.WEBHOOKS,
    ("api_webhook_endpoints", "post"): Scope.WEBHOOKS,
    ("api_webhook_endpoint", "get"): Scope.WEBHOOKS,
    ("api_webhook_endpoint", "patch"): Scope.WEBHOOKS,
    ("api_webhook_endpoint", "delete"): Scope.WEBHOOKS,
    ("api_webhook_endpoint_rotate", "post"): Scope.WEBHOOKS,
    ("api_webhook_endpoint_test", "post"): Scope.WEBHOOKS,
    ("api_webhook_endpoint_replay_failed", "post"): Scope.WEBHOOKS,
    ("api_webhook_deliveries", "get"): Scope.WEBHOOKS,
    ("api_webhook_delivery", "get"): Scope.WEBHOOKS,
    ("api_webhook_delivery_replay", "post"): Scope.WEBHOOKS,
    ("api_descriptions_bulk", "post"): Scope.WRITE,
    ("api_texts_bulk", "post"): Scope.WRITE,
    ("api_api_keys", "get"): Scope.ADMIN,
    ("api_api_keys", "post"): Scope.ADMIN,
    ("api_api_key", "get"): Scope.ADMIN,
    ("api_api_key", "patch"): Scope.ADMIN,
    ("api_api_key_revoke", "post"): Scope.ADMIN,
    ("api_api_key_rotate", "post"): Scope.ADMIN,
    ("api_api_key_end_previous", "post"): Scope.ADMIN,
    ("api_archives", "get"): Scope.ADMIN,
    ("api_archives", "post"): Scope.ADMIN,
    ("api_archive", "get"): Scope.ADMIN,
    ("api_archive_file", "get"): Scope.ADMIN,
    ("api_audit", "get"): Scope.ADMIN,
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
    delivery: Delivery
    member: Membership
    invitation: Invitation
    archive: Archive
    comment: Comment

    def argument(self, name: str) -> uuid.UUID:
        """By what the name begins with: the longest beginning counts, and else it is of the catalogue."""
        rows: dict[str, Any] = {
            "member_": self.member,
            "invitation_": self.invitation,
            "refinement_": self.refinement,
            "comment_": self.comment,
            "product": self.product,
            "run": self.run,
            "text": self.text,
            "api_key": self.key,
            "stream": self.stream,
            "webhook_": self.delivery.endpoint,
            "webhook_deliver": self.delivery,
            "webhook_replay": self.delivery,
            "webhook_replay_failed": self.delivery.endpoint,
            "alert_close": self.notice,
            "archive": self.archive,
        }
        fitting = [start for start in rows if name.startswith(start)]
        row = rows[max(fitting, key=len)] if fitting else self.catalogue
        return uuid.UUID(str(row.pk))

    def operation(self, name: str) -> str:
        try:
            return reverse(name)
        except NoReverseMatch:
            return reverse(name, kwargs={"pk": self.argument(name.removeprefix("api_"))})

    def page(self, name: str, slug: str | None = None) -> str:
        kwargs: dict[str, object] = {"slug": slug or self.workspace.slug}
        if name not in WITHOUT_ID:
            kwargs["pk"] = self.argument(name)
        if name in ("product_diff", "product_restore"):
            kwargs["version"] = 1
        if name == "archive_download":
            kwargs["token"] = link_of(self.archive, owner_of(self.workspace)).split("/")[-2]
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
    endpoint, _ = create_endpoint(
        workspace=workspace, url="https://hooks.alder-goods.com/", event_types=["run.finished"]
    )
    delivery = send_test(endpoint)
    mona = User.objects.create_user(f"mona@{workspace.slug}.example")
    membership = Membership.objects.create(workspace=workspace, user=mona, role=Role.EDITOR)
    invitation = Invitation.objects.create(workspace=workspace, email="nora@alder-goods.example", role=Role.VIEWER)
    archive = Archive.objects.create(workspace=workspace, state="done", percent=100)
    comment = Comment.objects.create(workspace=workspace, text=text, words="Is it linen?")
    return Rows(
        workspace,
        catalogue,
        product,
        run,
        text,
        key,
        notice,
        refinement,
        stream,
        delivery,
        membership,
        invitation,
        archive,
        comment,
    )


def owner_of(workspace: Workspace) -> User:
    return Membership.objects.in_workspace(workspace).filter(role="owner").order_by("created_at")[0].user


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
        *Product.objects.in_workspace(rows.workspace).values("pk", "text", "assignee"),
        *Comment.objects.in_workspace(rows.workspace).values(),
        *Catalogue.objects.in_workspace(rows.workspace).values(),
        *ApiKey.objects.in_workspace(rows.workspace).values("pk", "revoked_at"),
        *Notice.objects.in_workspace(rows.workspace).values("pk", "closed_at"),
        *Stream.objects.in_workspace(rows.workspace).values(),
        *Membership.objects.in_workspace(rows.workspace).order_by("pk").values(),
        *Invitation.objects.in_workspace(rows.workspace).values(),
        *Workspace.objects.filter(pk=rows.workspace.pk).values(
            "alert_thresholds", "night_cap_nanos", "closes_at", "exports_only_approved"
        ),
        *Archive.objects.in_workspace(rows.workspace).values(),
        *AuditEntry.objects.in_workspace(rows.workspace)
        .exclude(action="key.created")
        .exclude(action__startswith="download.")  # a viewer may, and it is written down
        .values(),
        *CachedText.objects.in_workspace(rows.workspace).values("pk", "key"),
        *Endpoint.objects.in_workspace(rows.workspace).values(),
        *Delivery.objects.in_workspace(rows.workspace).values(),
        *Event.objects.in_workspace(rows.workspace).values(),
    ]


def test_every_route_is_in_the_tables() -> None:
    ours = {name for name in page_names(get_resolver().url_patterns) if not name.startswith(ACCOUNT)}
    assert ours == set(OPEN) | set(SIGNED_IN) | set(PERSONAL) | set(STAFF) | set(PAGES) | {
        name for name, _ in OPERATIONS
    }


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
    arguments: dict[str, list[Any]] = {
        "staff_try_model": [1],
        "staff_impersonate": [uuid.uuid4()],
        "staff_open": [PLATFORM_WORKSPACE_ID],
    }
    return reverse(name, args=arguments.get(name))


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
    assert {send(Client(), method, reverse(name)) for name in SIGNED_IN for method in ("get", "post")} == {302}


@pytest.mark.django_db
def test_viewers_may_read_and_nothing_more(rows: Rows, vera: User, sign_in: SignIn) -> None:
    before = state_of(rows)
    pages = {name: page for name, page in PAGES.items() if name != "people_leave"}
    answers = {name: send(sign_in(vera), method, rows.page(name)) for name, (_, method) in pages.items()}
    assert answers == {name: 200 if scope == Scope.READ else 403 for name, (scope, _) in pages.items()}
    assert state_of(rows) == before


@pytest.mark.django_db
@pytest.mark.parametrize("role", Role.values)
def test_pages_are_open_to_a_role_as_the_table_says(rows: Rows, role: Role, sign_in: SignIn) -> None:
    person = member(rows.workspace, "role@alder-goods.example", role)
    EmailAddress.objects.create(user=person, email=person.email, verified=True)  # else they could invite nobody
    client = sign_in(person)
    answers = {name: send(client, method, rows.page(name)) for name, (_, method) in PAGES.items()}
    refused = {name for name, status in answers.items() if status == 403}
    # With nothing in the form, an invitation is refused for its fields and a role for being none.
    assert refused - set(ONES_OWN) == {
        name for name, (scope, _) in PAGES.items() if scope not in ROLE_SCOPES[role] and name not in ONES_OWN
    }
    assert 500 not in answers.values()  # 503 is a payment page's without Stripe


@pytest.mark.django_db
@pytest.mark.parametrize("role", Role.values)
def test_pages_offer_nothing_that_the_role_would_be_refused(rows: Rows, role: Role, sign_in: SignIn) -> None:
    """Every address in a page, of a link, a form or htmx, is one that this person is let through to."""
    client = sign_in(member(rows.workspace, "role@alder-goods.example", role))
    readable = [name for name, (scope, method) in PAGES.items() if scope in ROLE_SCOPES[role] and method == "get"]
    offered: set[tuple[str, str]] = set()
    for name in readable:
        response: Any = client.get(rows.page(name))
        if response.streaming:
            b"".join(response)  # a download, which offers nothing
        else:
            for address in re.findall(r"(?:href|action|hx-[a-z]+)=\"(/w/[^\"?#]*)", response.content.decode()):
                offered.add((name, resolve(address).url_name or ""))
    assert len(offered) > 50
    assert {pair for pair in offered if pair[1] in PAGES and PAGES[pair[1]][0] not in ROLE_SCOPES[role]} == set()
