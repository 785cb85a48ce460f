-- Figures of pg_class from the snapshot ($1, JSON) by the server's own import function, which came with 18. It writes the row
-- in place, so the server sees them at once.
SELECT f.schema, f.name
  FROM json_to_recordset($1::json) AS f (schema text, name text, pages int4, tuples float4, visible int4)
  JOIN pg_catalog.pg_namespace n ON n.nspname = f.schema
  JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = f.name
 WHERE NOT pg_catalog.pg_restore_relation_stats(
           'schemaname', f.schema,
           'relname', f.name,
           'relpages', f.pages,
           'reltuples', f.tuples,
           'relallvisible', f.visible)
