-- What a change makes wrong in Valkey, written down in the change's own transaction: see accounts.retiring.

CREATE FUNCTION accounts_retire(name text, floor bigint DEFAULT NULL) RETURNS void LANGUAGE sql AS $$
    INSERT INTO accounts_retirement (name, floor, is_done, changed_at)
    VALUES (name, floor, false, statement_timestamp());
$$;

-- For rows that concern everybody: the name is the trigger's argument.
CREATE FUNCTION accounts_retire_named() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM accounts_retire(TG_ARGV[0]);
    RETURN NULL;
END $$;

-- For rows of one account: the argument names the column with its id.
CREATE FUNCTION accounts_retire_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM accounts_retire('account:' || (to_jsonb(OLD) ->> TG_ARGV[0]));
    RETURN NULL;
END $$;

CREATE TRIGGER retire_account AFTER DELETE OR UPDATE ON accounts_workspace
    FOR EACH ROW EXECUTE FUNCTION accounts_retire_account('id');
CREATE TRIGGER retire_account AFTER DELETE OR UPDATE ON accounts_membership
    FOR EACH ROW EXECUTE FUNCTION accounts_retire_account('workspace_id');
CREATE TRIGGER retire_account AFTER DELETE ON accounts_apikey
    FOR EACH ROW EXECUTE FUNCTION accounts_retire_account('workspace_id');
-- A key's use is noted every minute, which changes nothing that anybody remembers.
CREATE TRIGGER retire_account_of_key AFTER UPDATE ON accounts_apikey
    FOR EACH ROW WHEN (to_jsonb(OLD) - 'last_used_at' IS DISTINCT FROM to_jsonb(NEW) - 'last_used_at')
    EXECUTE FUNCTION accounts_retire_account('workspace_id');
CREATE TRIGGER retire_plans AFTER DELETE OR UPDATE ON accounts_plan
    FOR EACH STATEMENT EXECUTE FUNCTION accounts_retire_named('account:plans');
CREATE TRIGGER retire_plans AFTER INSERT OR DELETE OR UPDATE ON accounts_limitstep
    FOR EACH STATEMENT EXECUTE FUNCTION accounts_retire_named('account:plans');
