"""The sweeps of `test_tenancy` once more with either wall down: each holds by itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from accounts.models import TenantQuerySet
from contentopt.database.base import DatabaseWrapper
from contentopt.tenancy import ACROSS, entered, outside_workspaces
from tests.test_architecture import tenant_models
from tests.test_tenancy import (
    rows,
    stranger,
    test_another_workspaces_ids_are_404_in_ones_own,
    test_strangers_get_404_on_every_page_and_change_nothing,
)
from tests.test_tenancy_api import (
    ours,
    secret,
    test_another_tenants_ids_find_nothing_wherever_they_stand,
    test_what_one_does_with_ones_own_neither_tells_nor_touches_anything_of_the_other,
    theirs,
)

__all__ = [
    "ours",
    "rows",
    "secret",
    "stranger",
    "test_another_tenants_ids_find_nothing_wherever_they_stand",
    "test_another_workspaces_ids_are_404_in_ones_own",
    "test_strangers_get_404_on_every_page_and_change_nothing",
    "test_what_one_does_with_ones_own_neither_tells_nor_touches_anything_of_the_other",
    "theirs",
]


named = TenantQuerySet.in_workspace


def forgetful(rows: TenantQuerySet[Any], workspace: Any) -> TenantQuerySet[Any]:
    """`in_workspace` without its filter, for requests. The test itself looks at rows as ever."""
    if entered() == ACROSS:
        return named(rows, workspace)
    found = rows.all()
    found._is_scoped = True
    return found


@pytest.fixture(scope="module", params=["policies alone", "filters alone"])
def one_wall(request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """Of the module, so that it stands before a test's transaction begins."""
    if request.param == "policies alone":
        yield request.param
        return
    with pytest.MonkeyPatch.context() as admission:
        # As it is, the product lets nobody in any more, nor the heart that extends leases while a request takes long.
        admission.setattr(DatabaseWrapper, "_require_wall", lambda *_: None)
        with django_db_blocker.unblock():
            switch_policies("DISABLE")
        try:
            yield request.param
        finally:
            with django_db_blocker.unblock():
                switch_policies("ENABLE")


@pytest.fixture(autouse=True)
def _one_wall(one_wall: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    for cast in {"rows", "ours", "theirs"} & set(request.fixturenames):  # they are there before a wall goes
        request.getfixturevalue(cast)
    if one_wall == "policies alone":
        monkeypatch.setattr(TenantQuerySet, "in_workspace", forgetful)


def switch_policies(how: str) -> None:
    wrapper: Any = connection
    with wrapper.as_owner(), outside_workspaces(), connection.cursor() as cursor:
        for model in tenant_models():
            cursor.execute(f"ALTER TABLE {model._meta.db_table} {how} ROW LEVEL SECURITY")
