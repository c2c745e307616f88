-- A month's products, each function one round trip. Rows are locked in one order, the product before its month. The
-- database's clock decides the month: no machine's clock can open a fresh one.

-- Hold a place for a product that is not counted yet, or join one whose first text is still being written: that makes
-- it last longer, so that whoever took it first sees that it is not alone. A product that counts already is left as it
-- is. `fits` is false when the month has no place left; then nothing is held.
--
-- Not flushed to disk on its own: it comes before the commit that marks a call as sent, in the same log, and that one
-- is flushed.
CREATE OR REPLACE FUNCTION accounts_take_product(
    p_id uuid, p_workspace uuid, p_key text, p_seconds int,
    OUT starts timestamptz, OUT held_until timestamptz, OUT is_new boolean, OUT fits boolean
) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    starts := date_trunc('month', statement_timestamp(), 'UTC');
    INSERT INTO accounts_usageperiod (id, workspace_id, period_start, period_end, products_used)
    VALUES (gen_random_uuid(), p_workspace, starts, (starts AT TIME ZONE 'UTC' + interval '1 month') AT TIME ZONE 'UTC', 0)
    ON CONFLICT DO NOTHING;

    INSERT INTO accounts_countedproduct AS counted (id, workspace_id, period_start, product_key, pending_until)
    VALUES (p_id, p_workspace, starts, p_key, statement_timestamp() + make_interval(secs => p_seconds))
    ON CONFLICT (workspace_id, period_start, product_key) DO UPDATE
       SET pending_until = GREATEST(EXCLUDED.pending_until, counted.pending_until + interval '1 microsecond')
     WHERE counted.pending_until IS NOT NULL
    RETURNING counted.pending_until, counted.id = p_id INTO held_until, is_new;
    is_new := COALESCE(is_new, false);
    fits := true;
    IF NOT is_new THEN RETURN; END IF;

    UPDATE accounts_usageperiod period SET products_used = products_used + 1
      FROM accounts_workspace workspace JOIN accounts_plan plan ON plan.slug = workspace.plan_id
     WHERE period.workspace_id = p_workspace AND period.period_start = starts AND workspace.id = p_workspace
       AND (plan.products_per_month IS NULL
            OR period.products_used + 1 <= plan.products_per_month + workspace.overage_products);
    fits := FOUND;
    IF NOT fits THEN DELETE FROM accounts_countedproduct WHERE id = p_id; END IF;
END
$$;

-- The product is written, so it counts. One that was swept while it was written is counted again, even beyond the limit.
CREATE OR REPLACE FUNCTION accounts_confirm_product(p_id uuid, p_workspace uuid, p_starts timestamptz, p_key text)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    is_new boolean;
BEGIN
    INSERT INTO accounts_countedproduct AS counted (id, workspace_id, period_start, product_key)
    VALUES (p_id, p_workspace, p_starts, p_key)
    ON CONFLICT (workspace_id, period_start, product_key) DO UPDATE SET pending_until = NULL
     WHERE counted.pending_until IS NOT NULL
    RETURNING counted.id = p_id INTO is_new;
    IF NOT FOUND THEN RETURN; END IF;  -- it counts already

    UPDATE accounts_usageperiod SET products_used = products_used + is_new::int
     WHERE workspace_id = p_workspace AND period_start = p_starts;
    PERFORM accounts_tell_products(p_workspace, p_starts);
END
$$;

-- Put the thresholds that a month has passed on the list of notices, each once. They are of the products that are
-- written: one that is still being written may yet fail. After a statement that locked the month, so that of two that
-- end at once the later sees both.
CREATE OR REPLACE FUNCTION accounts_tell_products(p_workspace uuid, p_starts timestamptz) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO accounts_notice (id, workspace_id, kind, topic, details, state, attempt, failure)
    SELECT gen_random_uuid(), period.workspace_id, 'quota',
           format('quota/%s/%s', to_char(period.period_start AT TIME ZONE 'UTC', 'YYYY-MM'), percent),
           jsonb_build_object('percent', percent, 'limit', plan.products_per_month, 'used', written.products,
                              'period_start', period.period_start, 'resets_at', period.period_end),
           'queued', 0, ''
      FROM accounts_usageperiod period
      JOIN accounts_workspace workspace ON workspace.id = period.workspace_id
      JOIN accounts_plan plan ON plan.slug = workspace.plan_id
     CROSS JOIN LATERAL (
        SELECT period.products_used - count(*) AS products FROM accounts_countedproduct counted
         WHERE counted.workspace_id = period.workspace_id AND counted.period_start = period.period_start
           AND counted.pending_until IS NOT NULL) written
     CROSS JOIN unnest(workspace.alert_thresholds) percent
     WHERE period.workspace_id = p_workspace AND period.period_start = p_starts
       AND written.products * 100.0 >= percent * plan.products_per_month
    ON CONFLICT DO NOTHING;
END
$$;
