-- Real sizes. pg_relation_size takes a short lock, so a relation that somebody holds exclusively (or
-- waits to) is left out: its size is then taken from pg_class.relpages.
-- https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-ADMIN-DBSIZE
SELECT c.oid, pg_catalog.pg_relation_size(c.oid)
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'm', 'i')
   AND c.relpersistence <> 't'
   AND n.nspname <> 'information_schema'
   AND n.nspname !~ '^pg_'
   AND c.oid NOT IN (
       SELECT l.relation FROM pg_catalog.pg_locks l
        WHERE l.mode = 'AccessExclusiveLock' AND l.relation IS NOT NULL)
