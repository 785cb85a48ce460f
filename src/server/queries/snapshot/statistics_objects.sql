SELECT 'statistics object' AS kind,
       n.nspname || '.' || s.stxname AS name,
       pg_get_statisticsobjdef(s.oid) AS sql
  FROM pg_statistic_ext s
  JOIN pg_namespace n ON n.oid = s.stxnamespace
 WHERE n.nspname <> 'information_schema'
   AND n.nspname !~ '^pg_'
   AND s.stxrelid <> ALL ($1)
 ORDER BY n.nspname, s.stxname
