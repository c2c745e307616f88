from __future__ import annotations

from itertools import pairwise

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Role, Scope, User, Workspace
from accounts.permissions import ROLE_SCOPES
from tests.conftest import ApiClient, SignIn


@pytest.mark.parametrize(
    ("role", "scopes"),
    [
        (Role.VIEWER, {"read"}),
        (Role.EDITOR, {"read", "write"}),
        (Role.ADMIN, {"read", "write", "approve", "admin", "webhooks"}),
        (Role.OWNER, {"read", "write", "approve", "admin", "billing", "webhooks"}),
    ],
)
def test_each_role_may_what_the_table_says(role: Role, scopes: set[str]) -> None:
    assert ROLE_SCOPES[role] == scopes


def test_every_role_is_in_the_table_and_no_other() -> None:
    assert set(ROLE_SCOPES) == set(Role.values)


def test_a_higher_role_may_all_that_a_lower_one_may() -> None:
    ladder = [ROLE_SCOPES[role] for role in (Role.VIEWER, Role.EDITOR, Role.ADMIN, Role.OWNER)]
    assert all(lower < higher for lower, higher in pairwise(ladder))
    assert ladder[-1] == set(Scope.values)


@pytest.mark.django_db
def test_what_is_refused_is_logged_with_its_address(
    shop: Workspace, vera: User, sign_in: SignIn, api: ApiClient, caplog: pytest.LogCaptureFixture
) -> None:
    page, path = reverse("api_keys", args=[shop.slug]), "/api/v1/budget"
    sign_in(vera).get(page)
    api(shop, ["read"]).put(path, {"limit_usd": "5"}, content_type="application/json")
    Client().get(path)
    said = [record.getMessage() for record in caplog.records if record.name == "django.request"]
    assert said == [f"Forbidden: {page}", f"Forbidden: {path}", f"Unauthorized: {path}"]
