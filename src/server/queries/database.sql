-- The database's own collation, as JSON for the columns that came with 15 and 17.
-- https://www.postgresql.org/docs/current/catalog-pg-database.html
SELECT d.datname::text,
       d.datcollate::text,
       coalesce(to_jsonb(d) ->> 'datlocprovider', 'c'),
       current_user::text
  FROM pg_catalog.pg_database d
 WHERE d.datname = pg_catalog.current_database()
