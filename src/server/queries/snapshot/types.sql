-- Enums, domains, composite types and ranges. A base type is C code and comes with an extension.
-- https://www.postgresql.org/docs/current/catalog-pg-type.html
SELECT CASE t.typtype WHEN 'e' THEN 'enum' WHEN 'd' THEN 'domain' WHEN 'r' THEN 'range type' ELSE 'composite type' END AS kind,
       n.nspname || '.' || t.typname AS name,
       CASE t.typtype
           WHEN 'e' THEN
               format('CREATE TYPE %I.%I AS ENUM (%s)', n.nspname, t.typname,
                      (SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder)
                         FROM pg_enum e WHERE e.enumtypid = t.oid))
           WHEN 'd' THEN
               format('CREATE DOMAIN %I.%I AS %s', n.nspname, t.typname, format_type(t.typbasetype, t.typtypmod))
               || coalesce((SELECT format(' COLLATE %I.%I', cn.nspname, l.collname)
                              FROM pg_collation l
                              JOIN pg_namespace cn ON cn.oid = l.collnamespace
                              JOIN pg_type b ON b.oid = t.typbasetype
                             WHERE l.oid = t.typcollation AND t.typcollation <> b.typcollation), '')
               || CASE WHEN t.typnotnull THEN ' NOT NULL' ELSE '' END
               || coalesce((SELECT string_agg(format(' CONSTRAINT %I %s', k.conname, pg_get_constraintdef(k.oid)), '' ORDER BY k.conname)
                              FROM pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c'), '')
           WHEN 'r' THEN
               (SELECT format('CREATE TYPE %I.%I AS RANGE (SUBTYPE = %s%s%s)', n.nspname, t.typname, format_type(r.rngsubtype, NULL),
                              CASE WHEN r.rngsubdiff <> 0 THEN ', SUBTYPE_DIFF = ' || r.rngsubdiff::regproc ELSE '' END,
                              CASE WHEN o.opcdefault THEN '' ELSE format(', SUBTYPE_OPCLASS = %I.%I', m.nspname, o.opcname) END)
                  FROM pg_range r
                  JOIN pg_opclass o ON o.oid = r.rngsubopc
                  JOIN pg_namespace m ON m.oid = o.opcnamespace
                 WHERE r.rngtypid = t.oid)
           ELSE
               format('CREATE TYPE %I.%I AS (%s)', n.nspname, t.typname,
                      (SELECT string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' ORDER BY a.attnum)
                         FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped))
       END AS sql
  FROM pg_type t
  JOIN pg_namespace n ON n.oid = t.typnamespace
  LEFT JOIN pg_class c ON c.oid = t.typrelid
 WHERE (t.typtype IN ('e', 'd', 'r') OR (t.typtype = 'c' AND c.relkind = 'c'))
   AND n.nspname <> 'information_schema'
   AND n.nspname !~ '^pg_'
   AND NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e')
 ORDER BY t.oid
