-- Extended statistics of the snapshot ($1, JSON). Their types take bytes by these casts, which only this database has.
INSERT INTO pg_catalog.pg_statistic_ext_data (stxoid,%INHERIT_COLUMN% stxdndistinct, stxddependencies, stxdmcv)
SELECT s.oid,%INHERIT_VALUE%
       decode(f.ndistinct, 'hex')::pg_ndistinct,
       decode(f.dependencies, 'hex')::pg_dependencies,
       decode(f.mcv, 'hex')::pg_mcv_list
  FROM json_to_recordset($1::json)
    AS f (schema text, name text, inherited bool, ndistinct text, dependencies text, mcv text)
  JOIN pg_catalog.pg_namespace n ON n.nspname = f.schema
  JOIN pg_catalog.pg_statistic_ext s ON s.stxnamespace = n.oid AND s.stxname = f.name
