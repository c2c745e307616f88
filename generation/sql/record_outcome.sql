-- One more text of a kind of product that economy models passed or failed with, while learning is on. See
-- generation.engine.outcomes. No text waits for the disk here: a server that dies within the second loses a count.
WITH switch AS MATERIALIZED (
    SELECT set_config('synchronous_commit', 'off', true) FROM generation_learning WHERE is_on
)
INSERT INTO generation_economyoutcome AS known (category, task, language, passed, failed, updated_at)
SELECT %(category)s, %(task)s, %(language)s, %(passed)s, %(failed)s, now() FROM switch
ON CONFLICT (category, task, language) DO UPDATE SET
    passed = known.passed / CASE WHEN known.passed + known.failed < %(most)s THEN 1 ELSE 2 END + EXCLUDED.passed,
    failed = known.failed / CASE WHEN known.passed + known.failed < %(most)s THEN 1 ELSE 2 END + EXCLUDED.failed,
    updated_at = EXCLUDED.updated_at
