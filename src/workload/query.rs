//! What is known of one query: all events of one fingerprint.

use std::collections::BTreeMap;

use super::{event::PlanFormat, event::Position, sketch::Sketch};
use crate::{
    finding::Location,
    sql::{Fingerprint, StatementKind},
};

#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    pub id: Fingerprint,
    /// Normalised.
    pub text: String,
    pub kind: StatementKind,
    /// Executions.
    pub calls: u64,
    /// Executions whose duration the log gives.
    pub timed: u64,
    /// Microseconds over the timed executions, as the next four.
    pub total_us: u64,
    pub min_us: u64,
    pub max_us: u64,
    pub sketch: Sketch,
    /// `None` where the log does not say.
    pub rows: Option<u64>,
    /// Executions per minute, by the minute since 1970 in which they ended; coarsened so that there
    /// are never more than 120 (see `bucket_minutes`).
    pub buckets: BTreeMap<i64, u64>,
    /// Width of a bucket, a power of two.
    pub bucket_minutes: u32,
    /// Sorted, each once; so are the next four.
    pub databases: Vec<String>,
    pub users: Vec<String>,
    pub applications: Vec<String>,
    pub hosts: Vec<String>,
    /// Route, controller or job names found in comments.
    pub routes: Vec<String>,
    /// Microseconds since 1970.
    pub first: Option<i64>,
    pub last: Option<i64>,
    /// At most three executions as they were: the slowest first, then others picked by a hash of
    /// their values, so that the same log always gives the same.
    pub samples: Vec<Sample>,
    /// The plan that `auto_explain` logged for the slowest execution.
    pub plan: Option<LoggedPlan>,
    /// Where it stands in SQL files.
    pub statements: Vec<Location>,
    /// Its first event in each input.
    pub seen_at: Vec<Position>,
    /// Statements that failed.
    pub errors: u64,
}

/// One execution, with its literals: never printed unless asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The statement as it was sent; cut (and then useless for EXPLAIN) after 64 kB.
    pub sql: String,
    pub complete: bool,
    /// `None` where the log has none; an inner `None` is NULL.
    pub binds: Option<Vec<Option<String>>>,
    /// Microseconds.
    pub duration: Option<u64>,
    pub position: Position,
    /// The database it ran in.
    pub database: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedPlan {
    pub format: PlanFormat,
    pub text: String,
    /// Microseconds.
    pub duration: u64,
}

impl Query {
    pub fn total_ms(&self) -> f64 {
        self.total_us as f64 / 1000.0
    }

    /// `None` when no execution had a duration.
    pub fn mean_ms(&self) -> Option<f64> {
        (self.timed > 0).then(|| self.total_ms() / self.timed as f64)
    }
}
