SELECT s.schemaname AS schema, s.indexrelname AS name, s.idx_scan AS scans FROM pg_stat_user_indexes s
