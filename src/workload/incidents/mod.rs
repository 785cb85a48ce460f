//! What a server's log tells besides statements, counted: errors, deadlocks, lock waits, temporary
//! files, checkpoints, autovacuum, connections, and what happened to the server itself.
//!
//! In come events; out goes [`Incidents`], a monoid as the workload is one. Names of tables,
//! constraints and roles are kept; of values nothing is (see [`forms`]).

pub mod conditions;
pub mod forms;

mod checkpoints;
mod connections;
mod deadlock;
mod form_table;
mod kind;
mod locks;
mod maintenance;
mod messages;
mod sessions;
mod tally;
mod told;

pub use checkpoints::Checkpoints;
pub use connections::{Connections, Open};
pub use deadlock::{DeadlockKey, Process};
pub use kind::Kind;
pub use locks::{Deadlocks, WaitKey, Waits};
pub use maintenance::Runs;
pub use messages::{Login, Message, Messages};
pub use tally::{Counts, Tally};
pub use told::{CheckpointCause, CheckpointEnd, Incident, LockWait, Maintenance, MaintenanceKind, WaitState};

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use self::{
    locks::Locks,
    sessions::{Sessions, Statement},
};
use serde::{Deserialize, Serialize};

use super::Event;
use crate::sql::{Fingerprint, Normalizer};

/// Temporary files of one query.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemporaryFiles {
    pub tally: Tally,
    pub bytes: u64,
    pub largest_file: u64,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Incidents {
    pub messages: Messages,
    pub checkpoints: Checkpoints,
    pub connections: Connections,
    /// Autovacuum by table (`database.schema.table`).
    pub maintenance: Counts<String, Runs>,
    /// By query; `None` where the log does not name the statement.
    pub temporary_files: Counts<Option<Fingerprint>, TemporaryFiles>,
    locks: Locks,
    sessions: Sessions,
    /// Normalised texts of the queries that are named here.
    texts: FxHashMap<Fingerprint, String>,
}

/// Texts that are kept; further queries are known by their fingerprint.
const MOST_TEXTS: usize = 20_000;

impl Incidents {
    /// A statement ran to its end. Hot.
    pub(super) fn executed(&mut self, event: &Event<'_>, query: Fingerprint) {
        let Some(pid) = event.session else { return };
        let statement = event
            .end
            .map(|end| Statement { start: end.saturating_sub_unsigned(event.duration.unwrap_or(0)), query });
        self.sessions.executed(pid, statement, event.position, &mut self.locks);
    }

    pub(super) fn session_starts(&mut self, event: &Event<'_>) {
        self.connections.begins(event);
        if let Some(pid) = event.session {
            self.sessions.boundary(pid, &mut self.locks);
        }
    }

    pub(super) fn session_ends(&mut self, event: &Event<'_>) {
        if let Some(pid) = event.session {
            self.sessions.boundary(pid, &mut self.locks);
        }
    }

    pub(super) fn error(
        &mut self,
        event: &Event<'_>,
        sqlstate: Option<&[u8]>,
        message: &[u8],
        sql: Option<&[u8]>,
        normalizer: &mut Normalizer,
    ) -> Option<Fingerprint> {
        let query = sql.map(|sql| self.name(sql, normalizer));
        self.messages.error(event, sqlstate, message, query);
        // Authorized, and then refused: no line tells the end of such a session.
        if query.is_none() && REFUSED.iter().any(|refused| message.starts_with(refused)) {
            self.connections.refused();
        }
        query
    }

    pub(super) fn add(&mut self, event: &Event<'_>, incident: &Incident<'_>, normalizer: &mut Normalizer) {
        match incident {
            Incident::StatementBegins => {
                if let Some(pid) = event.session {
                    self.sessions.statement_begins(pid);
                }
            }
            Incident::LockWait(wait) => {
                let query = wait.sql.map(|sql| self.name(sql, normalizer));
                let sessions = &self.sessions;
                self.locks.wait(event, wait, query, |pid| sessions.last(pid));
            }
            Incident::Deadlock { detail, context, sql } => {
                let (key, victim) = deadlock::read(detail, *context, *sql, normalizer, |sql, normalizer| {
                    self.name(sql, normalizer)
                });
                self.locks.deadlock(event, key, victim);
            }
            Incident::TemporaryFile { bytes, sql } => {
                let query = sql.map(|sql| self.name(sql, normalizer));
                if let Some(files) = self.temporary_files.at(query) {
                    files.tally.add(event, None);
                    files.bytes = files.bytes.saturating_add(*bytes);
                    files.largest_file = files.largest_file.max(*bytes);
                }
                self.sessions.temporary_file(event.session, query, *bytes, event.position);
            }
            Incident::CheckpointStarts { restart, cause } => self.checkpoints.starts(*restart, *cause),
            Incident::CheckpointEnds(end) => self.checkpoints.ends(end),
            Incident::CheckpointsTooFrequent { seconds } => self.checkpoints.too_frequent(*seconds),
            Incident::Maintenance(run) => {
                if let Some(runs) = self.maintenance.at(String::from_utf8_lossy(run.table).into_owned()) {
                    runs.merge(&Runs::of(run));
                }
            }
            Incident::ConnectionReceived => self.connections.received += 1,
            Incident::ConnectionAuthenticated => self.connections.authenticated += 1,
            Incident::Disconnected { session_us } => self.connections.ends(*session_us),
            Incident::Server { message, sql } => {
                if STARTS.iter().any(|start| message.starts_with(start)) {
                    self.connections.server_starts();
                }
                let query = sql.map(|sql| self.name(sql, normalizer));
                self.messages.server(event, message, query);
            }
        }
    }

    /// The fingerprint of a statement, whose text is then known.
    fn name(&mut self, sql: &[u8], normalizer: &mut Normalizer) -> Fingerprint {
        let query = normalizer.scan(sql).fingerprint;
        if self.texts.len() < MOST_TEXTS {
            self.texts.entry(query).or_insert_with(|| normalizer.text_of(query, sql));
        }
        query
    }

    /// Adds what came after `self` in the log.
    #[expect(clippy::iter_over_hash_type, reason = "each text for itself")]
    pub(super) fn merge(&mut self, later: Incidents) {
        self.messages.merge(later.messages);
        self.checkpoints.merge(&later.checkpoints);
        self.connections.merge(later.connections);
        self.maintenance.merge(later.maintenance, |ours, theirs| ours.merge(&theirs));
        self.temporary_files.merge(later.temporary_files, |ours, theirs| {
            ours.tally.merge(&theirs.tally);
            ours.bytes = ours.bytes.saturating_add(theirs.bytes);
            ours.largest_file = ours.largest_file.max(theirs.largest_file);
        });
        // Waits of ours hear what came after them, waits of theirs what came before.
        later.sessions.tell(&mut self.locks);
        self.locks.merge(later.locks, |pid| self.sessions.last(pid));
        self.sessions.merge(later.sessions);
        for (query, text) in later.texts {
            if self.texts.len() < MOST_TEXTS {
                self.texts.entry(query).or_insert(text);
            }
        }
    }

    /// Folds what is over; only for a log that begins here.
    pub(super) fn settle(&mut self) {
        self.locks.settle();
        self.sessions.settle();
    }

    /// The log ends here.
    pub(super) fn close(&mut self) {
        self.sessions.close();
    }

    /// Waits for locks by who waited for whom, those that did not end included.
    pub fn lock_waits(&self) -> BTreeMap<WaitKey, Waits> {
        self.locks.waits()
    }

    pub fn deadlocks(&self) -> &Counts<DeadlockKey, Deadlocks> {
        &self.locks.deadlocks
    }

    /// Bytes of all temporary files of the execution of this query that took the most.
    pub fn largest_execution(&self, query: Fingerprint) -> Option<u64> {
        self.sessions.largest.get(&query).copied()
    }

    /// The normalised text of a query that is named here.
    pub fn text(&self, query: Fingerprint) -> Option<&str> {
        self.texts.get(&query).map(String::as_str)
    }
}

/// How the server refuses a session that it has authorized.
const REFUSED: &[&[u8]] = &[b"role \"", b"database \"", b"remaining connection slots are reserved"];

/// After these no session of before is open.
const STARTS: &[&[u8]] = &[b"starting PostgreSQL ", b"all server processes terminated; reinitializing"];
