from __future__ import annotations

from django.dispatch import Signal

# Sent with `workspace` after a workspace of a new user was created, inside the same transaction.
workspace_created = Signal()

# Sent with `answers`, each a UsageEntry and the line it came in (accounts.metering.Line), after free answers have
# entered the ledger, inside the same transaction. Each answer is sent once.
free_answers_entered = Signal()

# Sent with `impersonation` (the row, with `staff`, `user` and `reason`) when a member of the staff begins to see the
# product as somebody else, and when that ends, inside the transaction that says so.
impersonation_began = Signal()
impersonation_ended = Signal()
