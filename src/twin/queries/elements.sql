-- Elements of an array column by its own statistics: each with its share of all rows; as many again as all rows have besides.
WITH known AS (
    SELECT null_frac,
           most_common_elems::text::text[] AS elements,
           most_common_elem_freqs AS shares,
           elem_count_histogram[array_length(elem_count_histogram, 1)] AS average
      FROM pg_catalog.pg_stats
     WHERE schemaname = $1 AND tablename = $2 AND attname = $3
     ORDER BY inherited LIMIT 1
)
SELECT (known.shares[e.at] * (1 - null_frac))::text,
       known.average::text,
       (SELECT avg(octet_length(element) + 1) FROM unnest(elements) AS element)::text
  FROM known, unnest(elements) WITH ORDINALITY AS e (element, at)
