-- What pg_stat_statements counted in this database, of statements that a client sent. The columns of times had other
-- names before version 1.8 of the extension, and `toplevel` came with 1.10: as JSON what is not there is NULL.
-- https://www.postgresql.org/docs/current/pgstatstatements.html
SELECT s.query::text,
       s.calls::int8,
       coalesce(j.row ->> 'total_exec_time', j.row ->> 'total_time')::float8,
       coalesce(j.row ->> 'min_exec_time', j.row ->> 'min_time')::float8,
       coalesce(j.row ->> 'max_exec_time', j.row ->> 'max_time')::float8,
       s.rows::int8,
       u.rolname::text,
       d.datname::text
  FROM {statements} s
  JOIN pg_catalog.pg_database d ON d.oid = s.dbid
  LEFT JOIN pg_catalog.pg_roles u ON u.oid = s.userid
 CROSS JOIN LATERAL (SELECT to_jsonb(s) - 'query' AS row) j
 WHERE d.datname = pg_catalog.current_database()
   AND coalesce((j.row ->> 'toplevel')::bool, true)
