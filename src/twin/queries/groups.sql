-- Values that %EXPRESSION% makes of those that are known of %COLUMN%: how many, and how many of them of one known value, and of two. A
-- common value stands for many rows.
WITH known AS (
    SELECT most_common_vals::text::%TYPE%[] AS common, histogram_bounds::text::%TYPE%[] AS bounds
      FROM pg_catalog.pg_stats
     WHERE schemaname = $1 AND tablename = $2 AND attname = $3
     ORDER BY inherited LIMIT 1
), sample AS (
    SELECT m.value AS %COLUMN%, 3 AS "sargable count" FROM known, unnest(common) AS m (value)
    UNION ALL
    SELECT h.value, 1 FROM known, unnest(bounds) AS h (value)
), made AS (
    SELECT (%EXPRESSION%) AS value, "sargable count" AS count FROM sample
), groups AS (
    SELECT sum(count) AS count FROM made WHERE value IS NOT NULL GROUP BY value
)
SELECT count(*)::text, (count(*) FILTER (WHERE count = 1))::text, (count(*) FILTER (WHERE count = 2))::text FROM groups
