-- Entries of %EXPRESSION% in the values that are known of %COLUMN%: each with how many of them have it and their share of all rows,
-- the number of values, and the bytes of an entry.
WITH known AS (
    SELECT null_frac, most_common_vals::text::%TYPE%[] AS common, most_common_freqs AS shares,
           histogram_bounds::text::%TYPE%[] AS bounds
      FROM pg_catalog.pg_stats
     WHERE schemaname = $1 AND tablename = $2 AND attname = $3
     ORDER BY inherited LIMIT 1
), sample AS (
    SELECT m.value AS %COLUMN%, m.share AS "sargable share", 2 AS "sargable count"
      FROM known, unnest(common, shares) AS m (value, share)
    UNION ALL
    SELECT h.value,
           (1 - null_frac - coalesce((SELECT sum(share) FROM unnest(shares) AS share), 0)) / cardinality(bounds), 1
      FROM known, unnest(bounds) AS h (value)
), held AS (
    SELECT row_number() OVER () AS number, (%EXPRESSION%) AS value, "sargable share" AS share, "sargable count" AS count FROM sample
), entries AS (
    SELECT DISTINCT held.number, held.share, held.count, keys.key FROM held, LATERAL (%KEYS%) AS keys (key)
)
SELECT sum(count)::text, sum(share)::text, (SELECT sum(count) FROM held)::text,
       (SELECT avg(%WIDTH%) FROM entries)::text
  FROM entries
 GROUP BY key
