-- Whether PostgreSQL holds anything for what is asked, of all layers at once. A function, so that a session plans it
-- once: of every text it was planned longer than it ran. `p_whose` holds the public pool's workspace where its texts
-- would do.
CREATE FUNCTION generation_held(
    p_whose uuid[], p_own uuid, p_key text, p_template_key text, p_bucket text, p_now timestamptz,
    OUT has_text boolean, OUT has_template boolean, OUT has_wordings boolean
) LANGUAGE plpgsql STABLE AS $$
BEGIN
    has_text := EXISTS (
        SELECT FROM generation_cachedtext WHERE workspace_id = ANY(p_whose) AND (workspace_id = p_own OR is_public)
           AND key = p_key AND expires_at > p_now);
    has_template := EXISTS (
        SELECT FROM generation_cachedtemplate WHERE workspace_id = p_own AND key = p_template_key AND expires_at > p_now);
    has_wordings := EXISTS (
        SELECT FROM generation_cachedtext WHERE workspace_id = ANY(p_whose) AND (workspace_id = p_own OR is_public)
           AND bucket = p_bucket AND expires_at > p_now AND origin <> 'semantic');
END
$$;
