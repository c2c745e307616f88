-- What a change makes wrong in Valkey: see accounts.retiring.

-- Only the entry as it was: one that was stored since ends later. One more millisecond, for Python rounds by itself.
CREATE FUNCTION generation_retire_text() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    floor bigint := floor(extract(epoch FROM OLD.expires_at) * 1000) + 1;
BEGIN
    PERFORM accounts_retire('text:' || OLD.workspace_id || ':' || OLD.key, floor);
    IF OLD.is_public THEN
        PERFORM accounts_retire('text:' || OLD.workspace_id || ':public:' || OLD.key, floor);
    END IF;
    RETURN NULL;
END $$;

-- What has expired has left Valkey by itself. Counting hits changes no text.
CREATE TRIGGER retire_text AFTER DELETE ON generation_cachedtext
    FOR EACH ROW WHEN (OLD.expires_at > now()) EXECUTE FUNCTION generation_retire_text();
CREATE TRIGGER retire_text_as_it_was
    AFTER UPDATE OF workspace_id, key, fields, evidence, provider, model_id, tier, cost_nanos, origin, donor,
                    is_public, expires_at ON generation_cachedtext
    FOR EACH ROW WHEN (OLD.expires_at > now()) EXECUTE FUNCTION generation_retire_text();

CREATE TRIGGER retire_route AFTER INSERT OR DELETE OR UPDATE ON generation_provider
    FOR EACH STATEMENT EXECUTE FUNCTION accounts_retire_named('route');
CREATE TRIGGER retire_route AFTER INSERT OR DELETE OR UPDATE ON generation_llmmodel
    FOR EACH STATEMENT EXECUTE FUNCTION accounts_retire_named('route');
