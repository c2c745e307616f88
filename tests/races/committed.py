"""A database that other processes see: nothing is rolled back, so what a test leaves is deleted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from accounts.models import User, Workspace
from generation.services.visitors import PUBLIC_WORKSPACE_ID


@pytest.fixture
def db(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """In place of pytest-django's, under the cast's fixtures too."""
    with django_db_blocker.unblock():
        try:
            yield
        finally:
            Workspace.objects.exclude(pk=PUBLIC_WORKSPACE_ID).delete()  # that one comes with the migrations
            User.objects.all().delete()
