-- Columns of tables as they are stored, and the keys of indexes that are expressions. A domain is what it is made of.
WITH RECURSIVE resolved AS (
    SELECT t.oid AS type, t.oid AS base, -1 AS typmod, false AS not_null, ARRAY[]::oid[] AS domains
      FROM pg_catalog.pg_type t
     WHERE t.typtype <> 'd'
    UNION ALL
    SELECT d.oid, r.base, greatest(r.typmod, d.typtypmod), r.not_null OR d.typnotnull, r.domains || d.oid
      FROM resolved r
      JOIN pg_catalog.pg_type d ON d.typbasetype = r.type AND d.typtype = 'd'
)
SELECT row_to_json(answer)::text FROM (
SELECT n.nspname AS schema,
       c.relname AS relation,
       a.attname AS name,
       format_type(r.base, greatest(a.atttypmod, r.typmod)) AS type_name,
       t.typlen AS length,
       CASE t.typalign WHEN 'd' THEN 8 WHEN 'i' THEN 4 WHEN 's' THEN 2 ELSE 1 END AS alignment,
       a.attnotnull OR r.not_null AS not_null,
       a.attidentity <> '' AS identity,
       (SELECT array_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_catalog.pg_enum e WHERE e.enumtypid = r.base) AS labels,
       (SELECT array_agg(pg_get_constraintdef(k.oid) ORDER BY k.conname)
          FROM pg_catalog.pg_constraint k WHERE k.contypid = ANY (r.domains) AND k.contype = 'c') AS checks,
       CASE WHEN p.partrelid IS NOT NULL THEN pg_get_expr(c.relpartbound, c.oid) END AS bound,
       CASE WHEN c.relkind IN ('i', 'I') THEN pg_get_indexdef(c.oid, a.attnum, true) END AS expression
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  JOIN resolved r ON r.type = a.atttypid
  JOIN pg_catalog.pg_type t ON t.oid = r.base
  LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
  -- The parent's key, where it is a range of this one column.
  LEFT JOIN pg_catalog.pg_inherits h ON c.relispartition AND h.inhrelid = c.oid
  LEFT JOIN (pg_catalog.pg_partitioned_table p
             JOIN pg_catalog.pg_attribute pa ON pa.attrelid = p.partrelid AND pa.attnum = p.partattrs[0])
         ON p.partrelid = h.inhparent AND p.partstrat = 'r' AND p.partnatts = 1 AND pa.attname = a.attname
 WHERE (c.relkind IN ('r', 'p', 'm') OR (c.relkind IN ('i', 'I') AND i.indkey[a.attnum - 1] = 0))
   AND c.relpersistence <> 't'
   AND n.nspname <> 'information_schema'
   AND n.nspname !~ '^pg_'
 ORDER BY n.nspname, c.relname, a.attnum
) AS answer
