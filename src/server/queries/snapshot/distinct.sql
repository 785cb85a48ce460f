-- Statistics objects that count groups of columns, for a role that may not read what they hold.
SELECT n.nspname AS schema,
       s.stxname AS name,
       tn.nspname AS table_schema,
       t.relname AS table_name,
       t.relkind = 'p' AS inherited,
       k.numbers,
       k.names
  FROM pg_statistic_ext s
  JOIN pg_namespace n ON n.oid = s.stxnamespace
  JOIN pg_class t ON t.oid = s.stxrelid
  JOIN pg_namespace tn ON tn.oid = t.relnamespace
 CROSS JOIN LATERAL (
       SELECT array_agg(a.attnum ORDER BY a.attnum) AS numbers, array_agg(a.attname ORDER BY a.attnum) AS names
         FROM pg_attribute a
        WHERE a.attrelid = t.oid AND a.attnum = ANY (s.stxkeys)) k
 WHERE 'd' = ANY (s.stxkind)
   AND to_jsonb(s) ->> 'stxexprs' IS NULL
   AND t.oid <> ALL ($1)
   AND has_table_privilege(t.oid, 'SELECT')
   AND n.nspname <> 'information_schema'
   AND n.nspname !~ '^pg_'
 ORDER BY n.nspname, s.stxname
