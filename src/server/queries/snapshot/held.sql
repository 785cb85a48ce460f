-- Relations that somebody holds exclusively, or waits to: what prints a definition would wait behind it.
SELECT DISTINCT l.relation, coalesce(n.nspname || '.' || c.relname, l.relation::text) AS name
  FROM pg_locks l
  LEFT JOIN pg_class c ON c.oid = l.relation
  LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE l.mode = 'AccessExclusiveLock'
   AND l.relation IS NOT NULL
   AND (l.database IS NULL OR l.database = (SELECT oid FROM pg_database WHERE datname = current_database()))
