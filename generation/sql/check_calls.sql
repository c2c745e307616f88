-- Every model call cost what its ledger lines come to, and every line of an attempt has its call. What changed in the
-- last quarter of an hour is left to the next time: a call and its hold may be closed one after the other. Calls that
-- name no text are older than the ledger.
SELECT 'model call ' || c.id AS what, 'cost ' || c.cost_nanos AS found,
       'cost ' || COALESCE(sum(e.cost_nanos), 0) AS expected
  FROM generation_llmcall c LEFT JOIN accounts_usageentry e ON e.reservation_id = c.id
 WHERE c.created_at >= %(since)s AND c.text_id IS NOT NULL
 GROUP BY c.id
HAVING GREATEST(c.created_at, c.finished_at, max(e.recorded_at)) < statement_timestamp() - interval '15 minutes'
UNION ALL
SELECT 'ledger line ' || e.id, 'no model call', 'model call ' || e.reservation_id
  FROM accounts_usageentry e
 WHERE e.reservation_id IS NOT NULL AND e.occurred_at >= %(since)s
   AND e.recorded_at < statement_timestamp() - interval '15 minutes'
   AND NOT EXISTS (SELECT FROM generation_llmcall c WHERE c.id = e.reservation_id)
