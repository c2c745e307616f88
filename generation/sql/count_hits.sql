-- Counts free answers for what they were served from: the entry itself (the workspace's own, else the public pool's), or
-- the template or text that it was made of when it was asked for the first time.

WITH used AS (
    SELECT workspace_id, cache_key, source, count(*) AS times, max(created_at) AS latest
      FROM generation_text
     WHERE id = ANY(%(text_ids)s) AND cache_key <> ''
     GROUP BY workspace_id, cache_key, source
), served AS (
    SELECT CASE WHEN used.source IN ('template', 'semantic') THEN entry.donor ELSE entry.id END AS id,
           sum(used.times)::int AS times, max(used.latest) AS latest
      FROM used, LATERAL (
           SELECT id, donor FROM generation_cachedtext
            WHERE workspace_id IN (used.workspace_id, %(platform)s) AND key = used.cache_key
              AND (workspace_id = used.workspace_id OR is_public)
            ORDER BY workspace_id <> used.workspace_id
            LIMIT 1) entry
     GROUP BY 1
), texts AS (
    UPDATE generation_cachedtext kept
       SET hits = hits + served.times, last_hit_at = greatest(last_hit_at, served.latest)
      FROM served WHERE kept.id = served.id
)
UPDATE generation_cachedtemplate kept
   SET hits = hits + served.times, last_hit_at = greatest(last_hit_at, served.latest)
  FROM served WHERE kept.id = served.id
