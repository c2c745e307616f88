-- Hours against the ledger, days against hours, each sum of each. An hour with a line of the last hour is left to the
-- next time: rolling up may not have come to it.
WITH both_sides AS (
    SELECT 'expected' AS side, 'hour' AS grain, e.workspace_id, date_trunc('hour', e.occurred_at, 'UTC') AS start,
           user_id, api_key_id, run_id, endpoint, provider, model_id, tier, source,
           answers, calls, input_tokens, cached_tokens, cache_write_tokens, output_tokens, cost_nanos, saved_nanos
      FROM accounts_usageentry e WHERE e.occurred_at >= date_trunc('day', %(since)s, 'UTC')
    UNION ALL
    SELECT 'expected', 'day', workspace_id, date_trunc('day', start, 'UTC'),
           user_id, api_key_id, run_id, endpoint, provider, model_id, tier, source,
           answers, calls, input_tokens, cached_tokens, cache_write_tokens, output_tokens, cost_nanos, saved_nanos
      FROM accounts_usagerollup WHERE grain = 'hour' AND start >= date_trunc('day', %(since)s, 'UTC')
    UNION ALL
    SELECT 'found', grain, workspace_id, start,
           user_id, api_key_id, run_id, endpoint, provider, model_id, tier, source,
           answers, calls, input_tokens, cached_tokens, cache_write_tokens, output_tokens, cost_nanos, saved_nanos
      FROM accounts_usagerollup WHERE start >= date_trunc('day', %(since)s, 'UTC')
), summed AS (
    SELECT side, grain, workspace_id, start,
           user_id, api_key_id, run_id, endpoint, provider, model_id, tier, source,
           'answers ' || sum(answers) || ', calls ' || sum(calls) || ', tokens ' || sum(input_tokens) || ' '
           || sum(cached_tokens) || ' ' || sum(cache_write_tokens) || ' ' || sum(output_tokens)
           || ', cost ' || sum(cost_nanos) || ', saved ' || sum(saved_nanos) AS sums
      FROM both_sides
     GROUP BY side, grain, workspace_id, start,
              user_id, api_key_id, run_id, endpoint, provider, model_id, tier, source
), fresh AS (
    SELECT DISTINCT workspace_id, date_trunc('hour', occurred_at, 'UTC') AS start
      FROM accounts_usageentry WHERE recorded_at > statement_timestamp() - interval '1 hour'
)
SELECT grain || ' ' || to_char(start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') || ' of workspace ' || workspace_id
       || ' (' || concat_ws(', ', endpoint, source, model_id, user_id, api_key_id, run_id) || ')' AS what,
       COALESCE(max(sums) FILTER (WHERE side = 'found'), 'nothing') AS found,
       COALESCE(max(sums) FILTER (WHERE side = 'expected'), 'nothing') AS expected
  FROM summed
 WHERE grain = 'day' OR NOT EXISTS (
    SELECT FROM fresh WHERE fresh.workspace_id = summed.workspace_id AND fresh.start = summed.start)
 GROUP BY grain, workspace_id, start, user_id, api_key_id, run_id, endpoint, provider, model_id, tier, source
