-- Partitions and children by inheritance, the latter in the order of their parents.
SELECT CASE WHEN c.relispartition THEN 'partition' ELSE 'child table' END AS kind,
       n.nspname || '.' || c.relname AS name,
       CASE
           WHEN c.relispartition THEN
               format('ALTER TABLE ONLY %I.%I ATTACH PARTITION %I.%I %s', pn.nspname, p.relname, n.nspname, c.relname,
                      pg_get_expr(c.relpartbound, c.oid))
           ELSE format('ALTER TABLE ONLY %I.%I INHERIT %I.%I', n.nspname, c.relname, pn.nspname, p.relname)
       END AS sql
  FROM pg_inherits i
  JOIN pg_class c ON c.oid = i.inhrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_class p ON p.oid = i.inhparent
  JOIN pg_namespace pn ON pn.oid = p.relnamespace
 WHERE c.relkind IN ('r', 'p')
   AND c.relpersistence <> 't'
   AND n.nspname <> 'information_schema'
   AND n.nspname !~ '^pg_'
   AND c.oid <> ALL ($1)
   AND p.oid <> ALL ($1)
 ORDER BY n.nspname, c.relname, i.inhseqno
