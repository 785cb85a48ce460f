-- pg_class, and the real size of the file: pg_relation_size takes a short lock, so what somebody holds has none.
SELECT c.oid::int8 AS oid,
       n.nspname AS schema,
       c.relname AS name,
       c.relkind AS kind,
       c.relpages AS pages,
       c.reltuples AS tuples,
       c.relallvisible AS visible,
       CASE WHEN c.relkind IN ('r', 'm', 'i') AND c.oid <> ALL ($1) THEN pg_relation_size(c.oid) / current_setting('block_size')::int8 END AS blocks,
       m.amname AS method,
       coalesce(NOT (i.indisvalid AND i.indisready), false) AS invalid,
       CASE WHEN c.relkind IN ('r', 'p', 'm') THEN has_table_privilege(c.oid, 'SELECT') OR has_any_column_privilege(c.oid, 'SELECT') ELSE true END AS readable
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_index i ON i.indexrelid = c.oid
  LEFT JOIN pg_am m ON m.oid = c.relam AND i.indexrelid IS NOT NULL
 WHERE c.relkind IN ('r', 'p', 'm', 'i', 'I')
   AND c.relpersistence <> 't'
   AND n.nspname <> 'information_schema'
   AND n.nspname !~ '^pg_'
   AND NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = 'pg_class'::regclass AND d.objid = coalesce(i.indrelid, c.oid) AND d.deptype = 'e')
 ORDER BY n.nspname, c.relname
