-- CHECK constraints; the condition is not printed where somebody holds the table, since newer servers lock it.
-- https://www.postgresql.org/docs/current/catalog-pg-constraint.html
WITH held AS MATERIALIZED (
    SELECT l.relation FROM pg_catalog.pg_locks l
     WHERE l.mode = 'AccessExclusiveLock' AND l.relation IS NOT NULL
)
SELECT k.conrelid,
       k.conname::text,
       CASE WHEN NOT EXISTS (SELECT FROM held WHERE held.relation = k.conrelid)
            THEN pg_catalog.pg_get_expr(k.conbin, k.conrelid) END,
       k.convalidated
  FROM pg_catalog.pg_constraint k
  JOIN pg_catalog.pg_namespace n ON n.oid = k.connamespace
 WHERE k.contype = 'c'
   AND k.conrelid <> 0
   AND n.nspname <> 'information_schema'
   AND n.nspname !~ '^pg_'
 ORDER BY k.conrelid, k.conname
