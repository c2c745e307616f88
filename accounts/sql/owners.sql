-- A workspace that is there, and is not being deleted, has an owner. Looked at when the transaction ends, so that ownership may change hands within
-- it, and under the workspace's lock, so that two owners who leave at once do not each count on the other.
-- By then nobody may have entered the workspace any more (contentopt.tenancy), so it looks across for itself.
CREATE FUNCTION accounts_keep_an_owner() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    entered text := coalesce(current_setting('app.workspace_id', true), '');
BEGIN
    PERFORM set_config('app.workspace_id', 'across', true);
    PERFORM 1 FROM accounts_workspace WHERE id = OLD.workspace_id AND closes_at IS NULL FOR NO KEY UPDATE;
    IF FOUND AND NOT EXISTS (
        SELECT 1 FROM accounts_membership WHERE workspace_id = OLD.workspace_id AND role = 'owner'
    ) THEN
        RAISE EXCEPTION 'workspace % would be left without an owner', OLD.workspace_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'workspace_keeps_an_owner';
    END IF;
    PERFORM set_config('app.workspace_id', entered, true);
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER keep_an_owner AFTER DELETE OR UPDATE OF role, user_id, workspace_id ON accounts_membership
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.role = 'owner') EXECUTE FUNCTION accounts_keep_an_owner();
