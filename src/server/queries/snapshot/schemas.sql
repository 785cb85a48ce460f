SELECT 'schema' AS kind,
       n.nspname AS name,
       format('CREATE SCHEMA IF NOT EXISTS %I', n.nspname) AS sql
  FROM pg_namespace n
 WHERE n.nspname <> 'information_schema'
   AND n.nspname !~ '^pg_'
   AND NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = 'pg_namespace'::regclass AND d.objid = n.oid AND d.deptype = 'e')
 ORDER BY n.nspname
