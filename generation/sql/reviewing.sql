-- What somebody reads in review is what they approve: from the moment a text is sent to review its words stay, whoever
-- writes to the table. An edit is another row.
CREATE FUNCTION generation_keep_reviewed_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The words of text % were sent to review and stay as they are; write a new version.', OLD.id
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'text_reviewed_words_stay';
END $$;

CREATE TRIGGER keep_reviewed_words BEFORE UPDATE ON generation_text
    FOR EACH ROW WHEN (
        OLD.submitted_at IS NOT NULL
        AND (NEW.submitted_at IS NULL
             OR (NEW.description, NEW.seo_title, NEW.meta_description, NEW.bullets)
                IS DISTINCT FROM (OLD.description, OLD.seo_title, OLD.meta_description, OLD.bullets)))
    EXECUTE FUNCTION generation_keep_reviewed_words();

-- Over both columns, so that nothing (no admin form, no import) can give a product to a member of another workspace.
-- Who leaves has nothing assigned any more.
ALTER TABLE generation_product ADD CONSTRAINT product_assignee_within_workspace
    FOREIGN KEY (workspace_id, assignee_id) REFERENCES accounts_membership (workspace_id, id)
    ON DELETE SET NULL (assignee_id);
