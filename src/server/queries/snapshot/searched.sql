-- For each GIN index a condition that searches it for one entry which hardly any row has, where its operator class has one.
SELECT n.nspname AS schema,
       c.relname AS name,
       format('SELECT 1 FROM ONLY %I.%I WHERE %s%s', tn.nspname, t.relname,
              coalesce('(' || pg_get_expr(i.indpred, i.indrelid) || ') AND ', ''), f.condition) AS sql
  FROM pg_index i
  JOIN pg_class c ON c.oid = i.indexrelid AND c.relkind = 'i'
  JOIN pg_am m ON m.oid = c.relam AND m.amname = 'gin'
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_class t ON t.oid = i.indrelid
  JOIN pg_namespace tn ON tn.oid = t.relnamespace
  JOIN pg_opclass o ON o.oid = i.indclass[0]
  LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = i.indkey[0] AND a.attnum > 0
  LEFT JOIN pg_stats s ON s.schemaname = tn.nspname AND s.tablename = t.relname AND s.attname = a.attname AND NOT s.inherited
 CROSS JOIN LATERAL (
       SELECT pg_get_indexdef(i.indexrelid, 1, false) AS key,
              (s.most_common_elems::text::text[])[array_length(s.most_common_elems::text::text[], 1)] AS element) k
 CROSS JOIN LATERAL (
       SELECT CASE o.opcname
                  WHEN 'array_ops' THEN format('%s @> %L', k.key, ARRAY[k.element]::text)
                  WHEN 'jsonb_ops' THEN format('%s ? %L', k.key, 'sargable')
                  WHEN 'jsonb_path_ops' THEN format('%s @> %L', k.key, '{"sargable": 1}')
                  WHEN 'tsvector_ops' THEN format('%s @@ %L::tsquery', k.key, 'sargable')
                  WHEN 'gin_trgm_ops' THEN format('%s LIKE %L', k.key, '%sar%')
              END AS condition) f
 WHERE f.condition IS NOT NULL
   AND (o.opcname <> 'array_ops' OR k.element IS NOT NULL)
   AND i.indisvalid
   AND i.indisready
   AND t.oid <> ALL ($1)
   AND has_table_privilege(t.oid, 'SELECT')
   AND t.relpersistence <> 't'
   AND n.nspname <> 'information_schema'
   AND n.nspname !~ '^pg_'
 ORDER BY n.nspname, c.relname
