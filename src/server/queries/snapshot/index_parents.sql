SELECT 'index of a partition' AS kind,
       n.nspname || '.' || c.relname AS name,
       format('ALTER INDEX %I.%I ATTACH PARTITION %I.%I', pn.nspname, p.relname, n.nspname, c.relname) AS sql
  FROM pg_inherits i
  JOIN pg_class c ON c.oid = i.inhrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_class p ON p.oid = i.inhparent
  JOIN pg_namespace pn ON pn.oid = p.relnamespace
  JOIN pg_index x ON x.indexrelid = c.oid
 WHERE c.relkind IN ('i', 'I')
   AND n.nspname <> 'information_schema'
   AND n.nspname !~ '^pg_'
   AND x.indrelid <> ALL ($1)
 ORDER BY n.nspname, c.relname
