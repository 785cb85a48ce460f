-- https://www.postgresql.org/docs/current/catalog-pg-constraint.html
SELECT k.conrelid, k.conname::text, k.conkey, k.confrelid, k.confkey, k.confdeltype IN ('c', 'n', 'd')
  FROM pg_catalog.pg_constraint k
  JOIN pg_catalog.pg_namespace n ON n.oid = k.connamespace
 WHERE k.contype = 'f'
   AND n.nspname <> 'information_schema'
   AND n.nspname !~ '^pg_'
