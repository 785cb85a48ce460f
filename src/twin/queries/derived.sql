-- What %EXPRESSION% makes of the values that are known of %COLUMN%: the commonest ones ($1) with their share ($2), the bounds of
-- the histogram ($3), each for an equal share ($4), and NULL ($5).
WITH sample AS (
    SELECT m.value AS %COLUMN%, m.share AS "sargable share", true AS "sargable common"
      FROM unnest($1::%TYPE%[], $2::float8[]) AS m (value, share)
    UNION ALL
    SELECT h.value, $4::float8, false FROM unnest($3::%TYPE%[]) AS h (value)
    UNION ALL
    SELECT NULL::%TYPE%, $5::float8, true
), mapped AS (
    SELECT (%EXPRESSION%) AS value, "sargable share" AS share, "sargable common" AS common FROM sample
), groups AS (
    SELECT value, sum(share) AS share, bool_or(common) OR count(*) > 1 AS common FROM mapped WHERE value IS NOT NULL GROUP BY value
)
SELECT (SELECT coalesce(sum(share), 0) FROM mapped WHERE value IS NULL)::text,
       (SELECT ceil(sum(share * pg_column_size(value)) / nullif(sum(share), 0)) FROM mapped WHERE value IS NOT NULL)::text,
       (SELECT array_agg(value ORDER BY share DESC, value) FROM groups WHERE common AND share > 0)::text,
       (SELECT array_agg(share::float4 ORDER BY share DESC, value) FROM groups WHERE common AND share > 0)::text,
       (SELECT array_agg(value ORDER BY value) FROM groups WHERE NOT common)::text,
       (SELECT count(*) FROM groups WHERE common)::text,
       (SELECT count(*) FROM groups WHERE NOT common)::text
