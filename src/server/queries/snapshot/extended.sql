-- Only a superuser may read these. stxdinherit came with 15.
SELECT n.nspname AS schema,
       s.stxname AS name,
       coalesce((to_jsonb(d) ->> 'stxdinherit')::bool, false) AS inherited,
       encode(d.stxdndistinct::bytea, 'hex') AS ndistinct,
       encode(d.stxddependencies::bytea, 'hex') AS dependencies,
       encode(d.stxdmcv::bytea, 'hex') AS mcv
  FROM pg_statistic_ext s
  JOIN pg_statistic_ext_data d ON d.stxoid = s.oid
  JOIN pg_namespace n ON n.oid = s.stxnamespace
 WHERE n.nspname <> 'information_schema'
   AND n.nspname !~ '^pg_'
 ORDER BY n.nspname, s.stxname, 3
