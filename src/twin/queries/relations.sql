-- Figures of pg_class from the snapshot ($1, JSON). Gives what is here, with the file that it has.
WITH figures AS (
    SELECT * FROM json_to_recordset($1::json)
        AS f (schema text, name text, pages int4, tuples float4, visible int4, filenode int8, invalid bool)
), placed AS (
    UPDATE pg_catalog.pg_class c
       SET relpages = f.pages, reltuples = f.tuples, relallvisible = f.visible,
           relfilenode = coalesce(f.filenode::oid, c.relfilenode),
           relispopulated = true
      FROM figures f
      JOIN pg_catalog.pg_namespace n ON n.nspname = f.schema
     WHERE c.relnamespace = n.oid AND c.relname = f.name
 RETURNING c.oid, f.schema, f.name, f.invalid
), invalid AS (
    UPDATE pg_catalog.pg_index i SET indisvalid = false FROM placed p WHERE p.invalid AND i.indexrelid = p.oid
)
SELECT p.schema, p.name, coalesce(pg_relation_filepath(p.oid), '') FROM placed p
