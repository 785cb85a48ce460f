-- Column statistics, as far as the role may see them. An index has some for the keys that are expressions.
-- https://www.postgresql.org/docs/current/view-pg-stats.html
SELECT s.schemaname AS schema,
       s.tablename AS relation,
       s.attname AS name,
       s.inherited,
       s.null_frac,
       s.avg_width,
       s.n_distinct,
       s.most_common_vals::text AS most_common_vals,
       s.most_common_freqs::text AS most_common_freqs,
       s.histogram_bounds::text AS histogram_bounds,
       s.correlation,
       s.most_common_elems::text AS most_common_elems,
       s.most_common_elem_freqs::text AS most_common_elem_freqs,
       s.elem_count_histogram::text AS elem_count_histogram
  FROM pg_stats s
  JOIN pg_namespace n ON n.nspname = s.schemaname
  JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = s.tablename
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = s.attname
 WHERE s.schemaname <> 'information_schema'
   AND s.schemaname !~ '^pg_'
 ORDER BY s.schemaname, s.tablename, a.attnum, s.inherited
