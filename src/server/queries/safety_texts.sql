-- What the named relations and types bring along: the text of rules (a view is one), of row security
-- policies, of defaults (for INSERT), of domain constraints, and the types of composite types. $1 holds names; what
-- initdb made (oid below 16384) is trusted. A partition is named by its parent.
-- https://www.postgresql.org/docs/current/catalog-pg-rewrite.html
WITH RECURSIVE named AS (
    SELECT c.oid
      FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relname = ANY ($1)
       AND c.oid >= 16384
       AND (pg_catalog.pg_table_is_visible(c.oid) OR n.nspname = ANY ($1))
    UNION
    SELECT i.inhrelid FROM named JOIN pg_catalog.pg_inherits i ON i.inhparent = named.oid
),
relation AS (
    SELECT c.oid, c.relname::text, c.relkind, c.relrowsecurity, c.relhasrules FROM named JOIN pg_catalog.pg_class c USING (oid)
),
type AS (
    SELECT t.oid, t.typname::text, t.typtype, t.typbasetype, t.typrelid, t.typinput
      FROM pg_catalog.pg_type t
     WHERE t.typname = ANY ($1) AND t.oid >= 16384
)
SELECT 'text' AS what, relname AS name, pg_catalog.pg_get_ruledef(r.oid) AS detail
  FROM relation JOIN pg_catalog.pg_rewrite r ON r.ev_class = relation.oid
 WHERE relation.relkind <> 'm'
UNION ALL
SELECT 'text', relname, concat_ws(' ', pg_catalog.pg_get_expr(p.polqual, p.polrelid), pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid))
  FROM relation JOIN pg_catalog.pg_policy p ON p.polrelid = relation.oid
 WHERE relation.relrowsecurity
UNION ALL
SELECT 'text', relname, pg_catalog.pg_get_expr(d.adbin, d.adrelid)
  FROM relation JOIN pg_catalog.pg_attrdef d ON d.adrelid = relation.oid
 WHERE $2
UNION ALL
SELECT 'foreign', relname, NULL FROM relation WHERE relkind = 'f'
UNION ALL
SELECT 'text', typname, pg_catalog.pg_get_constraintdef(k.oid)
  FROM type JOIN pg_catalog.pg_constraint k ON k.contypid = type.oid
UNION ALL
SELECT 'text', typname, pg_catalog.format_type(typbasetype, NULL) FROM type WHERE typtype = 'd'
UNION ALL
SELECT 'text', typname, pg_catalog.format_type(a.atttypid, NULL)
  FROM type
  JOIN pg_catalog.pg_class c ON c.oid = type.typrelid AND c.relkind = 'c'
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND a.atttypid >= 16384
