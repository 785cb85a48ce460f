SELECT s.schemaname AS schema,
       s.relname AS name,
       coalesce(s.seq_scan, 0) AS seq_scans,
       coalesce(s.seq_tup_read, 0) AS seq_rows,
       coalesce(s.idx_scan, 0) AS index_scans,
       coalesce(s.n_tup_ins, 0) AS inserts,
       coalesce(s.n_tup_upd, 0) AS updates,
       coalesce(s.n_tup_hot_upd, 0) AS hot_updates,
       coalesce(s.n_tup_del, 0) AS deletes,
       coalesce(s.n_live_tup, 0) AS live_rows,
       coalesce(s.n_mod_since_analyze, 0) AS modified_since_analyze,
       extract(epoch FROM greatest(s.last_analyze, s.last_autoanalyze))::int8 AS last_analyze
  FROM pg_stat_user_tables s
