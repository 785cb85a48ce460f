SELECT name, setting FROM pg_catalog.pg_settings WHERE setting IS NOT NULL
