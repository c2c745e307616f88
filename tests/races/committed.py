"""A database that other processes see: nothing is rolled back, so what a test leaves is deleted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from accounts.models import (
    PLATFORM_WORKSPACE_ID,
    Budget,
    Notice,
    Reconciliation,
    Reservation,
    RollupMark,
    UsageEntry,
    UsageRollup,
    User,
    Workspace,
)
from contentopt.database.roles import as_owner
from generation.models import EconomyOutcome, LlmModel


@pytest.fixture
def db(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """In place of pytest-django's, under the cast's fixtures too."""
    with django_db_blocker.unblock():
        try:
            yield
        finally:
            for model in (Budget, Reservation, UsageEntry, UsageRollup, Notice):  # the platform's own among them
                model.objects.across_workspaces().delete()
            LlmModel.objects.update(refused_at=None, refusal="")
            EconomyOutcome.objects.all().delete()
            RollupMark.objects.all().delete()
            Reconciliation.objects.all().delete()
            # What nothing else may do to it.
            with as_owner(connection.alias), connection.cursor() as cursor:
                cursor.execute("TRUNCATE accounts_auditentry")
            Workspace.objects.exclude(pk=PLATFORM_WORKSPACE_ID).delete()  # that one comes with the migrations
            User.objects.all().delete()
