-- How many combinations of the columns ($3, JSON) extended statistics counted: {"1, 2": 800000}, by the columns' numbers.
SELECT counted.value
  FROM pg_catalog.pg_stats_ext s
  JOIN pg_catalog.pg_namespace n ON n.nspname = s.schemaname
  JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = s.tablename
 CROSS JOIN LATERAL json_each_text(s.n_distinct::text::json) AS counted (columns, value)
 WHERE s.schemaname = $1
   AND s.tablename = $2
   AND (SELECT array_agg(number::int2 ORDER BY number::int2) FROM unnest(string_to_array(counted.columns, ', ')) AS number)
     = (SELECT array_agg(a.attnum ORDER BY a.attnum)
          FROM pg_catalog.pg_attribute a
          JOIN json_array_elements_text($3::json) AS wanted (name) ON wanted.name = a.attname
         WHERE a.attrelid = c.oid AND a.attnum > 0)
 LIMIT 1
