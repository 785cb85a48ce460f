//! The lists behind the verdicts, by function name.

/// Functions that reach outside of the transaction, run SQL text, take the name of a type as text, wait, take
/// a transaction number, or change the session or the server. They are not even planned, wherever they stand.
pub(super) fn never(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    EXACTLY.contains(&name.as_str()) || BEGINNING.iter().any(|beginning| name.starts_with(beginning))
}

const EXACTLY: &[&str] = &[
    "connectby",
    "currtid2",
    "loread",
    "lowrite",
    "pg_current_xact_id",
    "pg_promote",
    "set_config",
    "setseed",
    "ts_rewrite",
    "ts_stat",
    "txid_current",
    "xpath_table",
];

const BEGINNING: &[&str] = &[
    "binary_upgrade_",
    "brin_desummarize",
    "brin_summarize",
    "crosstab",
    "cursor_to_xml",
    "database_to_xml",
    "dblink",
    "gin_clean_pending",
    "hypopg",
    "lo_",
    "pg_advisory_",
    "pg_backup_",
    "pg_buffercache_evict",
    "pg_cancel_",
    "pg_clear_",
    "pg_copy_",
    "pg_create_",
    "pg_drop_",
    "pg_export_",
    "pg_extension_config_",
    "pg_file_",
    "pg_import_",
    "pg_input_",
    "pg_log_",
    "pg_logical_",
    "pg_logdir_",
    "pg_ls_",
    "pg_notify",
    "pg_prewarm",
    "pg_read_",
    "pg_reload_",
    "pg_replication_",
    "pg_restore_",
    "pg_rotate_",
    "pg_sleep",
    "pg_start_backup",
    "pg_stat_file",
    "pg_stat_reset",
    "pg_stat_statements_reset",
    "pg_stop_",
    "pg_switch_",
    "pg_sync_",
    "pg_terminate_",
    "pg_truncate_",
    "pg_try_advisory_",
    "pg_wal_replay_",
    "query_to_xml",
    "schema_to_xml",
    "table_to_xml",
];

/// Volatile functions that only look at a clock, at chance, at sizes, or at this session.
pub(super) fn harmless(name: &str) -> bool {
    const HARMLESS: &[&str] = &[
        "clock_timestamp",
        "currval",
        "gen_random_bytes",
        "gen_random_uuid",
        "gen_salt",
        "lastval",
        "pg_blocking_pids",
        "pg_database_size",
        "pg_indexes_size",
        "pg_is_in_recovery",
        "pg_jit_available",
        "pg_relation_size",
        "pg_table_size",
        "pg_tablespace_size",
        "pg_total_relation_size",
        "random",
        "random_normal",
        "timeofday",
        "uuid_generate_v1",
        "uuid_generate_v1mc",
        "uuid_generate_v4",
        "uuidv4",
        "uuidv7",
    ];
    HARMLESS.contains(&name)
}

/// Extensions whose functions do what their volatility says: written in C by the PostgreSQL project
/// or as widely used, and without a way to run SQL text or to reach outside.
pub(super) const HONEST_EXTENSIONS: &[&str] = &[
    "bloom",
    "btree_gin",
    "btree_gist",
    "citext",
    "cube",
    "dict_int",
    "dict_xsyn",
    "earthdistance",
    "fuzzystrmatch",
    "hstore",
    "intagg",
    "intarray",
    "isn",
    "ltree",
    "pg_stat_statements",
    "pg_trgm",
    "pgcrypto",
    "postgis",
    "seg",
    "tsm_system_rows",
    "tsm_system_time",
    "unaccent",
    "uuid-ossp",
    "vector",
];

/// Operators that PostgreSQL's grammar uses without writing them: IN, BETWEEN, LIKE, CASE, NULLIF,
/// IS DISTINCT FROM, and sorting.
pub(super) const IMPLICIT_OPERATORS: &[&str] =
    &["=", "<>", "<", "<=", ">", ">=", "~~", "!~~", "~~*", "!~~*", "~"];
