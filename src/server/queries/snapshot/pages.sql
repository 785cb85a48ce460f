-- The first block of B-trees and GIN indexes, where their height and figures stand, for those who may read it.
SELECT c.oid::int8 AS oid, encode(substr(%READ%, 1, 80), 'hex') AS page
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_am m ON m.oid = c.relam
 WHERE c.relkind = 'i'
   AND c.relpersistence <> 't'
   AND m.amname IN ('btree', 'gin')
   AND n.nspname <> 'information_schema'
   AND n.nspname !~ '^pg_'
   AND c.oid <> ALL ($1)
