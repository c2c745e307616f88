from __future__ import annotations

from django.dispatch import Signal

# Sent with `workspace` after a workspace of a new user was created, inside the same transaction.
workspace_created = Signal()
