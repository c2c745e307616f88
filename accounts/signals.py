from __future__ import annotations

from django.dispatch import Signal

# Sent with `workspace` after a workspace of a new user was created, inside the same transaction.
workspace_created = Signal()

# Sent with `answers`, each a UsageEntry and the line it came in (accounts.metering.Line), after free answers have
# entered the ledger, inside the same transaction. Each answer is sent once.
free_answers_entered = Signal()

# Sent with `workspace` when its deletion was asked for, inside the same transaction: from now on it is read-only.
workspace_closing = Signal()

# Sent with `workspace` before its rows go for good, outside of any transaction, and again whenever that goes on after a
# stop. A receiver that cannot do its part now raises a DomainError, and the workspace stays until it can.
workspace_erasing = Signal()
