-- Indexes with each key as the server prints it. indoption: bit 0 is DESC, bit 1 is NULLS FIRST.
-- A key of 0 is an expression. indclass, indoption and indkey are vectors that begin at 0.
-- The functions that print take a lock on the table: not called where somebody holds it exclusively (or waits to).
-- https://www.postgresql.org/docs/current/catalog-pg-index.html
WITH held AS MATERIALIZED (
    SELECT l.relation FROM pg_catalog.pg_locks l
     WHERE l.mode = 'AccessExclusiveLock' AND l.relation IS NOT NULL
)
SELECT i.indexrelid,
       i.indrelid,
       c.relname::text,
       m.amname::text,
       i.indisunique,
       i.indisprimary,
       EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')),
       i.indisvalid AND i.indisready,
       c.relpages::int8,
       CASE WHEN c.relkind = 'i' THEN pg_catalog.pg_stat_get_numscans(i.indexrelid) END,
       CASE WHEN held.relation IS NULL THEN pg_catalog.pg_get_indexdef(i.indexrelid) END,
       CASE WHEN held.relation IS NULL THEN pg_catalog.pg_get_expr(i.indpred, i.indrelid) END,
       i.indnkeyatts::int4,
       (SELECT array_agg(k ORDER BY n) FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS u (k, n)),
       (SELECT array_agg(o ORDER BY n) FROM unnest(i.indoption::int2[]) WITH ORDINALITY AS u (o, n)),
       (SELECT array_agg(CASE WHEN NOT p.opcdefault THEN p.opcname::text END ORDER BY n)
          FROM unnest(i.indclass::oid[]) WITH ORDINALITY AS u (o, n)
          JOIN pg_catalog.pg_opclass p ON p.oid = u.o),
       CASE
           WHEN i.indexprs IS NOT NULL AND held.relation IS NULL THEN
               (SELECT array_agg(pg_catalog.pg_get_indexdef(i.indexrelid, n::int4, true) ORDER BY n)
                  FROM generate_series(1, i.indnkeyatts) AS n)
       END,
       held.relation IS NOT NULL AND (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL) AS unreadable
  FROM pg_catalog.pg_index i
  JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
  JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
  JOIN pg_catalog.pg_am m ON m.oid = c.relam
  JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
  LEFT JOIN (SELECT DISTINCT relation FROM held) held ON held.relation = i.indrelid
 WHERE t.relpersistence <> 't'
   AND i.indislive
   AND n.nspname <> 'information_schema'
   AND n.nspname !~ '^pg_'
