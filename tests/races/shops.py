"""A workspace that other processes see: committed, and removed at the end of the test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from accounts.models import User, Workspace
from accounts.services.workspaces import create_workspace


@pytest.fixture
def committed_shop(django_db_setup: None, django_db_blocker: Any) -> Iterator[Workspace]:
    with django_db_blocker.unblock():
        owner = User.objects.create_user("owner@linden-tools.example", "a long pass phrase")
        shop = create_workspace(owner=owner, name="Linden Tools", plan="internal")
        try:
            yield shop
        finally:
            shop.delete()
            owner.delete()
