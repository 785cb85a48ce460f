-- Of the calls in a table's own expressions: functions that are not trusted and have constant arguments ($1, and
-- $2 for those behind operators), and the text of functions in SQL, which the planner puts in their place ($3, $4 all calls).
-- $5 extensions whose functions do what their label says.
-- https://www.postgresql.org/docs/current/xfunc-optimization.html
WITH behind (oid, code) AS (
    SELECT o.oid, x.oprcode::oid
      FROM pg_catalog.pg_operator o
      JOIN pg_catalog.pg_operator x ON x.oid IN (o.oid, o.oprcom, o.oprnegate)
     WHERE o.oid = ANY ($4)
)
SELECT n.nspname::text || '.' || p.proname::text,
       CASE
           WHEN p.oid = ANY ($1) OR p.oid IN (SELECT code FROM behind WHERE oid = ANY ($2)) THEN NULL
           WHEN p.prosrc <> '' THEN p.prosrc
           ELSE pg_catalog.pg_get_functiondef(p.oid)
       END
  FROM pg_catalog.pg_proc p
  JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
  JOIN pg_catalog.pg_language l ON l.oid = p.prolang
 WHERE p.oid >= 16384
   AND (p.oid = ANY ($3) OR p.oid IN (SELECT code FROM behind))
   AND (l.lanname = 'sql' OR p.oid = ANY ($1) OR p.oid IN (SELECT code FROM behind WHERE oid = ANY ($2)))
   AND NOT EXISTS (
       SELECT
         FROM pg_catalog.pg_depend d
         JOIN pg_catalog.pg_extension e ON d.refclassid = 'pg_catalog.pg_extension'::regclass AND e.oid = d.refobjid
         JOIN pg_catalog.pg_roles r ON r.oid = p.proowner AND r.rolsuper
        WHERE d.objid = p.oid AND d.classid = 'pg_catalog.pg_proc'::regclass AND d.deptype = 'e' AND e.extname = ANY ($5))
 ORDER BY 1, 2
