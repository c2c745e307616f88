"""Where the second wall can be passed, nothing serves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection

from contentopt.database.base import DatabaseWrapper
from contentopt.database.wall import WallMissing
from contentopt.tenancy import outside_workspaces


def as_owner(statement: str) -> None:
    wrapper: Any = connection
    with wrapper.as_owner(), outside_workspaces(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.fixture(scope="module")
def gap(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """One table whose owner its policy does not bind. Of the module: it stands before a test's transaction begins."""
    with django_db_blocker.unblock():
        connection.ensure_connection()  # the tests' own, let in before
        as_owner("ALTER TABLE generation_text NO FORCE ROW LEVEL SECURITY")
    yield
    with django_db_blocker.unblock():
        as_owner("ALTER TABLE generation_text FORCE ROW LEVEL SECURITY")


def connect(**options: str) -> None:
    given = {name: value for name, value in connection.settings_dict["OPTIONS"].items() if name != "pool"}
    own = DatabaseWrapper({**connection.settings_dict, "OPTIONS": given | options}, alias="default")
    with closing(own):
        own.ensure_connection()


@pytest.mark.django_db
def test_an_address_that_enters_by_itself_is_refused() -> None:
    connect()
    with pytest.raises(WallMissing, match="take that out"):
        connect(options="-c app.workspace_id=across")


@pytest.mark.django_db
def test_no_new_connection_serves_while_a_table_is_without(gap: None) -> None:
    with pytest.raises(WallMissing, match="generation_text: run"):
        connect()


@pytest.mark.django_db
def test_the_check_says_so(gap: None) -> None:
    with pytest.raises(SystemCheckError, match=r"contentopt\.E010.*generation_text"):
        call_command("check", databases=["default"])
