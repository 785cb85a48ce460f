//! Events grouped by fingerprint: the [`Workload`].
//!
//! **Invariant:** a workload is a monoid. [`Workload::merge`] is associative, the empty workload is
//! its identity, so one thread, two threads, two files or many machines give the same result. The
//! order of merging is the order of the log: only that keeps sessions in sequence.

pub mod binds;
pub mod event;
pub mod query;
pub mod repetition;
pub mod sketch;

pub use event::{Binds, Event, EventKind, PlanFormat, Position};
pub use query::{LoggedPlan, Query, Sample};
pub use repetition::{Evidence, Occurrence, Repetition, RepetitionKind};
pub use sketch::Sketch;

use rustc_hash::FxHashMap;

use crate::{
    error::NotJudged,
    finding::Location,
    sql::{Fingerprint, Normalizer},
};

/// Executions by how their statement begins; transaction control counts as utility.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ByKind {
    pub select: u64,
    pub insert: u64,
    pub update: u64,
    pub delete: u64,
    pub with: u64,
    pub utility: u64,
}

/// Figures of the whole workload.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Totals {
    pub executions: u64,
    /// Microseconds.
    pub total_us: u64,
    pub by_kind: ByKind,
    pub errors: u64,
    /// When the first and last execution ended, in microseconds since 1970 (UTC).
    pub first: Option<i64>,
    pub last: Option<i64>,
    /// Durations of parse and bind steps, which are no executions.
    pub parse_bind_us: u64,
    pub parse_bind_steps: u64,
}

/// A statement of an SQL file: seen, not executed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    pub text: String,
    pub at: Location,
}

/// One input of the run, as `inputs` of the report shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct InputSummary {
    /// As the user named it; `-` is stdin.
    pub name: String,
    /// `pg-stderr`, `pg-csv`, `pg-json`, `sql`.
    pub format: String,
    /// After decompression.
    pub bytes: u64,
    /// Log entries (or statements) that were understood.
    pub entries: u64,
    /// Lines (or statements) that were not.
    pub skipped: u64,
    /// A few of the skipped ones: `line 12: …`, cut to 200 characters.
    pub skipped_samples: Vec<String>,
    /// What a person should know: the prefix that was inferred, a clock of whole seconds, a file cut short.
    pub notes: Vec<String>,
}

#[derive(Clone, Debug, Default)]
pub struct Workload {
    queries: FxHashMap<Fingerprint, Query>,
    totals: Totals,
    not_judged: NotJudged,
}

impl Workload {
    /// Counts one event. Hot: no allocation once its query is known.
    pub fn add(&mut self, event: &Event<'_>, normalizer: &mut Normalizer) {
        let _ = (event, normalizer);
    }

    /// Takes in a statement of an SQL file.
    pub fn add_statement(&mut self, statement: Statement, normalizer: &mut Normalizer) {
        let _ = (statement, normalizer);
    }

    /// Adds what came after `self` in the log.
    pub fn merge(&mut self, later: Workload) {
        let _ = later;
    }

    /// The log begins and ends here: units of work that are still open are folded.
    pub fn close(&mut self) {}

    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    pub fn query(&self, id: Fingerprint) -> Option<&Query> {
        self.queries.get(&id)
    }

    /// Every query, the most expensive first (total time, then calls, then id).
    pub fn ranked(&self) -> Vec<&Query> {
        Vec::new()
    }

    /// Queries that one unit of work ran again and again, the most expensive first.
    pub fn repetitions(&self) -> Vec<Repetition> {
        Vec::new()
    }

    /// Sessions busy at once.
    pub fn concurrency(&self) -> Option<Concurrency> {
        None
    }

    pub fn not_judged(&self) -> &NotJudged {
        &self.not_judged
    }
}

/// How many sessions ran a statement at the same time, over the seconds in which any did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Concurrency {
    /// Busy time divided by the wall time from the first start to the last end.
    pub average: f64,
    /// Of the per-second peaks.
    pub p95: u64,
    pub peak: u64,
}
