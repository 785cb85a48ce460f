-- Functions and operators in the schemas of the path ($1) that have the name of a built-in one, and may fit its
-- arguments better. What an extension brought and a superuser owns is trusted.
-- https://www.postgresql.org/docs/current/typeconv-func.html
WITH own (name, schema, owner, catalog, oid) AS (
    SELECT p.proname, p.pronamespace, p.proowner, 'pg_proc'::regclass, p.oid FROM pg_catalog.pg_proc p WHERE p.oid >= 16384
     UNION ALL
    SELECT o.oprname, o.oprnamespace, o.oprowner, 'pg_operator'::regclass, o.oid FROM pg_catalog.pg_operator o WHERE o.oid >= 16384
)
SELECT 1
  FROM own
  JOIN pg_catalog.pg_namespace n ON n.oid = own.schema
 WHERE n.nspname = ANY ($1)
   AND (EXISTS (SELECT FROM pg_catalog.pg_proc b WHERE b.oid < 16384 AND b.proname = own.name)
        OR EXISTS (SELECT FROM pg_catalog.pg_operator b WHERE b.oid < 16384 AND b.oprname = own.name))
   AND NOT EXISTS (
       SELECT
         FROM pg_catalog.pg_depend d
         JOIN pg_catalog.pg_roles r ON r.oid = own.owner AND r.rolsuper
        WHERE d.classid = own.catalog AND d.objid = own.oid
          AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e')
 LIMIT 1
