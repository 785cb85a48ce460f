SELECT name::text, installed_version FROM pg_catalog.pg_available_extensions
