-- An audit entry is written once. It goes only with its workspace, while that is being erased (see accounts.erasing):
-- after its grace, by whoever holds the lease of its deletion.
--
-- There is no trigger against TRUNCATE: only the owner of a table may do that, and the product is not to be it.
CREATE FUNCTION accounts_keep_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND EXISTS (
        SELECT FROM accounts_deletion d
         WHERE d.workspace_id = OLD.workspace_id AND d.state = 'running' AND d.erases_at <= statement_timestamp()
    ) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'audit entries are never changed or deleted' USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE TRIGGER keep_audit BEFORE UPDATE OR DELETE ON accounts_auditentry
    FOR EACH ROW EXECUTE FUNCTION accounts_keep_audit();
