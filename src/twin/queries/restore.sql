-- Column statistics of the snapshot ($1, JSON) by the server's own import function, which came with 18. Gives those that
-- it did not take as they are.
-- https://www.postgresql.org/docs/18/functions-admin.html#FUNCTIONS-ADMIN-STATSMOD
SELECT f.schema, f.relation, f.name, f.inherited::text
  FROM json_to_recordset($1::json)
    AS f (schema text, relation text, name text, inherited bool, null_frac float4, avg_width int4, n_distinct float4,
          most_common_vals text, most_common_freqs float4[], histogram_bounds text, correlation float4,
          most_common_elems text, most_common_elem_freqs float4[], elem_count_histogram float4[])
  JOIN pg_catalog.pg_namespace n ON n.nspname = f.schema
  JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = f.relation
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = f.name
 WHERE NOT pg_catalog.pg_restore_attribute_stats(
           'schemaname', f.schema,
           'relname', f.relation,
           'attname', f.name,
           'inherited', f.inherited,
           'null_frac', f.null_frac,
           'avg_width', f.avg_width,
           'n_distinct', f.n_distinct,
           'most_common_vals', f.most_common_vals,
           'most_common_freqs', f.most_common_freqs,
           'histogram_bounds', f.histogram_bounds,
           'correlation', f.correlation,
           'most_common_elems', f.most_common_elems,
           'most_common_elem_freqs', f.most_common_elem_freqs,
           'elem_count_histogram', f.elem_count_histogram)
