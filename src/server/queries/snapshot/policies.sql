-- Row-level security; the roles that a policy is for do not exist elsewhere, so that each is for everybody.
SELECT 'row-level security' AS kind,
       n.nspname || '.' || c.relname AS name,
       format('ALTER TABLE %I.%I ENABLE ROW LEVEL SECURITY', n.nspname, c.relname) AS sql
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relrowsecurity
   AND n.nspname <> 'information_schema'
   AND n.nspname !~ '^pg_'
   AND c.oid <> ALL ($1)
UNION ALL
SELECT 'policy',
       format('%s.%s on %s', n.nspname, p.polname, c.relname),
       format('CREATE POLICY %I ON %I.%I AS %s FOR %s%s%s', p.polname, n.nspname, c.relname,
              CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
              CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
              coalesce(' USING (' || pg_get_expr(p.polqual, p.polrelid) || ')', ''),
              coalesce(' WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')', ''))
  FROM pg_policy p
  JOIN pg_class c ON c.oid = p.polrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname <> 'information_schema'
   AND n.nspname !~ '^pg_'
   AND c.oid <> ALL ($1)
 ORDER BY 1 DESC, 2
