-- Functions that a query, an index, a default or a view may call: their volatility, cost and body decide plans.
-- Those of triggers do not; C code comes with an extension.
SELECT 'function' AS kind,
       format('%s.%s(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)) AS name,
       rtrim(pg_get_functiondef(p.oid), E'\n') AS sql
  FROM pg_proc p
  JOIN pg_namespace n ON n.oid = p.pronamespace
  JOIN pg_language l ON l.oid = p.prolang
 WHERE p.prokind IN ('f', 'w')
   AND l.lanname NOT IN ('c', 'internal')
   AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
   AND n.nspname <> 'information_schema'
   AND n.nspname !~ '^pg_'
   AND NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
 ORDER BY p.oid
