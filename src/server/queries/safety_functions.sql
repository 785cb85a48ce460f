-- Every function that a name may mean, every operator with a function of its own, every cast by one.
-- $1 names called, $2 attributes, $3 operators, $4 extensions whose functions do what their label says, $5 words.
-- Trusted: what initdb made (oid below 16384), and what those extensions brought and a superuser owns (anybody may add a
-- function of his own to an extension that he owns). Triggers and the handlers of TABLESAMPLE cannot be called from SQL.
-- https://www.postgresql.org/docs/current/catalog-pg-proc.html
WITH RECURSIVE trusted AS (
    SELECT d.objid
      FROM pg_catalog.pg_depend d
      JOIN pg_catalog.pg_extension e ON d.refclassid = 'pg_catalog.pg_extension'::regclass AND e.oid = d.refobjid
      JOIN pg_catalog.pg_proc p ON p.oid = d.objid
      JOIN pg_catalog.pg_roles r ON r.oid = p.proowner AND r.rolsuper
     WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.deptype = 'e' AND e.extname = ANY ($4)
),
-- The types of users that the statement can come by: named ones (a table is one), what functions and operators
-- return, what is cast to without being asked; and what these consist of.
met (type) AS (
    SELECT t.oid FROM pg_catalog.pg_type t WHERE t.typname = ANY ($5) OR (t.typtype = 'm' AND t.oid >= 16384)
     UNION
    SELECT r.type
      FROM pg_catalog.pg_proc p
     CROSS JOIN LATERAL unnest(coalesce(p.proallargtypes, '{}') || p.prorettype) AS r (type)
     WHERE p.proname = ANY ($1) OR p.proname = ANY ($2)
     UNION
    SELECT o.oprresult FROM pg_catalog.pg_operator o WHERE o.oid >= 16384 AND o.oprname = ANY ($3)
     UNION
    SELECT c.casttarget FROM pg_catalog.pg_cast c WHERE c.oid >= 16384 AND c.castcontext = 'i'
     UNION
    SELECT part.type
      FROM met
      JOIN pg_catalog.pg_type t ON t.oid = met.type
     CROSS JOIN LATERAL (
           SELECT u FROM unnest(ARRAY[t.typelem, t.typbasetype, t.typarray]) AS u
            UNION ALL
           SELECT a.atttypid FROM pg_catalog.pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0
            UNION ALL
           SELECT r.rngsubtype FROM pg_catalog.pg_range r WHERE r.rngtypid = t.oid) AS part (type)
     WHERE part.type >= 16384
),
operator AS (
    SELECT o.*
      FROM pg_catalog.pg_operator o
     WHERE o.oprname = ANY ($3)
       AND (o.oprleft < 16384 OR o.oprleft IN (SELECT type FROM met))
       AND (o.oprright < 16384 OR o.oprright IN (SELECT type FROM met))
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
    -- The planner replaces an operator by its negator or commutator.
    SELECT 'operator', o.oprname::text, o.oprcode
      FROM operator
      JOIN pg_catalog.pg_operator o ON o.oid IN (operator.oid, operator.oprcom, operator.oprnegate)
     WHERE o.oid >= 16384
    UNION ALL
    SELECT CASE c.castcontext WHEN 'e' THEN 'explicit cast' ELSE 'cast' END,
           pg_catalog.format_type(c.casttarget, NULL),
           c.castfunc
      FROM pg_catalog.pg_cast c
     WHERE c.oid >= 16384 AND c.castfunc <> 0
       AND (c.castsource < 16384 OR c.castsource IN (SELECT type FROM met))
       AND (c.casttarget < 16384 OR c.casttarget IN (SELECT type FROM met))
    UNION ALL
    SELECT 'type', t.typname::text, t.typinput
      FROM pg_catalog.pg_type t
     WHERE t.oid >= 16384 AND t.typname = ANY ($5)
    UNION ALL
    -- The planner measures ranges against their histogram.
    SELECT 'range', pg_catalog.format_type(r.rngtypid, NULL), f
      FROM pg_catalog.pg_range r
     CROSS JOIN LATERAL unnest(ARRAY[r.rngsubdiff, r.rngcanonical]) AS f
     WHERE r.rngtypid IN (SELECT type FROM met)
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
