-- Storage ($1) of types ($2), and of the columns of ours that have them.
WITH own AS (
    UPDATE pg_catalog.pg_type
       SET typstorage = $1::"char"
     WHERE oid = ANY (pg_catalog.string_to_array($2, ',')::oid[])
 RETURNING oid
)
UPDATE pg_catalog.pg_attribute a
   SET attstorage = $1::"char"
  FROM own
 WHERE a.atttypid = own.oid
   AND a.attrelid >= 16384
   AND a.attstorage = 'p'
