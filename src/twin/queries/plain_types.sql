-- Values of every type in their row; not of rows of the catalog's own tables, which no table has. Gives what storage they had.
WITH before AS (
    SELECT t.oid, t.typstorage
      FROM pg_catalog.pg_type t
      LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem
     WHERE t.typlen = -1
       AND t.typstorage <> 'p'
       AND t.typtype <> 'c'
       AND coalesce(e.typtype <> 'c', true)
), plain AS (
    UPDATE pg_catalog.pg_type t SET typstorage = 'p' FROM before b WHERE t.oid = b.oid
)
SELECT typstorage::text, pg_catalog.string_agg(oid::text, ',') FROM before GROUP BY typstorage
