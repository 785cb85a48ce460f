-- Column statistics, as far as the role may see them. A partitioned table has only those of the whole tree
-- (inherited). Long lists stay on the server: the common values are cut, the histogram is whole or not there.
-- https://www.postgresql.org/docs/current/view-pg-stats.html
SELECT s.schemaname::text,
       s.tablename::text,
       s.attname::text,
       s.inherited,
       s.null_frac,
       s.avg_width,
       s.n_distinct,
       left(s.most_common_vals::text, 8000),
       s.most_common_freqs,
       s.correlation,
       CASE WHEN length(s.histogram_bounds::text) <= 16000 THEN s.histogram_bounds::text END
  FROM pg_catalog.pg_stats s
 WHERE s.schemaname <> 'information_schema'
   AND s.schemaname !~ '^pg_'
