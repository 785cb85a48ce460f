-- Tables, partitions, views, materialised views and foreign tables of the users' schemas.
-- https://www.postgresql.org/docs/current/catalog-pg-class.html
-- https://www.postgresql.org/docs/current/monitoring-stats.html
SELECT c.oid,
       n.nspname::text,
       c.relname::text,
       c.relkind::text,
       c.relispartition,
       c.reltuples::float8,
       c.relpages::int8,
       c.relallvisible::int8,
       has_table_privilege(c.oid, 'SELECT') OR has_any_column_privilege(c.oid, 'SELECT') AS readable,
       s.seq_scan,
       s.seq_tup_read,
       s.idx_scan,
       s.n_tup_ins,
       s.n_tup_upd,
       s.n_tup_hot_upd,
       s.n_tup_del,
       extract(epoch FROM greatest(s.last_analyze, s.last_autoanalyze))::int8 AS last_analyze,
       s.n_live_tup,
       s.n_mod_since_analyze,
       c.reloptions,
       c.relrowsecurity,
       pn.nspname::text,
       p.relname::text
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_stat_user_tables s ON s.relid = c.oid
  LEFT JOIN pg_catalog.pg_inherits h ON c.relispartition AND h.inhrelid = c.oid
  LEFT JOIN pg_catalog.pg_class p ON p.oid = h.inhparent
  LEFT JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace
 WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
   AND c.relpersistence <> 't'
   AND n.nspname <> 'information_schema'
   AND n.nspname !~ '^pg_'
