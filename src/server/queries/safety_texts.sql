-- What the named relations and types bring along: the text of rules (a view is one), of row security
-- policies, of defaults (for INSERT), of domain constraints, and the types of composite types; and as trees the
-- expressions that the planner looks at of any table. $1 holds names, $2 whether it writes, $3 the schemas of the path, $4 names that
-- may be used as row types. What initdb made (oid below 16384) is trusted. A partition is named by its parent.
-- https://www.postgresql.org/docs/current/catalog-pg-rewrite.html
WITH RECURSIVE named AS (
    SELECT c.oid
      FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relname = ANY ($1)
       AND c.oid >= 16384
       AND (n.nspname = ANY ($3) OR n.nspname = ANY ($1))
    UNION
    SELECT i.inhrelid FROM named JOIN pg_catalog.pg_inherits i ON i.inhparent = named.oid
),
relation AS (
    SELECT c.oid, c.relname::text, c.relkind, c.relrowsecurity, c.relhasrules FROM named JOIN pg_catalog.pg_class c USING (oid)
),
type AS (
    SELECT t.oid, t.typname::text, t.typtype, t.typbasetype, t.typrelid, t.typelem
      FROM pg_catalog.pg_type t
     WHERE t.typname = ANY ($1) AND t.oid >= 16384
),
-- The wrappers that talk to nobody while they plan.
foreign_table AS (
    SELECT relation.relname,
           h.proname = 'file_fdw_handler'
           OR (h.proname = 'postgres_fdw_handler'
               AND NOT EXISTS (SELECT FROM unnest(coalesce(f.ftoptions, '{}') || coalesce(s.srvoptions, '{}')) AS o
                                WHERE o ~* '^use_remote_estimate=' AND o !~* '=(false|off|no|0)$')) AS quiet
      FROM relation
      JOIN pg_catalog.pg_foreign_table f ON f.ftrelid = relation.oid
      JOIN pg_catalog.pg_foreign_server s ON s.oid = f.ftserver
      JOIN pg_catalog.pg_foreign_data_wrapper w ON w.oid = s.srvfdw
      LEFT JOIN pg_catalog.pg_proc h ON h.oid = w.fdwhandler
)
SELECT 'text' AS what, relname AS name, pg_catalog.pg_get_ruledef(r.oid) AS detail
  FROM relation JOIN pg_catalog.pg_rewrite r ON r.ev_class = relation.oid
 WHERE relation.relkind <> 'm'
UNION ALL
SELECT 'text', relname, concat_ws(' ', pg_catalog.pg_get_expr(p.polqual, p.polrelid), pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid))
  FROM relation JOIN pg_catalog.pg_policy p ON p.polrelid = relation.oid
 WHERE relation.relrowsecurity
UNION ALL
-- A virtual generated column is computed when it is read.
SELECT 'text', relname, pg_catalog.pg_get_expr(d.adbin, d.adrelid)
  FROM relation
  JOIN pg_catalog.pg_attrdef d ON d.adrelid = relation.oid
  JOIN pg_catalog.pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
 WHERE $2 OR a.attgenerated = 'v'
UNION ALL
SELECT CASE WHEN quiet THEN 'foreign' ELSE 'asks' END, relname, NULL FROM foreign_table
UNION ALL
SELECT 'text', typname, pg_catalog.pg_get_constraintdef(k.oid)
  FROM type JOIN pg_catalog.pg_constraint k ON k.contypid = type.oid
UNION ALL
SELECT 'text', typname, pg_catalog.format_type(typbasetype, NULL) FROM type WHERE typtype = 'd'
UNION ALL
SELECT 'text', typname, pg_catalog.format_type(typelem, NULL) FROM type WHERE typelem >= 16384
UNION ALL
SELECT 'text', typname, pg_catalog.format_type(a.atttypid, NULL)
  FROM type
  JOIN pg_catalog.pg_class c ON c.oid = type.typrelid AND (c.relkind = 'c' OR type.typname = ANY ($4))
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND a.atttypid >= 16384
UNION ALL
SELECT 'tree', relname, concat_ws(' ', i.indexprs::text, i.indpred::text)
  FROM relation JOIN pg_catalog.pg_index i ON i.indrelid = relation.oid
 WHERE i.indexprs IS NOT NULL OR i.indpred IS NOT NULL
UNION ALL
SELECT 'tree', relname, k.conbin::text
  FROM relation JOIN pg_catalog.pg_constraint k ON k.conrelid = relation.oid AND k.contype = 'c'
UNION ALL
SELECT 'tree', relname, p.partexprs::text
  FROM relation JOIN pg_catalog.pg_partitioned_table p ON p.partrelid = relation.oid
UNION ALL
-- Expressions came with 14.
SELECT 'tree', relname, to_jsonb(x) ->> 'stxexprs'
  FROM relation JOIN pg_catalog.pg_statistic_ext x ON x.stxrelid = relation.oid
