-- For each B-tree a query that reads the whole of it in its order.
SELECT n.nspname AS schema,
       c.relname AS name,
       format('SELECT 1 FROM ONLY %I.%I%s ORDER BY %s', tn.nspname, t.relname,
              coalesce(' WHERE ' || pg_get_expr(i.indpred, i.indrelid), ''), k.keys) AS sql
  FROM pg_index i
  JOIN pg_class c ON c.oid = i.indexrelid AND c.relkind = 'i'
  JOIN pg_am m ON m.oid = c.relam AND m.amname = 'btree'
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_class t ON t.oid = i.indrelid
  JOIN pg_namespace tn ON tn.oid = t.relnamespace
 CROSS JOIN LATERAL (
       SELECT string_agg(pg_get_indexdef(i.indexrelid, k, false)
                         || CASE WHEN pg_index_column_has_property(i.indexrelid, k, 'desc') THEN ' DESC' ELSE '' END
                         || CASE WHEN pg_index_column_has_property(i.indexrelid, k, 'nulls_first') THEN ' NULLS FIRST' ELSE ' NULLS LAST' END,
                         ', ' ORDER BY k) AS keys
         FROM generate_series(1, i.indnkeyatts) AS k) k
 WHERE i.indisvalid
   AND i.indisready
   AND t.oid <> ALL ($1)
   AND has_table_privilege(t.oid, 'SELECT')
   AND t.relpersistence <> 't'
   AND n.nspname <> 'information_schema'
   AND n.nspname !~ '^pg_'
 ORDER BY n.nspname, c.relname
