//! A server that a flag names as scratch: there indexes are built, queries are timed with them, and the indexes
//! are dropped again.
//!
//! This is the only place that changes a server of the user's, and all that it does there is `CREATE INDEX` under
//! names with [`PREFIX`], ANALYZE where an index holds an expression, and `DROP INDEX` of names with that prefix. Queries are
//! run as everywhere: only what [`safety`](super::safety) lets run, read-only, with limits, rolled back.
//!
//! The indexes go whatever happens: when the value is dropped, over a new connection where the old one is lost, and, after
//! a `kill -9`, when the next verification begins.

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::{Duration, Instant},
};

use super::{
    Limits, OWN_LIMIT, Server, Target,
    explain::{Values, explain},
    safety::Verdict,
    session::{Failure, Session},
    what_if,
};
use crate::{
    catalog::{IndexSpec, KeyExpr},
    error::Error,
    plan::Probe,
    sql::{Shape, parse},
};

/// What the name of each index begins with that is built here, and of each that is ever dropped.
const PREFIX: &str = "sargable_verify_";

/// Building is ended by the user, not by us.
const BUILD_LIMIT: Duration = Duration::from_hours(24);

/// What waits for a lock of ours: a verification that was killed may still be ending on the server.
const PATIENCE: Duration = Duration::from_secs(10);

/// The key of the advisory lock that keeps two verifications of one database apart: `sargable` in ASCII.
const LOCK: i64 = 0x7361_7267_6162_6c65;

/// The verification of one database.
pub struct Scratch {
    server: Server,
    target: Target,
    limits: Limits,
    stop: Arc<AtomicBool>,
    /// The next index gets this number.
    next: u32,
    /// Something may stand there that must go.
    dirty: bool,
}

/// An index that stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Built {
    /// What plans call it.
    pub name: String,
    pub bytes: u64,
    /// Milliseconds that building took.
    pub ms: f64,
}

/// What running a query came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Timed {
    Took {
        /// Of each run, in milliseconds, by the server's clock.
        ms: Vec<f64>,
        /// The names of the indexes that the plan uses.
        indexes: Vec<String>,
    },
    /// A run was ended by `statement_timeout`.
    Stopped,
    NotRun {
        why: String,
    },
}

/// Names one database of one running server, whatever way leads there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity(Vec<String>);

impl Server {
    pub fn identity(&mut self) -> Result<Identity, Error> {
        // A copy of a data folder keeps its system identifier; when its server started, no other did.
        let sql =
            "SELECT pg_catalog.date_part('epoch', pg_catalog.pg_postmaster_start_time())::pg_catalog.text,
                          d.oid::pg_catalog.text, d.datname::pg_catalog.text
                     FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()";
        let rows = self
            .session
            .read_only(OWN_LIMIT, OWN_LIMIT, |session| session.rows(sql, &[], OWN_LIMIT))
            .map_err(|failure| failure.into_error("asking which database it is"))?;
        Ok(Identity(rows.iter().flat_map(|row| (0..3).map(|at| row.get(at))).collect()))
    }
}

impl Scratch {
    /// Connects, keeps other verifications out, and drops what a killed one left; gives the names of that.
    ///
    /// # Errors
    /// The server cannot be reached, is a standby, or another verification is under way in the database.
    pub fn open(
        target: &Target,
        limits: Limits,
        stop: Arc<AtomicBool>,
    ) -> Result<(Scratch, Vec<String>), Error> {
        let server = Server::connect(target)?;
        let limits = Limits { budget: None, ..limits };
        let mut scratch = Scratch { server, target: target.clone(), limits, stop, next: 1, dirty: false };
        if scratch.is_standby().map_err(|failure| failure.into_error("asking whether it is a standby"))? {
            return Err(Error::Usage {
                what: format!("{} is a standby, where no index can be built", scratch.label()),
                hint: Some("name a server that can be written to".to_owned()),
            });
        }
        if !scratch.lock().map_err(|failure| failure.into_error("waiting for another verification"))? {
            return Err(Error::Usage {
                what: format!("another verification is under way in {}", scratch.label()),
                hint: Some("wait for its end, or name another database".to_owned()),
            });
        }
        let swept = scratch.sweep().map_err(|failure| {
            failure.into_error(&format!("dropping the indexes {PREFIX}… of a verification that was killed"))
        })?;
        Ok((scratch, swept))
    }

    /// `user@host:port/database`.
    pub fn label(&self) -> String {
        self.server.label()
    }

    pub fn identity(&mut self) -> Result<Identity, Error> {
        self.server.identity()
    }

    fn is_standby(&mut self) -> Result<bool, Failure> {
        let rows = self.server.session.rows("SELECT pg_catalog.pg_is_in_recovery()", &[], OWN_LIMIT)?;
        Ok(rows.first().is_some_and(|row| row.get(0)))
    }

    fn lock(&mut self) -> Result<bool, Failure> {
        /// `lock_not_available`.
        const HELD: &str = "55P03";
        let session = &mut self.server.session;
        // Should this process be killed, the server is to notice while it builds.
        if self.server.version >= 140_000 {
            session.run("SET client_connection_check_interval = '1s'", OWN_LIMIT)?;
        }
        session.run(&format!("SET lock_timeout = {}", PATIENCE.as_millis()), OWN_LIMIT)?;
        match session.run(&format!("SELECT pg_catalog.pg_advisory_lock({LOCK})"), OWN_LIMIT) {
            Ok(()) => Ok(true),
            Err(failure) if failure.code == HELD => Ok(false),
            Err(failure) => Err(failure),
        }
    }

    /// Builds an index as `CREATE INDEX` does. Its name is our own, not the advised one.
    ///
    /// # Errors
    /// Why it does not stand.
    pub fn build(&mut self, index: &IndexSpec) -> Result<Built, String> {
        self.admit(index)?;
        let name = format!("{PREFIX}{}", self.next);
        self.next += 1;
        self.dirty = true;
        let began = Instant::now();
        self.interruptible(|session| session.run(&index.create_named(&name, false), BUILD_LIMIT))
            .map_err(|failure| failure.why)?;
        let ms = began.elapsed().as_secs_f64() * 1000.0;
        // Without statistics of its own the planner knows nothing of an expression's values.
        if index.keys.iter().any(|key| matches!(key.expr, KeyExpr::Expression(_))) {
            self.interruptible(|session| session.run(&format!("ANALYZE {}", index.table), BUILD_LIMIT))
                .map_err(|failure| failure.why)?;
        }
        // Of a partitioned table's index, the sizes of its parts.
        let sql = "SELECT pg_catalog.sum(pg_catalog.pg_relation_size(t.relid))::pg_catalog.int8
                     FROM pg_catalog.pg_class c, LATERAL (
                          SELECT c.oid AS relid WHERE c.relkind = 'i'
                          UNION ALL SELECT p.relid FROM pg_catalog.pg_partition_tree(c.oid) p WHERE c.relkind = 'I' AND p.isleaf) t
                    WHERE c.relname = $1 AND c.relkind IN ('i', 'I')";
        let rows = self
            .server
            .session
            .rows(sql, &[(&name, tokio_postgres::types::Type::NAME)], OWN_LIMIT)
            .map_err(|failure| failure.why)?;
        let bytes = rows.first().and_then(|row| row.get::<_, Option<i64>>(0)).unwrap_or(0).unsigned_abs();
        Ok(Built { name, bytes, ms })
    }

    /// The expressions of an index are run over every row.
    fn admit(&mut self, index: &IndexSpec) -> Result<(), String> {
        let Some(text) = what_if::as_select(index) else { return Ok(()) };
        let shape = parse::parse(&text).ok();
        match self.server.verdict(&text, shape.as_ref(), &self.limits).map_err(|failure| failure.why)? {
            Verdict::Run => Ok(()),
            Verdict::Plan(why) | Verdict::Refuse(why) => Err(why),
        }
    }

    /// Runs a query several times with EXPLAIN ANALYZE, which reads its rows and sends none.
    pub fn time(&mut self, probe: &Probe, shape: Option<&Shape>, runs: usize) -> Timed {
        /// `query_canceled`.
        const TIMEOUT: &str = "57014";
        match self.server.verdict(&probe.sql, shape, &self.limits) {
            Err(failure) => return Timed::NotRun { why: failure.why },
            Ok(Verdict::Refuse(why) | Verdict::Plan(why)) => return Timed::NotRun { why },
            Ok(Verdict::Run) => {}
        }
        let Values::Known(values) = Values::of(probe) else {
            return Timed::NotRun { why: "its bind values are not known".to_owned() };
        };
        let (limit, lock) = (self.limits.statement_timeout, self.limits.lock_timeout);
        let (mut ms, mut indexes) = (Vec::new(), Vec::new());
        for _ in 0..runs {
            let sql = format!("EXPLAIN (FORMAT JSON, ANALYZE, TIMING OFF) {}", probe.sql);
            let run = self.interruptible(|session| {
                session.read_only(limit, lock, |session| {
                    session.use_role_path(limit)?;
                    explain(session, &sql, &values, limit)
                })
            });
            match run {
                Ok(plan) => {
                    ms.extend(plan.execution_ms);
                    indexes = plan.nodes().iter().filter_map(|node| node.index.clone()).collect();
                }
                Err(failure) if failure.code == TIMEOUT => return Timed::Stopped,
                Err(failure) => return Timed::NotRun { why: failure.why },
            }
        }
        Timed::Took { ms, indexes }
    }

    /// `work`, which ends early once the user wants to stop.
    fn interruptible<T>(
        &mut self,
        work: impl FnOnce(&mut Session) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let session = &mut self.server.session;
        session.stopped_by(Some((self.target.clone(), Arc::clone(&self.stop))));
        let outcome = work(session);
        session.stopped_by(None);
        outcome
    }

    /// Drops what was built; gives the names that still stand, with the reason.
    pub fn drop_all(&mut self) -> Vec<(String, String)> {
        if !self.dirty {
            return Vec::new();
        }
        let mut swept = self.sweep();
        if swept.as_ref().is_err_and(|failure| failure.gone)
            && let Ok(server) = Server::connect(&self.target)
        {
            self.server = server;
            swept = match self.lock() {
                Ok(true) => self.sweep(),
                Ok(false) => Err(Failure {
                    code: String::new(),
                    why: "the server is still building".to_owned(),
                    gone: false,
                }),
                Err(failure) => Err(failure),
            };
        }
        match swept {
            Ok(_) => {
                self.dirty = false;
                Vec::new()
            }
            Err(failure) => vec![(format!("{PREFIX}…"), failure.why)],
        }
    }

    /// Drops every index of the database whose name begins with our prefix.
    fn sweep(&mut self) -> Result<Vec<String>, Failure> {
        let session = &mut self.server.session;
        // Indexes of partitions go with that of their table.
        let sql = "SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname)
                     FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                    WHERE c.relkind IN ('i', 'I') AND NOT c.relispartition
                      AND pg_catalog.left(c.relname::pg_catalog.text, pg_catalog.length($1)) = $1
                    ORDER BY c.oid";
        let rows = session.rows(sql, &[(&PREFIX, tokio_postgres::types::Type::TEXT)], OWN_LIMIT)?;
        let names: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        for name in &names {
            session.run(&format!("DROP INDEX IF EXISTS {name}"), OWN_LIMIT)?;
        }
        Ok(names)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.drop_all();
    }
}
