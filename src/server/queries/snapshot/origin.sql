-- The database's own facts; as JSON for the columns that came with 15 and 17.
-- https://www.postgresql.org/docs/current/catalog-pg-database.html
SELECT d.datname AS database,
       pg_encoding_to_char(d.encoding) AS encoding,
       d.datcollate AS collate,
       d.datctype AS ctype,
       coalesce(to_jsonb(d) ->> 'datlocprovider', 'c') AS provider,
       coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale') AS locale,
       current_setting('block_size')::int4 AS block_size,
       current_setting('server_version_num')::int4 AS version
  FROM pg_database d
 WHERE d.datname = current_database()
