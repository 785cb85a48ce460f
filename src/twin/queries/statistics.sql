-- Column statistics of the snapshot ($1, JSON) into pg_statistic: the form of `pg_stats` back into its slots.
-- Kinds: 1 most common values, 2 histogram, 3 correlation, 4 most common elements, 5 histogram of their number.
-- Operators are those that ANALYZE takes: of the type's default B-tree class, its own or that of what it coerces to.
-- https://www.postgresql.org/docs/current/catalog-pg-statistic.html
WITH figures AS (
    SELECT *
      FROM json_to_recordset($1::json)
        AS f (schema text, relation text, name text, inherited bool, null_frac float4, avg_width int4, n_distinct float4,
              most_common_vals text, most_common_freqs float4[], histogram_bounds text, correlation float4,
              most_common_elems text, most_common_elem_freqs float4[], elem_count_histogram float4[])
), placed AS (
    SELECT f.*, a.attrelid, a.attnum, a.attcollation, a.atttypid,
           coalesce(nullif(t.typbasetype, 0), a.atttypid) AS base,
           CASE
               WHEN coalesce(nullif(t.typbasetype, 0), a.atttypid) = 'tsvector'::regtype THEN 'text'::regtype::oid
               ELSE coalesce(b.typelem, t.typelem)
           END AS element
      FROM figures f
      JOIN pg_catalog.pg_namespace n ON n.nspname = f.schema
      JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = f.relation
      JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = f.name
      JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
      LEFT JOIN pg_catalog.pg_type b ON b.oid = t.typbasetype
), types AS (
    SELECT base AS oid FROM placed UNION SELECT element FROM placed WHERE element <> 0
), classes AS (
    -- The class of the type itself, else of what every enum, array … has, else of what it is the same bytes as.
    SELECT DISTINCT ON (types.oid) types.oid, c.opcfamily, c.opcintype
      FROM types
      JOIN pg_catalog.pg_type t ON t.oid = types.oid
      JOIN pg_catalog.pg_opclass c ON c.opcdefault
      JOIN pg_catalog.pg_am m ON m.oid = c.opcmethod AND m.amname = 'btree'
      JOIN pg_catalog.pg_type k ON k.oid = c.opcintype
      LEFT JOIN pg_catalog.pg_cast s
             ON s.castsource = types.oid AND s.casttarget = c.opcintype AND s.castmethod = 'b' AND s.castcontext = 'i'
     WHERE c.opcintype = types.oid
        OR (t.typtype = 'e' AND c.opcintype = 'anyenum'::regtype)
        OR (t.typtype = 'r' AND c.opcintype = 'anyrange'::regtype)
        OR (t.typtype = 'c' AND c.opcintype = 'record'::regtype)
        OR (t.typcategory = 'A' AND t.typelem <> 0 AND c.opcintype = 'anyarray'::regtype)
        OR s.oid IS NOT NULL
     ORDER BY types.oid, c.opcintype = types.oid DESC, s.oid IS NULL DESC, k.typispreferred DESC
), operators AS (
    SELECT c.oid,
           max(o.amopopr::int8) FILTER (WHERE o.amopstrategy = 1)::oid AS less,
           max(o.amopopr::int8) FILTER (WHERE o.amopstrategy = 3)::oid AS equal
      FROM classes c
      JOIN pg_catalog.pg_amop o
        ON o.amopfamily = c.opcfamily AND o.amoplefttype = c.opcintype AND o.amoprighttype = c.opcintype
     GROUP BY c.oid
), gone AS (
    DELETE FROM pg_catalog.pg_statistic s USING placed p
     WHERE s.starelid = p.attrelid AND s.staattnum = p.attnum AND s.stainherit = p.inherited
)
INSERT INTO pg_catalog.pg_statistic (
    starelid, staattnum, stainherit, stanullfrac, stawidth, stadistinct,
    stakind1, staop1, stacoll1, stanumbers1, stavalues1,
    stakind2, staop2, stacoll2, stanumbers2, stavalues2,
    stakind3, staop3, stacoll3, stanumbers3, stavalues3,
    stakind4, staop4, stacoll4, stanumbers4, stavalues4,
    stakind5, staop5, stacoll5, stanumbers5, stavalues5)
SELECT p.attrelid, p.attnum, p.inherited, p.null_frac, p.avg_width, p.n_distinct,
       CASE WHEN p.most_common_vals IS NULL THEN 0 ELSE 1 END,
       CASE WHEN p.most_common_vals IS NULL THEN 0 ELSE coalesce(o.equal, 0) END,
       CASE WHEN p.most_common_vals IS NULL THEN 0 ELSE p.attcollation END,
       p.most_common_freqs,
       CASE WHEN p.most_common_vals IS NOT NULL THEN array_in(p.most_common_vals::cstring, p.atttypid, -1) END,
       CASE WHEN p.histogram_bounds IS NULL THEN 0 ELSE 2 END,
       CASE WHEN p.histogram_bounds IS NULL THEN 0 ELSE coalesce(o.less, 0) END,
       CASE WHEN p.histogram_bounds IS NULL THEN 0 ELSE p.attcollation END,
       NULL,
       CASE WHEN p.histogram_bounds IS NOT NULL THEN array_in(p.histogram_bounds::cstring, p.atttypid, -1) END,
       CASE WHEN p.correlation IS NULL THEN 0 ELSE 3 END,
       CASE WHEN p.correlation IS NULL THEN 0 ELSE coalesce(o.less, 0) END,
       CASE WHEN p.correlation IS NULL THEN 0 ELSE p.attcollation END,
       CASE WHEN p.correlation IS NOT NULL THEN ARRAY [p.correlation] END,
       NULL,
       CASE WHEN p.most_common_elems IS NULL THEN 0 ELSE 4 END,
       CASE WHEN p.most_common_elems IS NULL THEN 0 ELSE coalesce(e.equal, 0) END,
       CASE WHEN p.most_common_elems IS NULL THEN 0 ELSE p.attcollation END,
       p.most_common_elem_freqs,
       CASE WHEN p.most_common_elems IS NOT NULL THEN array_in(p.most_common_elems::cstring, p.element, -1) END,
       CASE WHEN p.elem_count_histogram IS NULL THEN 0 ELSE 5 END,
       CASE WHEN p.elem_count_histogram IS NULL THEN 0 ELSE coalesce(e.equal, 0) END,
       CASE WHEN p.elem_count_histogram IS NULL THEN 0 ELSE p.attcollation END,
       p.elem_count_histogram,
       NULL
  FROM placed p
  LEFT JOIN operators o ON o.oid = p.base
  LEFT JOIN operators e ON e.oid = p.element
