-- A price that was is never rewritten: lines of the ledger name its version. Another price is another row.
CREATE FUNCTION generation_keep_price() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'A price is never changed; add another one.' USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE TRIGGER keep_price BEFORE UPDATE ON generation_modelprice
    FOR EACH ROW WHEN (to_jsonb(OLD) - 'added_at' IS DISTINCT FROM to_jsonb(NEW) - 'added_at') EXECUTE FUNCTION generation_keep_price();

CREATE TRIGGER retire_route AFTER INSERT OR DELETE ON generation_modelprice
    FOR EACH STATEMENT EXECUTE FUNCTION accounts_retire_named('route');
