-- Policies of row-level security, with their conditions as the server prints them.
-- https://www.postgresql.org/docs/current/catalog-pg-policy.html
WITH held AS MATERIALIZED (
    SELECT l.relation FROM pg_catalog.pg_locks l
     WHERE l.mode = 'AccessExclusiveLock' AND l.relation IS NOT NULL
)
SELECT p.polrelid,
       p.polname::text,
       p.polpermissive,
       CASE p.polcmd WHEN 'r' THEN 'select' WHEN 'a' THEN 'insert' WHEN 'w' THEN 'update' WHEN 'd' THEN 'delete' ELSE 'all' END,
       ARRAY(SELECT CASE WHEN r = 0 THEN 'public' ELSE pg_catalog.pg_get_userbyid(r)::text END
               FROM unnest(p.polroles) AS r ORDER BY 1),
       CASE WHEN held.relation IS NULL THEN pg_catalog.pg_get_expr(p.polqual, p.polrelid) END,
       CASE WHEN held.relation IS NULL THEN pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid) END
  FROM pg_catalog.pg_policy p
  LEFT JOIN (SELECT DISTINCT relation FROM held) held ON held.relation = p.polrelid
 ORDER BY p.polrelid, p.polname
