-- Indexes that no constraint made. One of a partitioned table is printed with ONLY.
SELECT 'index' AS kind,
       n.nspname || '.' || c.relname AS name,
       pg_get_indexdef(i.indexrelid) AS sql
  FROM pg_index i
  JOIN pg_class c ON c.oid = i.indexrelid
  JOIN pg_class t ON t.oid = i.indrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE i.indislive
   AND t.relkind IN ('r', 'p', 'm')
   AND t.relpersistence <> 't'
   AND n.nspname <> 'information_schema'
   AND n.nspname !~ '^pg_'
   AND t.oid <> ALL ($1)
   AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))
   AND NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = 'pg_class'::regclass AND d.objid = t.oid AND d.deptype = 'e')
 ORDER BY n.nspname, c.relname
