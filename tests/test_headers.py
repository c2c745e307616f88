"""What every page tells browsers and proxies: keep no copy, guess no type, frame it nowhere, run no foreign script."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import reverse

from accounts.models import User, Workspace
from tests.conftest import ApiClient, SignIn
from tests.test_deploy import PRODUCTION, manage
from tests.test_tenancy import OPERATIONS, PAGES, STAFF, Rows, rows_of, staff_page

ACCOUNT = (
    "account_email",
    "account_change_password",
    "account_logout",
    "account_reauthenticate",
    "mfa_index",
    "mfa_list_webauthn",
    "usersessions_list",
)
VISITORS = ("home", "pricing", "account_login", "account_signup", "account_reset_password", "health", "api_docs")
PUBLIC = {"api_docs"}  # what may be kept: it is the same for everybody


@pytest.fixture
def rows(shop: Workspace) -> Rows:
    return rows_of(shop)


def faults(name: str, response: Any) -> list[str]:
    """What a reply forgets to say."""
    if response.streaming:
        b"".join(response)
    found = []
    if "no-store" not in response.headers.get("Cache-Control", "") and name not in PUBLIC:
        found.append("may be kept")
    if response.headers.get("X-Content-Type-Options") != "nosniff":
        found.append("type may be guessed")
    if response.headers.get("X-Frame-Options") != "DENY":
        found.append("may be framed")
    if response.headers.get("Referrer-Policy") != "same-origin":
        found.append("tells other sites its address")
    policy = response.headers.get("Content-Security-Policy", "")
    if not name.startswith(("staff", "admin")) and not {"default-src 'self'", "frame-ancestors 'none'"} <= {
        part.strip() for part in policy.split(";")
    }:
        found.append("no policy")
    return found


def told(pages: dict[str, Any]) -> dict[str, list[str]]:
    return {name: missing for name, response in pages.items() if (missing := faults(name, response))}


@pytest.mark.django_db
def test_every_page_of_a_workspace_is_kept_nowhere_and_framed_nowhere(rows: Rows, alice: User, sign_in: SignIn) -> None:
    client = sign_in(alice)
    assert told({name: client.get(rows.page(name)) for name in PAGES}) == {}


@pytest.mark.django_db
def test_every_page_of_an_account_as_well(alice: User, sign_in: SignIn) -> None:
    client = sign_in(alice)
    assert told({name: client.get(reverse(name)) for name in ACCOUNT}) == {}


@pytest.mark.django_db
def test_what_visitors_see_as_well_and_what_is_not_there() -> None:
    pages = {name: Client().get(reverse(name)) for name in VISITORS}
    assert told(pages | {"nothing": Client().get("/nothing-here/")}) == {}


@pytest.mark.django_db
def test_every_reply_of_the_api_as_well(rows: Rows, api: ApiClient) -> None:
    client = api(rows.workspace, ["read"])
    replies = {f"{name} {method}": getattr(client, method)(rows.operation(name)) for name, method in OPERATIONS}
    assert told(replies) == {}


@pytest.mark.django_db
def test_staff_pages_as_well(staff: Client) -> None:
    pages = {name: staff.get(staff_page(name)) for name in STAFF}
    assert told(pages | {"admin:index": staff.get(reverse("admin:index"))}) == {}


@pytest.mark.django_db
def test_tokens_are_kept_nowhere(alice: User) -> None:
    body = {"email": alice.email, "password": "a long pass phrase"}
    reply = Client().post("/_allauth/app/v1/auth/login", body, content_type="application/json")
    assert told({"token": reply}) == {}


@pytest.mark.django_db
def test_over_tls_browsers_are_told_to_stay_there(settings: Any) -> None:
    settings.SECURE_HSTS_SECONDS = 31_536_000
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = settings.SECURE_HSTS_PRELOAD = True
    said = Client().get("/pricing/", secure=True).headers["Strict-Transport-Security"]
    assert said == "max-age=31536000; includeSubDomains; preload"


def test_production_means_tls_a_year_of_it_and_cookies_of_this_host_alone(tmp_path: Path) -> None:
    names = (
        "SECURE_SSL_REDIRECT",
        "SECURE_HSTS_SECONDS",
        "SESSION_COOKIE_NAME",
        "CSRF_COOKIE_NAME",
        "STAFF_NEED_SECOND_FACTOR",
        "MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN",
        "SIGN_UPS_AT_ONCE",
    )
    script = f"from django.conf import settings; print([getattr(settings, name) for name in {names}])"
    key = secrets.token_urlsafe(50)
    done = manage("shell", "-v", "0", "-c", script, local=tmp_path, SECRET_KEY=key, **PRODUCTION)
    wanted = "[True, 31536000, '__Host-sessionid', '__Host-csrftoken', True, False, 3]"
    assert done.stdout.strip().endswith(wanted), done.stderr


def test_a_deployment_whose_staff_need_no_factor_is_refused(tmp_path: Path) -> None:
    lax = {**PRODUCTION, "STAFF_NEED_SECOND_FACTOR": "false"}
    done = manage("check", "--deploy", local=tmp_path, SECRET_KEY=secrets.token_urlsafe(50), **lax)
    assert done.returncode != 0
    assert "accounts.E001" in done.stderr


def test_the_script_that_passkeys_need_comes_from_this_site() -> None:
    assert finders.find("mfa/js/webauthn-json.js")
    script = Path(settings.BASE_DIR, "static", "js", "passkeys.js").read_text()
    assert "https://" not in script
