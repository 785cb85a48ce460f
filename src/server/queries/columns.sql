-- Columns in their order. A collation sorts like C for the planner only when it is C or POSIX, or of the
-- built-in provider (17 and later): libc's C.UTF-8 does not count (see lc_collate_is_c, pg_newlocale_from_collation).
-- https://www.postgresql.org/docs/current/catalog-pg-collation.html
WITH held AS MATERIALIZED (
    SELECT l.relation FROM pg_catalog.pg_locks l
     WHERE l.mode = 'AccessExclusiveLock' AND l.relation IS NOT NULL
)
SELECT a.attrelid,
       a.attnum,
       a.attname::text,
       pg_catalog.format_type(a.atttypid, a.atttypmod),
       a.attnotnull,
       CASE
           WHEN a.attcollation = 0 THEN NULL
           WHEN l.collprovider = 'd' THEN NULL
           ELSE l.collprovider = 'b' OR (l.collprovider = 'c' AND l.collcollate IN ('C', 'POSIX'))
       END AS c_collation,
       -- Not where somebody holds the table: newer servers lock it to print.
       CASE WHEN NOT EXISTS (SELECT FROM held WHERE held.relation = a.attrelid)
            THEN pg_catalog.pg_get_expr(d.adbin, d.adrelid) END
  FROM pg_catalog.pg_attribute a
  JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.attgenerated = ''
  LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation
 WHERE a.attnum > 0
   AND NOT a.attisdropped
   AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
   AND c.relpersistence <> 't'
   AND n.nspname <> 'information_schema'
   AND n.nspname !~ '^pg_'
 ORDER BY a.attrelid, a.attnum
