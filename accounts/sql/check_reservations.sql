-- Every reservation has the lines that its state demands, and they come to its cost; no cost is without a reservation.
-- Only an attempt that was never sent leaves no line.
SELECT 'reservation ' || r.id || ' (' || r.state || ')' AS what,
       COALESCE(lines.bases, 'no line') || ', cost ' || COALESCE(lines.cost, 0) AS found,
       CASE WHEN r.state = 'corrected' THEN 'ceiling + correction'
            WHEN r.state IN ('held', 'dispatched') OR (r.dispatched_at IS NULL AND r.cost_nanos = 0) THEN 'no line'
            WHEN r.state = 'committed' THEN 'ceiling'
            ELSE 'exact' END || ', cost ' || r.cost_nanos AS expected
  FROM accounts_reservation r
  LEFT JOIN (SELECT reservation_id, string_agg(basis, ' + ' ORDER BY entry_no) AS bases, sum(cost_nanos) AS cost
               FROM accounts_usageentry WHERE occurred_at >= %(since)s GROUP BY reservation_id
            ) lines ON lines.reservation_id = r.id
 WHERE r.created_at >= %(since)s
UNION ALL
SELECT 'ledger line ' || e.id, 'cost ' || e.cost_nanos || ' without a reservation', 'a reservation'
  FROM accounts_usageentry e
 WHERE e.occurred_at >= %(since)s AND (e.reservation_id IS NOT NULL OR e.cost_nanos <> 0)
   AND NOT EXISTS (SELECT FROM accounts_reservation r WHERE r.id = e.reservation_id)
