from __future__ import annotations

from django.dispatch import Signal

# Sent with `workspace` after a workspace of a new user was created, inside the same transaction.
workspace_created = Signal()

# Sent with `workspace` and `previous_plan` (its slug) after the plan or the standing changed, inside the same
# transaction.
plan_changed = Signal()

# Sent with `notice`, of a budget's or quota's threshold, before it is mailed; again when mailing it is tried again.
alert_raised = Signal()
# Sent with `workspace`, `actor` (User), `action`, `email` of whom it is about and `details`, inside the transaction
# that changes it. Actions: invited, invitation_revoked, joined, role_changed, removed, left, ownership_given.
people_changed = Signal()

# Sent with `answers`, each a UsageEntry and the line it came in (accounts.metering.Line), after free answers have
# entered the ledger, inside the same transaction. Each answer is sent once.
free_answers_entered = Signal()

# Sent with `impersonation` (the row, with `staff`, `user` and `reason`) when a member of the staff begins to see the
# product as somebody else, and when that ends, inside the transaction that says so.
impersonation_began = Signal()
impersonation_ended = Signal()
# Sent with `workspace` when its deletion was asked for, inside the same transaction: from now on it is read-only.
workspace_closing = Signal()

# Sent with `workspace` before its rows go for good, outside of any transaction, and again whenever that goes on after a
# stop. A receiver that cannot do its part now raises a DomainError, and the workspace stays until it can.
workspace_erasing = Signal()
