from __future__ import annotations

from django.dispatch import Signal

# Sent with `workspace` after a workspace of a new user was created, inside the same transaction.
workspace_created = Signal()

# Sent with `workspace`, `actor` (User), `action`, `email` of whom it is about and `details`, inside the transaction
# that changes it. Actions: invited, invitation_revoked, joined, role_changed, removed, left, ownership_given.
people_changed = Signal()

# Sent with `answers`, each a UsageEntry and the line it came in (accounts.metering.Line), after free answers have
# entered the ledger, inside the same transaction. Each answer is sent once.
free_answers_entered = Signal()
