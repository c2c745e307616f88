"""What must be true of every budget at any instant, as one statement."""

from __future__ import annotations

# One statement is one snapshot: what is reserved must be what open holds add up to, at any instant.
WATCH = """
SELECT b.id, b.spent_nanos + b.reserved_nanos, b.limit_nanos + b.overdraft_nanos, b.reserved_nanos,
       COALESCE((SELECT sum(r.amount_nanos) FROM accounts_reservation r
                  WHERE r.state IN ('held', 'dispatched') AND b.id = ANY(r.budget_ids)), 0)
  FROM accounts_budget b
"""
