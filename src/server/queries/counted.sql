-- Days since the counters of this database were reset (else since the server started), and whether other
-- servers count for themselves. Who may not see pg_stat_replication's rows sees their number all the same.
-- https://www.postgresql.org/docs/current/monitoring-stats.html
SELECT (extract(epoch FROM now() - coalesce(d.stats_reset, pg_catalog.pg_postmaster_start_time())) / 86400)::float8 AS days,
       pg_catalog.pg_is_in_recovery() OR EXISTS (SELECT FROM pg_catalog.pg_stat_replication) AS replicas
  FROM pg_catalog.pg_stat_database d
 WHERE d.datname = pg_catalog.current_database()
