-- What is spent and held of every budget, against the ledger lines and the open holds of its reservations.
WITH booked AS (
    SELECT budget_id, sum(lines.cost) AS spent,
           sum(r.amount_nanos) FILTER (WHERE r.state IN ('held', 'dispatched')) AS held
      FROM accounts_reservation r
     CROSS JOIN LATERAL unnest(r.budget_ids) AS budget_id
      LEFT JOIN (SELECT reservation_id, sum(cost_nanos) AS cost FROM accounts_usageentry
                  WHERE occurred_at >= %(since)s GROUP BY reservation_id) lines ON lines.reservation_id = r.id
     WHERE r.created_at >= %(since)s
     GROUP BY budget_id
)
SELECT b.scope || ' budget ' || b.id AS what,
       'spent ' || b.spent_nanos || ', held ' || b.reserved_nanos AS found,
       'spent ' || COALESCE(booked.spent, 0) || ', held ' || COALESCE(booked.held, 0) AS expected
  FROM accounts_budget b LEFT JOIN booked ON booked.budget_id = b.id
 WHERE b.period_start >= %(since)s
