-- Sum the ledger up by {grain}: every workspace's {grain}s that have a line recorded since one moment, of what occurred
-- since another. A {grain} is always summed whole, as far as it was recorded by `until`, so doing it twice changes
-- nothing. The lateral join reads each of them through the index, however long the ledger is.
WITH touched AS (
    SELECT DISTINCT workspace_id, date_trunc('{grain}', occurred_at, 'UTC') AS start
      FROM accounts_usageentry
     WHERE recorded_at >= %(recorded_since)s AND recorded_at <= %(until)s AND occurred_at >= %(since)s
)
INSERT INTO accounts_usagerollup AS known (
    id, workspace_id, grain, start, user_id, api_key_id, run_id, endpoint, provider, model_id, tier, source,
    answers, calls, input_tokens, cached_tokens, cache_write_tokens, output_tokens, cost_nanos, saved_nanos)
SELECT gen_random_uuid(), touched.workspace_id, '{grain}', touched.start, summed.* FROM touched
 CROSS JOIN LATERAL (
    SELECT user_id, api_key_id, run_id, endpoint, provider, model_id, tier, source,
           sum(answers), sum(calls), sum(input_tokens), sum(cached_tokens), sum(cache_write_tokens),
           sum(output_tokens), sum(cost_nanos), sum(saved_nanos)
      FROM {source}
     WHERE workspace_id = touched.workspace_id AND {is_source}
       AND {moment} >= touched.start AND {moment} < touched.start + interval '{length}'
     GROUP BY user_id, api_key_id, run_id, endpoint, provider, model_id, tier, source
 ) summed
ON CONFLICT (workspace_id, grain, start, user_id, api_key_id, run_id, endpoint, provider, model_id, tier, source)
DO UPDATE SET
    answers = EXCLUDED.answers, calls = EXCLUDED.calls, input_tokens = EXCLUDED.input_tokens,
    cached_tokens = EXCLUDED.cached_tokens, cache_write_tokens = EXCLUDED.cache_write_tokens,
    output_tokens = EXCLUDED.output_tokens, cost_nanos = EXCLUDED.cost_nanos, saved_nanos = EXCLUDED.saved_nanos
WHERE (known.answers, known.calls, known.input_tokens, known.cached_tokens, known.cache_write_tokens,
       known.output_tokens, known.cost_nanos, known.saved_nanos)
   IS DISTINCT FROM
      (EXCLUDED.answers, EXCLUDED.calls, EXCLUDED.input_tokens, EXCLUDED.cached_tokens, EXCLUDED.cache_write_tokens,
       EXCLUDED.output_tokens, EXCLUDED.cost_nanos, EXCLUDED.saved_nanos)
