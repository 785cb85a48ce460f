-- Those of partitions come with their parent's.
SELECT 'foreign key' AS kind,
       format('%s.%s on %s', n.nspname, k.conname, c.relname) AS name,
       format('ALTER TABLE %I.%I ADD CONSTRAINT %I %s', n.nspname, c.relname, k.conname, pg_get_constraintdef(k.oid)) AS sql
  FROM pg_constraint k
  JOIN pg_class c ON c.oid = k.conrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE k.contype = 'f'
   AND k.conparentid = 0
   AND c.relkind IN ('r', 'p')
   AND n.nspname <> 'information_schema'
   AND n.nspname !~ '^pg_'
   AND c.oid <> ALL ($1)
   AND k.confrelid <> ALL ($1)
 ORDER BY n.nspname, c.relname, k.conname
