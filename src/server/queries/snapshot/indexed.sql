-- Columns whose real minimum and maximum the planner looks up: those that a whole B-tree begins with.
SELECT DISTINCT n.nspname AS schema, c.relname AS relation, a.attname AS name
  FROM pg_index i
  JOIN pg_class x ON x.oid = i.indexrelid
  JOIN pg_am m ON m.oid = x.relam AND m.amname = 'btree'
  JOIN pg_class c ON c.oid = i.indrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
 WHERE c.relkind IN ('r', 'm')
   AND c.relpersistence <> 't'
   AND i.indisvalid
   AND i.indpred IS NULL
   AND n.nspname <> 'information_schema'
   AND n.nspname !~ '^pg_'
   AND has_column_privilege(c.oid, a.attnum, 'SELECT')
   AND NOT c.relrowsecurity
   AND c.oid <> ALL ($1)
 ORDER BY 1, 2, 3
