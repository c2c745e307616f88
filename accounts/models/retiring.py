from __future__ import annotations

from django.db import models
from django.db.models.functions import Now


class Retirement(models.Model):
    """A name in Valkey whose value a committed change has made wrong.

    Written by triggers in the transaction of the change, so that a change by a page, staff, SQL or a cascade is
    noticed alike, and a process that dies after it, or Valkey being away, forgets none. `accounts.retiring` acts on it.
    """

    id = models.BigAutoField(primary_key=True)
    name = models.CharField(max_length=200)
    floor = models.BigIntegerField(null=True, help_text="Only what ends by then (Unix ms) is wrong; empty: whatever.")
    is_done = models.BooleanField(default=False, db_default=False)
    changed_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=("id",), name="retirement_to_do", condition=models.Q(is_done=False))]
