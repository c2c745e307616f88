-- Money, in four functions, one round trip each. Budgets are always locked in one order (rank, then id: what most
-- requests share comes last), so no two of these can wait for each other, and a shared row is locked for the shortest
-- time. `date_trunc` and the database's own clock decide the period: no machine's clock can open a fresh one.

CREATE OR REPLACE FUNCTION accounts_rank(p_scope text) RETURNS int LANGUAGE sql IMMUTABLE AS $$
    SELECT array_position(ARRAY['night', 'run', 'key', 'member', 'workspace', 'platform'], p_scope)
$$;

-- The limit in force: NULL means none. A workspace has the lowest of its plan's, its owner's and billing's, and none of
-- it while a payment is disputed or long overdue, or the workspace is being deleted. In plpgsql, which looks columns up
-- only when it runs: an older migration creates this function before some of them.
CREATE OR REPLACE FUNCTION accounts_limit_of(p_workspace uuid, p_scope text, p_scope_id uuid) RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN CASE p_scope
        WHEN 'platform' THEN (SELECT CASE WHEN is_stopped THEN 0 ELSE day_limit_nanos END FROM accounts_platform)
        WHEN 'workspace' THEN (
            SELECT CASE WHEN w.standing IN ('good', 'overdue') AND w.closes_at IS NULL
                        THEN LEAST(w.spend_cap_nanos, w.billing_cap_nanos, p.spend_cap_nanos) ELSE 0 END
              FROM accounts_workspace w JOIN accounts_plan p ON p.slug = w.plan_id WHERE w.id = p_scope_id)
        WHEN 'member' THEN (
            SELECT spend_cap_nanos FROM accounts_membership
             WHERE workspace_id = p_workspace AND user_id = p_scope_id)
        WHEN 'key' THEN (
            SELECT spend_cap_nanos FROM accounts_apikey WHERE workspace_id = p_workspace AND id = p_scope_id)
    END;
END $$;

-- The budgets that a request falls under now, opened or not. A member or key without a cap has one without a limit, so
-- that a cap set later in the month counts from the month's beginning.
CREATE OR REPLACE FUNCTION accounts_scopes_of(p_workspace uuid, p_user uuid, p_key uuid, p_run uuid)
RETURNS TABLE (owner_id uuid, scope text, scope_id uuid, starts timestamptz, ends timestamptz)
LANGUAGE sql STABLE AS $$
    WITH now AS (
        SELECT date_trunc('day', statement_timestamp(), 'UTC') AS today,
               date_trunc('month', statement_timestamp(), 'UTC') AS month
    ), period AS (
        SELECT today, (today AT TIME ZONE 'UTC' + interval '1 day') AT TIME ZONE 'UTC' AS tomorrow,
               month, (month AT TIME ZONE 'UTC' + interval '1 month') AT TIME ZONE 'UTC' AS next_month FROM now
    )
    SELECT workspace_id, scope::text, scope_id, period_start, period_end
      FROM accounts_budget WHERE workspace_id = p_workspace AND scope IN ('run', 'night') AND scope_id = p_run
    UNION ALL
    SELECT p_workspace, 'key', id, month, next_month FROM accounts_apikey, period
     WHERE id = p_key AND workspace_id = p_workspace
    UNION ALL
    SELECT p_workspace, 'member', user_id, month, next_month FROM accounts_membership, period
     WHERE workspace_id = p_workspace AND user_id = p_user
    UNION ALL
    SELECT p_workspace, 'workspace', p_workspace, month, next_month FROM period
    UNION ALL
    SELECT '00000000-0000-4000-8000-000000000001', 'platform', '00000000-0000-4000-8000-000000000001',
           today, tomorrow FROM period
$$;

-- Why a budget has no room for an amount, or NULL when it has.
CREATE OR REPLACE FUNCTION accounts_verdict(p_limit bigint, p_spent bigint, p_reserved bigint, p_amount bigint)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN p_spent > p_limit - p_amount THEN 'exhausted'
                WHEN p_spent + p_reserved > p_limit - p_amount THEN 'in_flight' END
$$;

-- Hold an amount on every budget in scope, or on none. Opens the budgets of a new period.
-- An amount of 0 needs no room anywhere, so it is never refused.
-- outcome: 'held'; 'exhausted' when what is spent leaves no room; 'in_flight' when only other holds are in the way.
--
-- Not flushed to disk on its own: the hold comes before the commit that marks the attempt as sent, in the same log, and
-- that commit is flushed. A crash can lose a hold only together with the permission to use it, and a budget that many
-- requests share is not locked while a disk turns.
CREATE OR REPLACE FUNCTION accounts_reserve(
    p_id uuid, p_workspace uuid, p_user uuid, p_key uuid, p_run uuid, p_amount bigint, p_seconds int, p_entry jsonb,
    OUT outcome text, OUT budget_id bigint
) LANGUAGE plpgsql AS $$
DECLARE
    wanted bigint[];
    taken bigint[] := '{}';
    unopened int;
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    WHILE p_amount > 0 LOOP
        -- Most refusals end here, without a lock and without a write.
        SELECT array_agg(b.id ORDER BY accounts_rank(s.scope)), count(*) FILTER (WHERE b.id IS NULL),
               min(v.verdict), (array_agg(b.id ORDER BY v.verdict, accounts_rank(s.scope)) FILTER (WHERE v.verdict <> ''))[1]
          INTO wanted, unopened, outcome, budget_id
          FROM accounts_scopes_of(p_workspace, p_user, p_key, p_run) s
          LEFT JOIN accounts_budget b ON b.workspace_id = s.owner_id AND b.scope = s.scope AND b.scope_id = s.scope_id
                                     AND b.period_start = s.starts
          LEFT JOIN LATERAL accounts_verdict(b.limit_nanos, b.spent_nanos, b.reserved_nanos, p_amount) v(verdict)
                    ON true;
        IF outcome IS NOT NULL THEN RETURN; END IF;
        EXIT WHEN unopened = 0;

        INSERT INTO accounts_budget (workspace_id, scope, scope_id, period_start, period_end, limit_nanos,
                                     spent_nanos, reserved_nanos, overdraft_nanos)
        SELECT owner_id, scope, scope_id, starts, ends, accounts_limit_of(owner_id, scope, scope_id), 0, 0, 0
          FROM accounts_scopes_of(p_workspace, p_user, p_key, p_run) WHERE scope NOT IN ('run', 'night')
         ORDER BY accounts_rank(scope)
        ON CONFLICT DO NOTHING;
    END LOOP;

    FOREACH budget_id IN ARRAY COALESCE(wanted, '{}') LOOP
        UPDATE accounts_budget b SET reserved_nanos = b.reserved_nanos + p_amount
         WHERE b.id = budget_id
           AND accounts_verdict(b.limit_nanos, b.spent_nanos, b.reserved_nanos, p_amount) IS NULL;
        IF NOT FOUND THEN
            SELECT COALESCE(accounts_verdict(b.limit_nanos, b.spent_nanos, b.reserved_nanos, p_amount), 'in_flight')
              INTO outcome FROM accounts_budget b WHERE b.id = budget_id;
            UPDATE accounts_budget b SET reserved_nanos = b.reserved_nanos - p_amount WHERE b.id = ANY(taken);
            RETURN;
        END IF;
        taken := taken || budget_id;
    END LOOP;

    INSERT INTO accounts_reservation (id, workspace_id, state, amount_nanos, cost_nanos, budget_ids, entry, expires_at)
    VALUES (p_id, p_workspace, 'held', p_amount, 0, taken, p_entry,
            statement_timestamp() + make_interval(secs => p_seconds));
    outcome := 'held';
    budget_id := NULL;
END
$$;

-- End a hold: what it freed and what it cost go to its budgets, the cost to the ledger, passed thresholds to notices.
-- p_state: 'settled' (the cost is known), 'released' (it surely cost nothing), 'committed' (unknown: the ceiling).
-- Returns the state it ended in, or NULL when there was nothing to end: a second delivery changes nothing.
--
-- Not flushed on its own either: a crash that loses it leaves the attempt marked as sent, which the sweeper counts at
-- its ceiling. The text's own commit comes later and is flushed before anybody is told of the text.
CREATE OR REPLACE FUNCTION accounts_close(p_id uuid, p_state text, p_cost bigint, p_usage jsonb) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    hold accounts_reservation;
    ends text := p_state;
    charge bigint := p_cost;
    freed bigint;
    part record;
    changed accounts_budget;
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    SELECT * INTO hold FROM accounts_reservation WHERE id = p_id FOR UPDATE;
    IF hold.state IN ('held', 'dispatched') THEN
        freed := hold.amount_nanos;
        IF p_state = 'committed' THEN charge := hold.amount_nanos; END IF;
        IF p_state = 'released' THEN charge := 0; END IF;
    ELSIF hold.state = 'committed' AND p_state <> 'committed' THEN
        -- The truth arrives late: what was counted too much comes back, once.
        ends := 'corrected';
        freed := 0;
        charge := CASE p_state WHEN 'released' THEN 0 ELSE p_cost END - hold.amount_nanos;
    ELSE
        RETURN NULL;
    END IF;

    UPDATE accounts_reservation
       SET state = ends, closed_at = statement_timestamp(), cost_nanos = cost_nanos + charge WHERE id = p_id;

    -- An attempt that was never sent leaves no line.
    IF hold.state <> 'held' OR charge <> 0 THEN
        INSERT INTO accounts_usageentry
        SELECT * FROM jsonb_populate_record(NULL::accounts_usageentry, hold.entry || p_usage || jsonb_build_object(
            'id', gen_random_uuid(), 'workspace_id', hold.workspace_id, 'reservation_id', p_id,
            'entry_no', CASE WHEN ends = 'corrected' THEN 2 ELSE 1 END,
            'basis', CASE ends WHEN 'corrected' THEN 'correction' WHEN 'committed' THEN 'ceiling' ELSE 'exact' END,
            'calls', CASE WHEN ends = 'corrected' THEN 0 ELSE 1 END,
            'cost_nanos', charge, 'occurred_at', COALESCE(hold.dispatched_at, hold.created_at),
            'recorded_at', clock_timestamp()));
    END IF;

    FOR part IN
        SELECT b.id, w.alert_thresholds FROM accounts_budget b JOIN accounts_workspace w ON w.id = b.workspace_id
         WHERE b.id = ANY(hold.budget_ids) ORDER BY accounts_rank(b.scope), b.id
    LOOP
        UPDATE accounts_budget b
           SET reserved_nanos = b.reserved_nanos - freed,
               spent_nanos = b.spent_nanos + charge,
               overdraft_nanos = GREATEST(0, b.spent_nanos + charge + b.reserved_nanos - freed - b.limit_nanos)
         WHERE b.id = part.id RETURNING * INTO changed;
        PERFORM accounts_tell(changed, ARRAY(
            SELECT percent FROM unnest(part.alert_thresholds) percent
             WHERE changed.spent_nanos * 100.0 >= percent * changed.limit_nanos::numeric));
    END LOOP;
    RETURN ends;
END
$$;

-- Put thresholds that a budget has passed on the list of notices, each once. A night's budget is meant to be used up,
-- night after night, so nobody is told of that.
CREATE OR REPLACE FUNCTION accounts_tell(p_budget accounts_budget, p_percents int[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF cardinality(p_percents) = 0 OR p_budget.scope = 'night' THEN RETURN; END IF;
    INSERT INTO accounts_notice (id, workspace_id, kind, topic, details, state, attempt, failure)
    SELECT gen_random_uuid(), p_budget.workspace_id, 'budget', format('budget/%s/%s', p_budget.id, percent),
           jsonb_build_object('budget', p_budget.id, 'scope', p_budget.scope, 'scope_id', p_budget.scope_id,
                              'percent', percent, 'limit_nanos', p_budget.limit_nanos,
                              'spent_nanos', p_budget.spent_nanos, 'resets_at', p_budget.period_end),
           'queued', 0, ''
      FROM unnest(p_percents) percent
     WHERE NOT EXISTS (SELECT FROM accounts_notice n WHERE n.workspace_id = p_budget.workspace_id
                          AND n.topic = format('budget/%s/%s', p_budget.id, percent))
    ON CONFLICT DO NOTHING;
END
$$;

-- A request was refused because a budget is used up: that is its last threshold, whatever little is left over.
CREATE OR REPLACE FUNCTION accounts_tell_exhausted(p_budget bigint) RETURNS void LANGUAGE sql AS $$
    SELECT accounts_tell(b, ARRAY[100]) FROM accounts_budget b JOIN accounts_workspace w ON w.id = b.workspace_id
     WHERE b.id = p_budget AND 100 = ANY(w.alert_thresholds)
$$;

-- Give current budgets the limits now in force: after a cap, a plan or the platform's switch was changed.
-- What is spent or held beyond a lowered limit stays on the books as overdraft; nothing more is admitted.
CREATE OR REPLACE FUNCTION accounts_apply_limits(p_workspace uuid DEFAULT NULL) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    part record;
    changed int := 0;
BEGIN
    FOR part IN
        SELECT b.id, accounts_limit_of(b.workspace_id, b.scope, b.scope_id) AS cap FROM accounts_budget b
         WHERE b.period_end > statement_timestamp() AND (p_workspace IS NULL OR b.workspace_id = p_workspace)
           AND b.limit_nanos IS DISTINCT FROM accounts_limit_of(b.workspace_id, b.scope, b.scope_id)
         ORDER BY accounts_rank(b.scope), b.id
    LOOP
        UPDATE accounts_budget b
           SET limit_nanos = part.cap, overdraft_nanos = GREATEST(0, b.spent_nanos + b.reserved_nanos - part.cap)
         WHERE b.id = part.id;
        changed := changed + 1;
    END LOOP;
    RETURN changed;
END
$$;
