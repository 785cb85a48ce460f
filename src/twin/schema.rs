//! The snapshot's DDL, run again.

use super::{Missing, words};
use crate::{
    catalog::snapshot::{Piece, Snapshot},
    error::Error,
    names::quote_ident,
    server::raw::Session,
};

/// Statements in one message: a few are fast, and one that fails takes few others with it.
const TOGETHER: usize = 100;

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
pub(super) fn extensions(admin: &Session, snapshot: &Snapshot) -> Result<Vec<Missing>, Error> {
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

/// Runs the pieces, those that failed once more as long as that helps: a function may need a table that needs
/// another function. Gives those that never worked, with the server's words of the last try.
pub(super) fn replay(owner: &Session, pieces: &[Piece]) -> Result<Vec<Missing>, Error> {
    owner.batch("SET check_function_bodies = off; SET client_min_messages = error")?;
    let mut left: Vec<&Piece> = Vec::new();
    for some in pieces.chunks(TOGETHER) {
        let all: Vec<&str> = some.iter().map(|piece| piece.sql.as_str()).collect();
        if owner.batch(&all.join(";\n")).is_ok() {
            continue;
        }
        for piece in some {
            match owner.batch(&piece.sql) {
                Ok(()) => {}
                Err(Error::Server { .. }) => left.push(piece),
                Err(err) => return Err(err),
            }
        }
    }
    loop {
        let before = left.len();
        let mut failed = Vec::new();
        let mut why = Vec::new();
        for piece in left {
            if let Err(err) = owner.batch(&piece.sql) {
                failed.push(piece);
                why.push(words(&err));
            }
        }
        if failed.len() == before || failed.is_empty() {
            let missing = failed.into_iter().zip(why).map(|(piece, why)| Missing {
                kind: piece.kind.clone(),
                name: piece.name.clone(),
                why,
            });
            return Ok(missing.collect());
        }
        left = failed;
    }
}
