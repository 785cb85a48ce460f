-- What the unprivileged role may change in the catalog: figures of relations, and whether indexes are valid. Made by
-- a superuser, for transactions that are rolled back.
CREATE SCHEMA sargable;
GRANT USAGE ON SCHEMA sargable TO PUBLIC;
CREATE FUNCTION sargable.place(relation oid, filenode oid, pages int4, tuples float4, visible int4) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog
    AS 'UPDATE pg_class SET relfilenode = $2, relpages = $3, reltuples = $4, relallvisible = $5 WHERE oid = $1';
CREATE FUNCTION sargable.hide(indexes oid[]) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog
    AS 'UPDATE pg_index SET indisvalid = false WHERE indexrelid = ANY ($1)'
