//! The snapshot's extensions.

use super::{Missing, words};
use crate::{catalog::snapshot::Snapshot, error::Error, names::quote_ident, server::raw::Session};

/// Extensions that no plan depends on: nobody misses them here.
const IDLE: &[&str] = &[
    "adminpack",
    "amcheck",
    "auto_explain",
    "hypopg",
    "pageinspect",
    "pg_buffercache",
    "pg_cron",
    "pg_freespacemap",
    "pg_prewarm",
    "pg_repack",
    "pg_stat_kcache",
    "pg_stat_statements",
    "pg_visibility",
    "pg_wait_sampling",
    "pgaudit",
    "pglogical",
    "pgrowlocks",
    "pgstattuple",
    "plpgsql",
    "rds_tools",
    "sslinfo",
    "google_vacuum_mgmt",
];

/// Creates the extensions, which takes a superuser. Gives those that this machine does not have.
pub(super) fn create(admin: &Session, snapshot: &Snapshot) -> Result<Vec<Missing>, Error> {
    let mut missing = Vec::new();
    for extension in snapshot.extensions.iter().filter(|one| !IDLE.contains(&one.name.as_str())) {
        let (name, schema) = (quote_ident(&extension.name), quote_ident(&extension.schema));
        let made = admin
            .batch(&format!("CREATE SCHEMA IF NOT EXISTS {schema} AUTHORIZATION {}", super::ROLE))
            .and_then(|()| {
                admin.batch(&format!("CREATE EXTENSION IF NOT EXISTS {name} SCHEMA {schema} CASCADE"))
            });
        match made {
            Ok(()) => {}
            Err(err @ Error::Server { .. }) => missing.push(Missing {
                kind: "extension".to_owned(),
                name: extension.name.clone(),
                why: format!("not on this machine: {}", words(&err)),
            }),
            Err(err) => return Err(err),
        }
    }
    Ok(missing)
}
