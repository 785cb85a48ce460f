//! One thing that a log tells, borrowed from the log's own bytes.

use std::hash::Hasher as _;

use rustc_hash::FxHasher;
use serde::{Deserialize, Serialize};

use super::{incidents::Incident, pooler::Told, repetition::Evidence};

/// Where an event stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    /// Index of the input in the run.
    pub input: u32,
    /// From 1.
    pub line: u64,
}

/// What an entry of a log says, in the words that all formats share. A field that the format does
/// not carry is `None`, never zero or empty.
#[derive(Clone, Debug)]
pub struct Event<'a> {
    pub kind: EventKind<'a>,
    /// When the entry was written, which for an execution is its end: microseconds since 1970 (UTC).
    pub end: Option<i64>,
    /// The clock only shows whole seconds (`%t`): gaps and overlaps cannot be measured.
    pub coarse: bool,
    /// Microseconds.
    pub duration: Option<u64>,
    /// Process id of the backend (or whatever number names a session in this log).
    pub session: Option<u32>,
    /// The log does not tell connections apart: its `session` is one stream of perhaps several, so that
    /// how many were busy at once is not known.
    pub mixed: bool,
    /// Microseconds that the statement waited for a connection of the application's pool.
    pub pool_wait: Option<u64>,
    /// Virtual transaction id as written (`3/17`).
    pub vxid: Option<&'a [u8]>,
    pub database: Option<&'a [u8]>,
    pub user: Option<&'a [u8]>,
    pub application: Option<&'a [u8]>,
    pub host: Option<&'a [u8]>,
    /// The request or trace that it belongs to, where the log itself says so.
    pub unit: Option<UnitId>,
    /// Where the application sent it from, as its log says: `app/models/user.rb:4`.
    pub caller: Option<&'a [u8]>,
    /// Rows that an execution returned or changed.
    pub rows: Option<u64>,
    pub position: Position,
    /// A hash of session, database, user, application and host, where the reader has one at hand: equal
    /// hashes mean equal ones of these, and differing hashes nothing. Else 0.
    pub who: u64,
}

impl Position {
    /// [`Position::input`] of a statement that stands in an SQL file.
    pub const NO_LOG: u32 = u32::MAX;
}

impl<'a> Event<'a> {
    /// An event of which nothing else is known.
    pub fn new(kind: EventKind<'a>, position: Position) -> Event<'a> {
        Event {
            kind,
            end: None,
            coarse: false,
            duration: None,
            session: None,
            mixed: false,
            pool_wait: None,
            vxid: None,
            database: None,
            user: None,
            application: None,
            host: None,
            unit: None,
            caller: None,
            rows: None,
            position,
            who: 0,
        }
    }

    /// [`Event::who`], made where the reader had none.
    pub(super) fn who(&self) -> u64 {
        if self.who != 0 {
            return self.who;
        }
        let names = [self.database, self.user, self.application, self.host];
        let mut hasher = FxHasher::default();
        hasher.write_u64(self.session.map_or(0, |session| u64::from(session) + 1));
        for name in names.into_iter().map(Option::unwrap_or_default) {
            hasher.write(name);
            hasher.write_usize(name.len());
        }
        // Never the hash that stands for none; the slots of a table are told by the lowest bits.
        hasher.finish() | 1 << 63
    }
}

/// Names one unit of work of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnitId {
    pub evidence: Evidence,
    /// Hash of the trace id, request id or job id.
    pub id: u64,
}

impl UnitId {
    pub fn new(evidence: Evidence, name: &[u8]) -> UnitId {
        UnitId { evidence, id: super::hash(name) }
    }
}

#[derive(Clone, Debug)]
pub enum EventKind<'a> {
    /// A statement ran to its end (`statement:` and `execute` entries).
    Execution {
        sql: &'a [u8],
        binds: Binds<'a>,
    },
    /// The extended protocol's parse or bind step of a statement: time, but no execution.
    ParseOrBind {
        step: ProtocolStep,
        sql: &'a [u8],
    },
    /// An `auto_explain` plan of an execution that may be logged besides; never a second count.
    Plan {
        format: PlanFormat,
        /// It ran inside of a function, and is no execution of its own.
        nested: bool,
        text: &'a [u8],
    },
    /// ERROR, FATAL or PANIC, with its statement where the log has it.
    Error {
        sqlstate: Option<&'a [u8]>,
        message: &'a [u8],
        sql: Option<&'a [u8]>,
    },
    SessionStart,
    SessionEnd,
    /// What a server's log tells besides.
    Incident(&'a Incident<'a>),
    /// What the log of a connection pooler tells.
    Pooler(&'a Told<'a>),
}

/// The steps of the extended protocol that come before an execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProtocolStep {
    Parse,
    Bind,
}

/// Bind values as the log has them; read only when a sample is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binds<'a> {
    /// The log does not say (or there are none).
    Unknown,
    /// PostgreSQL's DETAIL after `parameters: `: `$1 = '42', $2 = NULL`.
    Postgres(&'a [u8]),
    /// In the order of `$1`, `$2` …; `None` is NULL.
    Values(&'a [Option<String>]),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PlanFormat {
    Text,
    Json,
    Xml,
    Yaml,
}
