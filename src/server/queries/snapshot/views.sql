SELECT CASE c.relkind WHEN 'm' THEN 'materialised view' ELSE 'view' END AS kind,
       n.nspname || '.' || c.relname AS name,
       format('CREATE %s %I.%I (%s)', CASE c.relkind WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'VIEW' END, n.nspname, c.relname,
              (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
                 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped))
       || coalesce((SELECT format(' WITH (%s)', string_agg(format('%I = %L', o.option_name, o.option_value), ', '))
                      FROM pg_options_to_table(c.reloptions) o HAVING count(*) > 0), '')
       || ' AS ' || rtrim(pg_get_viewdef(c.oid), ';')
       || CASE c.relkind WHEN 'm' THEN ' WITH NO DATA' ELSE '' END AS sql
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('v', 'm')
   AND c.relpersistence <> 't'
   AND n.nspname <> 'information_schema'
   AND n.nspname !~ '^pg_'
   AND c.oid <> ALL ($1)
   AND NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
 ORDER BY c.oid
