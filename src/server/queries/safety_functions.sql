-- Every function that a name may mean, every operator with a function of its own, every cast by one.
-- $1 names called, $2 attributes, $3 operators, $4 extensions whose functions do what their label says, $5 words.
-- Trusted: what initdb made (oid below 16384), and those extensions. Triggers and the handlers of
-- TABLESAMPLE cannot be called from SQL.
-- https://www.postgresql.org/docs/current/catalog-pg-proc.html
WITH trusted AS (
    SELECT d.objid
      FROM pg_catalog.pg_depend d
      JOIN pg_catalog.pg_extension e ON d.refclassid = 'pg_catalog.pg_extension'::regclass AND e.oid = d.refobjid
     WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.deptype = 'e' AND e.extname = ANY ($4)
),
used AS (
    SELECT 'function' AS what, p.proname::text AS name, p.oid AS function
      FROM pg_catalog.pg_proc p
     WHERE p.proname = ANY ($1)
    UNION ALL
    SELECT 'attribute', p.proname::text, p.oid
      FROM pg_catalog.pg_proc p
     WHERE p.proname = ANY ($2) AND p.pronargs >= 1 AND (p.pronargs - p.pronargdefaults <= 1)
    UNION ALL
    SELECT 'operator', o.oprname::text, o.oprcode
      FROM pg_catalog.pg_operator o
     WHERE o.oid >= 16384 AND o.oprname = ANY ($3)
    UNION ALL
    SELECT CASE c.castcontext WHEN 'e' THEN 'explicit cast' ELSE 'cast' END,
           pg_catalog.format_type(c.casttarget, NULL),
           c.castfunc
      FROM pg_catalog.pg_cast c
     WHERE c.oid >= 16384 AND c.castfunc <> 0
    UNION ALL
    SELECT 'type', t.typname::text, t.typinput
      FROM pg_catalog.pg_type t
     WHERE t.oid >= 16384 AND t.typname = ANY ($5)
)
SELECT DISTINCT
       used.what,
       used.name,
       n.nspname::text,
       p.provolatile::text,
       p.oid < 16384 OR trusted.objid IS NOT NULL AS trusted
  FROM used
  JOIN pg_catalog.pg_proc p ON p.oid = used.function
  JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
  LEFT JOIN trusted ON trusted.objid = p.oid
 WHERE p.prorettype <> ALL (ARRAY['pg_catalog.trigger', 'pg_catalog.event_trigger', 'pg_catalog.tsm_handler']::regtype[])
 ORDER BY 1, 2, 3, 4, 5
