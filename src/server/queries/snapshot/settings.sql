-- What the planner reads, what gives constants their meaning, and what the rules ask of a server.
SELECT name, setting
  FROM pg_settings
 WHERE setting IS NOT NULL
   AND (category LIKE 'Query Tuning%'
        OR name IN ('work_mem', 'hash_mem_multiplier', 'maintenance_work_mem', 'shared_buffers', 'jit',
                    'effective_io_concurrency', 'maintenance_io_concurrency', 'max_parallel_workers', 'max_parallel_workers_per_gather',
                    'max_worker_processes', 'default_statistics_target', 'DateStyle', 'IntervalStyle', 'TimeZone',
                    'default_text_search_config', 'standard_conforming_strings', 'bytea_output', 'extra_float_digits',
                    'max_connections', 'superuser_reserved_connections', 'reserved_connections', 'autovacuum',
                    'autovacuum_vacuum_scale_factor', 'autovacuum_analyze_scale_factor', 'track_io_timing'))
